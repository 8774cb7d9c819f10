#!/usr/bin/env python3
"""GET /v1/events as phones meet it: docs/protocol/events.md over real sockets, with readers that are slow, many, or gone."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import World, article, clean_env, free_port, wait_for
from lib import UnixConnection
from twin import Twin

from tap import FULL, Skip, case, done, note, rounds

BLOCK = re.compile(rb"id: (\S+)\nevent: head\ndata: (\{[^\n]*\})\n\n")


def rss_anon(pid):
    """Bytes of memory of its own."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Listener:
    """An open stream of hints over HTTP/1.1, read by hand, so that a test can also leave it unread. `small`: takes next to nothing unread."""

    def __init__(self, server, target="/v1/events", headers="", tls=False, small=False):
        self.sock = socket.socket()
        if small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(10)
        self.sock.connect(("127.0.0.1", server.port if tls else server.plain))
        if tls:
            self.sock = ssl._create_unverified_context().wrap_socket(self.sock)
        self.sock.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode())
        self.raw = b""
        self.ended = False
        while b"\r\n\r\n" not in self.raw:
            self.more()
        self.head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])

    def more(self):
        got = self.sock.recv(65536)
        self.ended = self.ended or not got
        self.raw += got
        return got

    @property
    def text(self):
        """The body so far: chunks joined, the last one perhaps in part."""
        out, at = b"", 0
        while (end := self.raw.find(b"\r\n", at)) > 0:
            size = int(self.raw[at:end], 16)
            out += self.raw[end + 2:end + 2 + size]
            at = end + 2 + size + 2
        return out

    def events(self):
        return [json.loads(data) | {"id": ident.decode()} for ident, data in BLOCK.findall(self.text)]

    def until(self, what, condition, deadline=10):
        """Reads until condition(self); its answer."""
        end = time.monotonic() + deadline
        while not (answer := condition(self)):
            assert time.monotonic() < end and not self.ended, f"{what}: not within {deadline} s; got {self.text[-500:]!r}"
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.more()
            except TimeoutError:
                pass
        return answer

    def close(self):
        self.sock.close()


class NarrowStream:
    """A stream of hints over HTTP/2, written by hand: it grants `window` bytes and more only when told to."""

    DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 6, 7, 8

    def __init__(self, server, window):
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["h2"])
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), 10))
        fields = b"\x82\x87\x04\x0a/v1/events\x01\x01x"    # GET, https, :path and :authority as literals
        self.sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(self.SETTINGS, 0, 0, b"\0\4" + window.to_bytes(4, "big")) +
                          self.frame(self.HEADERS, 5, 1, fields))
        self.raw = self.text = b""
        self.ended = False

    @staticmethod
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload

    def grant(self, n):
        self.sock.sendall(b"".join(self.frame(self.WINDOW_UPDATE, 0, stream, n.to_bytes(4, "big")) for stream in (0, 1)))

    def read(self, seconds, enough=lambda s: False):
        """Whatever comes within so many seconds, or until it is enough; False after the connection's end."""
        end = time.monotonic() + seconds
        while not self.ended and not enough(self) and (left := end - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(65536)
            except TimeoutError:
                break
            self.ended = not got
            self.raw += got
            while len(self.raw) >= 9 and len(self.raw) >= (n := 9 + int.from_bytes(self.raw[:3], "big")):
                kind, flags, payload = self.raw[3], self.raw[4], self.raw[9:n]
                self.raw = self.raw[n:]
                if kind == self.DATA:
                    self.text += payload
                elif kind in (self.SETTINGS, self.PING) and not flags & 1:
                    self.sock.sendall(self.frame(kind, 1, 0, payload if kind == self.PING else b""))
        return not self.ended

    def events(self):
        return [json.loads(data) for _, data in BLOCK.findall(self.text)]

    def until(self, what, condition, deadline=10):
        self.read(deadline, condition)
        assert condition(self), f"{what}: not within {deadline} s; got {self.text[-500:]!r}"

    def close(self):
        self.sock.close()


class Publisher:
    """One connection of the operator; every call is one change and, without debounce, one head, unless the next change is quicker than it."""

    def __init__(self, server):
        self.connection = UnixConnection(server.data / "admin.sock", 30)
        self.n = 0

    def publish(self):
        self.n += 1
        self.connection.request("POST", "/v1/import?publish=1&create=1", json.dumps(article(1, 200, f"{id(self)}/{self.n}")),
                                {"content-type": "application/x-ndjson"})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body


def serve(w, name, **settings):
    plain = free_port()
    env = {"TJZW_HINT_SPREAD": "0s", "TJZW_HEAD_DEBOUNCE": "0s", "TJZW_RATE_LIMIT": "0"}
    env |= {f"TJZW_{k.upper()}": v for k, v in settings.items()}
    port = free_port()
    server = w.serve(w.dir / name, port=port, env=env, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{plain}"])
    server.plain = plain
    return server


def heads(server, first):
    """The seqs of all heads that were signed, from `first` on: what a quick reader is told."""
    db = sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        return [row[0] for row in db.execute("SELECT seq FROM head WHERE seq >= ? ORDER BY seq, sign", (first,))]
    finally:
        db.close()


def newest_id(server):
    h = server.head()
    return f"main={h['epoch']}.{h['seq']}.{h['sign']}"


def telling(w):
    server = serve(w, "telling", hint_heartbeat="1s")
    publisher = Publisher(server)

    with case("a stream begins with the newest head, and names a twin that is there"):
        one = Listener(server)
        event = one.until("the first event", lambda s: s.events())[0]
        assert one.status == 200 and b"content-type: text/event-stream" in one.head.lower() and b"cache-control: no-store" in one.head.lower()
        assert re.match(rb"retry: \d+\n\n", one.text), one.text
        assert event["id"] == newest_id(server) and event["stream"] == "main" and event["poll"] == 60 and event["spread"] == 0, event
        twin = server.get(event["head"])
        assert twin.status == 200 and twin.body == server.get("/v1/sync/main/head").body and "immutable" in twin.headers["cache-control"]
        one.close()

    with case("what is published is told within a second, over HTTP/1.1, TLS and HTTP/2"):
        readers = [Listener(server), Listener(server, "/v1/events?stream=main", tls=True)]
        curl = None
        if shutil.which("curl"):
            out = w.dir / "curl.out"
            curl = subprocess.Popen(["curl", "-skN", "--http2", "-o", out, "-w", "%{http_version}", f"{server.url}/v1/events"],
                                    env=clean_env(), stdout=subprocess.PIPE)
            wait_for("curl to be told of the first head", 10, lambda: out.exists() and BLOCK.search(out.read_bytes()))
        for s in readers:
            s.until("the first event", lambda s: s.events())
        publisher.publish()
        published = time.monotonic()
        for s in readers:
            s.until("the next event", lambda s: s.events()[-1]["seq"] == publisher.n, 1)
        if curl:
            wait_for("curl to be told", max(0.1, published + 1 - time.monotonic()),
                     lambda: json.loads(BLOCK.findall(out.read_bytes())[-1][1])["seq"] == publisher.n)
            note(f"told three readers {1000 * (time.monotonic() - published):.0f} ms after the answer")
            curl.terminate()    # not SIGINT: whoever runs us in the background ignores it, and so does curl then
            curl.communicate(timeout=10)
        for s in readers:
            s.close()

    with case("HTTP/2 is what curl spoke"):
        if not shutil.which("curl"):
            raise Skip("no curl")
        spoken = subprocess.run(["curl", "-skN", "--http2", "--max-time", "1", "-o", os.devnull, "-w", "%{http_version}", f"{server.url}/v1/events"],
                                env=clean_env(), stdout=subprocess.PIPE, check=False).stdout
        assert spoken == b"2", spoken

    with case("who brings the newest id is told nothing, who brings an older one the newest"):
        known = newest_id(server)
        quiet = Listener(server, headers=f"last-event-id: {known}\r\n")
        quiet.until("a heartbeat", lambda s: b"\n:\n" in s.text)
        assert not quiet.events(), quiet.text
        publisher.publish()
        assert quiet.until("the next head", lambda s: s.events())[0]["seq"] == publisher.n
        late = Listener(server, headers=f"last-event-id: {known}\r\n")
        assert late.until("the newest head", lambda s: s.events())[0]["id"] == newest_id(server)
        for s in (quiet, late):
            s.close()

    with case("a heartbeat comes every hint_heartbeat, and finds out who has gone"):
        one = Listener(server)
        start = time.monotonic()
        one.until("three heartbeats", lambda s: s.text.count(b"\n:\n") >= 3, 20)
        assert 1.9 < time.monotonic() - start < 12, time.monotonic() - start
        one.close()
        wait_for("everybody's leaving to be noticed", 20, lambda: server.metric("hint_subscribers") == 0)
    server.stop()


def timed_stop(server):
    """The seconds it took, and those that the load took from it: some threads of it wait for each other."""
    late = twin.seconds()
    took = server.stop(30)
    return took, 2 * (twin.seconds() - late)


def slowness(w):
    SLOW, CHANGES, PATIENCE = 200, rounds(5000, 800), 20    # the kernel cuts a peer that takes nothing for 30 s
    ENOUGH = rounds(1000, 500)    # some 150 go into the kernel's buffers, and the ring has 256
    server = serve(w, "slowness", hint_heartbeat="30s", index_changes="4096")   # else who reads nothing for two of them is ended
    publisher = Publisher(server)
    for _ in range(300):    # buffers, caches and the ring have their size
        publisher.publish()

    with case(f"{SLOW} readers that do not read cost no memory and delay nobody; when they read again they get the newest"):
        quick = Listener(server)
        quick.until("the first event", lambda s: s.events())
        slow = [Listener(server, small=True) for _ in range(SLOW)]
        seen, stop = [], threading.Event()

        def follow():
            while not stop.is_set() or not seen or seen[-1] != publisher.n:
                quick.until("an event", lambda s: s.events(), 10)
                seen.extend(e["seq"] for e in quick.events())
                end = quick.raw.rfind(b"\r\n", 0, quick.raw.rfind(b"\n\n\r\n") + 4) + 2    # whole chunks were read; keep what follows
                quick.raw = quick.raw[end:]

        reader = threading.Thread(target=follow)
        reader.start()
        before, first, start = rss_anon(server.child), publisher.n, time.monotonic()
        most = before
        while publisher.n < first + CHANGES and time.monotonic() < start + PATIENCE:
            publisher.publish()
            if publisher.n % 250 == 0:
                most = max(most, rss_anon(server.child))
        took = time.monotonic() - start
        stop.set()
        reader.join(20)
        published, seen = heads(server, first), [seq for seq in seen if seq >= first]
        note(f"{len(published)} heads in {took:.1f} s beside {SLOW} readers that do not read: RssAnon {before >> 10} KB, at most {most >> 10} KB; "
             f"{(server.metric('hints_sent') - len(published)) / SLOW:.0f} hints went to each of them")
        if len(published) < ENOUGH:
            for s in (quick, *slow):
                s.close()
            raise Skip(f"too slow a machine to tell: {len(published)} heads in {took:.0f} s")
        assert not reader.is_alive() and seen == published, (len(seen), seen[:3], seen[-3:], len(published), published[:3])
        # The changes themselves take 2 KB each (pages of the database, what waits for the index). As queues it would be 200 x 5,000 x 200 bytes.
        assert most - before < 16 << 20, (before, most)
        for s in slow:
            s.until("the newest head", lambda s: s.events() and s.events()[-1]["seq"] == publisher.n, 30)
            got = [e["seq"] for e in s.events()]
            assert got == sorted(set(got)) and len(got) < len(published), got[-5:]
        assert server.metric("hints_skipped") == SLOW
        for s in (quick, *slow):
            s.close()

    with case("an HTTP/2 stream whose window is shut waits without a queue, and gets the newest when it opens"):
        narrow, skipped, start = NarrowStream(server, 600), server.metric("hints_skipped"), publisher.n
        wait_for("the first event", 20, lambda: narrow.read(0.1) and narrow.events())
        while publisher.n < start + 400:
            publisher.publish()
        wait_for("a full window", 20, lambda: narrow.read(0.1) and len(narrow.text) == 600)
        narrow.grant(1 << 20)
        wait_for("the newest head", 20, lambda: narrow.read(0.1) and narrow.events()[-1]["seq"] == publisher.n)
        assert len(narrow.events()) < 100 and server.metric("hints_skipped") == skipped + 1, len(narrow.events())
        publisher.publish()
        wait_for("the next head", 20, lambda: narrow.read(0.1) and narrow.events()[-1]["seq"] == publisher.n)
        first = Listener(server)
        first.until("the first event", lambda s: s.events())
        nearly = NarrowStream(server, len(first.text) + 5)    # room for what it was told, not for the last word either
        nearly.until("the first event", lambda s: s.events())
        shut = NarrowStream(server, len(first.text) - 5)
        shut.read(0.5)
        assert not shut.events()
        took, late = timed_stop(server)
        note(f"stopped in {took:.2f} s beside two HTTP/2 streams that take nothing; the load's: {late:.2f} s")
        assert took < 2 + late, took


def many(w):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = serve(w, "many", hint_per_address="0")
    try:
        with case("what an idle reader costs"):
            if hard < 3000:
                raise Skip(f"only {hard} files may be open")
            Listener(server, tls=True).close()
            kinds = (("plain HTTP/1.1", 2000 if FULL else 400, Listener), ("TLS, HTTP/1.1", 1000 if FULL else 200, lambda s: Listener(s, tls=True)),
                     ("TLS, HTTP/2", 1000 if FULL else 200, lambda s: NarrowStream(s, 65535)))
            for name, n, open_one in kinds:
                before = rss_anon(server.child)
                readers = [open_one(server) for _ in range(n)]
                for s in readers:
                    s.until("the first event", lambda s: s.events())
                cost = (rss_anon(server.child) - before) / n
                start = time.monotonic()
                Publisher(server).publish()
                for s in readers:
                    s.until("the next head", lambda s: len(s.events()) == 2)
                note(f"{n} idle readers, {name}: {cost / 1024:.1f} KB each; a head reached the last {1000 * (time.monotonic() - start):.0f} ms "
                     "after its change was sent (reader included)")
                assert cost < 64 * 1024, cost
                for s in readers:
                    s.close()
                server.stop()
                server = serve(w, "many", hint_per_address="0")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    with case("the server stops within 2 s however its readers behave, and ends their streams in order"):
        stalled = [Listener(server, small=True) for _ in range(5)]
        publisher, start = Publisher(server), time.monotonic()
        while publisher.n < rounds(1000, 300) and time.monotonic() < start + 15:
            publisher.publish()
        idle = [Listener(server) for _ in range(20)] + [Listener(server, tls=True) for _ in range(20)]
        curl = subprocess.Popen(["curl", "-skN", "--http2", f"{server.url}/v1/events"], env=clean_env(), stdout=subprocess.PIPE) \
            if shutil.which("curl") else None
        if curl:
            assert curl.stdout.readline().startswith(b"retry: ")
        took, late = timed_stop(server)
        note(f"stopped in {took:.2f} s; the load's: {late:.2f} s")
        assert took < 2 + late, took
        for s in idle:
            while not s.ended:
                s.more()
            assert s.raw.endswith(b"\r\n0\r\n\r\n"), s.raw[-50:]
            s.close()
        for s in stalled:
            s.close()
        if curl:
            curl.communicate(timeout=5)
            assert curl.returncode == 0, curl.returncode


def one_too_many(server, most):
    """So many may listen: the next is refused with a time to come back, and who leaves makes room."""
    readers = [Listener(server) for _ in range(most)]
    refused = server.get("/v1/events")
    assert refused.status == 503 and 30 <= int(refused.headers["retry-after"]) < 90, (refused, refused.headers)
    readers.pop().close()
    wait_for("room", 20, lambda: server.metric("hint_subscribers") == most - 1)
    readers.append(Listener(server))
    assert readers[-1].status == 200
    for s in readers:
        s.close()


def limits(w):
    server = serve(w, "limits", hint_subscribers="3", hint_heartbeat="1s")
    with case("more readers than the limit: 503 with a time to come back; who leaves makes room"):
        one_too_many(server, 3)
    server.stop()
    server = serve(w, "limits-address", hint_per_address="2", hint_heartbeat="1s")
    with case("more readers of one address than it may have: 503, though there is room; who leaves makes room"):
        one_too_many(server, 2)
    server.stop()


def spread(w):
    server = serve(w, "spread", hint_spread="2s")
    with case("an event reaches the readers over hint_spread, not all at once"):
        readers = [Listener(server) for _ in range(60)]
        for s in readers:
            assert s.until("the first event", lambda s: s.events())[0]["spread"] == 2
        Publisher(server).publish()
        start, when = time.monotonic(), []
        for s in readers:
            s.sock.setblocking(False)
        waiting = list(readers)
        while waiting and time.monotonic() < start + 6:
            time.sleep(0.02)
            for s in list(waiting):
                try:
                    s.more()
                except BlockingIOError:
                    continue
                if len(s.events()) == 2:
                    waiting.remove(s)
                    when.append(time.monotonic() - start)
        assert not waiting, len(waiting)
        early = sum(t < 1 for t in when)
        note(f"first {min(when):.2f} s, last {max(when):.2f} s, {early} of {len(when)} in the first half")
        assert max(when) < 4 and 5 <= early <= 55, when
        for s in readers:
            s.close()
    server.stop()


def sent_away(readers):
    """Reads all of them to their end; when each shall come back (monotonic s), and the wait that each was told (ms)."""
    when, told = [], []
    for s in readers:
        while not s.ended:
            s.more()
        words = re.findall(rb"retry: (\d+)\n\n", s.text)
        assert len(words) == 2 and s.text.endswith(words[-1] + b"\n\n"), s.text[-100:]
        told.append(int(words[-1]))
        when.append(time.monotonic() + told[-1] / 1000)
        s.close()
    return sorted(when), sorted(told)


def come_back(server, when):
    """Each at his time; all are served."""
    back = []
    for at in when:
        time.sleep(max(0, at - time.monotonic()))
        back.append(Listener(server))
        assert back[-1].status == 200, back[-1].head
    return back


def returning(w):
    crowd = rounds(1500, 200)
    server = serve(w, "return", hint_per_address="0")
    readers = [Listener(server) for _ in range(crowd)]
    spread = max(1000, 2 * crowd)

    def restart():
        assert server.stop() < 10
        return serve(w, "return", hint_per_address="0")

    def upgrade():
        server.process.send_signal(signal.SIGUSR2)
        return server
    for what, act in (("the program is changed", upgrade), ("the server is started again", restart)):
        with case(f"{what}: {crowd} readers are told to come back over {spread} ms, and are served"):
            server = act()
            when, told = sent_away(readers)
            fifths = [sum(2000 + spread * i // 5 <= t < 2000 + spread * (i + 1) // 5 for t in told) for i in range(5)]
            note(f"told {told[0]} to {told[-1]} ms; by fifths of the time: {fifths}")
            assert sum(fifths) == crowd and all(crowd * 0.08 < n < crowd * 0.36 for n in fifths), fifths
            readers = come_back(server, when)
            note(f"the last is back {time.monotonic() - when[-1]:.2f} s after its time")
    for s in readers:
        s.close()
    server.stop()


twin = Twin()
with World() as world:
    for part in ((globals()[p] for p in sys.argv[1:]) if sys.argv[1:] else (telling, slowness, many, limits, spread, returning)):
        part(world)
sys.exit(done())
