#!/usr/bin/env python3
"""Others judge our push: clients that nobody here wrote take the vendors of tests/mocks/farm.mjs for real ones, and a push service and a decryptor that nobody here wrote take our messages
for good ones.

    Apple       npm's @parse/node-apn and Debian's python3-aioapns ask our mock
    browsers    npm's web-push asks our mock; npm's web-push-testing is the service of some browsers, and http_ece reads what others get
"""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import ROOT
from npm import missing
from vendor_drive import ACCEPTED, AGAIN, GONE, REJECTED, drive, write_settings
from vendor_farm import Farm, apns_tokens, make_keys, run

from tap import case, done, skip

HERE, THERE = Path(__file__).with_name("push"), ROOT / ".cache" / "push-npm"


def judge(*args):
    said = subprocess.run(["node", "judge.mjs", *map(str, args)], cwd=THERE, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr[-1000:]
    return json.loads(said.stdout)


class Service:
    """npm's web-push-testing, which decrypts what it takes and looks who sent it; over TLS."""

    def __init__(self, where):
        self.where = where
        self.process = subprocess.Popen(["node", "judge.mjs", "service", where / "c.pem", where / "k.pem"], cwd=THERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.url = f"https://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def ask(self, path, body):
        return json.loads(run("curl", "-s", "--cacert", "c.pem", "-H", "content-type: application/json", "-d", json.dumps(body), self.url + path, cwd=self.where) or "{}")

    def subscribe(self, key):
        """A browser's subscription to who has this key, and the name that the service knows it by."""
        said = self.ask("/subscribe", {"userVisibleOnly": "true", "applicationServerKey": key})["data"]
        return json.dumps({"endpoint": said["endpoint"], "keys": said["keys"]}, separators=(",", ":")), said["clientHash"]

    def messages(self, name):
        return [json.loads(text) for text in self.ask("/get-notifications", {"clientHash": name})["data"]["messages"]]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def point(path):
    """What browsers subscribe with: the public half of a key."""
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
    return base64.urlsafe_b64encode(der[-65:]).decode().rstrip("=")


def another_service(where, farm):
    """Its subscriptions are to a key, ours is made when the sender first runs."""
    service = Service(where)
    try:
        write_settings(where, farm.url, "service.yaml", webpush=service.url)
        ours, others = point(where / "data/keys/webpush"), point(where / "apns.p8")
        with case("npm's web-push-testing takes our messages: it knows who sent them, and reads them"):
            both = [service.subscribe(ours) for _ in range(20)]
            left = [token for token, _ in both]
            for _ in range(10):     # whose turn it is not, at a service's pace, is put off: he has had nothing
                verdicts, _ = drive(where, "webpush", left, message={"title": "你好", "text": "天津" * 300, "collapse": "c-9", "number": 9}, conf="service.yaml")
                assert set(verdicts) <= {ACCEPTED, AGAIN}, verdicts
                left = [token for token, v in zip(left, verdicts) if v == AGAIN]
                if not left:
                    break
            assert not left, left
            for _, name in both:
                assert service.messages(name) == [{"title": "你好", "text": "天津" * 300, "tag": "c-9", "campaign": 9}], service.messages(name)
        with case("it refuses us for a browser that subscribed to somebody else, and so do we; a subscription that expired is gone"):
            (theirs, name), (expired, gone) = service.subscribe(others), service.subscribe(ours)
            run("curl", "-sf", "--cacert", "c.pem", "-X", "POST", f"{service.url}/expire-subscription/{gone}", cwd=where)
            assert drive(where, "webpush", [theirs, expired], conf="service.yaml")[0] == REJECTED + GONE
            assert service.messages(name) == service.messages(gone) == []
    finally:
        service.stop()


def browsers(where, farm):
    with case("what a browser gets is read by http_ece, which nobody here wrote"):
        mine = [judge("browser-new") for _ in range(3)]
        tokens = [json.dumps({"endpoint": f"{farm.url}/wp/{i}", "keys": {"p256dh": b["p256dh"], "auth": b["auth"]}}, separators=(",", ":")) for i, b in enumerate(mine)]
        farm.set("webpush", gone=["/wp/2"])
        verdicts, _ = drive(where, "webpush", tokens, message={"title": "你好", "text": "天津", "collapse": "c-9", "number": 9})
        assert verdicts == ACCEPTED + ACCEPTED + GONE, verdicts
        for body in farm.ask("/_bodies"):
            b = mine[int(body["path"].rsplit("/", 1)[1])]
            text = judge("browser-read", b["secret"], b["auth"], body["body"])
            assert text == {"title": "你好", "text": "天津", "tag": "c-9", "campaign": 9}, text
            assert body["headers"]["topic"] == "c-9" and body["headers"]["ttl"] == "3600", body["headers"]
    with case("npm's web-push takes our browsers' service for one"):
        mine, port = judge("browser-new"), farm.ask("/_http1")["port"]
        said = [judge("webpush", f"https://127.0.0.1:{port}/wp/{n}", mine["p256dh"], mine["auth"], "天津") for n in (7, 2)]
        assert said == [{"status": 201}, {"status": 410}], said
        body = farm.ask("/_bodies")[-1]
        assert body["path"] == "/wp/7" and body["headers"]["ttl"] == "60", body


def apple(where, farm):
    with case("@parse/node-apn takes our Apple for one"):
        tokens = apns_tokens(3, 1 << 41)
        farm.set("apns", gone=tokens[2:])
        said = judge("apns", farm.port, where / "c.pem", where / "apns.p8", *tokens)
        assert said["sent"] == 2 and said["failed"] == [[410, "Unregistered"]], said
        farm.set("apns")


def debian_s_apple(where, farm):
    python = next((p for p in (sys.executable, "/usr/bin/python3") if os.path.exists(p) and subprocess.run([p, "-c", "import aioapns"], capture_output=True).returncode == 0), None)
    if not python:
        return skip("aioapns takes our Apple for one", "it needs Debian's python3-aioapns")

    def asked(*tokens, **more):
        said = subprocess.run([python, HERE / "judge.py", str(farm.port), where / "c.pem", where / "apns.p8", json.dumps({"tokens": tokens, **more})], capture_output=True, text=True, timeout=60)
        assert said.returncode == 0, said.stderr[-1000:]
        return json.loads(said.stdout)
    with case("aioapns takes our Apple for one: it reads every answer, and which request it is of"):
        tokens = apns_tokens(300, 1 << 42)
        farm.set("apns", gone=tokens[298:])
        assert asked(*tokens, "short") == [["200", None]] * 298 + [["410", "Unregistered"]] * 2 + [["400", "BadDeviceToken"]]
        delivered = farm.counts("apns")["tokens"]
        assert [delivered.get(t, 0) for t in tokens] == [1] * 298 + [0] * 2
        assert asked(tokens[0], text="长" * 2000) == [["413", "PayloadTooLarge"]]
        farm.set("apns", status=429)
        assert asked(tokens[0]) == [["429", "TooManyRequests"]]
        farm.set("apns", status=503)
        assert asked(tokens[0]) == [["503", "ServiceUnavailable"]]
        farm.set("apns")
    with case("a client that repeats what it is not sure of delivers twice: the mock counts it, which is what we are held to"):
        tokens = apns_tokens(300, 1 << 43)
        farm.set("apns", kill_every=100, how="destroy")
        said = asked(*tokens)
        delivered = farm.counts("apns")["tokens"]
        assert [s for s, _ in said] == ["200"] * 300 and sum(delivered[t] for t in tokens) > 300
        farm.set("apns")


def main():
    where = Path(tempfile.mkdtemp(prefix="tjzw-judges-"))
    make_keys(where)
    farm = Farm(where)
    try:
        write_settings(where, farm.url)
        debian_s_apple(where, farm)
        if why := missing(HERE, THERE):
            skip("what npm's say of it", why)
        else:
            apple(where, farm)
            browsers(where, farm)
            another_service(where, farm)
    finally:
        farm.stop()
        shutil.rmtree(where)


if shutil.which("node"):
    main()
else:
    skip("who judges our push", "node is not here")
sys.exit(done())
