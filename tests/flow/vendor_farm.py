"""vendor_farm.py - tests/mocks/farm.mjs: push vendors of our own, and the keys that they and we have.

    make_keys(where)                        # c.pem, k.pem: of the farm; apns.p8, apns.pub, account.json
    farm = Farm(where)
    farm.set("apns", kill_every=2000, how="destroy")
    farm.counts("apns")["tokens"]           # how often each token got something
"""
import json
import subprocess

from lib import ROOT

SUBJECT = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]


def apns_tokens(n, begin=0):
    return [f"{i:064x}" for i in range(begin, begin + n)]


class Farm:
    def __init__(self, where):
        self.where = where
        self.process = subprocess.Popen(["node", str(ROOT / "tests/mocks/farm.mjs"), "c.pem", "k.pem", "apns.pub"], cwd=where, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"https://127.0.0.1:{self.port}"

    def ask(self, path, body=None):
        data = ["-d", json.dumps(body)] if body is not None else []
        said = subprocess.run(["curl", "-s", "--http2", "--cacert", "c.pem", *data, self.url + path], cwd=self.where, capture_output=True, check=True)
        return json.loads(said.stdout)

    def set(self, vendor, **how):
        self.ask("/_control", {"vendor": vendor, **how})

    def counts(self, vendor):
        return self.ask("/_counts").get(vendor, {"requests": 0, "grants": 0, "tokens": {}})

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def run(*args, cwd):
    return subprocess.run(args, cwd=cwd, capture_output=True, check=True, text=True).stdout


def make_keys(where):
    ec = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2", *SUBJECT, cwd=where)
    run("openssl", "genpkey", *ec, "-out", "apns.p8", cwd=where)
    run("openssl", "pkey", "-in", "apns.p8", "-pubout", "-out", "apns.pub", cwd=where)
    rsa = run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", cwd=where)
    (where / "account.json").write_text(json.dumps({"project_id": "4711", "key_id": "kid", "sub_account": "99", "private_key": rsa}))
