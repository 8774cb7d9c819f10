#!/usr/bin/env python3
"""Bad input gets a clear answer, breaks nothing, and leaves nothing half-written.

Three doors: the import (a file of records), the network (requests, bytes that are none), and the machine (directories, ports; a full
disk is full_disk_test.py's). After each the same process still serves, and exactly the good records are in.
"""
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time

from lib import TJZW, World, article, clean_env, free_port

from tap import Skip, case, done

ROOT_USER = os.geteuid() == 0


def good(name):
    return dict(article(1, 300), id=name, title=f"好记录 {name}")


def line(record, **change):
    return json.dumps({**record, **change}, ensure_ascii=False).encode()


BASE = article(7, 300)
# What is wrong with the one line, the line. Each must be refused, named by its number, and let its neighbours in.
BAD_LINES = {
    "cut in the middle": line(BASE)[:-20],
    "not JSON": b"<html>",
    "an array": b"[1,2,3]",
    "a number": b"42",
    "two objects": line(BASE) + line(BASE),
    "a duplicate key": line(BASE)[:-1] + '，"title":"另一个"}'.replace("，", ",").encode(),
    "title of the wrong type": line(BASE, title=17),
    "body of the wrong type": line(BASE, body=["a"]),
    "body is null": line(BASE, body=None),
    "title that is empty": line(BASE, title=""),
    "title that is far too long": line(BASE, title="长" * 3000),
    "no title": json.dumps({k: v for k, v in BASE.items() if k != "title"}, ensure_ascii=False).encode(),
    "invalid UTF-8": line(BASE).replace("示例网站".encode(), b"\xff\xfe\xc0\xaf"),
    "half a surrogate pair": b'{"id":"s","title":"\\ud800","pubDate":"2024-01-01","source":"a","column":"b","body":"c"}',
    "a day that is none": line(BASE, pubDate="2026-02-30"),
    "a month that is none": line(BASE, pubDate="2026-13-01"),
    "a date that is a word": line(BASE, pubDate="昨天"),
    "nested a hundred thousand deep": b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of a thousand digits": line(BASE)[:-1] + b',"x":' + b"9" * 1000 + b"}",
    "a NUL": line(BASE, title="a\0b"),
}


def import_lines(w, lines, *options):
    path = w.dir / "bad.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return w.tjzw("import", "--data", w.data, "--publish", *options, path, check=False)


def titles(w):
    return {json.loads(x)["title"] for x in w.export().splitlines()}


def imports(w, server):
    for number, (what, bad) in enumerate(BAD_LINES.items()):
        with case(f"import, {what}: refused by line number, the rest goes in"):
            before, after = good(f"b{number}"), good(f"a{number}")
            done = import_lines(w, [line(before), bad, line(after)])
            said = done.stderr.decode(errors="replace")
            assert done.returncode == 65, (done.returncode, said)
            assert said.startswith("line 2: ") and "line 1:" not in said and "line 3:" not in said, said
            assert len(said) < 2000, "the reason repeats the input"
            assert {before["title"], after["title"]} <= titles(w)

    with case("import, a line of 100 MB: refused without being held in memory"):
        path = w.dir / "huge.ndjson"
        with open(path, "wb") as out:
            out.write(line(good("huge-before")) + b'\n{"title":"')
            for _ in range(100):
                out.write(b"x" * 1_000_000)
            out.write(b'"}\n' + line(good("huge-after")) + b"\n")
        child = subprocess.Popen([TJZW, "import", "--data", w.data, "--publish", path], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, env=clean_env())
        said = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        path.unlink()
        assert child.returncode == 65 and b"line 2: " in said, (child.returncode, said[:500])
        assert used.ru_maxrss < 100_000, f"{used.ru_maxrss} KB"
        assert {"好记录 huge-before", "好记录 huge-after"} <= titles(w)

    with case("import, an unknown column with --no-create: refused"):
        done = import_lines(w, [line(good("nc"), column="没有/这个栏目")], "--no-create")
        assert done.returncode == 65 and b"line 1: " in done.stderr, done.stderr.decode()
        assert "好记录 nc" not in titles(w)

    with case("import, path tricks in ids and columns: refused or plain text, and no file appears"):
        tricks = ["../../../../tmp/tjzw-trick", "/etc/passwd", "a/../../b", "..%2f..%2fx", "%s%n", "'; DROP TABLE item; --"]
        import_lines(w, [line(good("trick"), id=t, title=f"花招{i}") for i, t in enumerate(tricks)] +
                     [line(good("trick"), id=f"col{i}", column=t, title=f"花招栏目{i}") for i, t in enumerate(tricks)])
        assert not os.path.exists("/tmp/tjzw-trick")
        outside = {p.name for p in w.dir.iterdir()} - {"data", "bad.ndjson"}
        assert not [n for n in outside if "trick" in n], outside

    with case("import, empty lines, CRLF, a byte order mark, no newline at the end: taken as what they are"):
        path = w.dir / "odd.ndjson"
        path.write_bytes(b"\n\n" + line(good("odd1")) + b"\r\n\n" + line(good("odd2")))
        done = w.tjzw("import", "--data", w.data, "--publish", path, check=False)
        assert done.returncode == 0 and {"好记录 odd1", "好记录 odd2"} <= titles(w), done.stderr.decode()

    with case("import, a file that is not there and a directory: a clear error"):
        for path in (w.dir / "nowhere.ndjson", w.dir):
            done = w.tjzw("import", "--data", w.data, path, check=False)
            assert done.returncode and done.stderr and len(done.stderr) < 1000, done

    with case("after all imports the same process serves, and the log is whole"):
        still(server)
        assert "NOT" not in w.tjzw("verify", "--data", w.data).stdout.decode()


def still(server):
    """The process that was started is the one that serves."""
    assert server.process.poll() is None, server.said()
    assert server.child == server.first_child, "the server was restarted"
    assert server.get("/healthz").status == 200


def problem(answer, *statuses):
    """An error as RFC 9457 has it."""
    assert answer.status in statuses, answer
    assert answer.headers.get("content-type", "").startswith("application/problem+json"), answer.headers
    told = answer.json()
    assert told["status"] == answer.status and told["title"] and "type" in told, told
    assert "no-store" in answer.headers.get("cache-control", ""), answer.headers


def raw(server, over_tls):
    """A connection of bytes: over TLS, or the admin socket."""
    if not over_tls:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(str(server.data / "admin.sock"))
        return s
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=20))


def requests(w, server):
    item = json.loads(w.export().splitlines()[0])["id"]
    head = server.settle()
    base = f"/v1/sync/main/log/{head['epoch']}/{head['cut']}"
    nul = "0" * 64
    expect = {
        "an id that is none": ("/v1/items/hello", 400, 404),
        "an id that nobody has": ("/v1/items/00000000-0000-7000-8000-000000000000", 404),
        "path tricks in an id": ("/v1/items/..%2f..%2f..%2fetc%2fpasswd", 400, 404),
        "path tricks in a path": ("/v1/items/../../../etc/passwd", 400, 404),
        "a NUL in a path": ("/v1/items/a%00b", 400, 404),
        "bytes that are no UTF-8 in a path": ("/a/%ff%fe", 400, 404),
        "a page of nothing": ("/v1/items?n=0", 400),
        "a page too large": ("/v1/items?n=100000000", 400),
        "a number that is a word": ("/v1/items?n=many", 400),
        "a number that overflows": ("/v1/items?n=99999999999999999999", 400),
        "a parameter twice": ("/v1/items?n=1&n=2", 400),
        "a parameter nobody knows": ("/v1/items?nn=1", 400),
        "a cursor that is none": ("/v1/items?cursor=%27%20OR%201", 400),
        "a path nobody serves": ("/v1/nothing", 404),
        "a stream nobody has": ("/v1/sync/other/head", 404),
        "a stream's name with tricks": ("/v1/sync/..%2fmain/head", 400, 404),
        "a cursor from the future": (f"{base}/0-{head['seq'] + 5000}", 400, 404),
        "a cursor of another epoch": (f"/v1/sync/main/log/{head['epoch'] - 1}/0/0-{head['seq']}", 404, 410),
        "a later cut": (f"/v1/sync/main/log/{head['epoch']}/{head['cut'] + 1}/0-{head['seq']}", 404, 410),
        "a from that is not rounded": (f"{base}/1-{head['seq']}", 400) if head["seq"] > 40 else (f"{base}/x-1", 400, 404),
        "a from above the to": (f"{base}/9-3", 400, 404),
        "a negative from": (f"{base}/-1-{head['seq']}", 400, 404),
        "an object nobody has": (f"/v1/sync/main/object/{nul}", 404),
        "an object's name too short": ("/v1/sync/main/object/abc", 400, 404),
        "an object's name with tricks": ("/v1/sync/main/object/..%2f..%2fkeys", 400, 404),
    }
    for what, (target, *statuses) in expect.items():
        with case(f"request, {what}: a problem {' or '.join(map(str, statuses))}"):
            problem(server.get(target), *statuses)

    with case("request, a method that is not served: 405 with Allow"):
        answer = server.get("/v1/sync/main/head", method="DELETE")
        problem(answer, 405)
        assert "GET" in answer.headers["allow"], answer.headers

    with case("request, HEAD has GET's headers and no body"):
        for target in ("/v1/sync/main/head", f"/v1/items/{item}", "/v1/nothing", f"/a/{item}"):
            get, head_ = server.get(target), server.get(target, method="HEAD")
            assert head_.status == get.status and head_.body == b"", (target, head_)
            assert head_.headers["content-type"] == get.headers["content-type"]

    with case("request, writing without a token, and with one that nobody gave: 401"):
        for headers in ({}, {"authorization": "Bearer " + "A" * 43}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}):
            problem(server.get("/v1/import?publish=1", "POST", b"{}\n", {"content-type": "application/x-ndjson", **headers}), 401, 403)

    with case("request, a body too large: 413 over HTTP/1.1 and over HTTP/2, with nothing taken in"):
        big = b"\n".join(line(good(f"big{i}")) for i in range(4000))
        answer = server.admin("POST", "/v1/import?publish=1&create=1", big, {"content-type": "application/x-ndjson"})
        assert answer.status == 413, answer
        (w.dir / "big").write_bytes(b"x" * 900_000)
        code = curl(server, "--http2", "--data-binary", f"@{w.dir}/big", server.url + "/v1/import")
        assert code in ("401", "413"), code
        assert "好记录 big0" not in titles(w)

    with case("request, a body too large, of which all is sent before the answer is read: 413, not a reset"):
        for over_tls in (False, True):
            with raw(server, over_tls) as s:
                s.sendall(b"POST /v1/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n")
                for _ in range(40):
                    s.sendall(b"x" * 100_000)
                    time.sleep(0.005)
                assert s.recv(64).startswith(b"HTTP/1.1 413 "), "no answer"
        still(server)

    with case("request, headers above 32 KB: 431 over HTTP/1.1 and over HTTP/2, also where the answer is in memory"):
        target = server.url + "/v1/items?n=1"
        for version in ("--http1.1", "--http2"):
            for size, count, want in ((20_000, 1, "200"), (40_000, 1, "431"), (1000, 40, "431")):
                code = curl(server, version, "-H", headers_file(w, size, count), target)
                assert code == want, (version, size, count, code)
        said = subprocess.run(["curl", "-sk", "-D", "-", "-H", headers_file(w, 40_000, 1), target], capture_output=True, text=True,
                              env=clean_env()).stdout
        assert "application/problem+json" in said and "/problems/headers" in said, said

    with case("request, headers beyond what libh2o takes: refused or cut off, and others are served"):
        for version in ("--http1.1", "--http2"):
            for size, count in ((500_000, 1), (1000, 400)):
                code = curl(server, version, "-H", headers_file(w, size, count), server.url + "/v1/items?n=1")
                assert code in ("000", "400"), (version, size, count, code)
        assert curl(server, "--http1.1", "-H", headers_file(w, 1, 200), server.url + "/v1/items?n=1") == "400"
        still(server)

    with case("request, bytes that are no HTTP: cut off"):
        chance = random.Random(random.getrandbits(32))
        for _ in range(20):
            shout(server.port, chance.randbytes(2000), tls=False)
            shout(server.port, chance.randbytes(2000), tls=True)
        for text in (b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000, b"GET  /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 500,
                     b"POST /v1/import HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
                     b"POST /v1/import HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"):
            shout(server.port, text, tls=True)
        still(server)


def headers_file(w, size, count):
    """For curl -H: `count` headers of `size` bytes each."""
    (w.dir / "headers").write_text("".join(f"x-h{i}: {'y' * size}\n" for i in range(count)))
    return f"@{w.dir}/headers"


def curl(server, *args):
    """The status of one request; 000 if there was no answer."""
    done = subprocess.run(["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", *args], capture_output=True,
                          text=True, env=clean_env())
    return done.stdout


def shout(port, data, tls):
    """Sends bytes, reads until the other side has had enough. At most a few seconds."""
    context = ssl._create_unverified_context()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as plain:
            s = context.wrap_socket(plain) if tls else plain
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
    except OSError:
        pass


def machine(w, server):
    def refused(why, data, *args, env=None, port=None):
        other = w.start(data, *args, env=env, port=port)
        assert other.process.wait(20) != 0, f"a server started although {why}"
        said = other.said()
        assert said and len(said) < 3000 and "Assert" not in said, said
        return said

    with case("a second server on the same directory: a clear error, and the first serves on"):
        said = refused("another has the directory", w.data)
        assert str(w.data) in said or "directory" in said, said
        still(server)

    with case("a second server on the same port: a clear error, and the first serves on"):
        said = refused("another has the port", w.dir / "second", port=server.port)
        assert str(server.port) in said, said
        still(server)

    with case("a data directory that is a file, or lies under one: a clear error"):
        (w.dir / "file").write_text("")
        assert "file" in refused("the directory is a file", w.dir / "file")
        assert "file" in refused("the directory lies under a file", w.dir / "file" / "data")

    with case("a data directory that cannot be read: a clear error"):
        if ROOT_USER:
            raise Skip("root may read everything")
        (w.dir / "closed").mkdir(mode=0)
        refused("the directory cannot be read", w.dir / "closed")

    with case("a database that is none: a clear error, and it is left as it was"):
        broken = w.dir / "broken"
        broken.mkdir(mode=0o700)
        (broken / "tjzw.db").write_bytes(b"this is no database, and it is long enough to be looked at" * 100)
        before = (broken / "tjzw.db").read_bytes()
        refused("the database is none", broken)
        assert (broken / "tjzw.db").read_bytes() == before

    with case("listening on plain HTTP beyond loopback: refused"):
        other = w.start(w.dir / "plain", urls=[f"http://0.0.0.0:{free_port()}"])
        assert other.process.wait(20) != 0 and other.said()


with World() as world:
    world.tjzw("import", "--data", world.data, "--publish", world.articles(60))
    first = world.serve(env={"TJZW_RATE_LIMIT": "0"})
    first.first_child = first.child
    imports(world, first)
    requests(world, first)
    machine(world, first)
sys.exit(done())
