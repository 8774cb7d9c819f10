"""h2_cases.py - HTTP/2: the attacks that have names, and the frames that no honest client sends.

A case passes when the server ends the connection soon (or has answered, where the row says so) and arena.py's four things hold. The
costs and limits are those of docs/shield.md; floods are ten times what it allows, so that none passes by a hair.
"""
import struct
import subprocess
import time

from arena import Case, lib
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADER_TABLE_SIZE, HEADERS, INITIAL_WINDOW_SIZE,
                  MAX_FRAME_SIZE, PADDED, PING, PREFACE, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, field, frame,
                  greeting, headers, number, request, reset, settings, window)

HEAD = request("/v1/sync/main/head")
BLOB = request("/v1/blobs/" + "0" * 64)     # a worker's job: not in the cache
POST = request("/v1/import", "POST", ("content-type", "application/x-ndjson"))
SOON = 3            # seconds for the server to end a connection that broke the rules


def begin(stage, *pairs, **how):
    p = stage.peer(**how)
    p.pour(greeting(*pairs))
    return p


def stopped(p, blob, seconds=10, soon=SOON, reading=True):
    """Sends it all; the server must end the connection before or soon after."""
    p.pour(blob, seconds, reading)
    assert p.ended(soon), f"the connection is still open {soon} s after {len(blob)} bytes"


def flood(kind, n=100_000, **what):
    def act(stage):
        stopped(begin(stage), frame(kind, **what) * n)
    return act


# ---- the two that are fatal ----
PAGE = request("/v1/items?n=20")


def length_of(stage, block):
    """Of an answer's body."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 1 << 20))
    p.pour(headers(1, block))
    p.until(lambda: any(k == DATA and f & END_STREAM for k, f, _, _ in p.frames()), 5)
    size = sum(len(payload) for kind, _, _, payload in p.frames() if kind == DATA)
    assert size, "no answer to measure"
    return size


ROUNDS_MOST = 30


def exact_window(opening, mss, rounds=3, piece=1 << 20):
    """The window is exactly the answer's body. When a write is cut short, streams that have said all wait for its end in a list; a new
    window activates such a stream a second time, and libh2o asserts that it is in no list. A write is cut short when the path has small
    packets, and nobody reads. So many rounds at least, and until a frame of ours came while a write was under way."""
    def act(stage):
        size, streams, held, n = length_of(stage, PAGE), range(1, 181, 2), stage.metric("guard_held"), 0
        while n < rounds or (n < ROUNDS_MOST and stage.metric("guard_held") == held):
            n += 1
            p = begin(stage, (INITIAL_WINDOW_SIZE, size), rcvbuf=4096, mss=mss)
            p.pour(b"".join(headers(i, PAGE) for i in streams), reading=False)
            time.sleep(0.2)
            frames = opening(streams, size)
            for at in range(0, len(frames), piece):
                p.pour(frames[at:at + piece], reading=False)
            time.sleep(0.1)
            assert stage.arena.alive(), "libh2o's assertion ended the process"
            p.until(lambda p=p: p.bytes_in > 90 * size, 5)
            assert p.bytes_in > 90 * size, f"of {90 * size} bytes of answers {p.bytes_in} came"
            p.close()
        assert stage.metric("guard_held") > held, "no frame had to wait, so nothing was tried"
    return act


def by_window_update(streams, _):
    return b"".join(window(i, 100) for i in streams)


def by_settings(_, size):
    return settings((INITIAL_WINDOW_SIZE, size + 1))


STOP_DEADLINE = 3


def continuation_after_goaway(stage):
    """One request keeps the connection, for its answer has no window; the header block of another is open when the server is told to
    stop. libh2o takes the CONTINUATION that then comes for zero bytes, and tries again for ever."""
    server, start = stage.arena.server, time.monotonic()
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    p.pour(headers(1, HEAD) + frame(HEADERS, END_STREAM, 3, HEAD[:2]))
    p.until(lambda: p.answer(1), 2)
    server.process.terminate()
    p.until(lambda: sum(k == GOAWAY for k, *_ in p.frames()) >= 2, 2.5)
    p.pour(frame(CONTINUATION, END_HEADERS, 3, HEAD[2:]))
    try:
        server.process.wait(STOP_DEADLINE + 10)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"the server still runs {STOP_DEADLINE + 10} s after SIGTERM") from None
    took = time.monotonic() - start
    stage.note(f"ended after {took:.1f} s")
    assert server.process.returncode == 0, f"after SIGTERM it ended with {server.process.returncode}, in {took:.1f} s"
    assert took < STOP_DEADLINE + 2, f"it ended {took:.1f} s after SIGTERM"


# ---- streams that are made and thrown away ----
def rapid_reset(stage):
    before = stage.metric("requests")
    p = begin(stage)
    blob = b"".join(headers(1 + 2 * i, BLOB) + reset(1 + 2 * i) for i in range(30_000))
    try:
        stopped(p, blob)
    finally:
        stage.note(f"{(stage.metric('requests') or 0) - (before or 0):.0f} requests counted, others' among them")


def made_you_reset(stage):
    p = begin(stage)
    stopped(p, b"".join(headers(1 + 2 * i, BLOB) + window(1 + 2 * i, 0) for i in range(20_000)))


def made_you_reset_by(payload):
    """Other faults that make the server reset a stream."""
    def act(stage):
        stopped(begin(stage), b"".join(headers(1 + 2 * i, BLOB) + payload(1 + 2 * i) for i in range(20_000)))
    return act


def too_many_streams(stage):
    """300 requests that never end, of a peer that was told how many it may have."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    p.pour(b"".join(headers(1 + 2 * i, POST, END_HEADERS) for i in range(300)))
    p.until(lambda: sum(k == RST_STREAM for k, *_ in p.frames()) >= 150, SOON)
    refused = sum(k == RST_STREAM for k, *_ in p.frames())
    assert p.over or refused >= 150, f"of 300 unfinished streams {refused} were refused"


def idle_streams(stage):
    """96 requests that never go on, on each of 200 connections of one client: each stays within what a connection may have. (100 MB, if nobody counts.)"""
    before, blob = stage.metric("guard_ended_streams") or 0, b"".join(headers(1 + 2 * i, POST, END_HEADERS) for i in range(96))
    for p in [begin(stage) for _ in range(200)]:
        p.pour(blob, 2)
    time.sleep(1)
    ended = (stage.metric("guard_ended_streams") or 0) - before
    stage.note(f"{ended:.0f} of 200 connections were ended, {stage.metric('streams_open') or 0:.0f} streams are open")
    assert ended >= 100, f"{ended:.0f} of 200 connections were ended, which opened 19,200 streams"


def many_hands(stage):
    """60 connections of one client, each just within what one may spend at once."""
    blob = frame(PRIORITY, stream=1, payload=b"\0\0\0\0\x10") * 1500
    peers = [begin(stage) for _ in range(60)]
    for p in peers:
        p.pour(blob, 3)
    time.sleep(0.5)
    ended = sum(p.ended(0.01) for p in peers)
    stage.note(f"{ended} of 60 connections were ended")
    assert ended >= 20, f"60 connections spent 30,000 credits each at once, and {ended} were ended"


def with_the_handshake(stage):
    """All of it in one packet with the Finished of TLS, so that the library has it before it asks to read."""
    blob = greeting() + headers(1, HEAD) + window(1, 0)
    for _ in range(5):
        p = stage.peer(with_finished=blob)
        assert p.ended(SOON), "a frame that came with the handshake passed unseen"


def held_back(stage):
    """Nothing is read, a write is under way, and 64 MB come behind a WINDOW_UPDATE, which has to wait for that write."""
    size = length_of(stage, PAGE)
    p = begin(stage, (INITIAL_WINDOW_SIZE, size), rcvbuf=4096, mss=1400)
    p.pour(b"".join(headers(i, PAGE) for i in range(1, 181, 2)), reading=False)
    time.sleep(0.2)
    p.pour(window(1, 1) + headers(201, POST, END_HEADERS), reading=False)
    filler = frame(DATA, 0, 201, b"\0" * 16_384)
    p.pour(filler * 4000, 2, reading=False)


# ---- header blocks ----
def hpack_bomb(stage):
    """One byte a header field, 400,000 of them in a block; the answer cannot leave, so the request stays."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    piece = b"\x90" * 16_384
    block = b""
    for i in range(8):
        sid = 1 + 2 * i
        block += headers(sid, HEAD, END_STREAM) + frame(CONTINUATION, 0, sid, piece) * 24 + frame(CONTINUATION, END_HEADERS, sid)
    stopped(p, block)


def hpack_table_bomb(stage):
    """A dynamic entry of 4,000 bytes, named by one byte each time (CVE-2016-6581): 64 MB of headers in 16 KB."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    p.pour(headers(1, HEAD + b"\x40" + text_of("x-bomb", "y" * 4000)))
    bomb = b"".join(headers(3 + 2 * i, HEAD + b"\xbe" * 8000) for i in range(50))
    p.pour(bomb)
    p.until(lambda: all(p.answer(3 + 2 * i) or p.saw(RST_STREAM, 3 + 2 * i) for i in range(50)), SOON)
    stage.note("closed" if p.over else "answered")


def text_of(name, value):
    return number(7, 0, len(name)) + name.encode() + number(7, 0, len(value)) + value.encode()


def continuation_flood(stage):
    p = begin(stage)
    p.pour(frame(HEADERS, END_STREAM, 1, HEAD))
    stopped(p, frame(CONTINUATION, 0, 1, field("x-a", "b" * 1000)) * 5000)


def empty_continuation(stage):
    p = begin(stage)
    p.pour(frame(HEADERS, END_STREAM, 1, HEAD))
    stopped(p, frame(CONTINUATION, 0, 1) * 300_000)


def empty_fields(stage):
    """The leak of headers: empty names (CVE-2019-9516) on streams that stay."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    stopped(p, b"".join(headers(1 + 2 * i, HEAD + field("", "") * 2000, END_HEADERS) for i in range(90)))


# A field of zeros, which Huffman's code writes with five bits each: 15.5 KB become 25.
ZEROS = b"\x00" + number(7, 0, 1) + b"x" + number(7, 0x80, 15_500) + b"\0" * 15_500


def large_heads(block, flags, streams, one=True):
    """Heads up to the limit on 40 connections, of requests that stay: not ended, or without a window for the answer. `one`: each connection alone has
    too much; otherwise all together."""
    def act(stage):
        def ended_of_all():
            return sum(stage.metric(f"guard_ended_{why}") for why in ("headers", "bodies"))
        least, before = 40 if one else 20, ended_of_all()
        peers = [begin(stage, (INITIAL_WINDOW_SIZE, 0)) for _ in range(40)]
        blob = b"".join(headers(1 + 2 * i, block + ZEROS, flags) for i in range(streams))
        for p in peers:
            p.pour(blob, 5)
        lib.wait_for(f"{least} of 40 connections to be ended", 10, lambda: ended_of_all() - before >= least)
        ended = ended_of_all() - before
        stage.note(f"{ended:.0f} of 40 connections were ended, {(stage.metric('bodies_held') or 0) / (1 << 20):.1f} MB held")
        for p in peers:
            p.close()
        lib.wait_for("all heads to be given back", 10, lambda: not stage.metric("bodies_held"))
        time.sleep(1)       # of the witness
    return act


def table_size(stage):
    """What node and nghttp send; libh2o 2.2.5 may not answer it (docs/shield.md), but must live."""
    for size in (0, 1024, 0xffffffff):
        p = begin(stage, (HEADER_TABLE_SIZE, size))
        p.pour(headers(1, HEAD))
        p.until(lambda: p.answer(1), 2)
        stage.note(f"{size}: {p.answer(1) or 'closed' if p.over or p.answer(1) else 'no answer'}")


# ---- bodies ----
def many_bodies(stage):
    p = begin(stage)
    piece = b"\0" * 16_384
    p.pour(b"".join(headers(1 + 2 * i, POST, END_HEADERS) for i in range(60)))
    for _ in range(20):
        if p.over or not p.pour(b"".join(frame(DATA, 0, 1 + 2 * i, piece) for i in range(60)) * 4, 5):
            break
    assert p.ended(SOON), "75 MB of bodies without an end were taken"


def many_connections_bodies(stage):
    """Each of 200 connections stays within what one may have, and within what nobody would call much; together they pour 22 MB, and one
    client has room for 16."""
    piece, before = b"\0" * 16_000, stage.metric("guard_ended_bodies") or 0
    for _ in range(200):
        begin(stage).pour(b"".join(headers(1 + 2 * i, POST, END_HEADERS) + frame(DATA, 0, 1 + 2 * i, piece) for i in range(7)), 2)
    time.sleep(1)
    ended = (stage.metric("guard_ended_bodies") or 0) - before
    stage.note(f"{ended:.0f} of 200 connections were ended")
    assert ended >= 40, f"{ended:.0f} of 200 connections were ended, which sent 22 MB"


def empty_data(stage):
    p = begin(stage)
    p.pour(headers(1, POST, END_HEADERS))
    stopped(p, frame(DATA, 0, 1) * 300_000)


def padded_data(stage):
    """Nothing but padding."""
    p = begin(stage)
    p.pour(headers(1, POST, END_HEADERS))
    stopped(p, frame(DATA, PADDED, 1, b"\xff" + b"\0" * 255) * 60_000)


def huge_upload(stage):
    p = begin(stage)
    p.pour(headers(1, POST, END_HEADERS))
    p.pour(frame(DATA, 0, 1, b"\0" * 16_384) * 6000, 10)
    assert p.answer(1) or p.saw(RST_STREAM) or p.ended(SOON), "a body of 98 MB was taken without a word"


# ---- floods of small frames ----
def unread(blob):
    def act(stage):
        p = begin(stage, rcvbuf=4096)
        p.pour(blob, 4, reading=False)
        assert p.ended(SOON), "still open"
    return act


def zero_windows(stage):
    """Streams that wait, and a window of which nothing is ever opened but by 0."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    p.pour(b"".join(headers(1 + 2 * i, HEAD) for i in range(90)))
    stopped(p, b"".join(window(1 + 2 * i, 0) for i in range(90)))


def settings_flood_windows(stage):
    """Every SETTINGS changes the windows of 90 streams."""
    p = begin(stage, (INITIAL_WINDOW_SIZE, 0))
    p.pour(b"".join(headers(1 + 2 * i, HEAD) for i in range(90)))
    stopped(p, (settings((INITIAL_WINDOW_SIZE, 1)) + settings((INITIAL_WINDOW_SIZE, 0))) * 20_000)


def many_parameters(stage):
    stopped(begin(stage), settings(*[(0xff00 + i % 200, i) for i in range(2700)]) * 200)


# ---- what no RFC allows ----
BROKEN = {
    "a frame above 16 KB": frame(DATA, 0, 1, b"\0" * 20_000),
    "a length of 16 MB": frame(HEADERS, 5, 1, b"\0" * 100, length=0xffffff),
    "HEADERS on stream 0": headers(0, HEAD),
    "HEADERS on an even stream": headers(2, HEAD),
    "stream numbers that fall": headers(5, HEAD) + headers(3, HEAD),
    "DATA on an idle stream": frame(DATA, 0, 9, b"x"),
    "DATA on stream 0": frame(DATA, 0, 0, b"x"),
    "RST_STREAM on an idle stream": reset(9),
    "RST_STREAM of 3 bytes": frame(RST_STREAM, 0, 1, b"\0\0\0"),
    "WINDOW_UPDATE on an idle stream": window(9, 1),
    "a window above 2^31": window(0, 0x7fffffff) * 2,
    "WINDOW_UPDATE of 3 bytes": frame(WINDOW_UPDATE, 0, 0, b"\0\0\1"),
    "SETTINGS on a stream": frame(SETTINGS, 0, 1),
    "SETTINGS of 5 bytes": frame(SETTINGS, 0, 0, b"\0" * 5),
    "SETTINGS ACK with a payload": frame(SETTINGS, ACK, 0, b"\0" * 6),
    "an initial window above 2^31": settings((INITIAL_WINDOW_SIZE, 0x80000000)),
    "a largest frame of 1 byte": settings((MAX_FRAME_SIZE, 1)),
    "PING of 7 bytes": frame(PING, 0, 0, b"\0" * 7),
    "PING on a stream": frame(PING, 0, 1, b"\0" * 8),
    "PUSH_PROMISE from a client": frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + HEAD),
    "CONTINUATION without HEADERS": frame(CONTINUATION, END_HEADERS, 1, HEAD),
    "PING within a header block": frame(HEADERS, 1, 1, HEAD) + frame(PING, 0, 0, b"\0" * 8),
    "CONTINUATION of another stream": frame(HEADERS, 1, 1, HEAD) + frame(CONTINUATION, END_HEADERS, 3, HEAD),
    "padding longer than the frame": headers(1, b"\xff" + HEAD, END_HEADERS | END_STREAM | PADDED),
    "an HPACK index that is not there": headers(1, b"\xff\xff\x7f"),
    "an HPACK integer without end": headers(1, b"\xff" + b"\xff" * 100),
    "an HPACK string cut short": headers(1, HEAD + b"\x00\x7f\x61"),
    "Huffman padding that is none": headers(1, HEAD + b"\x00\x81\x00\x81\xff"),
    "a table size above the limit": headers(1, b"\x3f\xff\xff\xff\x0f" + HEAD),
    "GOAWAY of 3 bytes": frame(GOAWAY, 0, 0, b"\0" * 3),
}
# A stream's own fault: a RST_STREAM or an answer with a status of 400 or above is enough.
MALFORMED = {
    "no :path": headers(1, b"\x82\x87" + field("host", "a")),
    "a pseudo header after a field": headers(1, HEAD + field("a", "b") + b"\x84"),
    "a name in capitals": headers(1, HEAD + field("X-Upper", "b")),
    "connection: close": headers(1, HEAD + field("connection", "close")),
    "transfer-encoding: chunked": headers(1, HEAD + field("transfer-encoding", "chunked")),
    "a stream that depends on itself": frame(PRIORITY, 0, 1, struct.pack(">IB", 1, 16)) + headers(1, HEAD),
    "a NUL in a value": headers(1, HEAD + field("x-nul", "a\0b")),
    "a line feed in a value": headers(1, HEAD + field("x-lf", "a\r\nx: y")),
    "a path with a line feed": headers(1, request("/v1/sync/main/head\r\nx: y")),
    "a content-length above its DATA": headers(1, request("/v1/import", "POST", ("content-length", "5")), END_HEADERS) + frame(DATA, END_STREAM, 1, b"abc"),
    "a content-length below its DATA": headers(1, request("/v1/import", "POST", ("content-length", "5")), END_HEADERS) + frame(DATA, END_STREAM, 1, b"abcdefg"),
    "a content-length below its DATA, before trailers": headers(1, request("/v1/import", "POST", ("content-length", "5")), END_HEADERS) +
        frame(DATA, 0, 1, b"abc") + headers(1, field("x-a", "b")),
    "a content-length that is no number": headers(1, request("/v1/import", "POST", ("content-length", "+3")), END_HEADERS) + frame(DATA, END_STREAM, 1, b"abc"),
    "two lengths, of which the last is right": headers(1, request("/v1/sync/main/head", "GET", ("content-length", "5"), ("content-length", "0"))),
    "no authority and no host": headers(1, b"\x82\x87\x04" + b"\x01/"),
    "a content-length without DATA": headers(1, HEAD + field("content-length", "5")),
    "a content-length without DATA, where a body belongs": headers(1, request("/v1/import", "POST", ("content-length", "5"))),
}
SERVED = {
    "no authority and no host",         # RFC 9113 8.3.1 asks it of clients only; RFC 9114 demands one of them
    "two lengths, of which the last is right",      # libh2o keeps the last, compares that with the DATA, and shows neither to anybody
}


def broken(stage):
    """Each on a connection of its own."""
    left = []
    for what, blob in BROKEN.items():
        with begin(stage) as p:
            p.pour(blob + frame(PING, 0, 0, b"12345678"), 2)
            if not p.ended(1) and not p.saw(GOAWAY) and not p.saw(RST_STREAM):
                left.append(what)
        if not stage.arena.alive():
            raise AssertionError(f"it died of: {what}")
    stage.note("ended or reset: " + f"{len(BROKEN) - len(left)} of {len(BROKEN)}" + (f"; not: {', '.join(left)}" if left else ""))
    assert not left, f"neither ended nor reset: {', '.join(left)}"


def malformed(stage):
    """Each on a connection of its own: reset, ended, or answered with an error, but for what may be served."""
    wrong = []
    for what, blob in MALFORMED.items():
        with begin(stage) as p:
            p.pour(blob, 2)
            p.until(lambda: p.answer(1) or p.saw(RST_STREAM) or p.saw(GOAWAY), SOON)
            refused = p.over or p.saw(RST_STREAM) or p.saw(GOAWAY) or p.answer(1) >= 400
            if refused == (what in SERVED):
                wrong.append(f"{what}: {p.answer(1) or 'no answer'}")
        assert stage.arena.alive(), f"it died of: {what}"
    assert not wrong, "; ".join(wrong)


def preface_in_clear(stage):
    p = stage.peer(tls=False)
    p.pour(greeting() + headers(1, HEAD))
    p.until(lambda: p.answer(1) == 200, SOON)
    assert p.answer(1) != 200, "HTTP/2 is spoken on a port for HTTP/1"


# ---- honest clients that look a little like attacks ----
def honest_bursts(stage):
    """A phone that syncs: 80 requests at once, a few times, with window updates; all must be answered."""
    p = begin(stage)
    sid = 1
    for _ in range(5):
        mine = list(range(sid, sid + 160, 2))
        sid += 160
        p.pour(b"".join(headers(i, HEAD) for i in mine) + window(0, 65535) + frame(PING, 0, 0, b"12345678"))
        assert p.until(lambda: all(p.answer(i) == 200 for i in mine), 5), "an honest burst was not answered"
        p.forget()
        time.sleep(0.2)


def honest_upload(stage):
    """256 KB, the largest piece there is, in one request; without a token 401 is the answer, but the connection must not be cut."""
    p = begin(stage)
    p.pour(headers(1, POST, END_HEADERS))
    piece = frame(DATA, 0, 1, b"\0" * 16_384)
    p.pour(piece * 15 + frame(DATA, END_STREAM, 1, b"\0" * 16_384), 5)
    assert p.until(lambda: p.answer(1), 5), "an upload of 256 KB got no answer" + (" and was cut" if p.over else "")


CASES = [
    Case("exact window, WINDOW_UPDATE", "90 answers as long as the window, unread; then a WINDOW_UPDATE on each",
         "M1, h2o PR 1951", "no assertion, answers whole", exact_window(by_window_update, 1400), libh2o_fails=True),
    Case("exact window, SETTINGS", "the same, by a change of the initial window", "M1, h2o PR 1951",
         "no assertion, answers whole", exact_window(by_settings, 1400), libh2o_fails=True),
    Case("exact window, tiny packets", "the same with packets of 536 bytes", "M1, h2o PR 1951",
         "no assertion, answers whole", exact_window(by_window_update, 536), libh2o_fails=True),
    Case("exact window, byte by byte", "the same with the WINDOW_UPDATEs in pieces of 5 bytes", "M1, h2o PR 1951",
         "no assertion, answers whole", exact_window(by_window_update, 1400, 1, 5), libh2o_fails=True),
    Case("held back", "64 MB behind a frame that has to wait", "docs/shield.md", "no memory", held_back, libh2o_fails=True),
    Case("with the handshake", "a frame of 0 in one packet with the TLS Finished", "docs/shield.md", "closed", with_the_handshake,
         libh2o_fails=True),
    Case("CONTINUATION after GOAWAY", "an open header block goes on when the server is stopping", "M2, h2o 05fe666b4",
         "the server ends in order, before its deadline", continuation_after_goaway, libh2o_fails=True, ends=True,
         env={"TJZW_STOP_DEADLINE": f"{STOP_DEADLINE}s"}),
    Case("rapid reset", "30,000 requests, each reset at once", "M3, CVE-2023-44487", "closed", rapid_reset, libh2o_fails=True),
    Case("made you reset", "20,000 requests, each with a WINDOW_UPDATE of 0", "M4, CVE-2025-8671", "closed", made_you_reset,
         libh2o_fails=True),
    Case("made you reset, overflow", "20,000 requests, each with a window above 2^31", "CVE-2025-8671", "closed",
         made_you_reset_by(lambda i: window(i, 0x7fffffff)), libh2o_fails=True),
    Case("made you reset, PRIORITY", "20,000 requests, each made to depend on itself", "CVE-2025-8671", "closed",
         made_you_reset_by(lambda i: frame(PRIORITY, 0, i, struct.pack(">IB", i, 16)))),
    Case("many hands", "60 connections of one client, 30,000 credits each", "docs/shield.md, what a frame costs", "20 or more closed",
         many_hands, libh2o_fails=True),
    Case("streams without end", "300 unfinished requests at once", "RFC 9113 5.1.2", "refused or closed", too_many_streams),
    Case("idle streams of many connections", "96 unfinished requests on each of 200 connections of one client", "docs/shield.md, uploads", "100 or more closed",
         idle_streams, libh2o_fails=True),
    Case("HPACK index bomb", "8 blocks of 390,000 indexed fields, answers held back", "M5", "closed", hpack_bomb,
         libh2o_fails=True),
    Case("HPACK table bomb", "50 requests that name a 4,000-byte entry 8,000 times each", "CVE-2016-6581", "no memory", hpack_table_bomb),
    Case("CONTINUATION flood", "a header block of 5 MB", "M6, VU#421644", "closed", continuation_flood),
    Case("empty CONTINUATION flood", "300,000 of them in one block", "M6, VU#421644", "closed", empty_continuation,
         libh2o_fails=True),
    Case("empty fields", "90 unfinished requests with 2,000 empty fields", "CVE-2019-9516", "closed", empty_fields, libh2o_fails=True),
    Case("large heads, unfinished", "40 connections, 95 unfinished requests with 15 KB of Huffman zeros", "docs/shield.md, uploads", "closed",
         large_heads(POST, END_HEADERS, 95), libh2o_fails=True),
    Case("large heads, no window", "40 connections, 95 such requests whose answers have no window", "docs/shield.md, uploads", "closed",
         large_heads(PAGE, END_HEADERS | END_STREAM, 95), libh2o_fails=True),
    Case("large heads of many connections", "40 connections of one client, 30 such requests each", "docs/shield.md, uploads", "20 or more closed",
         large_heads(PAGE, END_HEADERS | END_STREAM, 30, one=False), libh2o_fails=True),
    Case("empty DATA flood", "300,000 frames", "M7, CVE-2019-9518", "closed", empty_data, libh2o_fails=True),
    Case("padding flood", "60,000 DATA frames of nothing but padding", "CVE-2019-9518", "closed", padded_data, libh2o_fails=True),
    Case("PING flood, unread", "400,000 frames, no answer read", "M8, CVE-2019-9512", "closed",
         unread(frame(PING, 0, 0, b"\0" * 8) * 400_000), libh2o_fails=True),
    Case("SETTINGS flood, unread", "400,000 frames, no answer read", "M8, CVE-2019-9515", "closed",
         unread(settings() * 400_000), libh2o_fails=True),
    Case("PING flood", "100,000 frames, answers read", "M9, CVE-2019-9512", "closed",
         flood(PING, payload=b"\0" * 8), libh2o_fails=True),
    Case("SETTINGS flood", "100,000 frames", "M9, CVE-2019-9515", "closed", flood(SETTINGS), libh2o_fails=True),
    Case("SETTINGS with many parameters", "200 frames of 2,700", "docs/shield.md", "closed", many_parameters, libh2o_fails=True),
    Case("SETTINGS that change windows", "40,000 changes of 90 streams' windows", "CVE-2019-9515", "closed", settings_flood_windows,
         libh2o_fails=True),
    Case("PRIORITY flood", "100,000 changes of one stream", "M9, CVE-2019-9513", "closed",
         flood(PRIORITY, stream=1, payload=b"\0\0\0\0\x10"), libh2o_fails=True),
    Case("PRIORITY on idle streams", "50,000 streams that do not exist", "M10, CVE-2019-9513", "closed",
         lambda s: stopped(begin(s), b"".join(frame(PRIORITY, 0, 3 + 2 * i, b"\0\0\0\0\x10") for i in range(50_000)))),
    Case("WINDOW_UPDATE flood", "300,000 frames on the connection", "M9", "closed",
         lambda s: stopped(s_begin(s), window(0, 1) * 300_000), libh2o_fails=True),
    Case("RST_STREAM flood", "100,000 frames on one closed stream", "CVE-2019-9514", "closed",
         lambda s: stopped(begin(s), headers(1, HEAD) + reset(1) * 100_000), libh2o_fails=True),
    Case("GOAWAY flood", "100,000 frames", "docs/shield.md", "closed", flood(GOAWAY, payload=b"\0" * 8), libh2o_fails=True),
    Case("unknown frames", "100,000 of a type nobody knows", "M11", "closed", flood(0xbe), libh2o_fails=True),
    Case("windows of 0", "90 waiting streams, WINDOW_UPDATE of 0 on each", "M4", "closed", zero_windows, libh2o_fails=True),
    Case("bodies without end", "60 streams, 75 MB", "M14", "closed", many_bodies, libh2o_fails=True),
    Case("bodies of many connections", "200 connections of one client, 112 KB each", "M14", "40 or more closed", many_connections_bodies, libh2o_fails=True),
    Case("a body of 98 MB", "one request", "M14", "refused or closed", huge_upload),
    Case("header tables of odd sizes", "SETTINGS_HEADER_TABLE_SIZE 0, 1024 and 2^32-1", "M19", "the server lives", table_size),
    Case("frames that break RFC 9113", f"{len(BROKEN)} kinds, a connection each", "RFC 9113, RFC 7541", "ended or reset", broken),
    Case("malformed requests", f"{len(MALFORMED)} kinds", "RFC 9113 8",
         f"reset, ended or 400 and above; {len(SERVED)} served", malformed),
    Case("HTTP/2 on a clear port", "preface and request", "M18, docs/shield.md", "refused", preface_in_clear),
    Case("honest bursts", "5 times 80 requests at once", "docs/shield.md", "all answered", honest_bursts),
    Case("an honest upload", "256 KB in one request", "docs/shield.md", "answered", honest_upload),
]


def s_begin(stage):
    """With a connection window that 300,000 updates do not overflow."""
    p = stage.peer()
    p.pour(PREFACE + settings())
    return p
