"""h1_cases.py - HTTP/1 as bytes: requests that two readers could read in two ways, and what no client sends.

Each smuggling case goes over TLS and over clear text. It is the head of a request (and perhaps a body) that hides a second one; the first
answer must be 400 and the connection must end, so that the hidden one is never answered. Whoever stands before this server may have read
it otherwise.
"""
import os
import random
import re
import socket
import ssl
import struct

from arena import Case
from wire import greeting, headers, request

SOON = 3
HIDDEN = b"GET /v1/nothing HTTP/1.1\r\nHost: hidden\r\n\r\n"
CHAPTER = "docs/shield.md, HTTP/1.x"
ROW16, ROW17 = "M16", "M17"


def statuses(got):
    return [int(x) for x in re.findall(rb"HTTP/1\.[01] (\d\d\d)", bytes(got))]


def head(*lines, method="POST", target="/v1/import", host=b"Host: localhost\r\n"):
    raw = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\r\n" for x in lines)
    return f"{method} {target} HTTP/1.1\r\n".encode() + host + raw + b"\r\n"


def refused(*attempts, want=(400,)):
    """Each attempt on a connection of its own, over TLS and clear: one answer, of this status, and the end."""
    def act(stage):
        wrong = []
        for what, blob in attempts:
            for tls in (True, False):
                p = stage.peer(tls=tls, alpn="http/1.1")
                p.pour(blob, 3)
                p.until(lambda p=p: statuses(p.got), 2)
                ended = p.ended(1)
                said = statuses(p.got)
                if said[:1] not in [[s] for s in want] or len(said) > 1 or not ended:
                    wrong.append(f"{what}{'' if tls else ' (clear)'}: {said or 'no answer'}{'' if ended else ', still open'}")
                p.close()
            assert stage.arena.alive(), f"it died of: {what}"
        assert not wrong, "; ".join(dict.fromkeys(wrong))
    return act


def one(blob, **how):
    return refused(("sent", blob), **how)


TE, CHUNKED = "Transfer-Encoding: chunked", b"0\r\n\r\n"
LENGTHS = ["+5", "-1", "5, 5", "0x5", "5 5", "", "18446744073709551616", "99999999999999999999", "5;", "5\t5", "٥"]
CODINGS = ["xchunked", "gzip", "identity", "chunked, identity", "chunked, chunked", "\"chunked\"", "chunked;q=1", "gzip, chunked", ""]
CHUNKS = {
    "a size of 8 digits": b"00000005\r\nhello\r\n0\r\n\r\n",
    "a size of 17 digits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "a size that is none": b"x\r\nhello\r\n0\r\n\r\n",
    "a size with a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "an extension": b"5;a=b\r\nhello\r\n0\r\n\r\n",
    "an endless extension": b"5;" + b"a" * 4000,    # of 100,000 the reset, for what was not read, may overtake the answer
    "a bare LF after the size": b"5\nhello\r\n0\r\n\r\n",
    "data longer than its size": b"5\r\nhello, world\r\n0\r\n\r\n",
    "a trailer": b"5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n",
    "a Content-Length as trailer": b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
}
NAMES = ["Host : a", "X Y: a", ": a", "X\x00Y: a", "X(Y): a", "no colon at all", "X\x7f: a", "X@Y: a"]
HOSTS = ["a b", "a\tb", "a\x00b", "a\x01b", "a\x7fb"]
CONTROLS = [1, 8, 11, 12, 14, 31, 127]

SMUGGLING = [
    ("CL and TE", "both lengths, a hidden request behind", one(head("Content-Length: 5", TE) + CHUNKED + HIDDEN), True),
    ("TE and CL", "the same in the other order", one(head(TE, "Content-Length: 40") + CHUNKED + HIDDEN), True),
    ("CL twice, differing", "5 and 40", one(head("Content-Length: 5", "Content-Length: 40") + b"hello" + HIDDEN), True),
    ("CL twice, alike", "5 and 5", one(head("Content-Length: 5", "Content-Length: 5") + b"hello" + HIDDEN), True),
    ("CL that is no number", f"{len(LENGTHS)} kinds", refused(*[(repr(v), head(f"Content-Length: {v}") + b"hello") for v in LENGTHS]), False),
    ("TE twice", "chunked and identity, chunked and chunked",
     refused(*[(v, head(TE, f"Transfer-Encoding: {v}") + CHUNKED + HIDDEN) for v in ("identity", "chunked")]), True),
    ("TE other than chunked", f"{len(CODINGS)} kinds",
     refused(*[(repr(v), head(f"Transfer-Encoding: {v}") + CHUNKED + HIDDEN) for v in CODINGS], want=(400, 501)), False),
    ("bare LF", "as the end of a line, and of the head",
     refused(("a line", b"GET / HTTP/1.1\nHost: a\r\n\r\n"), ("the head", b"GET / HTTP/1.1\r\nHost: a\r\nX: y\n\n" + HIDDEN)), True),
    ("bare CR", "in a value, in the target, and as the end of a line",
     refused(("a value", head("X: a\rY: b", method="GET", target="/")), ("a line", b"GET / HTTP/1.1\rHost: a\r\r" + b"\r\n\r\n")), False),
    ("obs-fold", "a line that begins with a blank, and with a tab",
     refused(*[(repr(v), head("X: a", v + "b: c", method="GET", target="/")) for v in (" ", "\t")]), True),
    ("a blank before the first name", "the first line of the head is a continuation of nothing",
     one(b"GET / HTTP/1.1\r\n X: a\r\nHost: b\r\n\r\n"), False),
    ("no Host", "HTTP/1.1 without", one(b"GET / HTTP/1.1\r\n\r\n"), True),
    ("two Hosts", "differing, and alike", refused(*[(v, head(f"Host: {v}", method="GET", target="/")) for v in ("localhost", "other")]), True),
    ("a Host that is none", f"{len(HOSTS)} kinds",
     refused(*[(repr(v), head(method="GET", target="/", host=f"Host: {v}\r\n".encode())) for v in HOSTS]), True),
    ("NUL", "in target, value, and name", refused(*[(what, blob) for what, blob in (
        ("target", head(method="GET", target="/\0")), ("value", head("X: a\0b", method="GET", target="/")),
        ("name", head("X\0: a", method="GET", target="/")))]), False),
    ("control bytes", f"{len(CONTROLS)} of them, in target and value", refused(*[(f"{where} {c}", blob) for c in CONTROLS for where, blob in (
        ("target", head(method="GET", target=f"/{chr(c)}")), ("value", head(f"X: a{chr(c)}b", method="GET", target="/")))]), False),
    ("a name that is no token", f"{len(NAMES)} kinds", refused(*[(repr(v), head(v, method="GET", target="/")) for v in NAMES]), False),
    ("chunks", f"{len(CHUNKS)} kinds that are wrong", refused(*[(k, head(TE) + v) for k, v in CHUNKS.items()]), True),
    ("versions", "2.0, 9.9, and words that are none", refused(*[(v, f"GET / {v}\r\nHost: a\r\n\r\n".encode()) for v in (
        "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 x", "http/1.1")], want=(400, 505)), False),
    ("101 fields", "more than the library takes", one(head(*[f"X{i}: a" for i in range(101)], method="GET", target="/")), False),
]


# ---- sizes ----
def large_head(stage):
    """33 KB in one field, and in many."""
    for blob in (head("X: " + "y" * 33_000, method="GET", target="/"),
                 head(*[f"X{i}: {'y' * 400}" for i in range(90)], method="GET", target="/")):
        for tls in (True, False):
            p = stage.peer(tls=tls, alpn="http/1.1")
            p.pour(blob, 3)
            p.until(lambda p=p: statuses(p.got), 2)
            assert statuses(p.got)[:1] == [431], statuses(p.got)


def poured(start, piece, times, connections=1):
    """Without end: the server must end it, or have answered, before all of it is taken."""
    def act(stage):
        peers = [stage.peer(tls=i % 2 == 0, alpn="http/1.1") for i in range(connections)]
        for p in peers:
            p.pour(start, 3)
        for p in peers:
            for _ in range(times):
                if p.over or statuses(p.got) or not p.pour(piece, 3):
                    break
        left = [p for p in peers if not statuses(p.got) and not p.ended(SOON)]
        assert not left, f"{len(left)} of {len(peers)} still open after {times * len(piece)} bytes, without an answer"
    return act


def pipeline(stage):
    """20,000 requests at once, of which no answer is read; then all are."""
    p = stage.peer(alpn="http/1.1", rcvbuf=4096)
    p.pour(b"GET /v1/sync/main/head HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000, 3, reading=False)
    p.until(lambda: False, 1)
    stage.note(f"{p.bytes_in} bytes of answers, {'closed' if p.over else 'open'}")


def not_in_the_table(stage):
    """Methods and targets that no row of the route table has."""
    wrong = []
    for line in ("TRACE / HTTP/1.1", "CONNECT a:443 HTTP/1.1", "PROPFIND / HTTP/1.1", "GET http://other/ HTTP/1.1", "GET * HTTP/1.1",
                 "GET /../../etc/passwd HTTP/1.1", "GET //etc/passwd HTTP/1.1", "DELETE / HTTP/1.1", "M" * 1000 + " / HTTP/1.1",
                 "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", "GET /" + "a" * 4000 + " HTTP/1.1", "PRI * HTTP/1.1"):
        p = stage.peer(alpn="http/1.1")
        p.pour(line.encode() + b"\r\nHost: a\r\nConnection: close\r\n\r\n", 3)
        p.until(lambda p=p: statuses(p.got), 2)
        said = statuses(p.got)
        if not (said and 400 <= said[0] < 500):
            wrong.append(f"{line[:30]}: {said or 'no answer'}")
        assert b"root:" not in p.got, line
    assert not wrong, "; ".join(wrong)


def no_h2c(stage):
    """Upgrade: h2c. No 101 may come."""
    p = stage.peer(tls=False)
    p.pour(head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", method="GET", target="/"))
    p.until(lambda: statuses(p.got), 2)
    assert statuses(p.got)[:1] not in ([], [101]), statuses(p.got)


def h2_without_alpn(stage):
    """A preface over TLS from a client that agreed on nothing, or on HTTP/1.1: whatever comes, no frame may pass unseen."""
    for alpn in (None, "http/1.1"):
        p = stage.peer(alpn=alpn)
        p.pour(greeting() + headers(1, request("/v1/sync/main/head")), 2)
        p.until(lambda p=p: p.answer(1) or statuses(p.got), 2)
        stage.note(f"ALPN {alpn}: {p.answer(1) or statuses(p.got) or 'closed' if p.over or p.got else 'nothing'}")
        assert p.answer(1) != 200, f"HTTP/2 was spoken though {alpn or 'nothing'} was agreed on"


# ---- below HTTP ----
def shouted(stage, blob, seconds=2, tls_port=True):
    """Bytes on the bare socket."""
    p = stage.peer(tls=False) if not tls_port else raw(stage)
    p.pour(blob, seconds)
    return p


def raw(stage):
    """To the TLS port, but without TLS."""
    stage.clear_port, kept = stage.port, stage.clear_port
    try:
        return stage.peer(tls=False)
    finally:
        stage.clear_port = kept


def record(kind, payload, version=0x0301, length=None):
    return struct.pack(">BHH", kind, version, len(payload) if length is None else length) + payload


def garbage_records(stage):
    """Bytes that are no TLS, records that lie, alerts, an SSLv2 hello, HTTP on the TLS port."""
    chance, left = random.Random(4), 0
    blobs = [chance.randbytes(3000) for _ in range(20)]
    blobs += [record(22, chance.randbytes(500)) for _ in range(20)]
    blobs += [record(22, b"\x01\x00\x40\x00" + b"\0" * 100, length=0xffff), record(22, b""), record(21, b"\x02\x28") * 1000,
              record(20, b"\x01") * 1000, record(23, b"x" * 100), b"\x80\x2e\x01\x00\x02" + b"\0" * 41, HIDDEN,
              record(22, b"\x01\xff\xff\xff" + b"\0" * 16_000), record(24, b"\x01\x40\x00")]
    for blob in blobs:
        p = shouted(stage, blob)
        left += not p.ended(0.3)
        p.close()
    stage.note(f"{len(blobs)} kinds, {left} waited for more")


def broken_after_handshake(stage):
    """A handshake in order, then records that no key fits."""
    for _ in range(50):
        p = stage.peer()
        p.pour(greeting(), 1)
        bare = socket.socket(fileno=os.dup(p.s.fileno()))
        bare.setblocking(False)
        try:
            bare.send(record(23, os.urandom(1000), 0x0303) * 20)
        except OSError:
            pass
        bare.close()
        p.until(lambda: False, 0.02)
        p.close()


def hello_flood(stage):
    """Handshakes begun and left, 600 of them: each costs the server a signature."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inward, outward, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outward.read()
    for _ in range(600):
        p = raw(stage)
        p.pour(hello, 1)
        p.close()


def old_tls(stage):
    """TLS 1.0 and 1.1 are not spoken."""
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", stage.port), 3) as bare:
            try:
                context.wrap_socket(bare)
            except (OSError, ssl.SSLError):
                continue
        raise AssertionError(f"{version.name} was accepted")


CASES = [Case(name, does, f"{CHAPTER}; {ROW16}" if fails else f"{CHAPTER}; {ROW17}", "400 and close", act, libh2o_fails=fails)
         for name, does, act, fails in SMUGGLING] + [
    Case("a head above 32 KB", "in one field, and in many", CHAPTER, "431", large_head),
    Case("a head without end", "4 connections, 4 MB of one field each", CHAPTER, "refused or closed",
         poured(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"y" * 65_536, 64, 4)),
    Case("fields without end", "4 connections, 4 MB of short fields each", CHAPTER, "refused or closed",
         poured(b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * 10_000, 70, 4)),
    Case("a chunked body without end", "4 connections, 64 MB each", CHAPTER, "refused or closed",
         poured(head(TE), b"10000\r\n" + b"z" * 65_536 + b"\r\n", 1000, 4)),
    Case("a body of one terabyte", "announced, and begun", CHAPTER, "refused or closed",
         poured(head("Content-Length: 1099511627776"), b"z" * 65_536, 1000, 4)),
    Case("tiny chunks", "4,500,000 of one byte", CHAPTER, "refused or closed", poured(head(TE), b"1\r\nz\r\n" * 10_000, 450, 1)),
    Case("pipelined requests", "20,000 at once, unread at first", CHAPTER, "no memory", pipeline),
    Case("what no route has", "12 methods and targets", CHAPTER, "400 to 499", not_in_the_table),
    Case("h2c by upgrade", "Upgrade: h2c in clear text", f"{CHAPTER}; M18", "no 101", no_h2c),
    Case("HTTP/2 without ALPN", "a preface where HTTP/1.1 or nothing was agreed on", CHAPTER, "refused", h2_without_alpn),
    Case("garbage records", "49 kinds of bytes that are no TLS", "docs/shield.md", "no harm", garbage_records),
    Case("broken records", "50 handshakes, then records no key fits", "docs/shield.md", "no harm", broken_after_handshake),
    Case("handshakes begun", "600 ClientHellos, each left at once", "CVE-2011-1473 in spirit", "no harm", hello_flood),
    Case("TLS 1.0 and 1.1", "a client that speaks nothing newer", "RFC 8996", "refused", old_tls),
]
