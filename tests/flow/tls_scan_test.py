#!/usr/bin/env python3
"""What TLS scanners say of the server: nothing but what a self-signed certificate explains; and it serves on, unharmed.

testssl.sh and sslscan are Debian's. `explained` names every finding above INFO that may stand, and why. The extremes, by openssl s_client:
what is old or weak gets no connection, what is new does.
"""
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as tree

from lib import World, clean_env, wait_for

from tap import FULL, Skip, case, done, note

FINE = {"OK", "INFO"}
# Findings that are not about the server: id of testssl.sh, and why.
EXPLAINED = {
    "cert_chain_of_trust": "self-signed: no authority stands behind it",
    "cert_revocation": "self-signed: nobody could revoke it",
    "DNS_CAArecord": "127.0.0.1 has no domain",
    "engine_problem": "the scanner's own OpenSSL has no GOST",
    "sessionresumption_ticket": "it hangs up before a ticket of TLS 1.3 can come (tests/unit/ticket_test.c waits)",
    "RC4": "the scanner's own OpenSSL has no RC4; sslscan and the clients below have tried",
}
# Of testssl.sh; all takes minutes.
CHECKS = [] if FULL else ["--protocols", "--headers", "--renegotiation"]
CLIENTS = [
    # what is offered, and whether there is to be a connection
    ("TLS 1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0", False),
    ("TLS 1.0", "-tls1 -cipher ALL:@SECLEVEL=0", False),
    ("TLS 1.2 without forward secrecy", "-tls1_2 -cipher AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0", False),
    ("CBC", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0", False),
    ("CCM", "-tls1_2 -cipher ECDHE-ECDSA-AES128-CCM", False),
    ("anonymous", "-tls1_2 -cipher aNULL:@SECLEVEL=0", False),
    ("no cipher at all", "-tls1_2 -cipher eNULL:@SECLEVEL=0", False),
    ("CAMELLIA and ARIA", "-tls1_2 -cipher CAMELLIA:ARIA:@SECLEVEL=0", False),
    ("signatures with SHA-1 only", "-tls1_2 -sigalgs ECDSA+SHA1:RSA+SHA1 -cipher ALL:@SECLEVEL=0", False),
    ("TLS 1.3 with RSA signatures only", "-tls1_3 -sigalgs RSA-PSS+SHA256", False),
    ("P-521 only", "-groups P-521", False),
    ("P-384 only", "-groups P-384", False),
    ("finite fields only", "-tls1_3 -groups ffdhe2048", False),
    ("X448 only", "-groups X448", False),
    ("TLS 1.2, AES-128-GCM", "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", True),
    ("TLS 1.2, AES-256-GCM", "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", True),
    ("TLS 1.2, ChaCha20", "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", True),
    ("TLS 1.3, ChaCha20", "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", True),
    ("TLS 1.3, AES-256-GCM, P-256", "-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384 -groups P-256", True),
    ("TLS 1.3, X25519", "-tls1_3 -groups X25519", True),
    ("every group there is", "-groups X448:P-521:P-384:P-256:X25519", True),
]


def unharmed(server, child):
    assert server.child == child and server.get("/healthz").status == 200 and "server_died" not in server.log.read_text()
    assert server.metric("seccomp_refused") == 0


def client(server, options, said=b"Q\n"):
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options.split()], input=said, capture_output=True, timeout=60,
                          env=clean_env({"OPENSSL_CONF": os.devnull}))


def renegotiating(server):
    """What a client hears that wants another handshake on its connection."""
    asked = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=clean_env({"OPENSSL_CONF": os.devnull}))
    said = b""
    while b"Extended master secret" not in said:    # it listens to its keyboard from here on
        said += asked.stdout.readline()
    asked.stdin.write(b"R\n")
    asked.stdin.flush()
    wait_for("an answer", 30, lambda: asked.poll() is not None)
    return said + asked.stdout.read()


def testssl(w, server):
    if not shutil.which("testssl"):
        raise Skip("testssl.sh is not installed")
    report = w.dir / "testssl.json"
    done = subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--ip", "one", "--jsonfile", report, *CHECKS,
                           f"127.0.0.1:{server.port}"], capture_output=True, stdin=subprocess.DEVNULL, env=clean_env({"TERM": "dumb"}), timeout=1200, cwd=w.dir)
    found = json.loads(report.read_text())
    assert len(found) > 20 and not [f for f in found if f["id"] == "scanProblem"], (len(found), done.stdout[-2000:], [f for f in found if f["id"] == "scanProblem"])
    return found


def testssl_case(w, server):
    with case("testssl.sh finds nothing that a self-signed certificate does not explain"):
        found = testssl(w, server)
        said = {f["id"]: f["finding"] for f in found}
        note(f"{len(found)} findings, " + ", ".join(f"{n} {s}" for s in sorted({f['severity'] for f in found}) if (n := sum(f["severity"] == s for f in found))))
        wrong = [f"{f['id']}: {f['severity']}: {f['finding']}" for f in found if f["severity"] not in FINE and f["id"].split(" <")[0] not in EXPLAINED]
        assert not wrong, "\n".join(wrong)
        for ident, word in (("TLS1_1", "not offered"), ("TLS1_2", "offered"), ("TLS1_3", "offered"), ("secure_client_renego", "not vulnerable"), ("HSTS_time", "days"), ("ALPN_HTTP2", "h2")):
            assert word in said.get(ident, ""), (ident, said.get(ident))


def sslscan_case(w, server):
    with case("sslscan finds TLS 1.2 and 1.3, ECDHE with an AEAD, and nothing weak"):
        if not shutil.which("sslscan"):
            raise Skip("sslscan is not installed")
        report = w.dir / "sslscan.xml"
        subprocess.run(["sslscan", "--no-colour", f"--xml={report}", f"127.0.0.1:{server.port}"], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300, env=clean_env())
        test = tree.parse(report).getroot().find("ssltest")
        enabled = {p.get("type") + p.get("version") for p in test.iter("protocol") if p.get("enabled") == "1"}
        assert enabled == {"tls1.2", "tls1.3"}, enabled
        ciphers = [(c.get("sslversion"), c.get("cipher"), c.get("strength")) for c in test.iter("cipher")]
        assert ciphers and all(c[0] == "TLSv1.3" or c[1].startswith("ECDHE-ECDSA-") and ("GCM" in c[1] or "CHACHA20" in c[1]) for c in ciphers), ciphers
        assert {c[2] for c in ciphers} <= {"strong", "acceptable"}, ciphers
        groups = {g.get("name") for g in test.iter("group")}
        assert groups <= {"x25519", "secp256r1 (NIST P-256)"} and groups, groups
        for name, attribute in (("renegotiation", "secure"), ("compression", "supported"), ("heartbleed", "vulnerable")):
            note(f"{name}: " + ", ".join(str(e.attrib) for e in test.iter(name)))
        assert all(e.get("supported") in (None, "0") for e in [*test.iter("compression"), *test.iter("renegotiation")])
        assert all(e.get("vulnerable") == "0" for e in test.iter("heartbleed"))


def extremes(server):
    for name, options, welcome in CLIENTS:
        with case(f"{'a client that has' if welcome else 'none for a client that has'} {name}"):
            said = client(server, options)
            connected = b"Cipher is (NONE)" not in said.stdout and b"New, " in said.stdout
            assert connected == welcome, said.stdout[-500:] + said.stderr[-500:]

    with case("no renegotiation, no compression, no early data; ALPN; tickets of an hour"):
        said = client(server, "-tls1_2 -alpn h2,http/1.1").stdout
        assert b"Compression: NONE" in said and b"ALPN protocol: h2" in said and b"lifetime hint: 3600" in said, said
        _, asked, answer = renegotiating(server).partition(b"RENEGOTIATING")
        assert asked and b"verify return" not in answer, answer    # which it prints for each certificate it is shown
        said = client(server, "-tls1_3").stdout
        assert b"Max Early Data: 0" in said or b"Early data was not sent" in said, said


with World() as world:
    running = world.serve(urls=None)
    first = running.child
    extremes(running)
    testssl_case(world, running)
    sslscan_case(world, running)
    with case("the server that was scanned serves on, and no call was refused"):
        unharmed(running, first)
        running.stop()
sys.exit(done())
