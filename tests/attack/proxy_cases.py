"""proxy_cases.py - who says for whom he asks: PROXY headers and Forwarded, of strangers and of proxies that are believed.

In the cases of a believed one 127.77.0.0/16 is trusted, and whoever attacks comes from there: a proxy that has gone mad, or that passes on
what it should not.
"""
import os
import random
import struct
import time

from arena import Case
from h1_cases import HIDDEN, head, raw, shouted, statuses
from slow_cases import SLACK, gone
from wire import greeting, headers, request

CHAPTER = "docs/shield.md, who the client is"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
HEAD = request("/v1/sync/main/head")
TRUSTED, PROXY = {"TJZW_TRUSTED_PROXIES": "127.77.0.0/16"}, "127.77.0.1"
HERTZ = os.sysconf("SC_CLK_TCK")


def proxy2(command=0x21, family=0x11, payload=b"\x0a\0\0\1\x0a\0\0\2\x30\x39\x01\xbb", length=None):
    return SIGNATURE + struct.pack(">BBH", command, family, len(payload) if length is None else length) + payload


def believed(act):
    """The same from the address of a trusted proxy."""
    def as_proxy(stage):
        stage.address = PROXY
        act(stage)
    return as_proxy


# ---- strangers ----
def strangers_header(stage):
    """A PROXY header from somebody who is no trusted proxy is garbage, before TLS and before HTTP."""
    for start in (proxy2(), b"PROXY TCP4 10.0.0.1 10.0.0.2 1234 443\r\n"):
        p = shouted(stage, start + HIDDEN, tls_port=False)
        p.until(lambda p=p: statuses(p.got), 2)
        assert not statuses(p.got) or statuses(p.got)[0] == 400, statuses(p.got)
        try:
            stage.peer(before=start, timeout=3)
        except OSError:
            continue
        raise AssertionError("TLS went on after a PROXY header of an untrusted peer")


def strangers_halves(stage):
    """Cut at each byte, and left open: as slow as any other."""
    peers = [shouted(stage, proxy2()[:n], tls_port=bool(n % 2)) for n in range(1, 28)]
    gone(stage, peers, 10)


def strangers_forwarded(stage):
    """Forwarded from anybody is not believed, however long."""
    for value in ("for=10.0.0.1", "for=" + "1" * 8000, 'for="[::1]"; by=x, ' * 500, 'for="', ";,;,=" * 500, "for=127.0.0.1;" * 100):
        p = stage.peer(alpn="http/1.1")
        p.pour(head(f"Forwarded: {value}", method="GET", target="/v1/sync/main/head"), 2)
        p.until(lambda p=p: statuses(p.got), 2)
        assert statuses(p.got) and statuses(p.got)[0] in (200, 400, 431), (value[:20], statuses(p.got))


# ---- trusted proxies ----
def good_and_bad(stage):
    good = stage.peer(before=proxy2())
    good.pour(greeting() + headers(1, HEAD))
    assert good.until(lambda: good.answer(1) == 200, 3), "a good PROXY header was not believed"
    for blob in (proxy2(0x11), proxy2(0x31), proxy2(payload=b"\x0a\0"), proxy2(length=0xffff), proxy2(payload=b"\0" * 600), proxy2()[:11] + b"x"):
        for filler in (b"\0" * 600, b"\xff" * (1 << 20)):
            p = raw(stage)
            p.pour(blob + filler, 1)
            assert p.ended(3 + SLACK), f"still open after {blob[:20]!r}"


def processor_seconds(pid):
    words = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / HERTZ


def halves(stage):
    """500 that say nothing, or a header cut anywhere: gone in 3 s, and whoever waits for the rest must not spin."""
    peers, before = [raw(stage) for _ in range(500)], processor_seconds(stage.arena.pid)
    for i, p in enumerate(peers):
        p.pour(proxy2()[:i % 28], 1)
    gone(stage, peers, 3)
    used = processor_seconds(stage.arena.pid) - before
    stage.note(f"{used:.1f} s of processor")
    assert used < 2, f"waiting for half a header took {used:.1f} s of processor"


def drops(stage):
    """A byte now and then, so that something always comes."""
    peers, start, sent = [raw(stage) for _ in range(100)], time.monotonic(), 0
    while stage.held(peers) and time.monotonic() - start < 3 + SLACK:
        for p in peers:
            p.pour((proxy2(payload=bytes(500)))[sent:sent + 1], 0.01)
        sent += 1
        time.sleep(0.1)
    assert not stage.held(peers), "a header that never ends is waited for"


def garbage(stage):
    """Anything behind the signature, and behind a good header, on both ports."""
    for n in range(400):
        start = SIGNATURE + random.randbytes(random.randrange(40)) if n % 2 else proxy2()
        p = shouted(stage, start + random.randbytes(random.randrange(600)), tls_port=n % 4 < 2)
        p.until(None, 0.02)
        p.close()


def long_forwarded(stage):
    """What a proxy passes on of a client's, with its own word behind: the last one counts, at no cost that grows."""
    p = stage.peer(tls=False)
    for value in ("for=10.0.0.1, " * 2000, 'for="' * 5000, "," * 30_000, "for=127.77.0.9," * 2000, '\\"' * 10_000):
        p.pour(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n" + f"Forwarded: {value}\r\nForwarded: for=203.0.113.7\r\n\r\n".encode(), 2)
    p.until(lambda: len(statuses(p.got)) == 5, 5)
    assert statuses(p.got) == [404] * 5, statuses(p.got)


def reset_streams(stage):
    """20,000 requests that their clients reset, over one connection: it is not ended, and holds nothing up."""
    p, at = stage.peer(), 1
    p.pour(greeting())
    for _ in range(200):
        p.pour(b"".join(headers(at + 2 * i, HEAD) + b"\0\0\4\3\0" + struct.pack(">II", at + 2 * i, 8) for i in range(100)))
        at += 200
        p.forget()
    p.pour(headers(at, HEAD))
    assert p.until(lambda: p.answer(at) == 200, 10), "the connection that carries many clients was ended"


CASES = [
    Case("PROXY of a stranger", "v1 and v2, before TLS and before HTTP", CHAPTER, "refused", strangers_header),
    Case("half a PROXY of a stranger", "27 connections, cut at each byte", CHAPTER, "refused or closed", strangers_halves),
    Case("Forwarded of a stranger", "6 kinds, some of 8 KB", CHAPTER + "; RFC 7239", "ignored or refused", strangers_forwarded),
] + [Case(name, does, CHAPTER, expect, believed(act), env=TRUSTED) for name, does, expect, act in (
    ("PROXY of a trusted proxy", "a good one, and six that are none, some with 1 MB behind", "believed, or closed", good_and_bad),
    ("half a PROXY header", "500 connections, cut anywhere", "closed in 3 s, no spinning", halves),
    ("a PROXY header by drops", "100 connections, a byte every 0.1 s", "closed in 3 s", drops),
    ("garbage behind the signature", "400 connections", "closed", garbage),
    ("Forwarded of 30 KB", "5 kinds, by a trusted proxy", "the last one counts", long_forwarded),
    ("resets by a trusted proxy", "20,000 streams of one connection", "answered afterwards", reset_streams),
)]
