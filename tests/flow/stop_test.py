#!/usr/bin/env python3
"""SIGTERM ends a server within its deadline, whoever has it by the sleeve; within 5 s more if a thread hangs or nothing of it moves.

What a loaded machine takes from any process is measured beside it (Twin) and allowed. Those who take no bytes, send half a head or half a body, have connected and say nothing, hold streams of events open; a worker that hangs in
the disk (a FIFO in the place of a file); a process that does not move at all. What can be finished is finished, and the exit status
says whether all was. A child that has just crashed, or is just being started again, is no reason to end otherwise.
"""
import hashlib
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

from lib import World, wait_for
from mixed_load import TLS
from twin import Twin

from tap import case, done, note, rounds

sys.path.insert(0, str(__import__("lib").ROOT / "tests" / "attack"))
from wire import CONTEXTS, END_HEADERS, Peer, greeting, headers, request  # noqa: E402

DEADLINE, GRACE, LAST_STEPS = 2, 5, 1
THREADS = 2         # that wait for each other: what the load takes from one, it takes as often
LONG = 40
CRASHES = rounds(300, 30)


def connect(server, said=b"", small=False, tls=True):
    s = socket.socket()
    if small:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(10)
    s.connect(("127.0.0.1", server.port))
    s = TLS.wrap_socket(s) if tls else s
    s.sendall(said)
    return s


class Stage:
    """A server, and those who keep it."""

    def __init__(self, w, deadline=DEADLINE):
        self.w = w
        self.server = w.serve(env={"TJZW_STOP_DEADLINE": f"{deadline}s", "TJZW_RATE_LIMIT": "0"})
        label = f"keeper-{random.getrandbits(40)}"
        self.who = f"Authorization: Bearer {self.server.program(label, 'import,edit')}\r\n"
        self.kept = []

    def keep(self, *how, **more):
        self.kept.append(connect(self.server, *how, **more))
        return self.kept[-1]

    def get(self, target):
        return f"GET {target} HTTP/1.1\r\nHost: a\r\n{self.who}\r\n".encode()

    # ---- who keeps it ----
    def nobody(self):
        pass

    def slow_readers(self):
        large = self.server.put_file(random.Random(1).randbytes(16 << 20))
        for _ in range(3):
            assert self.keep(self.get(f"/v1/blobs/{large}"), small=True).recv(1000)
        peer = Peer(self.server.port, rcvbuf=4096)
        peer.pour(greeting(window_by=0) + b"".join(headers(2 * i + 1, request("/v1/items?n=100")) for i in range(20)), reading=False)
        self.kept.append(peer)

    def half_sent(self):
        post = f"POST /v1/items HTTP/1.1\r\nHost: a\r\n{self.who}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n".encode()
        self.keep(post + b"{")
        self.keep(post[:60])
        self.keep(b"GE")
        peer = Peer(self.server.port)
        peer.pour(greeting() + headers(1, request("/v1/items", "POST"), END_HEADERS))
        self.kept.append(peer)

    def silent(self):
        self.keep()
        self.keep(tls=False)
        idle = self.keep(self.get("/healthz"))
        assert idle.recv(1000).startswith(b"HTTP/1.1 200 ")
        self.kept.append(Peer(self.server.port))

    def listeners(self):
        for _ in range(5):
            assert self.keep(self.get("/v1/events"), small=True).recv(1000).startswith(b"HTTP/1.1 200 ")
        peer = Peer(self.server.port, rcvbuf=4096)
        peer.pour(greeting(window_by=0) + headers(1, request("/v1/events")))
        self.kept.append(peer)

    def hung_worker(self):
        name = hashlib.sha256(os.urandom(8)).hexdigest()
        place = self.w.data / "blobs" / name[:2] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(place)
        asking = self.keep(self.get(f"/v1/blobs/{name}"))
        asking.settimeout(0.5)
        try:
            raise AssertionError(f"the worker does not hang: {asking.recv(1000)!r}")
        except TimeoutError:
            pass

    def standing_still(self):
        os.kill(self.server.child, signal.SIGSTOP)

    # ---- the end ----
    def end(self):
        """(seconds, exit status, seconds that are the load's)"""
        start, late = time.monotonic(), twin.seconds()
        self.server.process.send_signal(signal.SIGTERM)
        try:
            status = self.server.process.wait(60)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.server.said()}") from None
        took, late = time.monotonic() - start, THREADS * (twin.seconds() - late)
        for kept in self.kept:
            kept.close()
        return took, status, late


def ends(w, name, *keepers, status=0, grace=0):
    with case(name):
        stage = Stage(w)
        child = stage.server.child
        for keeper in keepers:
            keeper(stage)
        took, said, late = stage.end()
        note(f"{took:.2f} s, status {said}; the load's: {late:.2f} s")
        assert took < DEADLINE + grace + LAST_STEPS + late, f"{took:.1f} s, of which the load has {late:.1f} s"
        assert said == status, f"status {said}: {stage.server.said()}"
        wait_for("the child to be gone", 10, lambda: not os.path.exists(f"/proc/{child}"))


def crashes(w):
    """Its child is killed, and up to 60 ms later it is told to end: dying, dead, being forked, starting and serving."""
    chance, later = random.Random(random.getrandbits(32)), []
    slowest = 0
    for n in range(CRASHES):
        server, ms = w.serve(w.dir / "small", env={"TJZW_STOP_DEADLINE": f"{DEADLINE}s"}), 60 * chance.random() ** 4
        os.kill(server.child, (signal.SIGKILL, signal.SIGABRT)[n % 2])
        time.sleep(ms / 1000)
        start, late = time.monotonic(), twin.seconds()
        try:
            server.stop(60)
        except AssertionError as why:
            raise AssertionError(f"{ms:.1f} ms after its child was killed: {why}") from None
        took, late = time.monotonic() - start, THREADS * (twin.seconds() - late)
        slowest = max(slowest, took)
        assert took < DEADLINE + LAST_STEPS + late, f"{ms:.1f} ms after its child was killed: {took:.1f} s, of which the load has {late:.1f} s"
        later.append('"serves_again"' in server.said())
    note(f"{sum(later)} of {CRASHES} served again in between; the slowest end took {slowest:.2f} s")


def builder(server):
    """The thread that steps back for all others, once it is at work; None before."""
    for task in map(int, os.listdir(f"/proc/{server.child}/task")):
        fields = open(f"/proc/{server.child}/task/{task}/stat").read().rsplit(")", 1)[1].split()
        if fields[16] == "5" and fields[0] == "R":
            return task
    return None


def starved(w):
    """The builder shares a core with some who spin, and the kernel is told that it matters to nobody."""
    data = w.dir / "starved"
    w.tjzw("import", "--data", data, "--publish", w.articles(1500, name="long.ndjson", size=6000))
    shutil.rmtree(data / "objects")
    server = w.serve(data)
    key = server.program("to-the-end", "edit")
    at = wait_for("the builder", 60, lambda: builder(server))
    core = min(os.sched_getaffinity(0))
    hogs = [subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", "while True: pass"]) for _ in range(3)]
    try:
        os.sched_setaffinity(at, {core})
        os.sched_setscheduler(at, os.SCHED_IDLE, os.sched_param(0))
        assert server.get("/v1/staff/items?n=1", headers={"authorization": f"Bearer {key}"}).status == 200
        took = server.stop(60)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    note(f"{took:.1f} s; left: {'builder_left' in server.said()}")
    with sqlite3.connect(data / "tjzw.db") as db:
        no, = db.execute("SELECT no FROM party WHERE id = 'to-the-end'").fetchone()
        assert db.execute("SELECT COUNT(*) FROM party_request WHERE party = ?", (no,)).fetchone() == (1,)
    w.tjzw("verify", "--data", data)
    w.serve(data).stop()


twin = Twin()
with World() as w:
    with case(f"a child that has just died, {CRASHES} times: the end is in order all the same"):
        crashes(w)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(200))
    ends(w, "nobody is there", Stage.nobody)
    ends(w, "readers that take no bytes", Stage.slow_readers)
    ends(w, "heads and bodies that do not come to their end", Stage.half_sent)
    ends(w, "who has connected and says nothing", Stage.silent)
    ends(w, "open streams of events, some unread", Stage.listeners)
    ends(w, "a worker that hangs", Stage.hung_worker, status=1, grace=GRACE)
    ends(w, "all of them at once", Stage.slow_readers, Stage.half_sent, Stage.silent, Stage.listeners, Stage.hung_worker, status=1, grace=GRACE)
    ends(w, "a process that does not move", Stage.standing_still, status=1, grace=GRACE)
    with case("an HTTP/2 handshake that ends during the stop: it is sent away, and nobody waits for the deadline"):
        stage = Stage(w, LONG)
        late = connect(stage.server, tls=False)
        time.sleep(0.5)         # so that a loop has it
        stage.server.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)         # those who were there have had their last GOAWAY
        late = CONTEXTS["h2"].wrap_socket(late)
        late.sendall(greeting())
        stage.kept.append(late)
        took, said, _ = stage.end()
        note(f"{took:.1f} s, status {said}")
        assert took < LONG / 2 and said == 0, f"{took:.1f} s, status {said}"
    with case("who compresses at leisure gets no processor: nobody waits for him, and what others did is written down"):
        starved(w)
    with case("what a key was used for in the last second is written down"):
        server = w.serve()
        key = server.program("last-minute", "edit")
        for _ in range(3):
            assert server.get("/v1/staff/items?n=1", headers={"authorization": f"Bearer {key}"}).status == 200
        server.stop()
        with sqlite3.connect(w.data / "tjzw.db") as db:
            no, = db.execute("SELECT no FROM party WHERE id = 'last-minute'").fetchone()
            assert db.execute("SELECT used > 0 FROM party_key WHERE party = ?", (no,)).fetchone() == (1,)
            assert db.execute("SELECT COUNT(*) FROM party_request WHERE party = ?", (no,)).fetchone() == (3,)
    with case("and the next start serves, with a whole log"):
        server = w.serve()
        assert server.get("/v1/sync/main/head").status == 200
        server.stop()
        w.tjzw("verify", "--data", w.data)

sys.exit(done())
