"""torture.py - the n-th call fails: malloc, open, read, write, fsync, rename, mmap, those of sockets, each once or from there on, or writes half of what it was given, while the server does what
it does (docs/shield.md, "Torture").

For every scenario, kind of call and n: the request may fail, and the process may end for want of memory (SIGABRT, nothing else, and the
supervisor brings it back); what was answered with success is there, what is served is right, and afterwards the same scenario succeeds.

    torture(Draft(), Publish())     # the whole of a script: torture_*_test.py, which --full runs side by side

The plain run takes one n of each row that is known to matter, always the same; --full every n that any scenario reaches of any kind.
TJZW_TORTURE="takedown memory 7": that one. "takedown memory 7-": from there on.
"""
import errno
import hashlib
import http.client
import os
import re
import signal
import socket
import shutil
import sqlite3
import ssl
import subprocess
import sys
import time

from fault import Faults, Staff
from lib import World, article, wait_for

from tap import FULL, case, done, note

TROUBLE = (OSError, http.client.HTTPException, AssertionError, subprocess.TimeoutExpired)
STREAMS_TABLE = "h2o_http2_conn_register_stream: Assertion"     # how libh2o says that there is no memory for one more stream
TRIES_MOST = 1000   # a loop that spins makes some 100,000 a second
AGAIN_EVERY = 10    # a backup that did not notice is not followed by another each time
ALL = ("memory", "open", "read", "write", "short", "sync", "name", "map", "socket")


class Broken(AssertionError):
    """What must never be."""


class Tortured:
    """A server whose calls fail, and what it says of its ends. `silent`: what it shares with phones (sync/) ends without a word for want of memory."""

    def __init__(self, w, faults, start, silent=False):
        self.w, self.faults, self.silent, self.read_to, self.ends = w, faults, silent, 0, 0
        self.server = start(faults.env(TJZW_INDEX_CHANGES="16", TJZW_HEAD_DEBOUNCE="10ms", TJZW_RATE_LIMIT="0"))

    def news(self):
        """What it said since we last looked."""
        with open(self.server.log, "rb") as f:
            f.seek(self.read_to)
            said = f.read()
        self.read_to += len(said)
        return said.decode(errors="replace")

    def serving(self):
        try:
            return self.server.admin("GET", "/healthz", timeout=5).status == 200 and self.server.metric("read_only") == 0
        except TROUBLE:
            return False

    def survived(self, kind, failed):
        """Back, in order, and if it ended, then only for want of memory."""
        wait_for("the server to serve again", 60, self.serving, 0.01)
        said = self.news()
        ends = re.findall(r'"event":"server_died".*?"by":"([^"]+)"', said)
        self.ends += len(ends)
        starved = failed and kind == "memory"
        without = said.replace(STREAMS_TABLE, "no memory") if starved else said
        if any(bad in without for bad in ("Assertion", "Sanitizer", "runtime error", "loop_stuck")):
            raise Broken(said[-3000:])
        if any(how != "signal 6" for how in ends) or (ends and not (starved and (self.silent or "no memory" in without))):
            raise Broken(f"it ended by {ends}: {said[-3000:]}")


class Publisher(Tortured):
    """With staff, and all that was acknowledged to them."""

    def __init__(self, w):
        w.tjzw("import", "--data", w.data, "--publish", w.articles(40, size=1500))
        super().__init__(w, Faults(w), lambda env: w.serve(env=env))
        self.staff = Staff(self.server)
        self.serial = 0
        self.published, self.withdrawn, self.drafts, self.files = set(), set(), set(), set()

    def fresh(self, what):
        self.serial += 1
        return f"{what} {self.serial}"

    def whole(self):
        w, server = self.w, self.server
        server.settle(30)
        server.stop()
        said = w.tjzw("verify", "--data", w.data).stdout.decode()
        assert "NOT" not in said, said
        db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True)
        state = {bytes(i).hex(): s for i, s in db.execute("SELECT id, state FROM item")}
        db.close()
        for want, ids in (("published", self.published), ("withdrawn", self.withdrawn), ("draft", self.drafts)):
            wrong = [i for i in ids if state.get(i.replace("-", "")) != want]
            assert not wrong, f"{len(wrong)} of {len(ids)} are not {want}, such as {wrong[:3]}"
        for name in self.files:
            assert hashlib.sha256((w.data / "blobs" / name[:2] / name).read_bytes()).hexdigest() == name
        return f"{self.ends} ends for want of memory; {len(self.published)} publications, {len(self.withdrawn)} takedowns, {len(self.drafts)} drafts, {len(self.files)} files"


# ---- scenarios: prepare(t) -> what act() needs; act(t, it) -> outcome; judge(t, it, outcome) once nothing fails any more ----

class Scenario:
    kinds = ALL     # that it reaches, or the test has not tried it

    def prepare(self, t):
        return None

    def judge(self, t, it, outcome):
        """Must hold; also makes sure that the same succeeds now."""

    def must(self, holds, why):
        if not holds:
            raise Broken(f"{why}")


class CachedGet(Scenario):
    name = "a ready-made answer over a new TLS connection"
    kinds = ("memory", "socket")

    def prepare(self, t):
        t.server.get("/v1/sites")
        return t.server.get("/v1/sites").body

    def act(self, t, it):
        return t.server.get("/v1/sites", timeout=5)

    def judge(self, t, it, outcome):
        self.must(outcome is None or outcome.status >= 500 or outcome.body == it, outcome)
        self.must(t.server.get("/v1/sites").body == it, "another answer")


class Get(Scenario):
    name = "an answer that must be made"
    kinds = ("memory", "socket")

    def prepare(self, t):
        t.serial += 1
        return f"/v1/items?n={1 + t.serial % 40}&since=2001-01-{1 + t.serial // 40 % 28:02}&until=2030-{1 + t.serial // 1120 % 12:02}-01"

    def act(self, t, it):
        return t.server.admin("GET", it, timeout=5)

    def judge(self, t, it, outcome):
        again = t.server.admin("GET", it)
        newest = t.server.admin("GET", it.replace("until=2030", "until=2031")).json()["items"]    # made by itself
        self.must(again.status == 200 and again.json()["items"] == newest, again)
        self.must(outcome is None or outcome.status >= 500 or outcome.body == again.body, outcome)


class Page(Scenario):
    name = "an article's page"
    kinds = ("memory", "read")

    def prepare(self, t):
        it = t.staff.publish(t.fresh("页面"))
        t.published.add(it)
        return it

    def act(self, t, it):
        return t.server.get(f"/a/{it}", timeout=5)

    def judge(self, t, it, outcome):
        again = t.server.get(f"/a/{it}")
        self.must(again.status == 200 and "页面" in again.body.decode(), again)
        self.must(outcome is None or outcome.status >= 500 or outcome.body == again.body, outcome)


class PhoneSync(Scenario):
    name = "a new phone's sync, which proves what it gets"
    kinds = ("memory", "socket")

    def prepare(self, t):
        return t.w.phone(t.fresh("phone").replace(" ", "-"))

    def act(self, t, phone):
        return phone.run("sync", "--json", check=False, timeout=15)     # while every socket fails it has patience

    def judge(self, t, phone, outcome):
        held = set(phone.run("export", check=False).stdout.splitlines())
        t.server.settle(30)
        phone.sync()
        exported = t.w.export()
        self.must(phone.export() == exported and held <= set(exported.splitlines()), "the phone holds something else")
        phone.forget()


class Draft(Scenario):
    name = "a draft with its Idempotency-Key"
    kinds = ("memory", "write", "short", "sync", "socket")

    def prepare(self, t):
        return t.fresh("草稿")

    def act(self, t, it):
        return t.staff.draft(it, key=it.replace("草稿 ", "draft-"))

    def judge(self, t, it, outcome):
        again = self.act(t, it)
        self.must(again.status == 201, again)
        self.must(outcome is None or outcome.status >= 500 or outcome.json()["id"] == again.json()["id"], "made twice")
        t.drafts.add(again.json()["id"])


class Publish(Scenario):
    name = "a publication, its head and its objects"
    kinds = ("memory", "open", "write", "short", "sync", "name")

    def prepare(self, t):
        item = t.staff.draft(t.fresh("发布")).json()["id"]
        for verb in ("submit", "approve"):
            self.must(t.staff.step(item, verb).status == 200, verb)
        return item

    def act(self, t, item):
        answer = t.staff.step(item, "publish")
        time.sleep(0.05)        # the head that follows
        return answer

    def judge(self, t, item, outcome):
        public = t.server.get(f"/v1/items/{item}").status
        self.must(public == 200 or outcome is None or outcome.status != 200, "an acknowledged publication is lost")
        if public != 200:
            self.must(t.staff.step(item, "publish").status == 200, "it cannot be published")
        t.published.add(item)
        t.server.settle(30)


class Import(Scenario):
    name = "an import of some lines"
    kinds = ("memory", "open", "write", "short", "sync", "name")

    def prepare(self, t):
        t.serial += 3
        return [article(7_000_000 + t.serial + i, size=4000) for i in range(3)]

    def act(self, t, records):
        answer = t.staff.bring(*records)
        time.sleep(0.1)     # objects
        return answer

    def judge(self, t, records, outcome):
        again = t.staff.bring(*records)
        self.must(again.status == 200 and not again.json()["refused"], again)
        taken = again.json()["lines"]
        if outcome and outcome.status == 200:
            self.must(not outcome.json()["refused"], outcome)
            self.must(all(line["result"] == "unchanged" for line in taken), "acknowledged lines are lost")
        t.published.update(line["id"] for line in taken)
        t.server.settle(30)


class Blob(Scenario):
    name = "a picture's upload"
    kinds = ("memory", "open", "read", "write", "short", "sync", "name", "socket")

    def prepare(self, t):
        t.serial += 1
        return hashlib.sha256(str(t.serial).encode()).digest() * 4000

    def act(self, t, bytes_):
        name = hashlib.sha256(bytes_).hexdigest()
        return t.server.admin("PUT", f"/v1/blobs/{name}", bytes_, {"content-type": "application/octet-stream"})

    def judge(self, t, bytes_, outcome):
        name = hashlib.sha256(bytes_).hexdigest()
        path = t.w.data / "blobs" / name[:2] / name
        there = path.exists() and path.read_bytes() == bytes_
        self.must(there or not path.exists(), "a blob of other bytes")
        self.must(there or outcome is None or outcome.status not in (200, 201), "an acknowledged blob is lost")
        self.must(self.act(t, bytes_).status in (200, 201), "it cannot be sent")
        t.files.add(name)


class Picture(Scenario):
    name = "a picture that is read"
    kinds = ("memory", "open", "map")

    def prepare(self, t):
        return t.server.put_file(hashlib.sha256(t.fresh("picture").encode()).digest() * 3000)

    def act(self, t, name):
        return t.server.admin("GET", f"/v1/blobs/{name}", timeout=5)

    def judge(self, t, name, outcome):
        for answer in (outcome, self.act(t, name)):
            self.must(answer is None or (answer is outcome and answer.status >= 500) or hashlib.sha256(answer.body).hexdigest() == name, answer)


class Takedown(Scenario):
    name = "a takedown"
    kinds = ("memory", "open", "write", "short", "sync", "name")

    def prepare(self, t):
        return t.staff.publish(t.fresh("撤稿"))

    def act(self, t, item):
        return t.staff.step(item, "withdraw", reason="内容有误")

    def judge(self, t, item, outcome):
        public = t.server.get(f"/v1/items/{item}").status
        self.must(public == 410 or (public == 200 and (outcome is None or outcome.status != 200)), f"a takedown that was answered shows {public}")
        if public == 200:
            self.must(t.staff.step(item, "withdraw", reason="内容有误").status == 200, "it cannot be withdrawn")
        self.must(t.server.get(f"/v1/items/{item}").status == 410, "still there")
        t.withdrawn.add(item)


class Backup(Scenario):
    name = "a backup beside the running server"
    kinds = ("memory", "open", "read", "write", "short", "sync", "name")

    def prepare(self, t):
        return t.w.dir / t.fresh("backup").replace(" ", "-")

    def act(self, t, to):
        return t.w.tjzw("backup", "--data", t.w.data, to, check=False, env=t.faults.env(), timeout=60)

    def judge(self, t, to, outcome):
        if outcome is not None:
            self.must(outcome.returncode >= 0 or -outcome.returncode == signal.SIGABRT, f"it ended by signal {-outcome.returncode}")
            self.must((outcome.returncode == 0) == (to / "MANIFEST").exists(), "success and MANIFEST disagree")
        if outcome is None or outcome.returncode or t.serial % AGAIN_EVERY == 0:
            again = t.w.dir / "again"
            t.w.tjzw("backup", "--data", t.w.data, again)
            shutil.rmtree(again)
        shutil.rmtree(to, ignore_errors=True)


class Events(Scenario):
    name = "a stream of events"
    kinds = ("memory", "socket")

    def act(self, t, it):
        s = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", t.server.port), timeout=5))
        s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
        heard = s.recv(65536)
        s.close()
        return heard

    def judge(self, t, it, outcome):
        self.must(not outcome or outcome.startswith((b"HTTP/1.1 200", b"HTTP/1.1 5")), outcome)
        self.must(self.act(t, it).startswith(b"HTTP/1.1 200"), "no events")


class Reload(Scenario):
    name = "the certificate read again"
    kinds = ("memory", "open")

    def act(self, t, it):
        t.server.process.send_signal(signal.SIGHUP)
        time.sleep(0.1)

    def judge(self, t, it, outcome):
        self.must(t.server.get("/healthz").status == 200, "no TLS")


class MirrorPoll(Scenario):
    name = "a server that mirrors this one, when there is news"
    kinds = ("memory", "open", "write", "short", "sync", "name", "socket")
    mirror = None

    def start(self, t):
        faults = Faults(t.w, name="mirror-faults")
        return Tortured(t.w, faults, lambda env: t.w.serve(t.w.dir / "mirror", "--mirror", t.server.url, "--cacert", t.w.certificate(),
                                                           env={**env, "TJZW_MIRROR_POLL": "1s"}), silent=True)

    def prepare(self, t):
        self.mirror = self.mirror or self.start(t)
        self.mirror.news()
        return self.mirror

    def act(self, t, m):
        item = t.staff.publish(t.fresh("镜像"))
        t.published.add(item)
        until = time.monotonic() + 3
        while time.monotonic() < until and not self.shows(m, item):
            time.sleep(0.05)
        return item

    def shows(self, m, item):
        try:
            return m.server.admin("GET", f"/v1/items/{item}", timeout=5).status == 200
        except TROUBLE:
            return False

    def judge(self, t, m, item):
        wait_for("the news in the mirror", 60, lambda: self.shows(m, item), 0.1)
        t.server.settle(30)
        wait_for("the same head", 60, lambda: m.server.head().get("root") == t.server.head()["root"], 0.1)


# ---- one try, a row of them, all rows ----

def attempt(t, s, kind, at, for_ever):
    """How many calls came meanwhile, and how many of them failed."""
    it = s.prepare(t)
    target = it if isinstance(it, Tortured) else t
    target.news()
    target.faults.order(kind, at=at, for_ever=for_ever)
    try:
        outcome = s.act(t, it)
    except Broken:
        raise
    except TROUBLE:
        outcome = None
    finally:
        calls, failed = target.faults.rest()
    target.survived(kind, failed)
    s.judge(t, it, outcome)
    return calls, failed


def from_there_on(kind, n):
    """Every second n; a server without any memory could not even start again."""
    return kind != "memory" and n % 2 == 0


def all_of(t, s, kind, first=1):
    """Every n; how many there are. Threads run as they like, so that one n may be missed and the next be there."""
    n, missed = first - 1, 0
    while missed < 3:
        n += 1
        try:
            _, failed = attempt(t, s, kind, n, from_there_on(kind, n))
        except AssertionError as why:
            raise AssertionError(f"call {n}: {why}") from why
        missed = 0 if failed else missed + 1
    return n - 3


def one_of(t, s, kind, chosen):
    """One n in the middle of many, or the first or second; where there is no such call the first. 0: nothing has failed."""
    reach = attempt(t, s, kind, 0, False)[0] if kind == "memory" else 0
    for n in (reach // 3 or 1 + chosen % 2, 1, 1):
        if attempt(t, s, kind, n, from_there_on(kind, n))[1]:
            return n
    return 0


def accept_fails(t, error):
    """For a second and a half, whoever knocks; how often it was tried. Who knocked is then taken in."""
    before, context = t.server.metric("accepts_failed"), ssl._create_unverified_context()
    t.faults.order("accept", error=error, for_ever=True)
    waiting = socket.create_connection(("127.0.0.1", t.server.port), timeout=20)
    time.sleep(1.5)
    calls, failed = t.faults.rest()
    with context.wrap_socket(waiting) as tls:
        tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert tls.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert 0 < failed < TRIES_MOST, f"{errno.errorcode[error]}: {failed} of {calls} tries failed"
    assert t.server.metric("accepts_failed") == before + failed
    return f"{errno.errorcode[error]} {failed}"


def one_row(t, scenarios, name, kind, calls):
    """What TJZW_TORTURE says."""
    s = next(s for s in scenarios if name in s.name)
    with case(f"{s.name}, {kind}, call {calls}"):
        if calls.endswith("-"):
            note(all_of(t, s, kind, int(calls[:-1])))
        else:
            note(attempt(t, s, kind, int(calls), from_there_on(kind, int(calls))))


def every_row(t, scenarios):
    for i, s in enumerate(scenarios):
        with case(f"{s.name}: whichever call fails, nothing acknowledged is lost, nothing wrong is served, and it succeeds afterwards"):
            said, began = [], time.monotonic()
            for k, kind in enumerate(ALL if FULL else s.kinds):
                try:
                    n = all_of(t, s, kind) if FULL else one_of(t, s, kind, i + k)
                except AssertionError as why:
                    raise AssertionError(f"{kind}: {why}") from why
                said.append(f"{kind} {n}")
                assert n or kind not in s.kinds, f"{kind}: no call has failed, so nothing was shown"
            note(f"{', '.join(said)}; {time.monotonic() - began:.0f} s")


def accept_for_ever(t):
    with case("accept fails for ever, whatever the reason: no loop spins, and whoever knocked is taken in when it succeeds again"):
        note(", ".join(accept_fails(t, error) for error in (errno.EPERM, errno.ECONNABORTED, errno.EPROTO, errno.EMFILE, errno.ENFILE, errno.ENOBUFS)))


def torture(*scenarios, then=lambda t: None, of=Publisher):
    """A script's whole work: these, in a world of their own; then(t), and what must be there in the end."""
    chosen = os.environ.get("TJZW_TORTURE", "").rsplit(" ", 2)
    with World() as w:
        t = of(w)
        if len(chosen) == 3:
            one_row(t, scenarios, *chosen)
        else:
            every_row(t, scenarios)
            then(t)
            with case("in the end all that was acknowledged is there, and the log is whole"):
                note(t.whole())
    sys.exit(done())
