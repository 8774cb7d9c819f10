#!/usr/bin/env python3
"""Whatever somebody between phone and server does to the answers, the phone shows the state before or the newest, and nothing else.

A proxy stands between a real tjzw-phone and a real server (plain HTTP on loopback, as behind a balancer that ends TLS). In each round the
server changes something, the proxy lies in one way during one sync, and the phone's export is looked at; then it is honest, and one sync
must bring the newest state. The lies, on whatever the phone asks for in that round - head, keys, directory, index, objects, catch-ups as
.dz and .zst, cover, tiles, items:

    flip       a bit of a random byte                   cut        the body ends early, at a random byte
    short      the same, with a fitting Content-Length  old        an older head, a right one in its time
    frozen     all answers as they were rounds ago      swap       another answer of the same kind
    tombstone  a withdrawal is missing in the catch-up
"""
import http.client
import http.server
import json
import random
import re
import sqlite3
import struct
import subprocess
import sys
import threading
from collections import Counter, defaultdict

from lib import World, article, free_port

from tap import case, done, note, rounds

ROUNDS = rounds(400, 40)    # a round is four processes and half a second on a busy machine: 2,000 are in tests/unit/follow_faults_test.c
ITEMS = 200                 # more than a tile of the tree holds
LIES = ("flip", "cut", "short", "old", "frozen", "swap", "tombstone")
READERS = ("behind", "new", "objects", "damaged")
HEAD = re.compile(r"/v1/sync/(heads(/main)?|main/head)$")


def kind(path):
    """What is asked for, without what changes from one time to the next."""
    return re.sub(r"/v1/sync/(main/)?", "", path).split("/")[0] + (path[path.rindex("."):] if re.search(r"\.(dz|zst|gz)$", path) else "")


def zstd(data, *how):
    return subprocess.run(["zstd", "-qc", *how], input=data, capture_output=True, check=True).stdout


def without_tombstones(path, body):
    """The catch-up without its tombstones, otherwise right; the same if it has none."""
    if path.endswith(".dz"):
        magic, records, size = struct.unpack(">8sII", body[:16])
        section, deltas = zstd(body[16:16 + size], "-d"), body[16 + size:]
    elif path.endswith(".zst"):
        whole = zstd(body, "-d")
        magic, records, section, deltas = whole[:8], struct.unpack(">I", whole[8:12])[0], whole[12:], None
    else:
        return body
    kept, n, at = [], 0, 0
    while at < len(section):
        op, _, title, length = struct.unpack(">BBHI", section[at:at + 8])
        end = at + 56 + title
        if deltas is None:
            end += length
        else:
            end += 1 + (12 if section[end] else length)
        if op == 1:
            kept.append(section[at:end])
            n += 1
        at = end
    if n == records:
        return body
    section = b"".join(kept)
    if deltas is None:
        return zstd(magic + struct.pack(">I", n) + section)
    section = zstd(section)
    return struct.pack(">8sII", magic, n, len(section)) + section + deltas


class Liar(http.server.ThreadingHTTPServer):
    """Carries what is asked to the server, and what is answered back, not always as it was."""
    daemon_threads = True

    def __init__(self, upstream):
        self.upstream, self.lie, self.lock = upstream, None, threading.Lock()
        self.seen = defaultdict(dict)       # kind: {path: answer}
        self.old = []                       # [{path: answer}] of past rounds: what was honest then
        self.now, self.lied, self.refuse_logs = {}, Counter(), False
        super().__init__(("127.0.0.1", 0), Carrier)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def begin(self, lie, chance):
        """From now on it lies so; `lie` None: it is honest."""
        if self.now:
            self.old.append(self.now)
        self.now, self.lie, self.chance, self.told = {}, lie, chance, 0

    def fetch(self, path, headers):
        http_ = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            http_.request("GET", path, headers=headers)
            answer = http_.getresponse()
            return answer.status, [(k, v) for k, v in answer.getheaders()
                                   if k.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server")], answer.read()
        finally:
            http_.close()

    def answer(self, path, headers):
        """(status, headers, body, how many bytes of it are sent)"""
        with self.lock:
            if self.refuse_logs and "/log/" in path:
                # As if it were too large: the reader takes the index's objects, and asks for the rest of the log.
                self.refuse_logs = False
                return 413, [("content-type", "application/problem+json")], b'{"type":"/problems/too-large"}', None
            status, fields, body = self.fetch(path, headers)
            if self.lie is None:
                if status == 200:
                    self.now[path] = self.seen[kind(path)][path] = (status, fields, body)
                return status, fields, body, None
            return self.twisted(path, status, fields, body)

    def twisted(self, path, status, fields, body):
        before, sent = body, None
        if self.lie == "old" and HEAD.match(path):
            status, fields, body = self.past(path, self.chance.randrange(1, 6)) or (status, fields, body)
        elif self.lie == "frozen":
            status, fields, body = self.past(path, 4) or (status, fields, body)
        elif status not in (200, 206) or not body:
            pass
        elif self.lie == "swap" and len(self.seen[kind(path)]) > 1 and not HEAD.match(path):
            other = self.chance.choice([p for p in self.seen[kind(path)] if p != path] or [path])
            _, fields, body = self.seen[kind(path)][other]
        elif self.lie == "tombstone" and "/log/" in path and status == 200:
            body = without_tombstones(path, body)
        elif self.lie in ("flip", "cut", "short") and self.chance.random() < 0.6:
            at = self.chance.randrange(len(body))
            if self.lie == "flip":
                body = body[:at] + bytes([body[at] ^ 1 << self.chance.randrange(8)]) + body[at + 1:]
            elif self.lie == "short":
                body = body[:at]
            else:
                sent = at
        if body != before or sent is not None:
            self.told += 1
            self.lied[f"{self.lie} {kind(path)}"] += 1
        return status, fields, body, sent

    def past(self, path, ago):
        for seen in self.old[:-ago][::-1] or self.old[:1]:
            if path in seen:
                return seen[path]
        return None


class Carrier(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = ("range", "if-range", "if-none-match", "cache-control")
        status, fields, body, sent = self.server.answer(self.path, {k: v for k, v in self.headers.items() if k.lower() in wanted})
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body[:sent])
        self.close_connection = sent is not None

    def log_message(self, *_):
        pass


class Scene:
    """A server, the liar before it, and phones of each sort."""

    def __init__(self, w):
        self.w, self.chance = w, random.Random(random.random())
        w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=900))
        port, tls = free_port(), free_port()
        env = {"TJZW_RATE_LIMIT": "0", "TJZW_HEAD_DEBOUNCE": "10ms", "TJZW_INDEX_CHANGES": "16"}
        self.server = w.serve(urls=[f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{port}"], port=tls, env=env)
        self.server.settle(60)
        self.liar = Liar(port)
        self.liar.begin(None, self.chance)
        self.follower = self.phone("behind")
        self.follower.sync()
        self.published = []     # every export there was
        self.made, self.repairs = 0, defaultdict(list)

    def phone(self, name):
        p = self.w.phone(name, url=self.liar.url)
        p.args = []
        return p

    def change(self):
        """Some items change: corrected, new, withdrawn."""
        items = [json.loads(x)["id"] for x in self.export.splitlines()]
        path = self.w.dir / "change.ndjson"
        first = self.chance.randrange(ITEMS - 5)
        self.made += 1
        with open(path, "w") as out:
            for i in [*range(first, first + 3), 10_000 + self.made, 20_000 + self.made]:
                out.write(json.dumps(article(i, 900, f"第{self.made}回"), ensure_ascii=False) + "\n")
        self.w.tjzw("import", "--data", self.w.data, "--publish", path)
        self.server.admin("POST", f"/v1/items/{self.chance.choice(items)}/withdraw", '{"reason":"测试"}'.encode(),
                          {"content-type": "application/json"})
        self.server.settle(60)

    def round(self, lie, sort):
        self.export = self.w.export()
        self.liar.begin(None, self.chance)
        self.follower.sync()
        assert self.follower.export() == self.export, "an honest sync does not bring what is published"
        if sort in ("new", "objects"):
            phone, old = self.phone("first"), b""
            for file in self.w.dir.glob(phone.store.name + "*"):
                file.unlink()
        else:
            phone, old = self.follower, self.export
        self.published.append(self.export)
        self.change()
        new = self.w.export()
        assert new != self.export
        if sort == "damaged":
            old = self.damage(phone)
        self.liar.begin(lie, self.chance)
        self.liar.refuse_logs = sort == "objects"
        said = phone.run("sync", "--json", check=False)
        assert said.returncode in (0, 1), said
        self.liar.refuse_logs = False
        shown = phone.run("export", check=False).stdout
        # A phone that holds nothing cannot know that what was right some rounds ago is not the newest.
        before = self.published if lie == "frozen" and sort in ("new", "objects") else ()
        assert shown in (old, new, *before), f"{lie} to a phone that is {sort}: what is shown is neither the state before nor the newest"
        if said.returncode == 0 and self.liar.told and lie not in ("old", "frozen"):
            assert shown == new, f"{lie} to a phone that is {sort}: it says all is well, and shows an older state"
        self.liar.begin(None, self.chance)
        mended = phone.sync()
        self.repairs[f"{lie}, {sort}"].append(mended["bytes_down"])
        assert phone.export() == new, f"after {lie} to a phone that is {sort}, an honest sync does not bring the newest"

    def damage(self, phone):
        """A few items of the store are written over; what verify then says. Returns what it shows."""
        db = sqlite3.connect(phone.store)
        born = [row[0] for row in db.execute("SELECT born FROM item WHERE op = 1")]
        for b in self.chance.sample(born, 3):
            db.execute("UPDATE item SET title = title || '?' WHERE born = ?", (b,))
        db.commit()
        db.close()
        assert phone.run("verify", check=False).returncode == 1, "damage is not found"
        return phone.run("export", check=False).stdout


def main(w):
    s = Scene(w)
    tries = [(lie, sort) for lie in LIES for sort in READERS if (lie, sort) not in (("tombstone", "new"), ("old", "new"), ("old", "objects"))]
    with case(f"{ROUNDS} rounds of lies: what is shown is verified, and an honest answer mends it"):
        for n in range(ROUNDS):
            s.round(*tries[n % len(tries)])
        s.follower.run("verify")
        for what, n in sorted(s.liar.lied.items()):
            note(f"{n:4} x {what}")
        for what, sizes in s.repairs.items():
            note(f"mended after {what}: {sum(sizes) // len(sizes):,} bytes on the mean")
    with case("every sort of lie was told, about everything a phone asks for"):
        told = {what.split()[0] for what in s.liar.lied}
        assert told == set(LIES), set(LIES) - told
        about = {what.split()[1].split(".")[0] for what in s.liar.lied}
        assert {"log", "object", "keys"} <= about and about & {"head", "heads"}, about
        if ROUNDS > 100:
            assert {"cover", "item"} <= about, about
    s.server.stop()


with World() as world:
    main(world)
sys.exit(done())
