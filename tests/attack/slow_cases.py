"""slow_cases.py - who does nothing, or next to nothing: slow readers and writers, half of everything, and too many of them.

They run side by side on one server, for all of them mostly wait. The seconds are those of docs/shield.md, "What may take how long", and a
few more, because clocks that close connections tick once a second.
"""
import time

from arena import Case
from h1_cases import head, raw, statuses
from wire import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, RST_STREAM, field, frame, greeting, headers, request,
                  window)

CHAPTER = "docs/shield.md, what may take how long"
HEAD = request("/v1/sync/main/head")
POST = request("/v1/import", "POST", ("content-type", "application/x-ndjson"))
BEAT = frame(PING, 0, 0, b"12345678")
SLACK = 3


def gone(stage, peers, within, each=None, reading=True, beat=1.0):
    """Sends each of them something every beat; the server must have let go of all of them in time."""
    start = time.monotonic()
    left = list(peers)
    while left and time.monotonic() - start < within + SLACK:
        for p in left:
            if each:
                p.pour(each(p), 0.01, reading)
            elif reading:
                p.ended(0)
        left = stage.held(left)
        time.sleep(beat if left else 0)
    stage.note(f"{len(peers) - len(left)} of {len(peers)} ended after at most {time.monotonic() - start:.0f} s")
    assert not left, f"{len(left)} of {len(peers)} are still served after {within + SLACK} s"


def half_handshake(start, n=50):
    def act(stage):
        peers = [raw(stage) for _ in range(n)]
        for p in peers:
            p.pour(start, 1)
        gone(stage, peers, 5)
    return act


def slow_h1(start, piece, within, n=20):
    """Half over TLS, half clear."""
    def act(stage):
        peers = [stage.peer(tls=i % 2 == 0, alpn="http/1.1") for i in range(n)]
        for p in peers:
            p.pour(start, 1)
        gone(stage, peers, within, (lambda p: piece) if piece else None)
    return act


def slow_h2(start, piece, within, n=20):
    def act(stage):
        peers = [stage.peer() for _ in range(n)]
        for p in peers:
            p.pour(start, 1)
        gone(stage, peers, within, (lambda p: piece) if piece else None)
    return act


def zero_window(stage):
    """90 answers of a page each, for which no window is ever opened; a PING every two seconds, so that nobody is idle."""
    peers = [stage.peer() for _ in range(20)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 0)) + b"".join(headers(1 + 2 * i, request(f"/v1/items?n={i % 50 + 1}")) for i in range(90)), 2)
    gone(stage, peers, 30, lambda p: BEAT, beat=2)


def zero_window_events(stage):
    """Hints for which no window is ever opened. A heartbeat is due every 10 s; who takes none of two is reset, and his neighbours' streams are not ended with him."""
    peers, streams = [stage.peer() for _ in range(5)], [1 + 2 * i for i in range(20)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 0)) + b"".join(headers(i, request("/v1/events")) for i in streams), 2)
    start = time.monotonic()
    left = len(peers) * len(streams)
    while left and time.monotonic() - start < 30 + SLACK:
        for p in peers:
            p.pour(BEAT, 0.01)
        time.sleep(1)
        left = sum(not p.saw(RST_STREAM, i) for p in peers for i in streams)
    stage.note(f"{len(peers) * len(streams) - left} of {len(peers) * len(streams)} streams were reset after at most {time.monotonic() - start:.0f} s")
    assert not left and not any(p.over for p in peers), f"{left} streams are still open, {sum(p.over for p in peers)} connections ended"


def connection_window(stage):
    """The streams have windows, the connection has none left."""
    peers = [stage.peer() for _ in range(5)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 1 << 30), window_by=0) +
               b"".join(headers(1 + 2 * i, request("/v1/items?n=50")) for i in range(60)), 2)
    gone(stage, peers, 30, lambda p: BEAT, beat=2)


def one_byte_windows(stage):
    """A window of one byte a second is less than a bad line."""
    peers = [stage.peer() for _ in range(10)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 0)) + b"".join(headers(1 + 2 * i, request("/v1/items?n=50")) for i in range(20)), 2)
    gone(stage, peers, 30, lambda p: window(1, 1))


def sheltered(stage):
    """One answer is read, at a kilobyte a second, and 89 beside it are not."""
    peers = [stage.peer() for _ in range(10)]
    shut = [3 + 2 * i for i in range(89)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 0)) + headers(1, request("/openapi.json")) + b"".join(headers(i, request("/v1/items?n=50")) for i in shut), 2)
    for second in range(30 + SLACK):
        for p in peers:
            p.pour(window(1, 1000), 0.01)
        time.sleep(1)
    for p in peers:
        p.until(lambda p=p: all(p.saw(RST_STREAM, i) for i in shut), 2)
    left = sum(not p.saw(RST_STREAM, i) for p in peers for i in shut)
    stage.note(f"{len(peers) * len(shut) - left} of {len(peers) * len(shut)} streams were reset, {sum(p.over for p in peers)} connections ended")
    assert not left and not any(p.over for p in peers), f"{left} streams are still open, and {sum(p.over for p in peers)} connections ended"


def unread_h2(stage):
    """Windows are wide open, but nothing is taken from the socket."""
    peers = [stage.peer(rcvbuf=4096, mss=1400) for _ in range(10)]
    for p in peers:
        p.pour(greeting((INITIAL_WINDOW_SIZE, 1 << 30)) + b"".join(headers(1 + 2 * i, request("/v1/items?n=50")) for i in range(90)), 2, False)
    gone(stage, peers, 30, reading=False)


def unread_h1(stage):
    peers = [stage.peer(tls=i % 2 == 0, alpn="http/1.1", rcvbuf=4096, mss=1400) for i in range(10)]
    for p in peers:
        p.pour(b"GET /v1/items?n=50 HTTP/1.1\r\nHost: a\r\n\r\n" * 200, 2, False)
    gone(stage, peers, 30, reading=False)


def shed_of(stage, n, address):
    """How many of n connections, the i-th from address(i), are closed at once."""
    peers = []
    for i in range(n):
        stage.address = address(i)
        try:
            peers.append(raw(stage))
        except OSError:
            break
    time.sleep(0.5)
    shed = len(peers) - len(stage.held(peers))
    stage.note(f"of {len(peers)} connections {shed} were closed at once")
    return shed


def one_address(stage):
    """2,500 connections of one client: what is above the limit must be closed at once, and nobody else notices."""
    own = stage.address
    assert shed_of(stage, 2500, lambda i: own) >= 400, "of 2,500 connections of one address"


def all_addresses(stage):
    """Twice as many as there may be in all, of ten clients."""
    assert shed_of(stage, 600, lambda i: f"127.200.1.{1 + i % 10}") >= 250, "of 600 connections, though 300 may be"


def honest_slow_upload(tls_name, seconds, rate):
    """A phone in a lift. What it sends must be taken whole, and be answered (401: it has no token)."""
    def act(stage):
        p = stage.peer(alpn=tls_name)
        h2 = tls_name == "h2"
        p.pour(greeting() + headers(1, POST, END_HEADERS) if h2 else head(f"Content-Length: {seconds * rate}"), 1)
        for n in range(1, seconds + 1):
            piece = b"z" * rate
            p.pour(frame(DATA, END_STREAM if n == seconds else 0, 1, piece) if h2 else piece, 1)
            p.until(lambda: False, 1)
            assert n == seconds or not p.over, f"cut after {n} s and {n * rate} bytes"
        p.until(lambda: p.answer(1) or statuses(p.got), 5)
        assert p.answer(1) or statuses(p.got)[:1] == [401], "no answer"
    return act


START_H1 = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CASES = [
    Case("silent before TLS", "50 connections that say nothing", CHAPTER, "closed in 5 s", half_handshake(b"")),
    Case("half a ClientHello", "50 connections", CHAPTER, "closed in 5 s", half_handshake(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
    Case("half a preface", "20 connections", CHAPTER + "; M15", "closed in 10 s", slow_h2(PREFACE[:15], None, 10)),
    Case("half a request", "20 connections", CHAPTER, "closed in 10 s", slow_h1(START_H1, None, 10)),
    Case("slow head", "20 connections, a field a second", CHAPTER + "; M15, Slowloris", "closed in 10 s",
         slow_h1(START_H1, b"X: y\r\n", 10)),
    Case("idle HTTP/1", "20 connections after a whole request", CHAPTER, "closed in 60 s",
         slow_h1(START_H1 + b"\r\n", None, 60), full=True),
    Case("idle HTTP/2", "20 connections after a whole request", CHAPTER + "; M15", "closed in 60 s",
         slow_h2(greeting() + headers(1, HEAD), None, 60), full=True),
    Case("slow frame header", "20 connections, a byte a second of a frame", CHAPTER, "closed in 10 s",
         slow_h2(greeting() + headers(1, HEAD, END_HEADERS)[:9], b"\x82", 10)),
    Case("slow header block", "20 connections, a CONTINUATION every second", CHAPTER, "closed in 10 s",
         slow_h2(greeting() + frame(HEADERS, 1, 1, HEAD), frame(CONTINUATION, 0, 1, field("x", "y")), 10)),
    Case("slow body, HTTP/1", "20 connections, a byte a second", CHAPTER + "; M15, R-U-Dead-Yet", "closed after 10 s",
         slow_h1(head("Content-Length: 10000"), b"z", 13)),
    Case("slow chunks, HTTP/1", "20 connections, a chunk of a byte a second", CHAPTER, "closed after 10 s",
         slow_h1(head("Transfer-Encoding: chunked"), b"1\r\nz\r\n", 13)),
    Case("slow body, HTTP/2", "20 connections, a byte a second", CHAPTER, "closed after 10 s",
         slow_h2(greeting() + headers(1, POST, END_HEADERS), frame(DATA, 0, 1, b"z"), 13)),
    Case("a body that never ends", "20 connections, a PING a second", CHAPTER + "; M13", "closed after 10 s",
         slow_h2(greeting() + headers(1, POST, END_HEADERS), BEAT, 13)),
    Case("a body that stops", "5 connections, 96 KB at once, then a byte a second", CHAPTER, "closed in 60 s",
         slow_h2(greeting() + headers(1, POST, END_HEADERS) + frame(DATA, 0, 1, b"z" * 16384) * 6, frame(DATA, 0, 1, b"z"), 60, 5), full=True),
    Case("an honest slow upload, HTTP/1", "80 KB at 4 KB a second", CHAPTER, "answered", honest_slow_upload("http/1.1", 20, 4000)),
    Case("an honest slow upload, HTTP/2", "80 KB at 4 KB a second", CHAPTER, "answered", honest_slow_upload("h2", 20, 4000)),
    Case("a piece over a bad line, HTTP/1", "256 KB at 3 KB a second", CHAPTER, "answered", honest_slow_upload("http/1.1", 86, 3048), full=True),
    Case("a piece over a bad line, HTTP/2", "256 KB at 3 KB a second", CHAPTER, "answered", honest_slow_upload("h2", 86, 3048), full=True),
    # Where the kernel says what the peer has acknowledged (TCP_INFO, Linux proper), our clocks end these two without the guard.
    Case("zero-window reader", "20 connections, 90 answers each, no window, a PING every 2 s",
         CHAPTER + "; M12, CVE-2019-9517", "closed in 30 s", zero_window),
    Case("zero-window readers of hints", "5 connections, 20 streams of events each, no window, a PING a second",
         CHAPTER + "; M12, CVE-2019-9517", "reset after two heartbeats", zero_window_events),
    Case("no window for the connection", "5 connections, 60 answers each", CHAPTER + "; CVE-2019-9511", "closed in 30 s",
         connection_window),
    Case("windows of one byte", "10 connections, a byte a second", CHAPTER + "; CVE-2019-9511", "closed in 30 s", one_byte_windows),
    Case("one is read, the others are not", "10 connections, 90 answers each, a kilobyte a second of one", CHAPTER + "; CVE-2019-9511", "the others reset in 30 s",
         sheltered, libh2o_fails=True),
    Case("unread answers, HTTP/2", "10 connections, 1.3 MB each", CHAPTER + "; CVE-2019-9517", "closed in 30 s", unread_h2),
    Case("unread answers, HTTP/1", "10 connections, 200 requests each", CHAPTER, "closed in 30 s", unread_h1),
]
CROWDS = [
    Case("too many of one client", "2,500 connections of one address", "docs/shield.md, crowds", "452 closed at once", one_address),
    Case("too many in all", "600 connections, where 300 may be", "docs/shield.md, crowds", "300 closed at once", all_addresses,
         needs="connections_max", env={"TJZW_CONNECTIONS_MAX": "300"}, others=False),
]
