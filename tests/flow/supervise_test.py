#!/usr/bin/env python3
"""A server that dies is back at once, on the same sockets; another certificate is taken up, and nobody is refused.

A reader asks all the while, each time on a connection of its own. A connection that was taken in and then cut, by a kill, is no refusal; one
that could not be opened is.
"""
import fcntl
import os
import re
import signal
import ssl
import socket
import subprocess
import sys
import time

import lib
from lib import World, children, wait_for
from reader import Reader

from tap import case, done, note


def serving_child(server):
    """The child, once it answers."""
    return wait_for("a child", 10, lambda: (c := children(server.process.pid)) and c[-1])


def taken(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def make_certificate(cert, key, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", f"/CN={name}",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)


with World() as w:
    w.tjzw("import", "--data", w.data, "--publish", w.articles(500))
    cert, key = w.dir / "cert.pem", w.dir / "key.pem"
    make_certificate(cert, key, "first")
    server = w.serve(env={"TJZW_TLS_CERT": cert, "TJZW_TLS_KEY": key})

    with case("a child that is killed is back on the same sockets, and nobody is refused"):
        first = serving_child(server)
        reader = Reader(server.port)
        wait_for("an answer", 10, lambda: reader.answers > 2)
        start = time.monotonic()
        os.kill(first, signal.SIGKILL)
        wait_for("another child", 10, lambda: serving_child(server) != first)
        before = reader.answers
        wait_for("an answer", 10, lambda: reader.answers > before + 1, 0.001)
        note(f"serving again after {1000 * (time.monotonic() - start):.0f} ms")
        reader.stop()
        log = server.said()
        assert '"event":"server_died"' in log and '"event":"serves_again"' in log, log
        assert log.count("服务地址") == 1, "the addresses are printed once"

    with case("a command that is the server for a moment is waited for, and no child ends for it"):
        child = serving_child(server)
        ended = server.said().count('"by":"status')
        os.kill(server.process.pid, signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        with open(server.data / "lock", "r+") as lock:
            wait_for("the lock", 10, lambda: taken(lock))
            os.kill(server.process.pid, signal.SIGCONT)
            time.sleep(0.5)
        wait_for("an answer", 15, lambda: serving_child(server) != child and server.get("/v1/sync/main/head").status == 200)
        assert server.said().count('"by":"status') == ended, server.said()

    with case("one that keeps dying rests longer and longer, and comes back"):
        for _ in range(5):
            child = serving_child(server)
            os.kill(child, signal.SIGKILL)
            wait_for("the next child", 15, lambda: children(server.process.pid) not in ([], [child]))
        rests = [int(ms) for ms in re.findall(r'"again_in_ms":(\d+)', server.said())]
        assert rests[:4] == [0, 100, 200, 400] and rests[-1] >= 400, rests
        wait_for("an answer", 15, lambda: server.get("/v1/sync/main/head").status == 200)

    with case("SIGHUP: the certificate is read again, and connections that are open stay"):
        context = ssl._create_unverified_context()
        old = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)))
        before = old.getpeercert(True)
        silent = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(40)]    # they have not begun to shake hands
        child = serving_child(server)
        make_certificate(cert, key, "second")
        server.process.send_signal(signal.SIGHUP)

        def new_certificate():
            with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port))) as tls:
                return tls.getpeercert(True) != before
        wait_for("the new certificate", 10, new_certificate)
        old.sendall(b"GET /v1/sync/main/head HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert old.recv(100).startswith(b"HTTP/1.1 200 ")
        old.close()
        for s in silent:
            context.wrap_socket(s).close()
        assert serving_child(server) == child, "it died of who came before, and spoke after, the certificate was changed"
        cert.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", 10, lambda: '"event":"not_reloaded"' in server.said())
        assert new_certificate(), "the one before stays"

    with case("a child that dies while the files are no good is followed by one with the last good pair, and the alert tells of it"):
        def shown():
            try:
                with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=5)) as tls:
                    return tls.getpeercert(True)
            except OSError:
                return None
        good, kept = shown(), server.data / "keys" / "tls-last.pem"
        child = serving_child(server)
        os.kill(child, signal.SIGKILL)
        wait_for("another child that serves", 15, lambda: serving_child(server) != child and shown() == good)
        assert kept.stat().st_mode & 0o777 == 0o600
        wait_for("the alert", 15, lambda: server.metric("alert_reload") == 1)

    with case("an upgrade is refused while the files are no good"):
        child = serving_child(server)
        server.process.send_signal(signal.SIGUSR2)
        wait_for("the refusal", 15, lambda: '"event":"not_upgraded"' in server.said())
        line = next(line for line in server.said().splitlines() if '"event":"not_upgraded"' in line)
        assert str(cert) in line and serving_child(server) == child and shown() == good, line

    with case("a good pair is taken up again, and the alert is over"):
        make_certificate(cert, key, "third")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the third certificate", 10, lambda: shown() not in (None, good))
        wait_for("the alert to be over", 30, lambda: server.metric("alert_reload") == 0)

    with case("a first start refuses files that are no good, and names them"):
        bad = w.dir / "bad.pem"
        bad.write_text("no certificate")
        other = w.start(w.dir / "third", env={"TJZW_TLS_CERT": bad, "TJZW_TLS_KEY": key})
        assert other.process.wait(20) not in (0, None) and str(bad) in other.said(), other.said()

    with case("a supervisor that is killed takes its child along"):
        other = w.serve(w.dir / "other")
        child = serving_child(other)
        other.process.kill()
        other.process.wait()
        wait_for("its child to be gone", 20, lambda: not lib.alive(child))

    with case("a server that cannot start ends, with its reason, and leaves nothing running"):
        other = w.start(w.data)    # the directory is taken
        assert other.process.wait(20) not in (0, None) and "in use" in other.said(), other.said()

    with case("SIGTERM ends both, and then nobody listens"):
        child = serving_child(server)
        server.stop()
        assert not lib.alive(child)
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=2)
            raise AssertionError("somebody listens")
        except ConnectionRefusedError:
            pass

sys.exit(done())
