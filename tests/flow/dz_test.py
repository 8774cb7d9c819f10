#!/usr/bin/env python3
"""What 200 edits cost a reader: 140 small updates, 40 new items, 20 withdrawn, fetched as .dz and beside it as .gz.

Over the real texts of ../shared/corpus, if they are at hand, and over 10,000 made ones of 3 KB.
"""
import json
import random
import struct
import sys

from lib import CORPUS, World, article, corrected

from tap import case, done, note, skip

UPDATES, NEW, WITHDRAWN = 140, 40, 20


def rounded(cursor, head):
    """The `from` of docs/protocol/sync.md, section 6."""
    k = 0
    while head - cursor >= 16 << k:
        k += 1
    return cursor >> k << k


class Publisher:
    def __init__(self, world, records):
        self.world, self.records, self.chance = world, records, random.Random(7)
        self.take_in(records)
        self.server = world.serve()
        self.held = self.server.settle(60)

    def take_in(self, records):
        path = self.world.dir / "records.ndjson"
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))
        self.world.tjzw("import", "--data", self.world.data, "--publish", path, check=False)

    def sizes(self, what):
        """Bytes of the catch-up from where the reader is to the newest head, by encoding."""
        head = self.server.settle(60)
        begin = rounded(self.held["seq"], head["seq"])
        url = f"/v1/sync/main/log/{head['epoch']}/{head['cut']}/{begin}-{head['seq']}"
        bodies = {s: self.server.get(url + s) for s in ("", ".gz", ".zst", ".dz")}
        assert all(b.status == 200 for b in bodies.values()), bodies
        sizes = {s or "plain": len(b.body) for s, b in bodies.items()}
        magic, records, _ = struct.unpack(">8sII", bodies[".dz"].body[:16])
        assert magic == b"TJZWDZ1\n" and records == struct.unpack(">8sI", bodies[""].body[:12])[1], (magic, records)
        note(f"{what}: {records} records, {sizes}")
        return sizes

    def update(self):
        self.take_in([corrected(r, self.chance) for r in self.records[:UPDATES]])

    def add_and_withdraw(self, new):
        self.take_in(new)
        ids = [json.loads(line)["id"] for line in self.world.export().splitlines()]
        for item in self.chance.sample(ids, WITHDRAWN):
            answer = self.server.admin("POST", f"/v1/items/{item}/withdraw", json.dumps({"reason": "测试撤稿"}),
                                       {"content-type": "application/json"})
            assert answer.status == 200, answer


def made():
    with World() as w, case("10,000 made articles: the updates cost at most a quarter of gzip, all 200 edits at most 80 KB"):
        p = Publisher(w, [article(i) for i in range(10000)])
        p.update()
        sizes = p.sizes("140 updates of made articles")
        assert sizes[".dz"] * 4 <= sizes[".gz"], sizes
        p.add_and_withdraw([article(i) for i in range(20000, 20000 + NEW)])
        sizes = p.sizes("all 200 edits")
        assert sizes[".dz"] <= 80000, sizes


def real():
    if not CORPUS.exists():
        skip("the real corpus", "../shared/corpus is not there")
        return
    with World() as w, case("the real corpus: the updates cost at most a quarter of gzip"):
        records = [json.loads(line) for line in open(CORPUS) if line.strip()]
        p = Publisher(w, records[NEW:])
        p.update()
        sizes = p.sizes("140 updates of the corpus")
        assert sizes[".dz"] * 4 <= sizes[".gz"], sizes
        p.add_and_withdraw(records[:NEW])
        p.sizes("all 200 edits")


made()
real()
sys.exit(done())
