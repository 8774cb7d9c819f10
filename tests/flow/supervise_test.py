#!/usr/bin/env python3
"""A server that dies is back at once, on the same sockets; another program takes over, another certificate is taken up, and nobody is refused.

A reader asks all the while, each time on a connection of its own. A connection that was taken in and then cut, by a kill, is no refusal; one
that could not be opened is.
"""
import os
import re
import shutil
import signal
import ssl
import socket
import statistics
import subprocess
import threading
import time

import lib
from lib import TJZW, World, children, wait_for

from tap import case, done, note, rounds

KILLS = rounds(200, 10)


class Reader(threading.Thread):
    """GET /v1/sync/main/head, one connection after the other; counts answers, cuts and refusals."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.answers, self.cuts, self.refused, self.wrong, self.on = port, 0, 0, [], b"", True
        self.context = ssl._create_unverified_context()
        self.start()

    def once(self):
        try:
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        except OSError as why:
            self.refused.append(repr(why))
            return
        try:
            with self.context.wrap_socket(plain) as tls:
                tls.sendall(b"GET /v1/sync/main/head HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := tls.recv(65536):
                    answer += piece
            self.wrong += answer[:200] if answer and not answer.startswith(b"HTTP/1.1 200 ") else b""
            self.answers += bool(answer)
            self.cuts += not answer
        except OSError:
            self.cuts += 1

    def run(self):
        while self.on:
            self.once()

    def stop(self):
        self.on = False
        self.join()
        assert not self.refused and not self.wrong, (self.refused, self.wrong)


def serving_child(server):
    """The child, once it answers."""
    return wait_for("a child", 10, lambda: (c := children(server.process.pid)) and c[-1])


def killed(w, server):
    took = []
    for _ in range(KILLS):
        child, reader = serving_child(server), Reader(server.port)
        wait_for("an answer", 10, lambda: reader.answers > 2)
        time.sleep(1)    # an earlier death would count to a series, and rest
        start, before = time.monotonic(), reader.answers
        os.kill(child, signal.SIGKILL)
        wait_for("the next answer", 15, lambda: serving_child(server) != child and reader.answers > before + 1, 0.001)
        took.append(1000 * (time.monotonic() - start))
        reader.stop()
        assert reader.cuts <= 2, reader.cuts
    return took


def make_certificate(cert, key, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9", "-subj", f"/CN={name}",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)


with World() as w:
    # the program lies where another can take its place
    place = w.dir / "program"
    shutil.copy(TJZW, place)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(500))
    cert, key = w.dir / "cert.pem", w.dir / "key.pem"
    make_certificate(cert, key, "first")
    server = w.serve(env={"TJZW_TLS_CERT": cert, "TJZW_TLS_KEY": key}, program=place)

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

    with case("one that keeps dying rests longer and longer, and comes back"):
        seen = 0
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
        make_certificate(cert, key, "second")
        server.process.send_signal(signal.SIGHUP)

        def new_certificate():
            with context.wrap_socket(socket.create_connection(("127.0.0.1", server.port))) as tls:
                return tls.getpeercert(True) != before
        wait_for("the new certificate", 10, new_certificate)
        old.sendall(b"GET /v1/sync/main/head HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert old.recv(100).startswith(b"HTTP/1.1 200 ")
        old.close()
        cert.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", 10, lambda: '"event":"not_reloaded"' in server.said())
        assert new_certificate(), "the one before stays"

    with case("SIGUSR2: a program that does not run is not taken for ours"):
        child = serving_child(server)
        good = w.dir / "good"
        shutil.copy(place, good)
        (w.dir / "bad").write_text("#!/bin/false\n")
        (w.dir / "bad").chmod(0o755)
        os.replace(w.dir / "bad", place)
        server.process.send_signal(signal.SIGUSR2)
        wait_for("the refusal", 10, lambda: '"event":"not_upgraded"' in server.said())
        assert serving_child(server) == child and server.get("/v1/sync/main/head").status == 200
        os.replace(good, place)

    with case("SIGUSR2: the program on the disk takes over, on the same sockets, and nobody is refused"):
        make_certificate(cert, key, "third")
        for _ in range(3):
            child, pid = serving_child(server), server.process.pid
            newer = w.dir / "newer"
            shutil.copy(place, newer)
            os.replace(newer, place)
            inode = place.stat().st_ino
            reader = Reader(server.port)
            wait_for("an answer", 10, lambda: reader.answers > 2)
            server.process.send_signal(signal.SIGUSR2)
            wait_for("the new program", 15, lambda: (c := children(pid)) and c[-1] != child and
                     os.stat(f"/proc/{c[-1]}/exe").st_ino == inode)
            before = reader.answers
            wait_for("an answer", 15, lambda: reader.answers > before + 1)
            reader.stop()
            assert reader.cuts <= 1, "who is just connecting may be sent away once, politely; nobody else"
            assert server.process.poll() is None and os.stat(f"/proc/{pid}/exe").st_ino == inode

    with case("a supervisor that is killed takes its child along"):
        other = w.serve(w.dir / "other")
        child = serving_child(other)
        other.process.kill()
        other.process.wait()
        wait_for("its child to be gone", 5, lambda: not lib.alive(child))

    with case("a server that cannot start ends, with its reason, and leaves nothing running"):
        other = w.start(w.data)    # the directory is taken
        assert other.process.wait(20) not in (0, None) and "in use" in other.said(), other.said()

    with case(f"{KILLS} kills: each time it serves again, and nobody is refused"):
        took = killed(w, server)
        note(f"serving again after {statistics.median(took):.0f} ms (median), {max(took):.0f} ms (worst)")

    with case("SIGTERM ends both, and then nobody listens"):
        child = serving_child(server)
        server.stop()
        assert not lib.alive(child)
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=2)
            raise AssertionError("somebody listens")
        except ConnectionRefusedError:
            pass

done()
