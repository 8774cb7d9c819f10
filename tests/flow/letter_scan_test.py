#!/usr/bin/env python3
"""Files of letters and a scanner for viruses that is honest, finds something, hangs, dies, lies and is away: no letter is lost, nobody waits, and nothing unseen is opened."""
import hashlib
import os
import random
import re
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

from citizen import Citizen, png, sync
from lib import World, wait_for

from tap import case, done, note

PATIENCE = 60
LONGEST = 20 << 20                          # bytes of a file
WORM = b"%PDF-1.7 " + b"X5O!P%@AP" * 3      # what our scanner takes for a virus


class Scanner:
    """Speaks clamd's INSTREAM. `mood`: what it does with a file; `moods`: with one that has these bytes."""

    def __init__(self, path):
        self.path, self.mood, self.seen, self.release = str(path), "honest", [], threading.Event()
        self.moods = {}
        self.open()

    def open(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, args=(self.listener,), daemon=True).start()

    def go_away(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)

    def serve(self, listener):
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(one,), daemon=True).start()

    def answer(self, one):
        try:
            with one, one.makefile("rb") as said:
                mood = self.mood
                assert said.read(10) == b"zINSTREAM\0"
                if mood == "answers before the end":
                    one.sendall(b"stream: OK\0")
                if mood == "dies":
                    said.read(5)
                    return
                content = b""
                while n := int.from_bytes(said.read(4), "big"):
                    content += said.read(n)
                    mood = next((m for marker, m in self.moods.items() if marker in content), mood)
                    if mood == "dies":
                        self.seen.append((mood, content))
                        return
                self.seen.append((mood, content))
                if mood == "hangs":
                    self.release.wait()
                    return
                found = b"stream: Eicar-Signature FOUND\0" if WORM in content else b"stream: OK\0"
                one.sendall({"says OK and more": b"stream: OK\0stream: OK\0", "says another's OK": b"/tmp/x: OK\0", "says an error": b"INSTREAM size limit exceeded. ERROR\0",
                             "says nothing": b"\0", "floods": b"stream: " + b"OK" * 5000}.get(mood, found))
        except (OSError, AssertionError):
            pass


LIES = ["dies", "answers before the end", "says OK and more", "says another's OK", "says an error", "says nothing", "floods"]


def letter(*files):
    return {"category": "complain", "files": [{"hash": name, "name": "附件.pdf"} for name in files], "text": "路灯不亮。", "title": "路灯", "unit": "heping"}


def peak(server, anew=False):
    """The most memory it had, in bytes; `anew`: from now on, beginning with what it has."""
    process = Path(f"/proc/{server.child}")
    if anew:
        (process / "clear_refs").write_text("5")
    return int(re.search(r"VmHWM:\s+(\d+)", (process / "status").read_text())[1]) << 10


class Desk:
    """Those who work on letters."""

    def __init__(self, server):
        self.server = server

    def files(self, number):
        return self.server.admin("GET", f"/v1/letters/{number}").json()["files"]

    def open(self, number, name):
        return self.server.admin("GET", f"/v1/letters/{number}/files/{name}")

    def opens(self, number, name):
        return wait_for("the file to be scanned", PATIENCE, lambda: (a := self.open(number, name)).status == 200 and a)


def main(w):
    scanner = Scanner(w.dir / "clamd.ctl")
    env = {"TJZW_RATE_LIMIT": "0", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_SCAN_SOCKET": scanner.path, "TJZW_ALERT_EVERY": "200ms"}
    server = w.serve(env=env)
    at = ["--data", w.data]
    w.tjzw("org", "create", *at, "--code", "heping", "--name", "和平区")
    li, desk, device = Citizen(server, "13800138001"), Desk(server), "q83vEjRWeJCrze8SNFZ4kA"
    number_of, n = {}, iter(range(1, 1000))

    def upload(content):
        assert (answer := li.put(content)).status == 201, answer
        return hashlib.sha256(content).hexdigest()

    def send(*files):
        key, no = str(uuid.uuid4()), next(n)
        results, _ = sync(li, device, {"n": no, "type": "letter.send", "key": key, "value": letter(*files)})
        number_of[key] = results[no].get("number")
        return results[no], key

    def messages():
        entries = li.call("POST", "/v1/me/sync", {}).json()["entries"]
        return [e["value"] for e in entries if e["type"] == "message" and e["value"]]

    with case("a clean file is shown to the scanner whole, as it is kept, and read by staff"):
        picture = png(100, 100, 300000, b"secret note")
        name = upload(picture)
        sent, _ = send(name)
        assert desk.opens(sent["number"], name).body in [c for _, c in scanner.seen]
        assert desk.files(sent["number"]) == [{"hash": name, "name": "附件.pdf"}]
        wait_for("it to be counted", PATIENCE, lambda: server.metric("letter_files_clean") == 1)

    with case("what is infected cannot be sent, and its writer reads why and what to do"):
        worm = upload(WORM)
        wait_for("the verdict", PATIENCE, lambda: server.metric("letter_files_infected") == 1)
        sent, _ = send(worm, name)
        assert sent["code"] == "value" and "没有通过安全检查" in sent["detail"] and "附件.pdf" in sent["detail"], sent
        for answer in (li.put(WORM), li.call("GET", f"/v1/me/blobs/{worm}")):
            assert answer.status == 410 and "没有通过安全检查" in answer.body.decode(), answer
        assert not any(WORM in p.read_bytes() for p in w.data.rglob("*") if p.is_file())

    with case("the longest files pass through in pieces: coming, kept, scanned, a document needs next to no memory, and a picture itself and what is kept of it"):
        for content, most in ((b"%PDF-1.7 " + random.randbytes(LONGEST - 9), 6 << 20), (png(5000, 5000, LONGEST - 10000, b"secret note"), 2 * LONGEST + (6 << 20))):
            clean, before = server.metric("letter_files_clean"), peak(server, anew=True)
            name = upload(content)
            wait_for("the verdict", PATIENCE, lambda n=clean: server.metric("letter_files_clean") > n)
            note(f"{content[1:4].decode()}: {(peak(server) - before) / 1e6:.1f} MB more at the peak")
            assert peak(server) - before < most, (peak(server) - before, most)
            assert len(scanner.seen.pop()[1]) > LONGEST - 20000

    with case("while the scanner is away letters are taken, their files held back, and an alert fires"):
        scanner.go_away()
        late, bad = upload(b"%PDF-1.7 late"), upload(WORM + b" again")
        first, _ = send(late)
        second, key = send(bad, name)
        assert first["result"] == second["result"] == "done", (first, second)
        for number, file in ((first["number"], late), (second["number"], bad)):
            held = desk.open(number, file)
            assert held.status == 409 and "等待查毒" in held.body.decode(), held
        assert desk.files(second["number"])[0]["scan"] == "waiting"
        assert desk.open(second["number"], name).status == 200      # the other file was seen before
        assert li.call("GET", f"/v1/me/blobs/{late}").body == b"%PDF-1.7 late"
        wait_for("the alert", PATIENCE, lambda: server.metric("alert_scanner") == 1)
        wait_for("both to be counted", PATIENCE, lambda: server.metric("letter_files_waiting") == 2)

    with case("a restart forgets nothing; when the scanner is back all is scanned, and the alert is over"):
        server.stop()
        server = w.serve(env=env, port=server.port)
        li.server = desk.server = server
        assert desk.open(first["number"], late).status == 409
        scanner.open()
        desk.opens(first["number"], late)
        wait_for("the alert to be over", PATIENCE, lambda: server.metric("alert_scanner") == 0 and server.metric("letter_files_waiting") == 0)

    with case("what turns out to be infected later is gone, and its writer is told kindly in his inbox; the letter stays"):
        gone = desk.open(second["number"], bad)
        assert gone.status == 410 and "没有通过安全检查" in gone.body.decode(), gone
        assert desk.files(second["number"])[0]["scan"] == "infected"
        told = [m for m in messages() if "安全检查" in m["title"]]
        assert len(told) == 1 and told[0]["letter"] == key and second["number"] in told[0]["text"], told
        audit = server.admin("GET", "/v1/audit?n=20").body.decode()
        assert '"letter.infected"' in audit and "Eicar-Signature" in audit, audit[:500]
        assert server.admin("GET", f"/v1/letters/{second['number']}").json()["state"] == "submitted"

    with case("a scanner that lies is not believed: the file stays held back until one says so honestly"):
        for lie in LIES:
            scanner.mood, failures = lie, server.metric("letter_scan_failures")
            file = upload(b"%PDF-1.7 " + lie.encode() + random.randbytes(1000000))      # more than a socket holds: it lies before we have said all
            sent, _ = send(file)
            wait_for(f"a failure: {lie}", PATIENCE, lambda f=failures: server.metric("letter_scan_failures") > f)
            assert desk.open(sent["number"], file).status == 409, lie
            scanner.mood = "honest"
            desk.opens(sent["number"], file)

    with case("a file at which the scanner dies each time holds back nobody else's; staff read that it could not be scanned, and it is tried again"):
        scanner.moods = {b"kills": "dies"}
        file = upload(b"%PDF-1.7 kills")
        wait_for("the scanner to die", PATIENCE, lambda: ("dies", b"%PDF-1.7 kills") in scanner.seen)
        others = [upload(b"%PDF-1.7 innocent " + bytes([65 + i])) for i in range(3)]
        sent, _ = send(file, *others)
        for other in others:
            desk.opens(sent["number"], other)
        wait_for("the tries to be over", PATIENCE, lambda: desk.files(sent["number"])[0].get("scan") == "failed")
        held = desk.open(sent["number"], file)
        assert held.status == 409 and "没能查毒" in held.body.decode(), held
        scanner.moods = {}
        desk.opens(sent["number"], file)

    with case("while it hangs nobody waits, neither who sends nor who reads, and the server stops in time"):
        scanner.mood = "hangs"
        file = upload(b"%PDF-1.7 hangs")
        wait_for("the scanner to hang", PATIENCE, lambda: scanner.seen[-1][0] == "hangs")
        started = time.monotonic()
        others = [send(upload(b"%PDF-1.7 other " + bytes([65 + i])))[0] for i in range(5)]
        assert all(one["result"] == "done" for one in others) and desk.open(others[0]["number"], "0" * 64).status == 404
        assert time.monotonic() - started < 20
        sent, _ = send(file)
        assert desk.open(sent["number"], file).status == 409
        server.stop()
        scanner.mood = "honest"
        scanner.release.set()
        li.server = desk.server = server = w.serve(env=env, port=server.port)
        desk.opens(sent["number"], file)

    with case("without a scanner nothing is held back, but what was found stays gone"):
        server.stop()
        scanner.go_away()
        li.server = desk.server = server = w.serve(env={k: v for k, v in env.items() if k != "TJZW_SCAN_SOCKET"}, port=server.port)
        file = upload(b"%PDF-1.7 as ever")
        sent, _ = send(file)
        assert desk.open(sent["number"], file).status == 200 and desk.open(second["number"], bad).status == 410

    with case("a setting that is no socket is refused at the start"):
        server.stop()
        for wrong in ("clamd.example.cn:3310", "/" + "x" * 200, "3310", "127.0.0.1:clamd"):
            ended = w.tjzw("serve", "--data", w.data, "--listen", server.url, check=False, env={"TJZW_SCAN_SOCKET": wrong})
            assert ended.returncode and b"scan_socket" in ended.stderr, (wrong, ended.stderr)


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
