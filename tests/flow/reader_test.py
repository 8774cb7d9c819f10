#!/usr/bin/env python3
"""The reader of tests/reader, written from docs/protocol/sync.md alone, follows a live server to the export of `tjzw export`.

In every encoding, through imports, edits, withdrawals, a purge, more changes than one catch-up bridges, a restart, a restore and a change
of keys; with horizons, kept items, repair and hints. Then it is lied to: a byte flipped in whatever it fetched may never show anything but
what the server published. And tests/vectors/sync through its functions: a second opinion on every file there; and what only a publisher
could do wrong, from one made in memory (tests/reader/signed.py).
"""
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

NEEDS = "import nacl, zstandard"
READER = Path(__file__).resolve().parents[1] / "reader"


def interpreter():
    """A Python that has the modules: this one, or Debian's; None if neither."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", NEEDS], capture_output=True).returncode == 0:
            return python
    return None


python = interpreter()
if python not in (None, sys.executable):
    os.execv(python, [python, *sys.argv])

from lib import CORPUS, World, wait_for  # noqa: E402

from tap import case, done, note, rounds, skip  # noqa: E402

if python is None:
    skip("the independent reader", "it needs Debian's python3-nacl and python3-zstandard")
    sys.exit(done())

sys.path.insert(0, str(READER))
import net  # noqa: E402
import signed  # noqa: E402
import tree  # noqa: E402
import vectors  # noqa: E402
import wire  # noqa: E402
from reader import Moving, NotYet, Reader, TooLarge, hinted  # noqa: E402
from wire import Refused  # noqa: E402

ENCODINGS = ("", ".gz", ".zst", ".dz")
SETTINGS = {"TJZW_RATE_LIMIT": "0", "TJZW_INDEX_CHANGES": "512", "TJZW_HEAD_DEBOUNCE": "20ms"}
MADE = 2100                 # small articles: room for the horizons 1,024 and 2,048
LIES = rounds(2000, 120)


class Library:
    """A server, and readers that must agree with it."""

    def __init__(self, w):
        self.w, self.data, self.server, self.readers = w, w.data, None, {}

    def serve(self, data=None):
        self.data = data or self.data
        self.server = self.w.serve(self.data, env=SETTINGS)
        for r in self.readers.values():
            r._get = net.Http(self.server.url).get

    def restart(self, data=None):
        self.server.stop()
        self.serve(data)

    def reader(self, name=None, **how):
        r = Reader(net.Http(self.server.url).get, listed=self.listed, **how)
        r.wait = lambda seconds: time.sleep(min(seconds, 0.2))
        if name is not None:
            self.readers[name] = r
        return r

    @property
    def listed(self):
        return self.server.get("/v1/sync/heads/main").status == 200

    def take_in(self, path):
        self.w.tjzw("import", "--data", self.data, "--publish", path, check=False)

    def tell(self, method, path, body=None):
        answer = self.server.admin(method, path, json.dumps(body, ensure_ascii=False).encode() if body else None, {"content-type": "application/json"})
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.json() if answer.body else {}

    def settle(self, indexed=False):
        """Until the head stands at the last change; `indexed`: and its index too, with all its objects."""
        wait_for("a head", 20, lambda: self.server.get("/v1/sync/main/head").status == 200)
        self.server.settle(30)

        def near():
            h = self.server.head()
            lines = self.server.get(f"/v1/sync/main/object/{h['index']}").body.decode().splitlines()
            return lines[0] == "tjzw index 1" and h["seq"] - int(lines[1].split()[1]) < 512
        if indexed:
            wait_for("an index of the newest changes", 40, near)

    @staticmethod
    def patiently(call, *args):
        """As a reader does that gave up and comes again later: until the log stands still."""
        end = time.monotonic() + 20
        while True:
            try:
                return call(*args)
            except (Moving, NotYet) as why:
                assert time.monotonic() < end, f"still after 20 s: {why!r}"
                time.sleep(0.2)

    def same(self, *readers):
        """Everybody to the newest head; all exports are the server's."""
        self.settle()
        want = self.w.export(self.data)
        for name, r in self.readers.items() if not readers else enumerate(readers):
            self.patiently(r.sync)
            if not r.state.horizon:
                assert r.export() == want, f"{name}: {len(r.export())} bytes instead of {len(want)}"
            else:
                mine = set(r.export().splitlines())
                assert mine <= set(want.splitlines()), f"{name} shows what the server does not"
                whole = self.readers[""]
                held = {r.id for r in whole.shown() if whole.state.items and r.born >= 0}
                assert held == {json_id(x) for x in want.splitlines()}
                above = {x.bytes for b, x in whole.state.items.items() if b >= r.state.horizon and x.op == 1}
                kept = {x.bytes for x, _ in r.state.kept.values() if x.op == 1}
                assert mine == above | kept, f"{name}: not what is above its horizon"
        return want


def json_id(line):
    return bytes.fromhex(json.loads(line)["id"].replace("-", ""))


def refused(call, *args):
    try:
        call(*args)
    except (Refused, Moving, NotYet, TooLarge) as why:
        return str(why) or type(why).__name__
    raise AssertionError("it was accepted")


def all_vectors():
    for name in vectors.names():
        with case(f"vectors: {name}.json reads as it says"):
            vectors.check(name)


def all_signed():
    for check in signed.CHECKS:
        with case(f"signed: {check.__name__.replace('_', ' ')}"):
            check()


def following(lib, w):
    with case("an import, then a first sync in each encoding: the exports are equal"):
        if CORPUS.exists():
            lib.take_in(CORPUS)
        lib.take_in(w.articles(MADE, size=300))
        lib.serve()
        lib.server.settle(30)
        for encoding in ENCODINGS:
            lib.reader(encoding, encoding=encoding)
        lib.same()
        note(f"{lib.readers[''].state.head.size} items; heads listed: {lib.listed}")

    with case("every published item stands in a column and a site of the directory, and its bytes are canonical JSON"):
        r = lib.readers[""]
        columns = {c["no"]: c["site"] for c in r.state.directory["columns"]}
        sites = {s["no"] for s in r.state.directory["sites"]}
        for x in r.shown():
            said = wire.canonical(x.bytes)
            assert columns[x.column] == x.site and x.site in sites and said["id"] == x.uuid and said["title"] == x.title.decode(), said["id"]

    with case("corrections, most of them small: each encoding brings the same"):
        lib.take_in(w.articles(60, name="edit.ndjson", size=300, mark="改"))
        lib.take_in(w.articles(20, name="new.ndjson", first=9000, size=300))
        lib.same()
        lib.take_in(w.articles(60, name="edit.ndjson", size=330, mark="改"))
        lib.same()

    with case("withdrawn, gone and purged: nobody shows it any more, and a cursor from before goes on"):
        ids = [json.loads(line)["id"] for line in w.export().splitlines()]
        some = random.sample(ids, 12)
        for item in some[:6]:
            lib.tell("POST", f"/v1/items/{item}/withdraw", {"reason": "测试"})
        for item in some[6:]:
            lib.tell("POST", f"/v1/items/{item}/gone", {"reason": "测试"})
        want = lib.same()
        assert not any(item.encode() in want for item in some)
        assert lib.readers[""].state.head.cut == 12
        assert all(lib.readers[""].state.items[b].op in (2, 4) for b in map(lib.readers[""].born_of, some))

    with case("an old cut is gone, an item's old version too: the reader is told that the log moves on"):
        old = lib.readers[""].state.head
        item = json.loads(w.export().splitlines()[0])["id"]
        born = lib.readers[""].born_of(item)
        seq = lib.readers[""].state.items[born].seq
        lib.tell("POST", f"/v1/items/{item}/withdraw", {"reason": "测试"})
        lib.server.settle()
        for what in (f"log/{old.epoch}/{old.cut}/{wire.rounded(old.seq - 3, old.seq)}-{old.seq}", f"item/{old.epoch}/{born}.{seq}"):
            answer = lib.server.get(f"/v1/sync/main/{what}")
            assert answer.status == 410 and answer.json()["type"] == "/problems/gone" and answer.headers["cache-control"] == "no-store", answer
            assert 'rel="latest-version"' in answer.headers["link"], answer.headers
        lib.same()

    with case("more than 4,096 changes behind: the index's objects and one catch-up"):
        for r in lib.readers.values():
            r.counts["objects"] = 0
        for mark in ("一", "二"):
            lib.take_in(w.articles(MADE, name=f"{mark}.ndjson", size=300, mark=mark))
        lib.settle(indexed=True)
        lib.same()
        assert all(r.counts["objects"] for r in lib.readers.values())
        for encoding in ENCODINGS:
            lib.same(lib.reader(encoding=encoding))


def horizons(lib, w):
    size = lib.readers[""].state.head.size
    with case("a first sync comes down in steps, newest first, each proved"):
        steps = []
        r = lib.reader(encoding=".zst")
        r.on_step = lambda: steps.append(r.state.horizon)
        lib.same(r)
        assert steps[-1] == 0 and steps == sorted(steps, reverse=True), steps
        note(f"steps of a first sync: {steps}")
    with case("a reader with a horizon holds what is above it, and the roots of the rest"):
        for name, horizon, encoding in (("from 1,024", 1024, ".dz"), ("from 2,048", 2048, ".gz")):
            lib.reader(name, encoding=encoding, horizon=horizon)
        lib.same()
        assert lib.readers["from 1,024"].state.horizon == 1024 and min(lib.readers["from 1,024"].state.items) == 1024
        r = lib.readers["from 1,024"]
        assert list(r.state.below) == [(10, 0)]
    with case("changes above and below the horizon"):
        lib.take_in(w.articles(30, name="low.ndjson", size=300, mark="低"))
        lib.take_in(w.articles(30, name="high.ndjson", first=MADE - 30, size=300, mark="高"))
        lib.same()
        lib.take_in(w.articles(30, name="high.ndjson", first=9000, size=300, mark="高"))
        lib.same()
    with case("an item from below is kept with its proof, and followed through an edit and a withdrawal"):
        r, whole = lib.readers["from 2,048"], lib.readers[""]
        low = [x for b, x in sorted(whole.state.items.items()) if b < 1024 and x.op == 1]
        edited = next(x for x in low if json.loads(x.bytes).get("originId") == "made-3") if any(
            json.loads(x.bytes).get("originId") == "made-3" for x in low) else low[3]
        for x in (edited, low[-1]):
            assert r.keep(x.uuid).bytes == x.bytes
        lib.take_in(w.articles(5, name="kept.ndjson", size=300, mark="又"))
        lib.tell("POST", f"/v1/items/{low[-1].uuid}/withdraw", {"reason": "测试"})
        lib.same()
        assert r.state.kept[low[-1].born][0].op == 2
        assert r.state.kept[edited.born][0].bytes == whole.state.items[edited.born].bytes
    with case("wider, narrower, and all"):
        r = lib.readers["from 2,048"]
        lib.patiently(r.widen, 1024)
        lib.same()
        r.narrow(tree.highest_allowed(size))
        lib.same()
        lib.patiently(r.widen, 0)
        assert not r.state.kept
        lib.same()
        assert "may" not in refused(r.narrow, 1000)


def repairs(lib):
    with case("a store with wrong, missing and strange items is repaired by cover, tiles and items alone"):
        for name in ("", "from 1,024", ".dz"):
            r = lib.readers[name]
            items = r.state.items
            for born in random.sample(sorted(items), 5):
                items[born].bytes = b"{}"
            for born in random.sample(sorted(items), 5):
                del items[born]
            a, b = random.sample(sorted(items), 2)
            items[a], items[b] = items[b], items[a]
            r.counts["items"] = r.counts["objects"] = 0
            lib.patiently(lambda: r.repair(r.describe(r.newest_head())))
            assert 5 <= r.counts["items"] <= 14 and not r.counts["objects"], r.counts
        lib.same()
    with case("most of it wrong: the objects are cheaper"):
        r = lib.readers[".gz"]
        for born in random.sample(sorted(r.state.items), 2000):
            r.state.items[born].bytes = b""
        lib.settle(indexed=True)
        r.counts["items"] = 0
        lib.patiently(lambda: r.repair(r.describe(r.newest_head())))
        assert not r.counts["items"], r.counts
        lib.same()
    with case("a sync over a corrupt store repairs it by itself"):
        r = lib.readers[".zst"]
        r.state.items[random.choice(sorted(r.state.items))].bytes = b"forged"
        before = r.counts["repairs"]
        lib.take_in(lib.w.articles(1, name="one.ndjson", first=9500))
        lib.same()
        assert r.counts["repairs"] == before + 1, r.counts


def hints(lib, w):
    with case("a hint leads to the head's twin, and no poll"):
        import http.client
        import ssl
        c = http.client.HTTPSConnection("127.0.0.1", lib.server.port, timeout=20, context=ssl._create_unverified_context())
        c.request("GET", "/v1/events?stream=main")
        answer = c.getresponse()
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
        stream = net.events(iter(answer.readline, b""))
        assert next(stream)[0] == "retry"
        r = lib.readers[".dz"]
        event, data, ident = next(stream)
        assert event == "head" and ident.startswith("main=") and not hinted(r, data), data
        lib.take_in(w.articles(3, name="hint.ndjson", first=9600))
        end = time.monotonic() + 10
        while r.export() != w.export(lib.data):
            assert time.monotonic() < end
            hinted(r, next(stream)[1])
        c.close()
        assert not hinted(r, json.dumps({"stream": "main", "head": "/v1/sync/other/head/1.1.1"}))


def files(lib):
    with case("a file that a record names, and a byte of it wrong"):
        import hashlib
        body = os.urandom(5000)
        name = hashlib.sha256(body).hexdigest()
        assert lib.server.admin("PUT", f"/v1/blobs/{name}", body, {"content-type": "application/octet-stream"}).status < 300
        column = json.loads(lib.w.export(lib.data).splitlines()[0])
        code = next(s for s in lib.readers[""].state.directory["sites"] if s["name"] == column["site"])["code"]
        item = lib.tell("POST", "/v1/items", {"site": code, "column": column["column"], "title": "附件", "body": "见附件",
                                              "attachments": [{"hash": name, "name": "a.bin", "size": len(body), "type": "application/octet-stream"}]})["id"]
        for verb in ("submit", "approve", "publish"):
            lib.tell("POST", f"/v1/items/{item}/{verb}")
        lib.same()
        r = lib.readers[""]
        said = json.loads(r.state.items[r.born_of(item)].bytes)["attachments"][0]
        assert r.blob(said["hash"]) == body
        get, r._get = r._get, lambda path, fresh=False: (200, {}, bytes([body[0] ^ 1]) + body[1:])
        refused(r.blob, name)
        r._get = get


def epochs(lib, w):
    with case("a restart"):
        lib.restart()
        lib.same()
    with case("a restore from an older backup: a new epoch, and only what differs is fetched"):
        backup, again = w.dir / "backup", w.dir / "again"
        w.tjzw("backup", "--data", lib.data, backup)
        lib.take_in(w.articles(20, name="lost.ndjson", first=9700))
        lib.take_in(w.articles(20, name="lost2.ndjson", size=300, mark="丢"))
        lib.same()
        before = {n: (r.state.head, r.counts["repairs"]) for n, r in lib.readers.items()}
        lib.server.stop()
        w.tjzw("restore", "--data", again, backup)
        time.sleep(1.1)         # an epoch is a second
        lib.serve(again)
        lib.take_in(w.articles(10, name="after.ndjson", first=9800))
        lib.same()
        for n, r in lib.readers.items():
            assert r.state.head.epoch > before[n][0].epoch and r.counts["repairs"] == before[n][1] + 1, n
            refused(r.take_head, before[n][0])
    with case("a restore from the newest state: the log goes on in a new epoch without a repair"):
        backup, again = w.dir / "backup2", w.dir / "again2"
        lib.same()
        before = lib.readers[""].counts["repairs"]
        lib.server.stop()
        w.tjzw("backup", "--data", lib.data, backup)
        w.tjzw("restore", "--data", again, backup)
        time.sleep(1.1)
        lib.serve(again)
        lib.take_in(w.articles(10, name="after.ndjson", first=9900))
        lib.same()
        assert lib.readers[""].counts["repairs"] == before and len(lib.readers[""].state.ancestry) == 3, lib.readers[""].state.ancestry


def rotation(lib, w):
    for role in ("main", "platform"):
        with case(f"a new key for {role} is followed by who was there, who was away, and a newcomer with the old key"):
            trusted = lib.readers[""].trusted
            away = {n: lib.readers.pop(n) for n in (".gz", ".dz")}
            before = lib.readers[""].chain.lines
            w.tjzw("keys", "rotate", "--data", lib.data, role)
            lib.take_in(w.articles(2, name="rotated.ndjson", first=9950, mark=role))
            lib.same()
            now = lib.readers[""].chain
            assert now.lines[:len(before)] == before and len(now.lines) > len(before)
            lib.readers.update(away)
            lib.same()
            lib.same(lib.reader(trust=trusted), lib.reader(trust=[k.public for k in now.keys if k.role == "platform"][-1]))
            refused(lib.readers[""].adopt, ("\n".join(["tjzw keys 1", *before]) + "\n").encode())
            refused(lib.reader(trust=os.urandom(32)).sync)


class Recorded:
    """What a server answered, by path; `lie` changes some of it."""

    def __init__(self, get):
        self.get_live, self.answers, self.asked, self.lie = get, {}, [], None

    def get(self, path, fresh=False):
        if path not in self.answers:
            self.answers[path] = self.get_live(path, fresh)
        self.asked.append(path)
        status, headers, body = self.answers[path]
        return status, headers, self.lie(path, body) if self.lie and status == 200 else body


def flipped(body):
    at = random.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << random.randrange(8))]) + body[at + 1:]


LIE = {
    "a bit flipped": flipped,
    "cut": lambda b: b[:random.randrange(len(b))],
    "longer": lambda b: b + os.urandom(random.randrange(1, 40)),
    "a run overwritten": lambda b: (lambda at: b[:at] + os.urandom(min(32, len(b) - at)) + b[at + 32:])(random.randrange(len(b))),
    "a run left out": lambda b: (lambda at: b[:at] + b[at + random.randrange(1, 80):])(random.randrange(len(b))),
    "empty": lambda b: b"",
}


def lies(lib, w):
    """Every answer a reader gets, falsified: it says so in its own words, or shows exactly what the server published."""
    lib.settle(indexed=True)
    base = {}
    for encoding in ENCODINGS:
        for horizon in (0, 1024):
            r = lib.reader(encoding=encoding, horizon=horizon)
            r.sync()
            base[encoding, horizon] = r
    low = next(r.uuid for r in base["", 0].shown() if r.born < 1000)
    for (_, horizon), r in base.items():
        if horizon:
            r.keep(low)
    lib.take_in(w.articles(40, name="lies.ndjson", size=300, mark="真"))
    lib.take_in(w.articles(5, name="lies2.ndjson", first=9990))
    lib.server.settle()
    for (encoding, horizon), before in base.items():
        with case(f"{LIES} lies to a reader of {encoding or 'identity'}{' with a horizon' if horizon else ''}: nothing unproved is ever shown"):
            tell_lies(before, encoding, horizon)


def tell_lies(before, encoding, horizon):
    server = Recorded(before._get)

    def reader(first):
        r = Reader(server.get, encoding=encoding, horizon=horizon, listed=before.listed, trust=before.trusted)
        if not first:
            r.chain, r.platform, r.state = before.chain, before.platform, before.state
        r.wait = lambda seconds: None
        return r

    honest, asked = {}, {}
    for first in (True, False):
        server.asked = []
        r = reader(first)
        r.sync()
        honest[first], asked[first] = r.export(), server.asked
    assert honest[False] != before.export()
    server.asked = []
    ends, reasons = {"refused": 0, "right all the same": 0}, set()
    for n in range(LIES):
        first, lie = n % 4 == 0, random.choice(sorted(LIE))
        victim = random.choice([p for p in asked[first] if server.answers[p][0] == 200 and server.answers[p][2]])
        true = server.answers[victim][2]
        false = LIE[lie](true)
        server.lie = lambda path, body: false if path == victim else body
        r = reader(first)
        try:
            r.sync()
        except (Refused, Moving, NotYet, TooLarge) as why:
            ends["refused"] += 1
            reasons.add(str(why)[:40])
            assert r.export() == (b"" if first else before.export()), f"{lie} in {victim}: refused, and yet it changed what is shown"
        else:
            ends["right all the same"] += 1
            assert r.export() == honest[first], f"{lie} in {victim} is shown"
            assert false == true or not any(x in victim for x in ("/keys", "/heads/", "/object/")) or encoding, f"{lie} in {victim} was not noticed"
        server.lie = None
    note(f"{ends}; {len(reasons)} reasons")


all_vectors()
all_signed()
with World() as world:
    library = Library(world)
    following(library, world)
    horizons(library, world)
    repairs(library)
    files(library)
    hints(library, world)
    epochs(library, world)
    rotation(library, world)
    library.server.stop()
with World() as world:
    library = Library(world)
    library.take_in(world.articles(1100, size=90))
    library.serve()
    lies(library, world)
    library.server.stop()
sys.exit(done())
