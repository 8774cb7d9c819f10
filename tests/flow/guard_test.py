#!/usr/bin/env python3
"""The guard: every frame goes past it, honest clients do not notice it, and the two connections that end a server without it do not end this one.

Each of the two is tried on tjzw-bare first, the same program without its guard: it must die of it, or the attack proves nothing.
"""
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time

from guard_wire import BIG, CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, block, dial, frame, get, pour, settings, window
from lib import BUILD, World, clean_env, free_port, wait_for

from tap import case, done, rounds

BARE, BLIND = BUILD / "tests" / "attack" / "tjzw-bare", BUILD / "tests" / "attack" / "tjzw-blind"
MODEST = {"TJZW_LOOPS": "1", "TJZW_RATE_LIMIT": "0", "TJZW_STOP_DEADLINE": "2s"}


def with_the_handshake(port, *frames):
    """Frames come in the packet that ends the handshake. True: the PING among them was answered; False: the connection has ended."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(come, go)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(go.read())
                come.write(s.recv(65536))
        tls.write(b"".join(frames))
        s.sendall(go.read())
        heard = b""
        while b"12345678" not in heard:
            try:
                heard += tls.read(65536)
            except ssl.SSLWantReadError:
                if not come.write(s.recv(65536)):
                    return False
            except ssl.SSLError:
                return False
    return True


def handshakes(port, address, n, resumed):
    """How many of n are taken; `resumed`: all but the first by its ticket."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode, context.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
    taken, session = 0, None
    for _ in range(n):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(address, 0)) as raw:
                tls = context.wrap_socket(raw, session=session)
                taken += 1
                session = tls.session if resumed else None
                assert taken == 1 or tls.session_reused == resumed
        except OSError:
            continue
    return taken


def dies(server, first, seconds):
    """Whether its first child does: another one follows."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.child != first:
            return True
        time.sleep(0.02)
    return False


def window_while_writing(server):
    """Answers that fill their windows to the last byte and are half written; then windows for all of them."""
    path = "/v1/items?n=20"
    size = len(server.get(path).body)
    assert size < 16384, "an answer should be one frame"
    with dial(server.port, room=4096) as s:
        streams = range(1, 201, 2)
        pour(s, PREFACE, settings(size), window(0, 1 << 30), *(get(i, path) for i in streams))
        time.sleep(0.5)
        for _ in range(3):
            if not pour(s, *(window(i, 1000) for i in streams)):
                break
            time.sleep(0.1)
        taken, want, end = 0, size * len(streams), time.monotonic() + 30
        s.settimeout(1)
        while taken < want and time.monotonic() < end:
            try:
                got = len(s.recv(65536))
            except (TimeoutError, OSError):
                break
            if not got:
                break
            taken += got
        return taken >= want


def continuation_at_the_end(server):
    """A header block that is not complete when the server begins to stop, and goes on after its GOAWAY. A second stream keeps the connection."""
    s = dial(server.port)
    pour(s, PREFACE, settings(0), get(1, BIG), frame(HEADERS, END_STREAM, 3, block("/")[:2]))
    time.sleep(0.3)
    server.process.terminate()
    time.sleep(1.5)
    pour(s, frame(CONTINUATION, END_HEADERS, 3, block("/")[2:]))
    return s


def metrics(server):
    return {k: int(v) for k, v in re.findall(r"^tjzw_guard_(\w+) (\d+)$", server.get("/metrics").body.decode(), re.M)}


def counted(server, what):
    return int(re.search(rf"^tjzw_{what} (\d+)$", server.get("/metrics").body.decode(), re.M)[1])


def is_over(s):
    """Whether the other end has closed it; nothing is read from it."""
    try:
        return s.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def ended(server):
    return {k: v for k, v in metrics(server).items() if k.startswith("ended") and v}


with World() as w:
    with case("a program whose guard is not in place does not start, and says why"):
        ran = subprocess.run([BLIND, "serve", "--data", w.dir / "blind", "--listen", f"https://127.0.0.1:{free_port()}"], capture_output=True,
                             text=True, env=clean_env(), timeout=60)
        assert ran.returncode != 0 and "guard against hostile HTTP/2 is not in place" in ran.stderr, ran

    clear = f"http://127.0.0.1:{free_port()}"
    port = free_port()
    server = w.serve(w.data, "--demo", port=port, env={**MODEST, "TJZW_HINT_SPREAD": "100ms"}, urls=[f"https://127.0.0.1:{port}", clear])

    with case("every frame is counted, those that came with the end of the handshake too"):
        before, times = metrics(server)["frames"], rounds(200, 50)
        own = metrics(server)["frames"] - before    # of a request for the metrics
        assert own == 0, "the client of this test speaks HTTP/1.1"
        song = (PREFACE, settings(1 << 20), *(get(i, "/v1/sync/main/head") for i in (1, 3, 5)), frame(PING, payload=b"12345678"))
        for _ in range(times):
            assert with_the_handshake(server.port, *song)
            with dial(server.port) as s:
                pour(s, *song)
                while b"12345678" not in s.recv(65536):
                    pass
        wait_for("the frames", 20, lambda: metrics(server)["frames"] == before + 10 * times)
    with case("what comes with the end of the handshake can end the connection too"):
        assert not with_the_handshake(server.port, PREFACE, settings(1 << 20), window(0, 0), frame(PING, payload=b"12345678"))
        assert ended(server) == {"ended_illegal": 1}, ended(server)
    with case("over a port without TLS they are counted as well, and libh2o takes none"):
        before = metrics(server)["frames"]
        with socket.create_connection(("127.0.0.1", int(clear.rsplit(":", 1)[1])), timeout=5) as s:
            s.sendall(PREFACE + settings(1) + get(1, "/"))
            assert s.recv(4096).startswith(b"HTTP/1.1 400")
        wait_for("the frames", 20, lambda: metrics(server)["frames"] == before + 2)
        with socket.create_connection(("127.0.0.1", int(clear.rsplit(":", 1)[1])), timeout=5) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
            assert s.recv(4096).startswith(b"HTTP/1.1 200")
    with case("a client that spends too much is cut, and others are not"):
        with dial(server.port) as s, dial(server.port) as other:
            pour(other, PREFACE, settings(1 << 20))
            pour(s, PREFACE, settings(1 << 20), frame(PING, payload=b"12345678") * 1000)
            wait_for("its end", 20, lambda: ended(server).get("ended_spent") == 1)
            pour(other, get(1, "/v1/sync/main/head"))
            while b"tjzw head 1" not in other.recv(65536):
                pass
    with case("curl, h2load, a phone and a stream of events go on as before"):
        for how in ("--http1.1", "--http2"):
            said = subprocess.run(["curl", "-sk", how, f"{server.url}{BIG}"], capture_output=True, env=clean_env(), timeout=30)
            assert json.loads(said.stdout)["openapi"], said
        if shutil.which("h2load"):
            for streams in ("1", "10"):
                said = subprocess.run(["h2load", "-n", "2000", "-c", "10", "-m", streams, f"{server.url}{BIG}"], capture_output=True,
                                      text=True, env=clean_env(), timeout=60).stdout
                assert "2000 2xx" in said, said
        phone = w.phone()
        phone.sync()
        assert phone.export().count(b"\n") > 100
        with dial(server.port) as s:
            pour(s, PREFACE, settings(1 << 20), get(1, "/v1/events"))
            heard = b""
            while b"event:" not in heard:
                heard += s.recv(65536)
        assert ended(server) == {"ended_illegal": 1, "ended_spent": 1}, ended(server)
    with case("the server stops in order"):
        server.stop()

    with case("too many connections of one client are closed at once, and another client is served"):
        server = w.serve(w.dir / "crowd", "--demo", env={**MODEST, "TJZW_CONNECTIONS_PER_CLIENT": "20"})
        crowd = [socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.9", 0)) for _ in range(50)]
        wait_for("their end", 20, lambda: sum(is_over(s) for s in crowd) == 30)
        assert server.get("/").status == 200
        assert counted(server, "crowd_shed_client") == 30
        for s in crowd:
            s.close()
        wait_for("room", 20, lambda: counted(server, "connections") == 1)
        with socket.create_connection(("127.0.0.1", server.port), source_address=("127.0.0.9", 0)) as s:
            time.sleep(0.2)
            assert not is_over(s)
        server.stop()
    with case("connections of one client that spend little each spend too much together"):
        server = w.serve(w.dir / "spent", "--demo", env={**MODEST, "TJZW_CREDITS_PER_CLIENT": "20000"})
        crowd = [dial(server.port) for _ in range(10)]
        for s in crowd:
            pour(s, PREFACE, settings(1 << 20), frame(PING, payload=b"12345678") * 100)
        wait_for("the end of some", 20, lambda: ended(server).get("ended_crowd", 0) >= 4)
        assert set(ended(server)) == {"ended_crowd"} and 4 <= ended(server)["ended_crowd"] <= 7, ended(server)
        for s in crowd:
            s.close()
        server.stop()

    with case("handshakes have a price, and a ticket makes them cheap"):
        server = w.serve(w.dir / "hasty", "--demo", env={**MODEST, "TJZW_CREDITS_PER_CLIENT": "4000"})
        assert handshakes(server.port, "127.77.1.1", 80, resumed=True) == 80
        assert server.metric("crowd_shed_hasty") == 0
        done_ = handshakes(server.port, "127.77.1.2", 200, resumed=False)
        shed = server.metric("crowd_shed_hasty")
        assert 40 <= done_ < 200 and shed == 200 - done_, (done_, shed)
        assert handshakes(server.port, "127.77.1.3", 1, resumed=False) == 1
        server.stop()

    with case("control: a window while an answer is half written aborts libh2o"):
        bare = w.serve(w.dir / "bare", "--demo", env=MODEST, program=BARE)
        first = bare.child
        for _ in range(10):
            window_while_writing(bare)
            if dies(bare, first, 0.5):
                break
        assert dies(bare, first, 1), "it lives: the attack proves nothing"
        assert "Assertion" in bare.said(), bare.said()
    with case("a window while an answer is half written waits, and all of the answer comes"):
        server = w.serve(w.dir / "abort", "--demo", env=MODEST)
        first = server.child
        for _ in range(rounds(50, 10)):
            assert window_while_writing(server), "the answers did not come whole"
            assert server.child == first, server.said()
        assert metrics(server)["held"] > 0 and not ended(server), metrics(server)
        server.stop()
    with case("control: CONTINUATION after GOAWAY hangs libh2o"):
        bare = w.serve(w.dir / "hang", "--demo", env=MODEST, program=BARE)
        s = continuation_at_the_end(bare)
        wait_for("the end of the process", 20, lambda: bare.process.poll() is not None)
        assert bare.process.returncode == 1 and "loop_hangs" in bare.said(), bare.said()
        s.close()
    with case("CONTINUATION after GOAWAY ends its connection, and the server stops in time"):
        server = w.serve(w.dir / "late", "--demo", env=MODEST)
        s = continuation_at_the_end(server)
        assert server.process.wait(10) == 0, server.said()
        assert "loop_hangs" not in server.said()
        s.close()

sys.exit(done())
