"""mixed_load.py - all that happens to a server at once, and a memory of what was acknowledged.

    load = Load(w, server, "east"); load.start()
    ...                             # the server is killed, replaced, stopped and started again on the same port
    load.stop()                     # each of its threads ends with what it has begun
    load.check(server)              # an AssertionError names what was lost, is there twice, or came back

Editors create, edit, review, publish and take down; a program imports and corrects; another uploads files in pieces; a phone syncs; readers
ask for heads and lists over HTTP/2 and each on a connection of his own; streams of events are open. Whoever writes sends the same bytes with the same Idempotency-Key until
he has an answer. Then the answer must stay true: so at the end every item has exactly the revisions, state and text that were
acknowledged, there are exactly as many items as were, and what was taken down is nowhere.

Counted meanwhile: answers, requests that were cut and sent again, connections refused, and connections that were taken in and ended
without a byte for their first request (`sent_away`).
"""
import hashlib
import http.client
import json
import random
import socket
import sqlite3
import ssl
import sys
import threading
import time

from lib import ROOT, Answer, Phone, article

sys.path.insert(0, str(ROOT / "tests" / "attack"))
from wire import Peer, greeting, headers, request  # noqa: E402

SETTINGS = {"TJZW_RATE_LIMIT": "0", "TJZW_LOG_LEVEL": "warn"}
SITE = "1200000000"
PIECE = 65536
LIVE_MOST, RECORDS_MOST = 500, 5000       # of an editor, of a program: then they correct what there is
TLS = ssl._create_unverified_context()


class Client:
    """Asks until it is answered."""

    def __init__(self, load):
        self.load, self.connection, self.fresh = load, None, True

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def open(self):
        """False: somebody did not let it."""
        self.connection, self.fresh = http.client.HTTPSConnection("127.0.0.1", self.load.port, timeout=30, context=TLS), True
        try:
            self.connection.connect()
        except OSError as why:
            self.load.was_cut(why, True)
            self.close()
        return self.connection

    def once(self, method, target, body, fields):
        """An answer, or None: it is not known what became of it."""
        if not self.connection and not self.open():
            return None
        try:
            self.connection.request(method, target, body=body, headers=fields)
            response = self.connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException) as why:
            self.load.was_cut(why, self.fresh)
            self.close()
            return None
        self.fresh = False
        if response.will_close:
            self.close()
        return answer

    def call(self, method, target, body=None, **fields):
        if isinstance(body, dict):
            body, fields["content-type"] = json.dumps(body, ensure_ascii=False).encode(), "application/json"
        fields["authorization"] = f"Bearer {self.load.token}"
        while not (answer := self.once(method, target, body, fields)) or answer.status == 503:
            time.sleep(0.01)
        self.load.answered()
        return answer


class Actor(threading.Thread):
    """Acts until the load stops. Whatever he finds wrong is kept for who looks at the end."""

    def __init__(self, load, name):
        super().__init__(daemon=True, name=f"{load.name}-{name}")
        self.load, self.client, self.chance = load, Client(load), random.Random(f"{random.getrandbits(64)}")
        self.keys, self.wrong = 0, []

    def run(self):
        try:
            while not self.load.ending.is_set():
                self.act()
        except Exception as why:    # also what a thread would only print
            self.wrong.append(f"{self.name}: {type(why).__name__}: {why}")
        self.client.close()

    def mutate(self, method, target, body=None, **fields):
        """Once, however often it must be sent."""
        self.keys += 1
        answer = self.client.call(method, target, body, **{"idempotency-key": f"{self.name}-{self.keys}", **fields})
        assert answer.status < 300, f"{method} {target}: {answer}"
        self.load.acknowledged += 1
        return answer


class Editor(Actor):
    """items: {id: what was acknowledged of it}"""

    def __init__(self, load, name):
        super().__init__(load, name)
        self.items, self.live, self.down, self.texts = {}, [], [], 0

    def text(self):
        self.texts += 1
        return f"{self.name}之文字{self.texts}号"

    def content(self, text):
        return {"title": f"题{text}", "summary": f"摘{text}", "body": f"第一段。\n\n{text}，第二段。"}

    def release(self, item):
        for verb, state in (("submit", "in_review"), ("approve", "approved"), ("publish", "published")):
            self.mutate("POST", f"/v1/items/{item}/{verb}")
            self.items[item]["state"] = state

    def act(self):
        dice = self.chance.random()
        if not self.live or (dice < 0.4 and len(self.live) < LIVE_MOST):
            self.create()
        elif dice < 0.8:
            self.edit(self.chance.choice(self.live))
        elif dice < 0.9:
            self.take_down(self.chance.randrange(len(self.live)))
        else:
            self.look()
        self.load.rest(self.chance.random() * 0.02)

    def create(self):
        text = self.text()
        made = self.mutate("POST", "/v1/items", {"site": SITE, "column": self.load.name, **self.content(text)})
        item = made.headers["location"].rsplit("/", 1)[1]   # a body that is sent again may have gone with another item
        self.items[item] = {"rev": 1, "state": "draft", "text": text, "texts": [text]}
        self.release(item)
        self.live.append(item)

    def edit(self, item):
        known, text = self.items[item], self.text()
        self.mutate("PUT", f"/v1/items/{item}", self.content(text), **{"if-match": f'"{known["rev"]}"'})
        known.update(rev=known["rev"] + 1, state="draft", text=text)
        known["texts"].append(text)
        self.release(item)

    def take_down(self, at):
        item, verb = self.live.pop(at), self.chance.choice(("withdraw", "gone"))
        self.mutate("POST", f"/v1/items/{item}/{verb}", {"reason": "含个人信息"})
        self.items[item]["state"] = "withdrawn" if verb == "withdraw" else "gone"
        self.down.append(item)

    def look(self):
        """What was taken down is gone at any time, what was published is there."""
        for items, status in ((self.down, 410), (self.live, 200)):
            if items:
                item = self.chance.choice(items)
                answer = self.client.call("GET", f"/v1/items/{item}")
                assert answer.status == status, f"{item}, {self.items[item]}: {answer}"


class Importer(Actor):
    """records: {n: its mark}"""

    def __init__(self, load, name):
        super().__init__(load, name)
        self.records, self.batches = {}, 0

    def record(self, n):
        made = article(n, 600, self.records[n])
        return {**made, "id": f"{self.load.name}-{n}", "title": f"{self.load.name}{made['title']}"}

    def act(self):
        self.batches += 1
        old = self.records and (self.chance.random() < 0.3 or len(self.records) >= RECORDS_MOST)
        numbers = self.chance.sample(sorted(self.records), min(3, len(self.records))) if old else \
            range(len(self.records), len(self.records) + self.chance.randrange(1, 12))
        self.records.update((n, f"第{self.batches}批") for n in numbers)
        body = "".join(json.dumps(self.record(n), ensure_ascii=False) + "\n" for n in numbers).encode()
        answer = self.mutate("POST", "/v1/import?publish=1&create=1", body, **{"content-type": "application/x-ndjson"})
        told = answer.json() if answer.body else None
        assert not told or (len(told["lines"]) == len(numbers) and not told["refused"]), told
        self.load.rest(self.chance.random() * 0.05)


class Uploader(Actor):
    """files: what was acknowledged as whole"""

    def __init__(self, load, name):
        super().__init__(load, name)
        self.files = []

    def send(self, name, data, at, part):
        place = f"{at}-{at + len(part) - 1}" if part else "*"
        return self.client.call("PUT", f"/v1/blobs/{name}", part, **{"content-type": "application/octet-stream",
                                "content-range": f"bytes {place}/{len(data)}"})

    def act(self):
        data = self.chance.randbytes(self.chance.randrange(1, 5 * PIECE))
        name, at = hashlib.sha256(data).hexdigest(), 0
        while at < len(data):
            answer = self.send(name, data, at, data[at:at + PIECE])
            if answer.status == 409:    # a piece that was cut has come nevertheless, or is still coming
                answer = self.send(name, data, 0, b"")
            assert answer.status in (200, 201, 409), answer
            if answer.status != 409:
                have = answer.json()["have"]
                assert have >= at, f"of {name} {at} bytes were acknowledged, and now there are {have}"
                at = have
        self.files.append(name)
        self.load.acknowledged += 1
        self.load.rest(0.2)


class Newcomer(Actor):
    """Each time on a connection of its own, and not always at once."""

    def act(self):
        self.client.open()
        time.sleep(self.chance.choice((0, 0, self.chance.random() * 0.1)))
        self.client.call("GET", "/v1/sync/main/head")
        self.client.close()
        self.load.rest(0.005)


class Reader(Actor):
    """Heads and lists over HTTP/2, some on each connection."""

    def act(self):
        streams = [1]
        try:
            with Peer(self.load.port, timeout=30) as p:
                p.pour(greeting())
                while streams[-1] < 20 and not self.load.ending.is_set():
                    path = self.chance.choice(("/v1/sync/main/head", "/v1/items?n=20", "/", "/v1/sync/heads"))
                    p.pour(headers(streams[-1], request(path)))
                    p.until(lambda: p.answer(streams[-1]), 30)
                    status = p.answer(streams[-1])
                    if status == 0:
                        self.load.was_cut(f"no answer to {path}", streams[-1] == 1)
                        return
                    assert status == 200, f"{path}: {status}"
                    self.load.answered()
                    p.forget()
                    streams.append(streams[-1] + 2)
                    self.load.rest(0.01)
        except OSError as why:
            self.load.was_cut(why, True)


class Listener(Actor):
    """A stream of events; opens another when it ends."""

    def act(self):
        try:
            with TLS.wrap_socket(socket.create_connection(("127.0.0.1", self.load.port), timeout=30)) as s:
                s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                got = s.recv(4096)
                assert not got or got.startswith(b"HTTP/1.1 200 "), got[:200]
                if not got:
                    self.load.was_cut("no events", True)
                s.settimeout(0.2)
                while got and not self.load.ending.is_set():
                    try:
                        got = s.recv(65536)
                        self.load.hints += got.count(b"\nevent: head\n")
                    except TimeoutError:
                        pass
        except OSError as why:
            self.load.was_cut(why, False)
        time.sleep(0.05)


class Syncer(Actor):
    def act(self):
        self.load.syncs.append(self.load.phone.run("sync", check=False).returncode == 0)
        self.load.rest(0.2)


class Load:
    def __init__(self, world, server, name="city", pace=1):
        """`server` runs with SETTINGS. The name is the editors' column too. `pace`: so much longer do all rest."""
        self.world, self.name, self.port, self.pace = world, name, server.port, pace
        self.data = server.data
        self.ending, self.lock = threading.Event(), threading.Lock()
        self.acknowledged = self.answers = self.cuts = self.hints = 0
        self.refused, self.sent_away, self.syncs = [], [], []
        self.before = self.count_items()
        self.token = server.program(name, "import,edit,review,publish")
        for path, body in (("/v1/sites", {"code": SITE, "name": "示例市人民政府"}), ("/v1/columns", {"site": SITE, "path": name})):
            server.admin("POST", path, json.dumps(body).encode(), {"content-type": "application/json"})
        self.phone = Phone(world, name, server.url, ["--cacert", world.certificate(self.data)])
        kinds = (Editor, Editor, Importer, Uploader, Newcomer, Reader, Reader, Listener, Listener, Syncer)
        self.actors = [kind(self, f"{kind.__name__.lower()}-{i}") for i, kind in enumerate(kinds)]

    def start(self):
        for actor in self.actors:
            actor.start()
        return self

    def stop(self):
        self.ending.set()
        for actor in self.actors:
            actor.join(120)
            assert not actor.is_alive(), f"{actor.name} gets no answer"
        self.look()

    def rest(self, seconds):
        self.ending.wait(seconds * self.pace)

    def look(self):
        """Nothing was wrong so far."""
        wrong = [w for actor in self.actors for w in actor.wrong]
        assert not wrong, "\n".join(wrong)

    def answered(self):
        with self.lock:
            self.answers += 1

    def was_cut(self, why, fresh):
        with self.lock:
            self.cuts += 1
            if isinstance(why, ConnectionRefusedError):
                self.refused.append(time.monotonic())
            elif fresh:
                self.sent_away.append(repr(why))

    def of(self, kind):
        return [a for a in self.actors if isinstance(a, kind)]

    def told(self):
        return f"{self.acknowledged} writes acknowledged, {self.answers} answers, {self.cuts} cut and asked again, {self.hints} hints, " \
               f"{sum(self.syncs)} of {len(self.syncs)} syncs to their end"

    # ---- what is there at the end ----
    def read(self, sql):
        db = sqlite3.connect(f"file:{self.data}/tjzw.db?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def count_items(self):
        return self.read("SELECT COUNT(*) FROM item")[0][0]

    def last_change(self):
        """(seq, chain): what comes later is built upon it."""
        return self.read("SELECT seq, chain FROM change WHERE stream = 1 ORDER BY seq DESC LIMIT 1")[0]

    def check(self, server):
        """`server` runs, nobody writes any more."""
        server.settle()
        export = self.world.export(self.data)
        self.check_items()
        self.check_export(export)
        self.check_files()
        log = [seq for seq, in self.read("SELECT seq FROM change WHERE stream = 1 ORDER BY seq")]
        assert log == list(range(1, len(log) + 1)), "a seq was skipped"
        self.phone.sync()
        assert self.phone.export() == export, "phone and server differ"
        said = self.world.tjzw("verify", "--data", self.data).stdout.decode()
        assert "whole" in said and "NOT" not in said, said

    def check_items(self):
        asking = Client(self)
        for editor in self.of(Editor):
            for item, known in editor.items.items():
                draft = asking.call("GET", f"/v1/drafts/{item}")
                assert draft.status == (410 if known["state"] == "gone" else 200), (known, draft)
                if known["state"] == "gone":
                    continue
                told = draft.json()
                assert (told["item"]["revision"], told["item"]["state"]) == (known["rev"], known["state"]), (known, told["item"])
                assert known["text"] in draft.body.decode(), (known, draft.body)
            for item in editor.down:
                for url in (f"/v1/items/{item}", f"/a/{item}", f"/a/{item}/text"):
                    assert asking.call("GET", url).status == 410, url
        asking.close()

    def check_export(self, export):
        published = [json.loads(line) for line in export.decode().splitlines()]
        titles = {r["title"] for r in published}
        assert len(titles) == len(published), "something is there twice"
        wanted = {r.record(n)["title"] for r in self.of(Importer) for n in r.records}
        wanted |= {f"题{e.items[i]['text']}" for e in self.of(Editor) for i in e.live}
        ours = {t for t in titles if t.startswith((self.name, f"题{self.name}"))}
        assert ours == wanted, f"lost: {sorted(wanted - ours)[:5]}, came back: {sorted(ours - wanted)[:5]}"
        made = sum(len(r.records) for r in self.of(Importer)) + sum(len(e.items) for e in self.of(Editor))
        there = self.count_items() - self.before
        assert there == made, f"{made} items were made, {there} are there"
        text = export.decode()
        for editor in self.of(Editor):
            said = [t for i in editor.down for t in editor.items[i]["texts"] if t in text]
            assert not said, f"taken down, and exported: {said[:5]}"

    def check_files(self):
        asking = Client(self)
        for name in (f for u in self.of(Uploader) for f in u.files):
            answer = asking.call("GET", f"/v1/blobs/{name}")
            assert answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == name, answer
        asking.close()
