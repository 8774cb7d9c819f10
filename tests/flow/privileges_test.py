#!/usr/bin/env python3
"""The server lives with next to no rights: no root, a filter of system calls that refuses nothing it needs, no core dump.

Everything that a server does is done once under the filter, and it must have refused nothing. That it refuses what it should is
tests/unit/confine_test.c.
"""
import ctypes
import glob
import http.server
import json
import os
import platform
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import lib
from lib import TJZW, World, children, clean_env, wait_for
from twin import Twin

from tap import Skip, case, done, note

QUICK = {"TJZW_HEAD_DEBOUNCE": "20ms", "TJZW_RATE_LIMIT": "0", "TJZW_MIRROR_POLL": "1s", "TJZW_HEAD_POLL": "1s", "TJZW_HINT_SPREAD": "100ms", "TJZW_CONFINE": "true"}
NOBODY = "nobody"
STUCK = 2           # seconds that a loop may stand; it is ended within one more


def status(pid, name):
    """A line of /proc/PID/status."""
    with open(f"/proc/{pid}/status") as lines:
        return next(line.split(":", 1)[1].split() for line in lines if line.startswith(name + ":"))


def filtered(server):
    return wait_for("a child that is confined", 20, lambda: (c := children(server.process.pid)) and status(c[-1], "Seccomp") == ["2"] and c[-1])


def refused_nothing(server):
    assert server.metric("seccomp_allowed") > 100 and server.metric("seccomp_refused") == 0 and '"call_refused"' not in server.log.read_text(), \
        (server.metric("seccomp_refused"), [line for line in server.log.read_text().splitlines() if "call_refused" in line])


class Cache(http.server.ThreadingHTTPServer):
    """What the purge hook tells."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                told.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def next_event(server, since):
    """The next event of a stream that is open already."""
    since.settimeout(20)
    text = b""
    while b"event: head" not in text:
        more = since.recv(65536)
        assert more, text
        text += more


def open_events(server):
    tls = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", server.port)))
    tls.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return tls


def edited(w, data):
    """What staff do, by commands and so over the admin socket."""
    def staff(*args, **how):
        said = w.tjzw(args[0], args[1], "--data", data, *args[2:], **how).stdout
        return json.loads(said) if said.startswith(b"{") else {}

    staff("site", "create", "--code", "1200000009", "--name", "示例网站甲")
    staff("column", "create", "--site", "1200000009", "--path", "公示")
    text = {"site": "1200000009", "column": "公示", "title": "关于供暖的通知", "body": "第一段。\n\n第二段。"}
    item = staff("item", "create", "-", input=json.dumps(text).encode())["id"]
    for step in ("submit", "approve", "publish"):
        staff("item", step, item)
    staff("item", "preview", item)
    staff("item", "withdraw", "--reason", "内容有误", item)
    staff("parties", "add", "--id", "cms", "--name", "采编系统", "--kind", "live", "--rights", "import")
    staff("parties", "key", "cms")
    staff("parties", "list")
    staff("roles", "list")


def used(w, server):
    """All that asks something of a server, but for its end."""
    events = open_events(server)
    w.tjzw("import", "--data", server.data, "--publish", w.articles(300))
    next_event(server, events)
    events.close()
    edited(w, server.data)
    name = server.put_file(os.urandom(700_000))
    assert len(server.get(f"/v1/blobs/{name}").body) == 700_000 or server.get(f"/v1/blobs/{name}").status == 404
    phone = w.phone("one")
    phone.sync()
    assert phone.export() == w.export(server.data)
    for target in ("/", "/docs", "/openapi.json", "/v1/items?n=3", "/metrics", "/version", "/nothing"):
        server.get(target)
    subprocess.run(["curl", "-sk", "--http2", "-o", os.devnull, f"{server.url}/v1/items?n=50"], check=True, env=clean_env(), timeout=30)
    backup = w.dir / f"backup-{os.urandom(3).hex()}"
    w.tjzw("backup", "--data", server.data, backup)
    w.tjzw("verify", "--data", server.data)
    w.tjzw("keys", "rotate", "--data", server.data, "main")
    server.settle()


def stand_still(server, child, thread):
    """One thread of the child is held as a debugger would, until the watchdog has had enough."""
    PTRACE_ATTACH, WALL = 16, 0x40000000
    if os.geteuid() != 0:
        raise Skip("only root may hold a thread of a process without core dumps")
    assert ctypes.CDLL(None).ptrace(PTRACE_ATTACH, thread, None, None) == 0
    os.waitpid(thread, WALL)    # it stands
    start, late = time.monotonic(), twin.seconds()
    os.waitpid(thread, WALL)    # it is gone
    took, late = time.monotonic() - start, twin.seconds() - late
    note(f"ended {took:.2f} s after it stood; the load's: {late:.2f} s")
    assert STUCK <= took < STUCK + 1 + 2 * late, f"{took:.2f} s, of which the load has {late:.2f} s"
    log = wait_for("the next child", 20, lambda: (s := server.log.read_text()) if (c := children(server.process.pid)) and c[-1] != child else "")
    assert '"loop_stuck"' in log and '"by":"signal 6"' in log, log[-2000:]


def busy(w):
    cache = Cache()
    district = w.serve(w.dir / "district", "--demo", env={**QUICK, "TJZW_STREAMS": "heping"})
    program = w.dir / "program"
    shutil.copy(TJZW, program)
    server = w.serve(env={**QUICK, "TJZW_PURGE_HOOK": f"http://localhost:{cache.server_address[1]}/purge", "TJZW_PUBLIC_URL": "https://www.example.cn"},
                     program=program)

    with case("the child has a filter and can gain nothing, the parent can execute the next program"):
        child = filtered(server)
        note(f"{server.metric('seccomp_allowed'):.0f} calls allowed")
        assert status(server.process.pid, "Seccomp") == ["0"]
        for pid in (child, server.process.pid):
            assert status(pid, "NoNewPrivs") == ["1"], pid
        assert re.search(r'"event":"confined","seccomp":"on","calls_allowed":\d+', server.said()), server.said()

    with case("import, staff, files, phones, backup, proof and keys: nothing is refused"):
        used(w, server)
        refused_nothing(server)

    with case("a mirror by its name over HTTPS, and the caches' hook: nothing is refused"):
        w.tjzw("mirror", "add", "--data", server.data, "--stream", "heping", "--ca", w.certificate(district.data), f"https://localhost:{district.port}")
        wait_for("the district's head", 30, lambda: (h := district.get("/v1/sync/heping/head").body) and h == server.get("/v1/sync/heping/head").body, 0.1)
        wait_for("the caches to be told", 20, lambda: cache.told)
        assert server.metric("mirror_errors") == 0
        refused_nothing(server)
        refused_nothing(district)

    with case("a name that nobody has is a failure like another"):
        w.tjzw("mirror", "add", "--data", server.data, "--stream", "nowhere", "https://nowhere.invalid:8443")
        wait_for("the failure", 60, lambda: server.metric("mirror_errors") > 0, 0.2)
        w.tjzw("mirror", "remove", "--data", server.data, "nowhere")
        refused_nothing(server)

    with case("SIGHUP, and the stack of a loop as the watchdog asks for it: nothing is refused"):
        server.process.send_signal(signal.SIGHUP)
        wait_for("the certificate", 10, lambda: '"reloaded"' in server.log.read_text())
        loops = [int(t) for t in os.listdir(f"/proc/{child}/task") if open(f"/proc/{child}/task/{t}/comm").read() == "loop\n"]
        before = server.log.read_text().count("h2o")
        assert ctypes.CDLL(None).syscall(234 if platform.machine() == "x86_64" else 131, child, loops[0], signal.SIGUSR1) == 0
        wait_for("the stack", 10, lambda: server.log.read_text().count("h2o_evloop_run") > 0 and server.log.read_text().count("h2o") > before)
        assert server.get("/healthz").status == 200
        refused_nothing(server)

    with case("a loop that stands still is ended by the watchdog, and the next child has a filter as well"):
        stand_still(server, child, loops[0])
        wait_for("an answer", 20, lambda: server.get("/healthz").status == 200)
        child = filtered(server)
        refused_nothing(server)

    with case("tjzw upgrade takes over what lies there, and says so"):
        newer = w.dir / "newer"
        shutil.copy(program, newer)
        os.replace(newer, program)
        said = w.tjzw("upgrade", "--data", server.data).stdout.decode()
        assert said.startswith("taken over after") and f"process {filtered(server)} under {server.process.pid}" in said, said
        assert filtered(server) != child and os.stat(f"/proc/{server.process.pid}/exe").st_ino == program.stat().st_ino
        used_again(w, server)

    with case("it stays what it is when that is no program, and tjzw upgrade says so"):
        child = filtered(server)
        (w.dir / "bad").write_text("#!/bin/false\n")
        (w.dir / "bad").chmod(0o755)
        os.replace(w.dir / "bad", program)
        refused = w.tjzw("upgrade", "--data", server.data, check=False)
        assert refused.returncode == 73 and b"not_upgraded" in refused.stderr and filtered(server) == child, refused
        assert w.tjzw("upgrade", "--data", w.dir / "empty", check=False).returncode == 66

    with case("a child that aborts leaves no core, and the next one has a filter as well"):
        os.kill(child, signal.SIGABRT)
        wait_for("the next child", 20, lambda: filtered(server) != child)
        wait_for("an answer", 20, lambda: server.get("/healthz").status == 200)
        used_again(w, server)

    with case("tjzw doctor tells it"):
        said = w.tjzw("doctor", "--data", server.data, check=False).stdout.decode()
        assert re.search(r"进程  process \d+ runs as \w+, seccomp: on, \d+ calls allowed", said) and "everything belongs to" in said, said
        for s in (server, district):
            s.stop()
        assert "no server runs here" in w.tjzw("doctor", "--data", server.data, check=False).stdout.decode()


def used_again(w, server):
    w.tjzw("import", "--data", server.data, "--publish", w.articles(20, first=1000))
    w.phone("one").sync()
    refused_nothing(server)


def cores(w):
    """A core file where the kernel is told to write one; elsewhere that part cannot be seen."""
    if open("/proc/sys/kernel/core_pattern").read().strip() != "core":
        raise Skip("core dumps of this machine go elsewhere")
    shell = w.dir / "generous"
    shell.write_text(f'#!/bin/sh\nulimit -c unlimited && exec {TJZW} "$@"\n')
    shell.chmod(0o755)
    for confine, expected in (("false", True), ("true", False)):
        server = w.serve(w.dir / f"core-{confine}", env={"TJZW_CONFINE": confine}, program=shell)
        child = wait_for("a child", 10, lambda: (c := children(server.process.pid)) and c[-1])
        os.kill(child, signal.SIGABRT)
        wait_for("its end", 30, lambda: not lib.alive(child))
        found = glob.glob(f"{w.dir}/core*[0-9]") + glob.glob(f"{w.dir}/core")
        assert bool(found) == expected, (confine, found)
        for name in found:
            os.remove(name)
        assert server.get("/healthz").status == 200     # a child that is told to stop before it serves ends by the signal
        server.stop()


def for_debugging(w):
    with case("confine: false takes the filter away, not the promise to gain nothing"):
        server = w.serve(w.dir / "open", env={"TJZW_CONFINE": "false"})
        child = server.child
        assert status(child, "Seccomp") == ["0"] and status(child, "NoNewPrivs") == ["1"] and server.metric("seccomp_allowed") == 0
        assert '"event":"confined","seccomp":"off"' in server.said(), server.said()
        assert "seccomp: off" in w.tjzw("doctor", "--data", server.data, check=False).stdout.decode()
        server.stop()

    with case("no core dump, though the shell allows one; with confine: false there is one"):
        cores(w)


# A program that goes on without the right to install a filter: as some containers have it.
FORBID = """
import ctypes, os, struct, sys
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, {seccomp}), (6, 0, 0, 0x00050001), (6, 0, 0, 0x7fff0000)]    # is it seccomp? EPERM : allow
code = b"".join(struct.pack("HBBI", *r) for r in rules)
text = ctypes.create_string_buffer(code)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, struct.pack("HP", len(rules), ctypes.addressof(text)), 0, 0) == 0
os.execv("{tjzw}", ["{tjzw}", *sys.argv[1:]])
"""


def where_it_is_not_allowed(w):
    with case("where no filter is allowed it is said, and the server serves"):
        numbers = {"x86_64": 317, "aarch64": 277}
        if platform.machine() not in numbers:
            raise Skip(f"the number of seccomp(2) on {platform.machine()} is not known here")
        program = w.dir / "forbid"
        program.write_text(f"#!{sys.executable}\n" + FORBID.format(seccomp=numbers[platform.machine()], tjzw=TJZW))
        program.chmod(0o755)
        server = w.serve(w.dir / "forbidden", program=program)
        assert '"event":"confined","seccomp":"off","why":"the kernel takes no filter' in server.said(), server.said()
        assert server.get("/healthz").status == 200 and server.metric("seccomp_allowed") == 0
        server.stop()


def low_port():
    for port in range(700, 1000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Skip("no low port is free")


def as_nobody(*command):
    return ["runuser", "-u", NOBODY, "--", *map(str, command)]


def own_user(w):
    """Started as root with the setting user."""
    uid = pwd.getpwnam(NOBODY).pw_uid
    w.dir.chmod(0o755)
    program, data, port = w.dir / "tjzw", w.data, low_port()
    shutil.copy(TJZW, program)
    env = {**QUICK, "TJZW_USER": NOBODY}

    with case("started as root it opens a low port, and then both processes are the user for good"):
        server = w.serve(data, port=port, env=env, program=program)
        child = filtered(server)
        for pid in (server.process.pid, child):
            assert status(pid, "Uid") == [str(uid)] * 4, (pid, status(pid, "Uid"))
            assert "0" not in status(pid, "Groups") and int(status(pid, "CapEff")[0], 16) == 0 and int(status(pid, "CapPrm")[0], 16) == 0
        assert {os.stat(p).st_uid for p in [data, *data.rglob("*")]} == {uid}

    with case("it lives on: commands of root, SIGHUP, a crash, an upgrade"):
        used(w, server)
        server.process.send_signal(signal.SIGHUP)
        wait_for("the certificate", 10, lambda: '"reloaded"' in server.log.read_text())
        os.kill(child, signal.SIGKILL)
        wait_for("the next child", 20, lambda: filtered(server) != child)
        wait_for("an answer", 20, lambda: server.get("/healthz").status == 200)
        w.tjzw("upgrade", "--data", data)
        used_again(w, server)
        assert status(filtered(server), "Uid") == [str(uid)] * 4
        strangers = [str(p) for p in [data, *data.rglob("*")] if os.stat(p).st_uid != uid]
        assert not strangers, strangers
        said = w.tjzw("doctor", "--data", data, env={"TJZW_USER": NOBODY}, check=False).stdout.decode()
        assert f"runs as {NOBODY}, seccomp: on" in said and f"everything belongs to {NOBODY}" in said, said
        server.stop()

    with case("root does not write in its directory, and says who should; that user may"):
        refused = w.tjzw("import", "--data", data, w.articles(1, name="one.ndjson"), check=False)
        assert refused.returncode == 77 and f"runuser -u {NOBODY}".encode() in refused.stderr, refused
        refused = w.start(data)
        assert refused.process.wait(20) == 77 and f"set user: {NOBODY}" in refused.said(), refused.said()
        (w.dir / "one.ndjson").chmod(0o644)
        subprocess.run(as_nobody(program, "import", "--data", data, w.dir / "one.ndjson"), check=True, capture_output=True, env=clean_env(), timeout=60, cwd="/")
        assert {os.stat(p).st_uid for p in [data, *data.rglob("*")]} == {uid}

    with case("doctor finds what root left there"):
        (data / "keys" / "left").touch()
        said = w.tjzw("doctor", "--data", data, check=False)
        assert said.returncode and "keys/left does not belong to" in said.stdout.decode(), said
        (data / "keys" / "left").unlink()

    with case("a user that is none, one that we cannot become, and a directory of another's: refused, with the way out"):
        other = w.start(w.dir / "unknown", env={"TJZW_USER": "nobody-is-called-so"}, program=program)
        assert other.process.wait(20) and "nobody on this machine" in other.said(), other.said()
        (w.dir / "roots").mkdir()
        other = w.start(w.dir / "roots", env=env, program=program)
        assert other.process.wait(20) and f"chown -R {NOBODY}" in other.said(), other.said()
        said = subprocess.run(as_nobody(program, "serve", "--data", "/tmp/never-made", "--listen", f"https://127.0.0.1:{lib.free_port()}"),
                              capture_output=True, env=clean_env({"TJZW_USER": "daemon"}), timeout=20, cwd="/")
        assert said.returncode and b"who cannot become daemon" in said.stderr, said

    with case("started as root without a user it says so"):
        server = w.serve(w.dir / "root", program=program)
        assert '"event":"runs_as_root"' in server.said() and status(server.child, "Uid") == ["0"] * 4
        server.stop()


twin = Twin()
with World() as world:
    busy(world)
with World() as world:
    for_debugging(world)
    where_it_is_not_allowed(world)
with World() as world:
    if os.geteuid() == 0 and shutil.which("runuser"):
        own_user(world)
    else:
        with case("started as root"):
            raise Skip("this test is not root")
sys.exit(done())
