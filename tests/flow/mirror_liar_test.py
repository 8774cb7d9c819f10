#!/usr/bin/env python3
"""A mirror to which the publisher's answers come changed serves what is signed, and nothing else; with the next honest answers it is level.

Between a publisher and an edge (which mirrors all of it, list of streams and keys too) stands the proxy of liar.py. In each round the
publisher changes something and the proxy lies in one way for some runs of the edge: one that is behind, or one that begins with nothing.
All that the edge serves meanwhile and afterwards is held against what the publisher ever answered, by a phone too. Then the proxy is honest,
and the edge must become level. Files (pictures, attachments) are lied about in rounds of their own.
"""
import gzip
import hashlib
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict

from lib import World, article, free_port, wait_for
from liar import Liar

from tap import case, done, note, rounds

ROUNDS, FILE_ROUNDS = rounds(64, 16), rounds(30, 5)
LIES = ("flip", "cut", "short", "long", "old", "frozen", "swap", "tombstone")
FILE_LIES = ("flip", "cut", "short", "long", "swap")
QUICK = {"TJZW_HEAD_DEBOUNCE": "10ms", "TJZW_INDEX_CHANGES": "16", "TJZW_RATE_LIMIT": "0", "TJZW_MIRROR_POLL": "1s",
         "TJZW_MIRROR_BLOB_MAX": "1m"}
ITEMS, NEVER_LIED_S = 80, 6


class Scene:
    """A publisher, the liar before it, and the edge behind that."""

    def __init__(self, w):
        self.w, self.chance, self.made, self.files, self.with_file = w, random.Random(random.random()), 0, {}, set()
        self.exports, self.items = set(), defaultdict(set)
        tls, port = free_port(), free_port()
        w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=900))
        self.publisher = w.serve(urls=[f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{port}"], port=tls, env=QUICK)
        self.remember()
        self.trust = self.publisher.get("/v1/sync/keys").body.decode().splitlines()[1].split()[4]
        self.liar = Liar(port)
        self.liar.begin(None, self.chance)
        self.edge = self.start("edge")
        self.level(self.edge)

    def start(self, name):
        self.seq = 0
        return self.w.serve(self.w.dir / name, "--mirror", self.liar.url, "--trust", self.trust, env=QUICK)

    def remember(self):
        """What the publisher shows now."""
        self.publisher.settle(60)
        self.exports.add(self.w.export())
        for item in self.publisher.get("/v1/items?n=200").json()["items"]:
            self.items[item["id"]].add(self.publisher.get(f"/v1/items/{item['id']}").body)

    def change(self, file=None):
        """Some items are corrected, one is new, one is withdrawn; the new one has a file."""
        self.made += 1
        new = article(10_000 + self.made, 900)
        if file:
            name = self.publisher.put_file(file)
            self.files[name] = file
            self.with_file.add(new["title"])
            new["attachments"] = [{"hash": name, "name": "附件.bin", "size": len(file), "type": "application/octet-stream"}]
        first = self.chance.randrange(ITEMS - 5)
        lines = [new, *(article(i, 900, f"第{self.made}回") for i in range(first, first + 3))]
        answer = self.publisher.admin("POST", "/v1/import?publish=1&create=1", "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines).encode(),
                                      {"content-type": "application/x-ndjson"})
        assert answer.status == 200 and not answer.json()["refused"], answer
        self.remember()     # a slow edge may show this and not yet the withdrawal
        listed = self.publisher.get("/v1/items?n=200").json()["items"]
        gone = self.chance.choice([x for x in listed if x["title"] not in {new["title"], *self.with_file}])
        answer = self.publisher.admin("POST", f"/v1/items/{gone['id']}/withdraw", '{"reason":"测试"}'.encode(), {"content-type": "application/json"})
        assert answer.status == 200, answer
        self.remember()

    # -- what the edge serves

    def signed(self):
        """What the publisher answered about heads, to whoever asked."""
        return [body for path in ("/v1/sync/main/head", "/v1/sync/heads/main", "/v1/sync/heads") for body in self.liar.truth[path].copy()]

    def look_at_head(self, edge):
        """Whatever is shown of the stream at all was signed by the publisher, and is never older than what was shown before."""
        answer = edge.get("/v1/sync/main/head")
        if answer.status != 200 or not answer.body.startswith(b"tjzw head 1"):
            return None
        for path in ("/v1/sync/main/head", "/v1/sync/heads/main", "/v1/sync/heads"):
            for part in re.split(rb"(?=^tjzw heads? 1$)", edge.get(path).body, flags=re.M):
                assert any(part.strip() in known for known in self.signed()), f"{path}: what the publisher never signed: {part!r}"
        h = dict(line.split(" ", 1) for line in answer.body.decode().split("\n\n")[0].splitlines())
        assert int(h["seq"]) >= self.seq, f"the head went back from {self.seq} to {h['seq']}"
        self.seq = int(h["seq"])
        assert edge.get("/v1/sync/keys").body in self.liar.truth["/v1/sync/keys"], "a chain of keys that the publisher never had"
        return h

    def look_at_files(self, edge):
        """How many are there. A file that is served is the one that its name says."""
        there = 0
        for name, bytes_ in self.files.items():
            answer = edge.get(f"/v1/blobs/{name}")
            assert answer.status in (200, 404, 410, 503), answer
            assert answer.status != 200 or answer.body == bytes_, f"/v1/blobs/{name}: other bytes"
            there += answer.status == 200
        return there

    def look_at_object(self, edge, name):
        bodies = [edge.get(f"/v1/sync/main/object/{name}{e}") for e in ("", ".gz", ".zst")]
        if bodies[0].status != 200:     # taken down with a head that came between
            return b""
        assert hashlib.sha256(bodies[0].body).hexdigest() == name, f"object {name}: other bytes"
        assert bodies[1].status != 200 or gzip.decompress(bodies[1].body) == bodies[0].body, f"object {name}.gz: other bytes"
        if bodies[2].status == 200:
            plain = subprocess.run(["zstd", "-dc"], input=bodies[2].body, capture_output=True, check=True).stdout
            assert plain == bodies[0].body, f"object {name}.zst: other bytes"
        return bodies[0].body

    def look(self, edge):
        self.look_at_files(edge)
        h = self.look_at_head(edge)
        if not h:
            return
        for what in ("ancestry", "directory", "index"):
            text = self.look_at_object(edge, h[what]) if h[what] != "-" else b""
            if what == "index":
                for line in text.decode().splitlines()[2:]:
                    self.look_at_object(edge, line.split()[1])
        for item in edge.get("/v1/items?n=200").json()["items"]:
            answer = edge.get(f"/v1/items/{item['id']}")
            assert answer.status in (404, 410) or answer.body in self.items[item["id"]], f"an item that was never published: {answer}"
        phone = self.w.phone("reader", "--trust", self.trust, url=edge.url)
        phone.args[1] = self.w.certificate(edge.data)
        phone.sync()
        assert phone.export() in self.exports, "a phone of the edge shows what was never published"
        phone.forget()

    def level(self, edge, deadline=60):
        def equal():
            head = self.publisher.get("/v1/sync/main/head").body
            return head.startswith(b"tjzw head 1") and head == edge.get("/v1/sync/main/head").body
        try:
            wait_for("the edge to be level", deadline, equal, 0.05)
        except AssertionError as why:
            raise AssertionError(f"{why}\n{edge.said()}") from None
        self.look(edge)
        ids = [[x["id"] for x in s.get("/v1/items?n=200").json()["items"]] for s in (edge, self.publisher)]
        assert ids[0] == ids[1], "the edge lists other items"

    # -- rounds

    def listen_to(self, lie, edge):
        """The edge hears some lies; what it shows meanwhile is looked at."""
        end = time.monotonic() + NEVER_LIED_S
        while self.liar.told < 2 and time.monotonic() < end:
            self.look_at_head(edge)
            self.look_at_files(edge)
            time.sleep(0.02)

    def round(self, lie, new, only):
        self.liar.begin(None, self.chance)
        if not new:
            self.level(self.edge)
        self.change()
        self.liar.begin(lie, self.chance)
        self.liar.only = only
        edge = self.start("new") if new else self.edge
        self.listen_to(lie, edge)
        self.look(edge)
        self.liar.begin(None, self.chance)
        self.level(edge)
        if new:
            edge.stop()
            self.w.tjzw("verify", "--data", edge.data)
            shutil.rmtree(edge.data)
            self.seq = 0

    def soon(self):
        """As if the time had passed after which a file that failed is asked for again."""
        db = sqlite3.connect(self.edge.data / "tjzw.db", timeout=10)
        db.execute("UPDATE mirror_file SET due = 0")
        db.commit()
        db.close()

    def file_round(self, lie):
        self.liar.begin(None, self.chance)
        self.level(self.edge)
        before = self.look_at_files(self.edge)
        self.liar.begin(lie, self.chance)
        self.liar.only = "/v1/blobs/"
        self.change(self.chance.randbytes(self.chance.choice([5000, 700_000])))
        end = time.monotonic() + 20
        while not self.liar.told and self.look_at_files(self.edge) == before and time.monotonic() < end:
            time.sleep(0.02)
        self.look(self.edge)
        self.liar.only = ""
        self.liar.begin(None, self.chance)
        self.soon()
        self.change()   # news wakes who fetches files
        self.level(self.edge)
        wait_for(f"the file after {lie}", 30, lambda: self.soon() or self.look_at_files(self.edge) == before + 1, 0.2)


def main(w):
    s = Scene(w)
    with case(f"{ROUNDS} rounds of lies to a mirror: what it serves was published, and honest answers make it level"):
        for n in range(ROUNDS):
            # Keys and list are asked for first: who lies about them is not asked for more.
            s.round(LIES[n // 2 % len(LIES)], n % 2, ("", "/v1/sync/main/")[(n + n // 2 + n // 16) % 2])
        for _ in range(20):     # keys are asked for once: by chance nobody has lied about them yet
            if not any(what.endswith(" keys") for what in s.liar.lied):
                s.round("flip", True, "/v1/sync/keys")
        for what, n in sorted(s.liar.lied.items()):
            note(f"{n:4} x {what}")
    with case("every sort of lie was told, about what a mirror asks for"):
        told = {what.split()[0] for what in s.liar.lied}
        assert told == set(LIES), set(LIES) - told
        about = {what.split()[1].split(".")[0] for what in s.liar.lied}
        assert {"log", "object", "keys", "heads"} <= about, about
    with case(f"{FILE_ROUNDS} rounds of lies about files: none is served with other bytes, and each comes in the end"):
        for n in range(FILE_ROUNDS):
            s.file_round(FILE_LIES[n % len(FILE_LIES)])
    with case("the mirror is whole"):
        s.edge.stop()
        w.tjzw("verify", "--data", s.edge.data)
        s.publisher.stop()


with World() as world:
    main(world)
sys.exit(done())
