#!/usr/bin/env python3
"""A disk that is full, failing or mounted read only: everything that can be read is read, changes are refused with 507 and a reason, nothing
that was acknowledged is lost, and when there is room again all goes on without a restart (docs/store.md).

Once on a small file system, where the machine lets us mount one, and once with calls that fail by order.
"""
import contextlib
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading

import lib
from app import App
from fault import Faults, Staff
from lib import World, article, wait_for

from tap import Skip, case, done, note

MB = 1 << 20
READS = ["/", "/v1/items", "/v1/sites", "/v1/sync/main/head", "/healthz", "/v1/sync/main/keys"]


def is_read_only(server):
    return server.metric("read_only") == 1


def refused(answer, slug="full"):
    assert answer.status == 507 and answer.json()["type"] == f"/problems/{slug}", answer
    assert 30 <= int(answer.headers["retry-after"]) < 60 and answer.json()["detail"], answer
    return True


def look_readable(server):
    for target in READS:
        assert server.get(target).status in (200, 404), target
    assert server.get("/v1/items").status == 200 and server.get("/v1/sync/main/head").status == 200
    return True


def letter(server):
    """One that its office can read."""
    made = server.admin("POST", "/v1/orgs", b'{"code":"letters","name":"office"}', {"content-type": "application/json"})
    assert made.status in (201, 409), made
    line = b'{"category":"consult","origin":"1","received":"2026-05-04 10:00","text":"?","title":"?","unit":"letters"}\n'
    taken = server.admin("POST", "/v1/letters?from=old", line, {"content-type": "application/x-ndjson"})
    assert taken.status == 200, taken
    return taken.json()["lines"][0]["number"]


def read(server, no):
    return server.admin("GET", f"/v1/letters/{no}")


def told(server):
    """How many readings of a letter stand in the audit log."""
    with contextlib.closing(sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM audit WHERE action = 'letter.read'").fetchone()[0]


class Importer(threading.Thread):
    """Sends records, one after the other, until one is refused."""

    def __init__(self, staff, first):
        super().__init__()
        self.staff, self.next, self.acknowledged, self.end = staff, first, set(), None
        self.start()

    def run(self):
        while self.end is None:
            record = article(self.next, size=6000)
            self.next += 1
            answer = self.staff.bring(record)
            if answer.status == 200:
                self.acknowledged.add(record["title"])
            else:
                self.end = answer


def whole(w, server, data, acknowledged=frozenset()):
    """What was acknowledged is published, a new phone holds just what the server exports, and the log is whole."""
    server.settle(30)
    exported = w.export(data)
    assert set(acknowledged) <= {lib.json.loads(line)["title"] for line in exported.splitlines()}
    phone = w.phone(f"new-{len(list(w.dir.iterdir()))}", "--cacert", w.certificate(data), url=server.url)
    phone.sync()
    assert phone.export() == exported
    said = w.tjzw("verify", "--data", data).stdout.decode()
    assert "NOT" not in said, said


@contextlib.contextmanager
def small_disk(w, megabytes):
    """A directory on a file system of that size."""
    at = w.dir / "small"
    at.mkdir(mode=0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", at], capture_output=True).returncode:
        raise Skip("a small file system cannot be mounted here")
    try:
        yield at
    finally:
        for server in w.servers:
            if server.data == at / "data" and server.process.poll() is None:
                server.kill()
        subprocess.run(["umount", "-l", at], check=True)


def fill(at, leave):
    """A file that leaves so many bytes free."""
    with open(at / "filler", "wb") as f:
        while (room := os.statvfs(at).f_bavail * os.statvfs(at).f_frsize - leave) > 0:
            try:
                f.write(bytes(min(room, MB)))
                f.flush()
            except OSError:
                break


def reserve_cases(w, at, server, staff):
    keeper, victim, mail = staff.publish("一直在的"), staff.publish("要撤的"), letter(server)
    with case("with less room than the reserve it is read only: 507 with a reason and Retry-After, said by metric, /readyz, doctor, and once in the log"):
        fill(at, 4 * MB)
        wait_for("read only", 10, lambda: is_read_only(server))
        refused(staff.draft("写不进去的", key="later"))
        refused(staff.bring(article(1)))
        refused(server.admin("PUT", "/v1/blobs/" + "0" * 64, b"x", {"content-type": "application/octet-stream"}))
        assert "磁盘" in server.get("/problems/full", headers={"accept": "text/html"}).body.decode()
        ready = server.get("/readyz")
        assert ready.status == 200 and b"read only: the server's disk is full" in ready.body, ready
        doctor = w.tjzw("doctor", "--data", server.data, check=False)
        assert doctor.returncode and "✘ 改动" in doctor.stdout.decode() and "disk_reserve" in doctor.stdout.decode(), doctor
        look_readable(server)
        assert server.said().count('"event":"read_only"') == 1 and '"event":"failure"' not in server.said(), server.said()

    with case("letters are read, and each reading is written down, in the reserve"):
        before = told(server)
        assert all(read(server, mail).status == 200 for _ in range(20)) and is_read_only(server)
        assert told(server) == before + 20

    with case("a takedown goes through, from the reserve, and its head is signed"):
        before = server.head()["seq"]
        assert staff.step(victim, "withdraw", reason="内容有误").status == 200
        assert server.get(f"/v1/items/{victim}").status == 410 and server.get(f"/v1/items/{keeper}").status == 200
        wait_for("its head", 10, lambda: server.head()["seq"] > before)

    with case("a child that is killed meanwhile is back, serves, and still refuses changes"):
        child = server.child
        os.kill(child, signal.SIGKILL)
        wait_for("another child", 10, lambda: server.child != child)
        wait_for("an answer", 10, lambda: look_readable(server))
        assert is_read_only(server)
        refused(staff.draft("还是写不进去"))

    with case("when there is room again it takes changes by itself, the refused one with its key as well"):
        (at / "filler").unlink()
        wait_for("writable", 20, lambda: not is_read_only(server))
        assert staff.draft("写不进去的", key="later").status == 201
        assert staff.bring(article(1)).status == 200
        assert b"read only" not in server.get("/readyz").body and '"event":"writable_again"' in server.said()
        whole(w, server, server.data)


def last_byte_cases(w, at, server, staff):
    with case("with no byte left under load nothing acknowledged is lost, and nothing is half done"):
        item, writers = staff.publish("留着的"), [Importer(staff, 1_000_000 * n) for n in (1, 2)]
        wait_for("some records", 20, lambda: all(len(i.acknowledged) > 3 for i in writers))
        fill(at, 0)
        for writer in writers:
            writer.join(60)
            refused(writer.end)
        look_readable(server)
        fill(at, 0)
        assert staff.step(item, "withdraw", reason="内容有误").status in (200, 507)     # what was left may have been enough
        gone = server.get(f"/v1/items/{item}").status
        (at / "filler").unlink()
        wait_for("writable", 20, lambda: not is_read_only(server))
        assert server.get(f"/v1/items/{item}").status == gone
        assert staff.draft("又能写了").status == 201
        acknowledged = set().union(*(i.acknowledged for i in writers))
        note(f"{len(acknowledged)} records acknowledged before the last byte")
        whole(w, server, server.data, acknowledged)

    with case("with no byte left the takedown that failed can be made again, and the journal says it once"):
        item = staff.publish("再撤一次")
        fill(at, 0)
        outcome = staff.step(item, "withdraw", reason="内容有误").status
        (at / "filler").unlink()
        if outcome != 200:
            wait_for("the takedown", 20, lambda: staff.step(item, "withdraw", reason="内容有误").status == 200)
        whole(w, server, server.data)


def on_a_small_disk(w):
    with small_disk(w, 40) as at:
        data = at / "data"
        w.tjzw("import", "--data", data, "--publish", w.articles(60), env={"TJZW_DISK_RESERVE": "1m"})
        server = w.serve(data, env={"TJZW_DISK_RESERVE": "8m", "TJZW_INDEX_CHANGES": "50"})
        staff = Staff(server)
        reserve_cases(w, at, server, staff)
        server.stop()
        server = w.serve(data, env={"TJZW_DISK_RESERVE": "0", "TJZW_INDEX_CHANGES": "50"})
        last_byte_cases(w, at, server, Staff(server))
        reading_cases(at, server)
        server.stop()


def reading_cases(at, server):
    with case("with no byte left as many readings of a letter are written down as were answered"):
        wait_for("writable", 20, lambda: not is_read_only(server))
        mail, before = letter(server), told(server)
        fill(at, 0)
        answers = [read(server, mail).status for _ in range(300)]
        look_readable(server)
        (at / "filler").unlink()
        wait_for("writable", 20, lambda: not is_read_only(server))
        assert set(answers) <= {200, 507} and told(server) == before + answers.count(200), (set(answers), before, told(server))
        note(f"{answers.count(200)} of {len(answers)} readings found room in files that were there")
        assert read(server, mail).status == 200


def by_order(w):
    faults = Faults(w, below=w.data)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(30))
    server = w.serve(env=faults.env(TJZW_SMS_DEVELOPMENT="true"))
    staff, mail = Staff(server), letter(server)
    with case("tokens that could not be synced are not given; the one that was to be exchanged is good afterwards"):
        phone = App(server).by_phone("13900000061")
        faults.order("sync", error=errno.EIO, for_ever=True)
        answer = App(server).call("POST", "/v1/auth/refresh", {"refresh": phone.said["refresh"]})
        assert answer.status == 507 and b"tj" not in answer.body.replace(b"tjzw", b""), answer
        faults.rest()
        wait_for("writable", 30, lambda: not is_read_only(server))
        answer = App(server).call("POST", "/v1/auth/refresh", {"refresh": phone.said["refresh"]})
        assert answer.status == 200 and answer.json()["refresh"] != phone.said["refresh"], answer
    with case("nothing of a letter is shown that could not be written down; what is public is read on"):
        before = told(server)
        faults.order("write", "sync", error=errno.ENOSPC, for_ever=True)
        refused(read(server, mail))
        look_readable(server)
        faults.rest()
        wait_for("writable", 30, lambda: read(server, mail).status == 200)
        assert told(server) == before + 1, told(server)
    for error, slug, what in ((errno.ENOSPC, "full", "no room"), (errno.EIO, "unwritable", "a failing disk"),
                              (errno.EROFS, "unwritable", "a file system that became read only")):
        with case(f"{what}: reads go on, changes are refused as {slug}, and taken again when the disk takes them"):
            faults.order("write", "sync", "name", error=error, for_ever=True)
            refused(staff.draft("第一个碰到的"), slug)
            wait_for("read only", 20, lambda: is_read_only(server))
            refused(staff.draft("后面的", key=f"again-{error}"), slug)
            look_readable(server)
            faults.rest()
            wait_for("writable", 30, lambda: not is_read_only(server))
            assert staff.draft("后面的", key=f"again-{error}").status == 201
    with case("after all of that the log is whole"):
        staff.publish("最后一条")
        whole(w, server, w.data)
        server.stop()


with World() as world:
    with case("a small disk can be had"):
        on_a_small_disk(world)
with World() as world:
    by_order(world)
sys.exit(done())
