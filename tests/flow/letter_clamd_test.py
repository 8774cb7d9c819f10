#!/usr/bin/env python3
"""Files of letters and a real clamd, which knows two signatures of ours: its words are the ones we understand, and it sees each file whole. What a scanner may do wrong: letter_scan_test.py."""
import hashlib
import random
import sys
import uuid

from citizen import Citizen, png, sync
from lib import World, wait_for

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from clamd import Clamd, missing  # noqa: E402
from tap import case, done, skip  # noqa: E402

PATIENCE = 120
LONGEST = 20 << 20
PROBE = b"TJZW-ANTIVIRUS-PROBE-%06d" % random.randrange(10 ** 6)
KNOWN = b"%PDF-1.7 " + random.randbytes(5000)
SIGNATURES = {"own.ndb": f"Tjzw.Probe:0:*:{PROBE.hex()}", "own.hdb": f"{hashlib.md5(KNOWN).hexdigest()}:{len(KNOWN)}:Tjzw.Known"}


def main(w):
    clamd = Clamd(w.dir / "clamd", SIGNATURES)
    clamd.start()
    wait_for("clamd", PATIENCE, clamd.listens)
    server = w.serve(env={"TJZW_RATE_LIMIT": "0", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_SCAN_SOCKET": clamd.path})
    w.tjzw("org", "create", "--data", w.data, "--code", "heping", "--name", "和平区")
    li, n = Citizen(server, "13800138001"), iter(range(1, 1000))

    def upload(content):
        assert (answer := li.put(content)).status == 201, answer
        return hashlib.sha256(content).hexdigest()

    def send(*files):
        no = next(n)
        value = {"category": "complain", "files": [{"hash": name, "name": "附件.pdf"} for name in files], "text": "路灯不亮。", "title": "路灯", "unit": "heping"}
        results, _ = sync(li, "q83vEjRWeJCrze8SNFZ4kA", {"n": no, "type": "letter.send", "key": str(uuid.uuid4()), "value": value})
        return results[no]

    def open_file(number, name):
        return server.admin("GET", f"/v1/letters/{number}/files/{name}")

    def found(content, name):
        infected = server.metric("letter_files_infected")
        file = upload(content)
        wait_for("the verdict", PATIENCE, lambda: server.metric("letter_files_infected") == infected + 1)
        assert (sent := send(file))["code"] == "value" and "没有通过安全检查" in sent["detail"], sent
        assert name in server.admin("GET", "/v1/audit?n=5").body.decode()

    with case("clean pictures and documents are opened by staff once it has seen them, the longest too"):
        clean = [upload(c) for c in (png(100, 100, 30000, b"note"), b"%PDF-1.7 clean", b"%PDF-1.7 " + random.randbytes(LONGEST - 9))]
        number = send(*clean)["number"]
        for file in clean:
            wait_for("the file to be scanned", PATIENCE, lambda f=file: open_file(number, f).status == 200)
        wait_for("them to be counted", PATIENCE, lambda: server.metric("letter_files_clean") == 3)
        assert server.metric("letter_scan_failures") == 0

    with case("what it knows is found, by its bytes and by its hash, and under clamd's name in the audit log"):
        found(b"%PDF-1.7 " + PROBE, "Tjzw.Probe")
        found(KNOWN, "Tjzw.Known")

    with case("also in the last bytes of the longest file"):
        found(b"%PDF-1.7 " + random.randbytes(LONGEST - 9 - len(PROBE)) + PROBE, "Tjzw.Probe")

    with case("in a picture's notes it is gone before anybody looks"):
        file = upload(png(100, 100, 3000, PROBE))
        number = send(file)["number"]
        assert PROBE not in wait_for("the file to be scanned", PATIENCE, lambda: (a := open_file(number, file)).status == 200 and a).body

    with case("a clamd that takes only short streams leaves a longer file held back, until it takes it"):
        clamd.stop()
        clamd.start(longest="1M")
        wait_for("clamd", PATIENCE, clamd.listens)
        failures = server.metric("letter_scan_failures")
        file = upload(b"%PDF-1.7 " + random.randbytes(3 << 20))
        number = send(file)["number"]
        wait_for("a failure", PATIENCE, lambda: server.metric("letter_scan_failures") > failures)
        assert open_file(number, file).status == 409
        clamd.stop()
        clamd.start()
        wait_for("the file to be scanned", PATIENCE, lambda: open_file(number, file).status == 200)

    server.stop()
    clamd.stop()


if __name__ == "__main__":
    if lacking := missing():
        skip("files of letters and a real clamd", lacking)
    else:
        with World() as world:
            main(world)
    sys.exit(done())
