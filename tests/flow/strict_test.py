#!/usr/bin/env python3
"""HTTP/1 that two readers could read in two ways gets 400 and the end, whichever way it comes; what honest clients send goes on as before."""
import json
import re
import socket
import ssl
import subprocess
import sys
import time

from lib import World, article, clean_env, free_port

from tap import case, done

HOST = b"Host: localhost\r\n"
GET = b"GET /v1/sync/main/head HTTP/1.1\r\n" + HOST
POST = b"POST /v1/import HTTP/1.1\r\n" + HOST
TE, CL = b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n"
CHUNKED = POST + TE + b"\r\n"
HIDDEN = GET + b"\r\n"

BAD = {
    "line": [b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", b"GET / http/1.1\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"(\r\n\r\n"],
    "byte": [b"GET / HTTP/1.1\n" + HOST + b"\r\n", GET + b"X: y\n\n" + HIDDEN, GET + b"X: a\rY: b\r\n\r\n", GET + b"X: a\0b\r\n\r\n",
             b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n", GET + b"X: a\x7f\r\n\r\n", b"GET / HTTP/1.1\rHost: a\r\r\r\n\r\n",
             CHUNKED + b"5\nhello\r\n0\r\n\r\n", CHUNKED + b"5\rhello\r\n0\r\n\r\n", CHUNKED + b"0\r\n\r" + HIDDEN, GET + b"none\r\n\r\n"],
    "field": [GET + b"X: a\r\n b: c\r\n\r\n" + HIDDEN, GET + b"X: a\r\n\tb: c\r\n\r\n", b"GET / HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n",
              GET + b"X : a\r\n\r\n", GET + b": a\r\n\r\n", GET + b"X(Y): a\r\n\r\n"],
    "host": [b"GET / HTTP/1.1\r\n\r\n", GET + HOST + b"\r\n", GET + b"Host: other\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
    "length": [POST + CL + TE + b"\r\n0\r\n\r\n" + HIDDEN, POST + TE + CL + b"\r\n0\r\n\r\n" + HIDDEN, POST + CL + CL + b"\r\nhello" + HIDDEN,
               POST + CL + b"Content-Length: 40\r\n\r\nhello" + HIDDEN, POST + TE + TE + b"\r\n0\r\n\r\n" + HIDDEN,
               POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", POST + b"Transfer-Encoding: identity\r\n\r\n",
               b"POST / HTTP/1.0\r\n" + TE + b"\r\n0\r\n\r\n"]
    + [POST + b"Content-Length: " + x + b"\r\n\r\nhello" for x in (b"+5", b"-1", b"5, 5", b"0x5", b"5 5", b"", b"18446744073709551616")],
    "chunk": [CHUNKED + x for x in (
        b"00000005\r\nhello\r\n0\r\n\r\n", b"x\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\n\r\n",
        b"5;" + b"a" * 100_000, b"5\r\nhello, world\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n" + HIDDEN,
        b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n" + HIDDEN, b"10000000000000005\r\nhello\r\n")],
}


def dial(way):
    if isinstance(way, str):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(way)
        return s
    port, tls = way
    s = socket.create_connection(("127.0.0.1", port), timeout=10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return s
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context.wrap_socket(s)


def pour(s, *pieces, pause=0.0):
    """False: it does not listen any more."""
    try:
        for piece in pieces:
            s.sendall(piece)
            time.sleep(pause)
    except OSError:
        return False
    return True


def until_the_end(s):
    heard = b""
    try:
        while more := s.recv(65536):
            heard += more
    except TimeoutError:
        raise AssertionError(f"still open after {heard[-300:]}") from None
    except OSError:
        pass
    return heard


def statuses(heard):
    return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d\d\d)", heard)]


def said(way, *pieces, pause=0.0):
    with dial(way) as s:
        pour(s, *pieces, pause=pause)
        return statuses(until_the_end(s))


def refusals(server):
    return {k: int(v) for k, v in re.findall(r"^tjzw_guard_refused_(\w+) (\d+)$", server.get("/metrics").body.decode(), re.M)}


with World() as w:
    port, clear = free_port(), free_port()
    server = w.serve(w.data, "--demo", port=port, env={"TJZW_LOOPS": "1", "TJZW_RATE_LIMIT": "0"},
                     urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{clear}"])
    first = server.child
    ways = {"TLS": (port, True), "clear text": (clear, False), "the admin socket": str(server.data / "admin.sock")}

    for name, way in ways.items():
        with case(f"over {name} what can be read in two ways gets 400 and the end, and is counted by its reason"):
            expected = refusals(server)
            for kind, blobs in BAD.items():
                for blob in blobs:
                    assert (got := said(way, blob)) == [400], (kind, blob[:200], got)
                    expected[kind] += 1
            assert refusals(server) == expected, (refusals(server), expected)
        with case(f"over {name} it may come in pieces"):
            for blob in (x for blobs in BAD.values() for x in blobs if len(x) < 1000):
                body = blob.index(b"\r\n\r\n") + 4 if b"\r\n\r\n" in blob else 0
                for cut in {1, len(blob) // 2, body - 1, body + 1, body + 2, body + 3, len(blob) - 1}:
                    if 0 < cut < len(blob):
                        assert (got := said(way, blob[:cut], blob[cut:], pause=0.002)) == [400], (blob[:200], cut, got)
        with case(f"over {name} who asked before still gets his answers"):
            for blob in (BAD["host"][1], BAD["chunk"][6], BAD["byte"][2]):
                assert (got := said(way, HIDDEN * 2 + blob + HIDDEN)) == [200, 200, 400], (blob, got)
                assert (got := said(way, HIDDEN, blob[:-3], blob[-3:], pause=0.01)) == [200, 400], (blob, got)
        with case(f"over {name} honest requests are answered on one connection"):
            with dial(way) as s:
                chunks = b"1\r\n{\r\n0001\r\n}\r\n0\r\n\r\n"
                pour(s, HIDDEN * 2 + CHUNKED + chunks + b"\r\n" + HIDDEN + POST + b"content-length:2\r\n\r\n{}" + HIDDEN)
                pour(s, *(bytes((x,)) for x in CHUNKED + chunks + HIDDEN), pause=0.001)
                pour(s, GET + b"Connection: close\r\n\r\n")
                got = statuses(until_the_end(s))
            post = 200 if way == ways["the admin socket"] else 401
            assert got == [200, 200, post, 200, post, 200, post, 200, 200], got
        with case(f"over {name} a head above 32 KB gets 431"):
            assert said(way, GET + b"X: " + b"y" * 33_000 + b"\r\nConnection: close\r\n\r\n")[:1] == [431]

    with case("the absolute form is the path that it names, if it names the host that Host does"):
        for target, want in (("https://localhost/v1/sync/main/head", 200), ("HTTP://LOCALHOST/v1/sync/main/head?", 400), ("HTTP://LOCALHOST/v1/sync/main/head", 200),
                             ("http://localhost", 200), ("http://localhost/", 200), ("http://localhost?n=1", 400), ("http://localhost.evil/", 400),
                             ("http://other/", 400), ("http://", 400), ("http:///", 400), ("https:/localhost/", 400), ("localhost:443", 400)):
            got = said(ways["clear text"], f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            assert got == [want], (target, got)
    with case("only OPTIONS asks for *"):
        for method, want in (("OPTIONS", [204]), ("GET", [400]), ("PRI", [400])):
            got = said(ways["clear text"], f"{method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            assert got == want, (method, got)
    with case("what begins like the preface of HTTP/2, and goes on otherwise, is checked too"):
        for cut in range(1, 6):
            for rest in (b" * HTTP/1.1\r\n" + HOST + HOST + b"\r\n", b" * HTTP/1.1\n\r\n", b"X\0"):
                blob = b"PRI" + rest
                assert (got := said(ways["clear text"], blob[:cut], blob[cut:], pause=0.005)) == [400], (blob, cut, got)
        assert said(ways["clear text"], b"P", CHUNKED[1:] + b"0\r\n\r\n" + HIDDEN, GET + b"Connection: close\r\n\r\n", pause=0.005)[1:] == [200, 200]
    with case("curl goes on as before, with a body in chunks and with Expect too"):
        lines = "".join(json.dumps(article(i)) + "\n" for i in range(20)).encode()
        chunks, expect = ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")
        for extra in ((), chunks, expect, chunks + expect):
            ran = subprocess.run(["curl", "-s", "--http1.1", "--unix-socket", ways["the admin socket"], "-H", "Content-Type: application/x-ndjson",
                                  *extra, "--data-binary", "@-", "-w", " %{http_code}", "http://localhost/v1/import"], input=lines,
                                 capture_output=True, env=clean_env(), timeout=60)
            assert ran.stdout.endswith(b" 200"), ran
        ran = subprocess.run(["curl", "-sk", "--http1.1", *["-o", "/dev/null", f"{server.url}/v1/sync/main/head"] * 3, "-w", " %{http_code}"],
                             capture_output=True, env=clean_env(), timeout=30)
        assert ran.stdout.count(b" 200") == 3, ran
    with case("the server is the one that was started"):
        assert server.child == first, server.said()

sys.exit(done())
