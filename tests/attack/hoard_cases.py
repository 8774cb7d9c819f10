"""hoard_cases.py - who asks for everything and reads nothing: every answer that is not taken is ours to keep, and the body of its request too.

What stands in the cache is kept once, however many ask; all else is bounded for each client and for all (docs/shield.md, "Answers that
nobody reads"). Each case states how much it may cost, which is less than arena.py allows; meanwhile somebody else is given what has to be made for him,
and the hoarder what is ready. Before there was a bound the first three, the file and the one over HTTP/1 took 141, 323, 570, 500 and 291 MB.
"""
import json
import random
import time

from arena import MB, Case, lib, memory
from wire import DATA, END_HEADERS, END_STREAM, INITIAL_WINDOW_SIZE, Peer, frame, greeting, headers, request

CHAPTER, CHAPTER_BODIES = "docs/shield.md, answers that nobody reads", "docs/shield.md, uploads"
DOCS = "/docs"      # the largest answer that is made for each who asks: 90 KB
READY = "/v1/sync/main/head"
UPLOAD = request("/v1/import", "POST", ("content-type", "application/x-ndjson"))
WIDE = 1 << 30


def everything(stage):
    """Addresses by the hundred, each another answer: lists, pages, articles, catch-ups in all encodings, files, failures."""
    get = stage.arena.server.get
    items = [x["id"] for x in get("/v1/items?n=50").json()["items"]]
    head = stage.arena.server.head()
    seq, epoch, cut = head["seq"], head["epoch"], head["cut"]
    yield from ("/openapi.json", DOCS, "/style.css", "/v1/sync/keys", "/v1/sync/heads", "/columns", "/large", "/v1/sites", "/v1/columns")
    for n in range(1, 51):
        yield from (f"/v1/items?n={n}", f"/v1/columns/1/items?n={n}", f"/v1/items?n={n}&since=20{10 + n % 15}-01-01", f"/nowhere/{n}")
    for item in items:
        yield from (f"/a/{item}", f"/a/{item}/large", f"/a/{item}/text", f"/v1/items/{item}", f"/v1/items/{item}/revisions/1")
    for n in range(seq):
        yield from (f"/v1/sync/main/log/{epoch}/{cut}/{n}-{seq}{how}" for how in ("", ".gz", ".zst", ".dz"))


def hoard(stage, paths, window=0, address=None, streams=100):
    """One connection that asks for these, and takes nothing."""
    p = stage.peer(source=address or stage.address, rcvbuf=4096, mss=1400)
    p.pour(greeting((INITIAL_WINDOW_SIZE, window)) +
           b"".join(headers(1 + 2 * i, request(path, "GET", ("accept", "text/html"))) for i, path in enumerate(paths[:streams])), 2, reading=False)
    return p


def costs(stage, most, ask):
    """Whatever ask() does must not take more than so many MB."""
    before, shed = memory(stage.arena.pid), stage.metric("answers_shed") or 0
    ask()
    time.sleep(1.5)
    grown = (memory(stage.arena.pid) - before) / MB
    stage.note(f"{grown:.0f} MB for {(stage.metric('answers_unread') or 0) / MB:.1f} MB unread, {(stage.metric('answers_shed') or 0) - shed:.0f} refused")
    assert grown < most, f"{grown:.0f} MB more, where {most} may be"


def is_given(stage, path, address, status=200):
    with Peer(stage.port, source=address) as p:
        p.pour(greeting((INITIAL_WINDOW_SIZE, WIDE)) + headers(1, request(path)))
        assert p.until(lambda: p.answer(1), 5) and p.answer(1) == status, f"{path} for {address}: {p.answer(1)}, not {status}"


def others_are_served(stage):
    """What is ready goes to the hoarder too; what must be made, to everybody else."""
    is_given(stage, READY, stage.address)
    is_given(stage, DOCS, stage.address, 503)
    is_given(stage, DOCS, "127.201.1.1")
    is_given(stage, "/v1/items?n=17&since=2012-03-04", "127.201.1.1")


def docs(connections, most):
    def act(stage):
        shed = stage.metric("answers_shed")
        costs(stage, most, lambda: [hoard(stage, [DOCS] * 100) for _ in range(connections)])
        lib.wait_for("the hoarder's share to be full", 20, lambda: stage.metric("answers_shed") > shed)
        others_are_served(stage)
    return act


def of_many_addresses(stage):
    """Each within its share; together they are not, and small answers are made nevertheless."""
    costs(stage, 60, lambda: [hoard(stage, [DOCS] * 50, address=f"127.202.1.{n}") for n in range(1, 13)])
    is_given(stage, READY, "127.201.1.1")
    is_given(stage, "/v1/items?n=18&since=2012-03-04", "127.201.1.1")


def of_everything(stage):
    """Once with windows that are shut, once with windows that are wide open and a socket that is not read."""
    paths = list(everything(stage))

    def ask():
        for i in range(0, len(paths), 100):
            hoard(stage, paths[i:i + 100], window=WIDE if i // 100 % 2 else 0)
    costs(stage, 48, ask)
    stage.note(f"{len(paths)} addresses")


def catch_ups(stage):
    """With a cache that is too small for them."""
    paths = [p for p in everything(stage) if "/log/" in p]
    costs(stage, 32, lambda: [hoard(stage, paths[i:i + 100], address=stage.address) for i in range(0, len(paths), 100)])


def of_files(stage):
    """A published file of 8 MB, whole and in parts, by 500 requests of HTTP/2 and by 60 connections of HTTP/1. It is not copied, so only requests cost,
    and what is on its way."""
    server, file = stage.arena.server, random.Random(8).randbytes(8 * MB)
    name = server.put_file(file)
    record = {**lib.article(8000), "attachments": [{"hash": name, "name": "附件.bin", "size": len(file), "type": "application/octet-stream"}]}
    answer = server.admin("POST", "/v1/import?publish=1&create=1", json.dumps(record, ensure_ascii=False).encode(), {"content-type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["created"] == 1, answer
    path = f"/v1/blobs/{name}"

    def ask():
        for n in range(5):
            p = stage.peer(rcvbuf=4096, mss=1400)
            p.pour(greeting((INITIAL_WINDOW_SIZE, WIDE if n % 2 else 0)) +
                   b"".join(headers(1 + 2 * i, request(path, "GET", ("range", f"bytes={i * n}-"))) for i in range(100)), 2, reading=False)
        for _ in range(60):
            stage.peer(alpn="http/1.1", rcvbuf=4096, mss=1400).pour(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 2, reading=False)
    costs(stage, 24, ask)
    is_given(stage, path, "127.201.1.1")


def of_http1(stage):
    """20 requests, one behind the other, on each of 300 connections."""
    def ask():
        for i in range(300):
            p = stage.peer(tls=i % 2 == 0, alpn="http/1.1", rcvbuf=4096, mss=1400)
            p.pour(f"GET {DOCS if i % 3 else '/openapi.json'} HTTP/1.1\r\nHost: a\r\n\r\n".encode() * 20, 1, reading=False)
    costs(stage, 60, ask)
    is_given(stage, DOCS, "127.201.1.1")


def of_connections(stage):
    """One answer of 100 KB out of the cache on each of 200 connections, windows wide open: what libh2o and TLS keep for a write."""
    costs(stage, 48, lambda: [hoard(stage, ["/openapi.json"], window=WIDE) for _ in range(200)])


def takes_an_upload(stage, address):
    """256 KB, the largest piece there is: whatever is answered, it must not be cut."""
    with Peer(stage.port, source=address) as p:
        p.pour(greeting() + headers(1, UPLOAD, END_HEADERS) + frame(DATA, 0, 1, b"\0" * 16_384) * 15 + frame(DATA, END_STREAM, 1, b"\0" * 16_384), 5)
        assert p.until(lambda: p.answer(1), 5), f"an upload of 256 KB for {address} got no answer" + (" and was cut" if p.over else "")


def bodies(stage, most, ask):
    """What has come of them may be so much, and whoever sends an ordinary one is taken in meanwhile. All is given back."""
    costs(stage, most, ask)
    stage.note(f"{(stage.metric('bodies_held') or 0) / MB:.1f} MB of bodies")
    takes_an_upload(stage, "127.201.1.1")
    takes_an_upload(stage, stage.address)
    for p in stage.peers:
        p.close()
    lib.wait_for("all bodies to be given back", 10, lambda: not stage.metric("bodies_held"))


def of_bodies(stage):
    """Requests of 1 MB that have ended, and whose answers have no window."""
    one = frame(DATA, 0, 1, b"\0" * 16_384)

    def ask():
        for _ in range(4):
            p = stage.peer(rcvbuf=4096, mss=1400)
            p.pour(greeting((INITIAL_WINDOW_SIZE, 0)), 2, reading=False)
            for i in range(100):
                of = bytes(one[:5]) + (1 + 2 * i).to_bytes(4, "big") + one[9:]
                if not p.pour(headers(1 + 2 * i, UPLOAD, END_HEADERS) + of * 63 + frame(DATA, END_STREAM, 1 + 2 * i, b"\0" * 16_384), 5, reading=False):
                    break
    bodies(stage, 40, ask)


def of_bodies_over_http1(stage):
    """On each of 300 connections 1 MB of a body that never comes whole; every other one in chunks."""
    head = "POST /v1/import HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"

    def ask():
        for i in range(300):
            p = stage.peer(tls=False, mss=1400)
            how = "Transfer-Encoding: chunked\r\n\r\nfffff\r\n" if i % 2 else f"Content-Length: {MB}\r\n\r\n"
            p.pour((head + how).encode() + b"\0" * (MB - 2), 2, reading=False)
    bodies(stage, 60, ask)


CASES = [
    Case("hoard of one page", "100 requests for /docs on one connection, nothing read", CHAPTER, "16 MB at most, others served",
         docs(1, 16)),
    Case("hoard of one page, 10 connections", "1,000 requests for /docs of one client, nothing read", CHAPTER,
         "40 MB at most, others served", docs(10, 40)),
    Case("hoard of many addresses", "50 requests for /docs of each of 12 clients, nothing read", CHAPTER,
         "60 MB at most, small answers served", of_many_addresses),
    Case("hoard of everything", "hundreds of different answers, nothing read", CHAPTER, "48 MB at most", of_everything),
    Case("hoard of catch-ups", "all catch-ups in all encodings, nothing read, a cache of 1 MB", CHAPTER, "32 MB at most", catch_ups,
         env={"TJZW_CACHE_SIZE": "1m"}),
    Case("hoard of a file", "500 requests for a file of 8 MB and parts of it, and 60 connections of HTTP/1, nothing read", CHAPTER, "24 MB at most, others served", of_files),
    Case("hoard, HTTP/1", "20 requests in a row on 300 connections, nothing read", CHAPTER, "60 MB at most, others served", of_http1),
    Case("hoard of connections", "one answer on each of 200 connections, nothing read", CHAPTER, "48 MB at most", of_connections),
    Case("hoard of bodies, zero window", "400 requests with 1 MB each on 4 connections, no window for an answer", CHAPTER_BODIES, "40 MB at most, others served", of_bodies),
    Case("bodies over HTTP/1, many connections", "300 connections of one client, 1 MB each of a body that never ends", CHAPTER_BODIES, "60 MB at most, others served",
         of_bodies_over_http1, libh2o_fails=True),
]
