#!/usr/bin/env python3
"""What readers pay, in requests and bytes: a day's edits, a first sync, phones far behind, one from before a restore.

Only what is counted is checked, never time. Every phone ends with the server's export, byte for byte. What was withdrawn is in no file of a
phone's store after the sync that heard of it.
"""
import json
import random
import sqlite3
import sys

from lib import CORPUS, ROOT, World, corrected, wait_for

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import corpus  # noqa: E402
from tap import FULL, case, done, note, skip  # noqa: E402

UPDATES, NEW, WITHDRAWN = 140, 40, 20
OBJECTS = 9     # of an index of 10,000 articles at rest: with head, keys, ancestry, directory and index 14 requests
SIZE = 2680     # of a text, so that the records of 10,000 are 31 MB
EDITS = 80_000  # some 74,000, of which the 40 new ones have 62,000
GOAL = 1.25     # of a first sync's bytes, at most


class Publisher:
    """A data directory and what happens in it. Changes come as import files, as from an office's own system."""

    def __init__(self, world, records, data=None):
        self.world, self.data, self.records, self.chance = world, data or world.data, list(records), random.Random(7)
        self.fresh = 0      # new articles so far
        self.withdrawn = set()

    def take_in(self, records):
        path = self.world.dir / "records.ndjson"
        path.write_text("".join(corpus.line(r) for r in records))
        done = self.world.tjzw("import", "--data", self.data, "--publish", path, check=False, timeout=1800)
        assert done.returncode in (0, 65), done.stderr.decode()[-2000:]    # 65: some of the real texts are refused
        path.unlink()

    def serve(self):
        self.server = self.world.serve(self.data, env={"TJZW_RATE_LIMIT": "0"})
        self.server.settle(120)

    def exported(self):
        return [json.loads(line) for line in self.world.export(self.data).splitlines()]

    def update(self, n):
        """n small corrections of articles by chance; an article may get several, one after the other."""
        while n > 0:
            chosen = self.chance.sample(range(len(self.records)), min(n, len(self.records)))
            for i in chosen:
                self.records[i] = corrected(self.records[i], self.chance)
            self.take_in([self.records[i] for i in chosen])
            n -= len(chosen)

    def withdraw(self, n, among=None):
        """n of those that are public, by chance: their export as it was."""
        chosen = self.chance.sample(among or self.exported(), n)
        for item in chosen:
            answer = self.server.admin("POST", f"/v1/items/{item['id']}/withdraw", b'{"reason":"\xe6\xb5\x8b\xe8\xaf\x95"}',
                                       {"content-type": "application/json"})
            assert answer.status == 200, answer
        return chosen

    def change(self, n):
        """n changes as offices make them: of ten some seven small updates, two new articles, one withdrawal (100 at most)."""
        gone = min(n // 10, 100)
        new = n // 5
        self.update(n - new - gone)
        if new:
            self.take_in(corpus.article(1_000_000 + self.fresh + i) for i in range(new))
            self.fresh += new
        if gone:
            self.withdraw(gone)
        self.server.settle(600)
        self.whole()

    def objects(self):
        """Lines of the head's index."""
        head = self.server.head()
        return self.server.get(f"/v1/sync/main/object/{head['index']}").body.decode().splitlines()[2:] if head["index"] != "-" else []

    def whole(self):
        """Waits until no object of the index is one that a withdrawal ended."""
        def all_there():
            asked = [self.server.get(f"/v1/sync/main/object/{o.split()[1]}", headers={"range": "bytes=0-0"}) for o in self.objects()]
            return all(a.status in (200, 206) for a in asked)
        wait_for("an index without what was withdrawn", 600, all_there, every=0.2)

    def catchup(self, begin, encoding):
        head = self.server.settle(60)
        answer = self.server.get(f"/v1/sync/main/log/{head['epoch']}/{head['cut']}/{begin}-{head['seq']}{encoding}")
        assert answer.status == 200, answer
        return len(answer.body)


def rounded(cursor, head):
    """The `from` of docs/protocol/sync.md, section 6."""
    k = 0
    while head - cursor >= 16 << k:
        k += 1
    return cursor >> k << k


def told(what, said):
    note(f"{what}: {said['requests']} requests, {said['bytes_down']:,} bytes")
    return said


def passage(item, others):
    """Text of the item that stands in no other, as a record holds it."""
    pieces = sorted(item["body"].splitlines(), key=len)[::-1]
    for piece in pieces:
        piece = piece[:40]
        if len(piece) >= 12 and not set(piece) & set('"\\') and all(piece not in o["body"] for o in others):
            return piece.encode()
    return None


def files_with(phone, texts):
    """Files of the phone's store that hold one of the texts."""
    files = {f.name: f.read_bytes() for f in phone.files() if f.is_file()}
    return {name: sum(t in held for t in texts) for name, held in files.items() if any(t in held for t in texts)}


def in_known_columns(records, n):
    """(n of them whose column another one has too, the others): a new column would be a new directory, and a request for it."""
    known, new, old = set(), [], []
    for r in records:
        where = (r["source"], r["column"])
        (new if where in known and len(new) < n else old).append(r)
        known.add(where)
    return new, old


def forgotten(p, phone):
    """An app that only shows has the store open, so that SQLite does not remove its log with the last who writes."""
    reader = sqlite3.connect(f"file:{phone.store}", uri=True)
    reader.execute("SELECT count(*) FROM item").fetchall()
    with case("after a sync the phone's write-ahead log holds nothing, though an app has the store open"):
        p.update(UPDATES)
        p.server.settle(60)
        phone.sync()
        log = phone.store.with_name(phone.store.name + "-wal")
        assert not log.exists() or not log.stat().st_size, f"{log.stat().st_size} bytes"
        assert phone.export() == p.world.export()
    reader.close()


def a_day(w):
    if CORPUS.exists():
        records = [json.loads(line) for line in open(CORPUS) if line.strip()]
    else:
        skip("the real corpus", "../shared/corpus is not there; made texts take its place")
        records = [corpus.article(i) for i in range(500)]
    new, old = in_known_columns(records, NEW)
    p = Publisher(w, old)
    p.take_in(p.records)
    p.serve()
    phone, other, begin = w.phone("corrections"), w.phone("all"), p.server.head()["seq"]
    told("first sync of the corpus", phone.sync())
    other.sync()

    with case("the corpus: 140 corrections cost a phone at most a quarter of gzip, and at most 2 requests"):
        p.update(UPDATES)
        head = p.server.settle(60)
        gzip = p.catchup(rounded(begin, head["seq"]), ".gz")
        said = told(f"140 corrections (gzip {gzip:,})", phone.sync())
        assert said["requests"] <= 2, said
        assert said["bytes_down"] * 4 <= gzip, (said, gzip)
        assert phone.export() == w.export()

    with case("the corpus: 200 edits cost at most 2 requests, and what is withdrawn is in no file of the phone"):
        other.sync()
        start = p.server.head()["seq"]
        p.update(UPDATES)
        p.take_in(new)
        before = p.exported()
        withdrawn = p.withdraw(WITHDRAWN)
        gone = {i["id"] for i in withdrawn}
        rest = [i for i in before if i["id"] not in gone]
        texts = [t for t in (passage(i, rest) for i in withdrawn) if t]
        assert len(texts) >= WITHDRAWN // 2, "too few of them have a passage of their own"
        held = files_with(other, texts)
        assert held, "they were never held: the test looks for the wrong texts"
        p.server.settle(60)
        note(f"{len(texts)} texts in {held}")
        said = told(f"200 edits, seq {start} to {p.server.head()['seq']}", other.sync())
        assert said["requests"] <= 2, said
        assert other.export() == w.export()
        assert not files_with(other, texts), f"still in {files_with(other, texts)}; before in {held}"
        phone.sync()
        assert phone.export() == w.export() and not files_with(phone, texts), files_with(phone, texts)
    forgotten(p, phone)
    p.server.stop()


def tidy(p):
    """Waits for the joining of what an import left in small objects."""
    wait_for(f"an index of at most {OBJECTS} objects", 1200, lambda: len(p.objects()) <= OBJECTS, every=0.5)


def behind(p, base, steps):
    """Phones some changes behind, against a first sync of the same state; and one that a restore takes back 300."""
    w = p.world
    w.tjzw("backup", "--data", p.data, w.dir / "backup")
    before, made, lost = base, 0, None
    for step in steps:
        p.change(step - made)
        made = step
        phone = before.copy(f"behind-{step}")
        said = told(f"{step:,} changes behind", phone.sync())
        fresh = w.phone(f"fresh-{step}")
        first = told("  a first sync of the same state", fresh.sync())
        assert said["bytes_down"] <= GOAL * first["bytes_down"], (said, first)
        assert phone.export() == fresh.export() == w.export(p.data), "not what the server publishes"
        lost = phone if step == 300 else lost
    return lost


def restored(p, lost):
    w = p.world
    p.server.stop()
    again = Publisher(w, p.records, w.dir / "again")
    w.tjzw("restore", "--data", again.data, w.dir / "backup")
    again.chance, again.fresh = random.Random(11), 500_000
    again.serve()
    again.change(300)
    lost.url, lost.args = again.server.url, ["--cacert", w.certificate(again.data)]
    said = told("300 changes that a restore took back, 300 others since", lost.sync())
    fresh = w.phone("fresh-restored")
    fresh.url, fresh.args = lost.url, lost.args
    first = told("  a first sync of the same state", fresh.sync())
    assert lost.export() == fresh.export() == w.export(again.data)
    again.server.stop()
    assert said["bytes_down"] * 5 <= first["bytes_down"], (said, first)


def ten_thousand(w, steps, size=SIZE):
    p = Publisher(w, [corpus.article(i, size) for i in range(10_000)])
    p.take_in(p.records)
    p.serve()
    base = w.phone("base")
    with case("10,000 articles of 3 KB: a first sync is at most 14 requests and 12.5 MB"):
        tidy(p)
        first = told("first sync", base.sync())
        assert first["requests"] <= 14 and first["bytes_down"] <= 12_500_000, first
        assert base.export() == w.export()
    with case(f"10,000 articles of 3 KB: 200 edits are at most 2 requests and {EDITS // 1000} KB"):
        p.update(UPDATES)
        p.take_in(corpus.article(10_000 + i) for i in range(NEW))
        p.withdraw(WITHDRAWN)
        p.server.settle(60)
        said = told("200 edits", base.sync())
        assert said["requests"] <= 2 and said["bytes_down"] <= EDITS, said
        assert base.export() == w.export()
    lost = None
    with case(f"phones {', '.join(f'{s:,}' for s in steps)} changes behind pay at most 1.25 of a first sync"):
        lost = behind(p, base, steps)
    with case("a phone from before a restore pays for what differs"):
        assert lost, "there is none"
        restored(p, lost)


for part in (a_day, lambda w: ten_thousand(w, (1, 100, 300, *((10_000, 300_000) if FULL else (2_000,))))):
    with World() as world:
        part(world)
sys.exit(done())
