#!/usr/bin/env python3
"""The wall clock jumps by an hour, either way, and stands beyond 2038 and 2106; nothing is harmed (docs/shield.md, "Clocks").

Steps are made under a running server (tests/lib/clock_shim.c), while requests, an upload, a stream of events and silent connections are under
way. The control is the same program without the cure, which must lose the upload.
"""
import calendar
import email.utils
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time

from fault import Clock, Staff
from lib import BUILD, World, article, clean_env, wait_for

from tap import FULL, case, done

HOUR = 3600
BEYOND_2038, BEYOND_2106 = 1 << 31, 1 << 32


def tls(port):
    s = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", port)))
    s.settimeout(20)
    return s


class Upload:
    """A record on its slow way in, over the admin socket."""

    def __init__(self, server, record):
        self.body = (json.dumps(record, ensure_ascii=False) + "\n").encode()
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        self.s.connect(str(server.data / "admin.sock"))
        self.s.sendall(b"POST /v1/import?publish=1&create=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(self.body) + self.body[:1000])
        time.sleep(0.3)     # it has begun

    def finish(self):
        """The status line, or b"" if the connection was cut."""
        try:
            self.s.sendall(self.body[1000:])
            return self.s.recv(65536)[:15]
        except OSError:
            return b""


def ask(s, target="/v1/sync/main/head"):
    s.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    answer = http.client.HTTPResponse(s)
    answer.begin()
    answer.read()
    return answer.status


def events(port):
    s = tls(port)
    s.sendall(b"GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
    heard = s.recv(65536)
    assert heard.startswith(b"HTTP/1.1 200 "), heard
    return s


def is_open(s):
    s.settimeout(0.2)
    try:
        while s.recv(65536):
            pass
        return False
    except TimeoutError:
        return True
    except OSError:
        return False


def date_of(server):
    return calendar.timegm(email.utils.parsedate(server.get("/healthz").headers["date"]))


def shows(server, wall):
    return wait_for("the new date", 10, lambda: abs(date_of(server) - wall()) < 5)


def step_cases(server, staff, clock):
    for n, ahead in enumerate((HOUR, 0, -HOUR, 0) if FULL else (HOUR, -HOUR)):
        with case(f"the clock stands {ahead:+} s off: what is under way goes on, Date is right, publishing and keys as ever"):
            upload, stream, idle, handshake = Upload(server, article(5000 + n)), events(server.port), tls(server.port), None
            assert ask(idle) == 200
            first = staff.draft(f"有键的 {n}", key=f"key-{n}")
            before = server.head()
            clock.ahead(ahead)
            handshake = socket.create_connection(("127.0.0.1", server.port))
            time.sleep(2.5)     # two looks of the patience, and whatever rings
            assert upload.finish() == b"HTTP/1.1 200 OK", "the upload was cut"
            assert is_open(stream), "the stream of events was cut"
            assert ask(idle) == 200, "a silent connection was cut"
            shows(server, lambda: time.time() + ahead)
            again = staff.draft(f"有键的 {n}", key=f"key-{n}")
            assert again.body == first.body and again.headers.get("idempotency-replayed") == "true", again
            staff.publish(f"之后发布的 {n}")
            head = wait_for("a head", 20, lambda: (h := server.head())["seq"] > before["seq"] and h)
            assert head["time"] >= before["time"]
            handshake.settimeout(20)
            assert handshake.recv(1) == b"", "timers ring no more: a handshake that says nothing was to end in 5 s"


def control_case(w, clock):
    with case("the control: without the cure an hour forward ends the upload"):
        bare = w.serve(w.dir / "bare", env=clock.env, program=BUILD / "tests/attack/tjzw-bare")
        upload = Upload(bare, article(1))
        clock.ahead(HOUR)
        time.sleep(2.5)
        assert upload.finish() != b"HTTP/1.1 200 OK", "it was not cut: this test would prove nothing"
        bare.kill()
        clock.ahead(0)


def sync(w, name, server, clock):
    """A phone whose clock is the server's."""
    phone = w.phone(name, "--cacert", w.certificate(server.data), url=server.url)
    done_ = subprocess.run(phone.command("sync", "--json"), capture_output=True, env=clean_env(clock.env), stdin=subprocess.DEVNULL)
    assert done_.returncode == 0, done_.stderr
    return phone


def far_cases(w, clock, name, second):
    data = w.dir / f"far-{name}"
    with case(f"a server that runs over {name} goes on: requests, heads, phones, drafts, keys"):
        clock.ahead(second - 60 - time.time())
        w.tjzw("import", "--data", data, "--publish", w.articles(20), env=clock.env)
        server = w.serve(data, env=clock.env)
        staff = Staff(server)
        clock.ahead(second - 4 - time.time())
        upload, stream = Upload(server, article(7)), events(server.port)
        first = staff.draft("之前", key="over")
        wait_for("the second", 60, lambda: date_of(server) > second + 1, 0.2)
        assert upload.finish() == b"HTTP/1.1 200 OK" and is_open(stream)
        assert staff.draft("之前", key="over").body == first.body
        item = staff.publish("之后")
        head = wait_for("a head", 20, lambda: (h := server.settle())["time"] > second and h)
        assert server.get(f"/v1/items/{item}").status == 200
        phone = sync(w, f"far-{name}", server, clock)
        assert "之后" in phone.export().decode()
        assert staff.step(item, "withdraw", reason="内容有误").status == 200 and server.get(f"/v1/items/{item}").status == 410
        server.stop()

    with case(f"one that starts beyond {name} does too, and nothing is wrong with its directory"):
        clock.ahead(second + 400 * 86400 - time.time())
        server = w.serve(data, env=clock.env)
        Staff(server).publish("很久以后")
        assert server.settle(20)["time"] > second + 399 * 86400 and server.settle()["seq"] > head["seq"]
        assert sync(w, f"later-{name}", server, clock).export() == w.export(data)
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", data, env=clock.env).stdout.decode()
        doctor = w.tjzw("doctor", "--data", data, env=clock.env, check=False)
        assert doctor.returncode == 0, doctor.stdout.decode()


def back_case(w, clock):
    with case("a clock that was years ahead and is right again: it starts, says what is wrong, publishes, and heads go on"):
        clock.ahead(0)
        data = w.dir / "far-2038-01-19"
        server = w.serve(data, env=clock.env)
        before = server.head()
        assert '"event":"head_from_the_future"' in server.said()
        item = Staff(server).publish("钟又对了")
        head = wait_for("a head", 20, lambda: (h := server.head())["seq"] > before["seq"] and h)
        assert head["time"] >= before["time"] and server.get(f"/v1/items/{item}").status == 200
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", data).stdout.decode()


def main(w):
    clock = Clock(w)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(20))
    server = w.serve(env=clock.env)
    step_cases(server, Staff(server), clock)
    with case("after the steps phone and server hold the same, and the log is whole"):
        server.settle()
        assert sync(w, "stepped", server, clock).export() == w.export()
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", w.data).stdout.decode()
    control_case(w, clock)
    far_cases(w, clock, "2038-01-19", BEYOND_2038)
    if FULL:
        far_cases(w, clock, "2106-02-07", BEYOND_2106)
    back_case(w, clock)


with World() as world:
    main(world)
sys.exit(done())
