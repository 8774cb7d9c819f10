#!/usr/bin/env python3
"""What may take how long (docs/shield.md): who is too slow is gone in time, each for its own reason, and an honest slow client is served.

All of them wait side by side, for 35 s.
"""
import re
import socket
import ssl
import sys
import time

from guard_wire import BIG, END_HEADERS, HEADERS, PREFACE, block, dial, frame, get, pour, settings, window
from lib import World, free_port, wait_for

from tap import case, done

DATA, RST_STREAM, PING, CONTINUATION, END_STREAM, N = 0, 3, 6, 9, 1, 3
POST = b"\x83" + block("/v1/import")[1:]
H1_POST = b"POST /v1/import HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\nContent-Length: 80000\r\n\r\n"
BEAT = frame(PING, payload=b"12345678")
SLACK = 3


def plain(port, room=0):
    s = socket.socket()
    if room:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    s.settimeout(10)
    s.connect(("127.0.0.1", port))
    return s


class Peer:
    """Says `start`, then `piece` every second; reads only if told to. `over`: seconds until the server had let go of it."""

    def __init__(self, s, start, piece=b"", reads=True):
        self.s, self.piece, self.reads, self.over, self.heard, self.start = s, piece, reads, None, b"", time.monotonic()
        pour(s, start)
        s.setblocking(False)

    def beat(self):
        if self.over is not None:
            return
        try:
            while self.reads:
                got = self.s.recv(65536)
                if not got:
                    raise ConnectionResetError
                self.heard += got
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.over = time.monotonic() - self.start
            return
        try:
            if self.piece:
                self.s.send(self.piece)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.over = time.monotonic() - self.start


def crowd(server, clear):
    """Reason, seconds, and who is to be ended so."""
    greeting = PREFACE + settings(1 << 20)
    stuck = PREFACE + settings(0) + b"".join(get(1 + 2 * i, BIG) for i in range(50))
    shut = PREFACE + settings(1 << 30) + b"".join(get(1 + 2 * i, BIG) for i in range(90))
    head = b"GET / HTTP/1.1\r\nHost: a\r\n"
    rows = [("head", 10, lambda: plain(clear), head, b""),
            ("head", 10, lambda: plain(clear), head, b"X: y\r\n"),
            ("head", 10, lambda: dial(server.port), PREFACE[:15], b""),
            ("head", 10, lambda: dial(server.port), greeting + frame(HEADERS, END_HEADERS, 1, block("/"))[:12], b"\x82"),
            ("head", 10, lambda: dial(server.port), greeting + frame(HEADERS, END_STREAM, 1, block("/")), b""),
            ("body", 12, lambda: plain(clear), H1_POST, b"z"),
            ("body", 12, lambda: dial(server.port), greeting + frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, 0, 1, b"z")),
            ("body", 12, lambda: dial(server.port), greeting + frame(HEADERS, END_HEADERS, 1, POST), BEAT),
            ("reader", 31, lambda: dial(server.port), stuck, BEAT)]
    return [(why, within, [Peer(dial_one(), start, piece) for _ in range(N)]) for why, within, dial_one, start, piece in rows] + \
           [("reader", 31, [Peer(dial(server.port, room=4096), shut + window(0, 1 << 30), reads=False) for _ in range(N)]),
            ("reader", 31, [Peer(plain(clear, room=4096), b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 200, reads=False) for _ in range(N)])]


def sheltered():
    """Of fifty answers one is read, at a kilobyte a second."""
    return PREFACE + settings(0) + b"".join(get(1 + 2 * i, BIG) for i in range(50)), window(1, 1000)


def frames(heard):
    """(type, stream) of those that are whole."""
    at = 0
    while at + 9 <= len(heard):
        yield heard[at + 3], int.from_bytes(heard[at + 5:at + 9], "big")
        at += 9 + int.from_bytes(heard[at:at + 3], "big")


def ended(server):
    text = server.get("/metrics").body.decode()
    return {k: int(v) for k, v in re.findall(r"^tjzw_patience_ended_(\w+) (\d+)$", text, re.M)}


def connections(server):
    return int(re.search(r"^tjzw_connections (\d+)$", server.get("/metrics").body.decode(), re.M)[1])


with World() as w:
    port, clear = free_port(), free_port()
    server = w.serve(w.data, "--demo", port=port, env={"TJZW_RATE_LIMIT": "0", "TJZW_LOOPS": "1"},
                     urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{clear}"])
    rows = crowd(server, clear)
    honest = [Peer(plain(clear), H1_POST, b"z" * 4000),
              Peer(dial(port), PREFACE + settings(1 << 20) + frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, 0, 1, b"z" * 4000))]
    busy = Peer(dial(port), *sheltered())
    slow = Peer(dial(port), PREFACE + settings(16384) + get(1, BIG))    # gives its window back when it has taken all of it
    reader = Peer(plain(clear), b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
    for second in range(31 + SLACK):
        if second == 20:
            honest[0].piece, honest[1].piece = b"", frame(DATA, END_STREAM, 1)
        if second == 21:
            honest[1].piece = b""
        slow.piece = window(1, 16384) if second in (12, 25) else b""
        for p in [p for _, _, peers in rows for p in peers] + honest + [reader, busy, slow]:
            p.beat()
        time.sleep(1)
    with case("who is too slow is gone in time, and each of them for its own reason"):
        wait_for("their end", 20, lambda: connections(server) <= 1 + len(honest) + 3)
        want = {why: sum(len(peers) for other, _, peers in rows if other == why) for why in ("head", "body", "reader")}
        got = ended(server)
        silent = sum(not p.reads for _, _, peers in rows for p in peers)    # of these the kernel may be rid first: TCP_USER_TIMEOUT
        assert got == {**want, "proxy": 0, "idle": 0, "request": 0, "reader": got["reader"]} and want["reader"] - silent <= got["reader"] <= want["reader"], got
    with case("nobody is gone before its time, or long after"):
        for why, within, peers in rows:
            for p in peers:
                assert not p.reads or within - 2 <= (p.over or 99) <= within + SLACK, (why, within, p.over)
    with case("80 KB at 4 KB a second are taken whole, and answered"):
        assert b"HTTP/1.1 401" in honest[0].heard, honest[0].heard[:200]
        assert len(honest[1].heard) > 200, honest[1].heard
    with case("one stream that is read shelters none that is not: these are reset, and it goes on"):
        reset = {stream for kind, stream in frames(busy.heard) if kind == RST_STREAM}
        assert busy.over is None and reset == {3 + 2 * i for i in range(49)}, (busy.over, sorted(reset))
        assert server.metric("patience_reset_reader") == 49, server.metric("patience_reset_reader")
    with case("a large answer that is taken at 1.3 KB a second goes on, though its window is shut most of the time"):
        got = len(slow.heard)
        assert slow.over is None and got > 3 * 16384, (slow.over, got)
    with case("a stream of events is not a slow answer"):
        assert reader.over is None and b"event:" in reader.heard, reader.heard
    with case("the server stops in order"):
        server.stop()

sys.exit(done())
