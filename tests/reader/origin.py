"""origin.py - a small publisher in memory, for what no honest server does: it signs whatever a test wants signed.

    o = Origin(); o.put(3); o.publish(); Reader(o.get).sync()

Items are known by their born; what is published is made anew from the records at every publish(). `o.change` alters the fields of the next
head, `o.answers` what is served, after the fact. Catch-ups and objects are served as identity alone; one base holds all.
"""
import base64
import hashlib
import re

import nacl.signing
import tree
import wire
from wire import FRAME, Record, sha256


def record(born, seq, op=1, text="", ident=None):
    body = f'{{"text":"{text or f"item {born}"}"}}'.encode() if op == 1 else b""
    title = f"题{born}".encode() if op == 1 else b""
    ident = ident or hashlib.md5(str(born).encode()).digest()
    frame = FRAME.pack(op, op in (2, 4), len(title), len(body), born, seq, ident, 1, 1, born) + title
    return Record(op, int(op in (2, 4)), born, seq, ident, 1, 1, born, title, frame, body)


def pack(records):
    return b"TJZWPK1\n" + len(records).to_bytes(4, "big") + b"".join(r.frame + r.bytes for r in records)


class Signer:
    def __init__(self, seed):
        self.secret = nacl.signing.SigningKey(sha256(seed.encode()))
        self.public = bytes(self.secret.verify_key)
        self.id = wire.key_id("ed25519", self.public)

    def sign(self, text):
        return base64.b64encode(self.secret.sign(text).signature).decode()

    def note(self, text):
        return text + f"\nsig ed25519 {self.id} {self.sign(text)}\n".encode()


class Origin:
    def __init__(self, name="origin"):
        self.platform, self.signer = Signer(name + " platform"), Signer(name + " main")
        self.chain = []
        self.add_key("platform", self.platform)
        self.add_key("stream:main", self.signer)
        self.epoch, self.seq, self.sign, self.cut, self.time, self.counter = 1000, 0, 0, 0, 1_800_000_000, 0
        self.items, self.log, self.ancestry = {}, [], "1000 1\n"
        self.withheld, self.change, self.answers, self.index_at = [], {}, {}, 0

    def add_key(self, role, key):
        n, above = len(self.chain) + 1, sha256(self.chain[-1].encode()).hex() if self.chain else "0" * 64
        values = f"{n} {role} ed25519 {key.public.hex()} 1700000000"
        raw = self.platform.sign(f"tjzw key 1\n{values}\n{above}\n".encode())
        self.chain.append(f"key {values} {self.platform.id} {raw}")

    def put(self, born, **how):
        self.seq += 1
        self.items[born] = record(born, self.seq, **how)
        self.cut += self.items[born].flags
        self.log.append(self.items[born])

    def object(self, body):
        self.answers[f"main/object/{sha256(body).hex()}"] = body
        return sha256(body).hex()

    def nodes(self):
        nodes = {(0, b): r.leaf for b, r in self.items.items()}
        for h, last in ((6, 0), (10, 6), (16, 10)):
            for i in range(len(self.items) >> h):
                nodes[h, i] = tree.join([nodes[last, j] for j in range(i << h - last, i + 1 << h - last)])
        return nodes

    def publish(self, indexed=True):
        self.answers, self.time, self.sign, self.counter = {}, self.time + 1, self.sign + 1, self.counter + 1
        self.tree, size = self.nodes(), len(self.items)
        index = "-"
        if indexed and self.items:
            body = pack([self.items[b] for b in sorted(self.items)])
            low = min(r.seq for r in self.items.values())
            line = f"base {self.object(body)} 0 {size - 1} {low} {self.seq} {len(body)} 1 1\n"
            index = self.object(f"tjzw index 1\nseq {self.seq}\n{line}".encode())
        self.fields = {"stream": "main", "epoch": self.epoch, "seq": self.seq, "sign": self.sign, "time": self.time, "lease": 3600, "poll": 60,
                       "cut": self.cut, "size": size, "root": tree.root(self.tree, size).hex(), "chain": sha256(str(self.seq).encode()).hex(),
                       "ancestry": self.object(self.ancestry.encode()), "index": index, "directory": self.object(b'{"columns":[],"sites":[]}')}
        self.fields.update(self.change)
        self.serve()

    def serve(self, signer=None, lister=None):
        """The texts, of self.fields, by these keys."""
        text = "tjzw head 1\n" + "".join(f"{k} {v}\n" for k, v in self.fields.items())
        self.note = (signer or self.signer).note(text.encode())
        hidden = self.object("".join(f"{i}\n" for i in ["tjzw withheld 1", *sorted(self.withheld)]).encode()) if self.withheld else "-"
        listed = (lister or self.platform).note(f"tjzw heads 1\ncounter {self.counter}\ntime {self.time}\nlease 3600\nstream main {hidden}\n".encode())
        self.answers.update({"heads/main": listed + b"\n" + self.note, "main/head": self.note,
                             "keys": "".join(f"{line}\n" for line in ["tjzw keys 1", *self.chain]).encode(),
                             f"main/cover/{self.epoch}.{self.seq}": self.cover()})

    def cover(self):
        size = len(self.items)
        places = [(16, i) for i in range(tree.first_of(size) >> 16)] + [(10, i) for i in range(tree.first_of(size) >> 10, size >> 10)]
        places += [(6, i) for i in range(size >> 10 << 4, size >> 6)]
        rest = b"".join(self.items[b].seq.to_bytes(8, "big") + self.items[b].leaf for b in range(size >> 6 << 6, size))
        return tree.MAGIC + size.to_bytes(8, "big") + tree.first_of(size).to_bytes(8, "big") + b"".join(self.tree[p] for p in places) + rest

    def get(self, path, fresh=False):
        body = self.answers.get(path.removeprefix("/v1/sync/"), self.made(path.removeprefix("/v1/sync/")))
        return (body, {}, b"") if isinstance(body, int) else (200, {}, body)

    def made(self, path):
        """Catch-ups, tiles, items and places; 404 for the rest."""
        if m := re.fullmatch(rf"main/log/{self.epoch}/{self.cut}/(\d+)-{self.seq}", path):
            last = {r.born: r for r in self.log if r.seq > int(m[1])}
            return pack(list(last.values()))
        if m := re.fullmatch(r"main/tile/(\d+)\.(\d+)\.([0-9a-f]{64})", path):
            h, i = int(m[1]), int(m[2])
            if self.tree.get((h, i), b"").hex() != m[3]:
                return 404
            child, n = tree.CHILD[h], 16 if h == 10 else 64
            return b"".join((self.items[j].seq.to_bytes(8, "big") if h == 6 else b"") + self.tree[child, j] for j in range(i * n, i * n + n))
        if m := re.fullmatch(rf"main/item/{self.epoch}/(\d+)\.(\d+)", path):
            r = self.items[int(m[1])]
            return pack([r]) if r.seq == int(m[2]) else 410
        if m := re.fullmatch(r"main/place/(.*)", path):
            r = next((r for r in self.items.values() if r.uuid == m[1]), None)
            return f"{r.born} {r.seq}\n".encode() if r else 404
        return 404
