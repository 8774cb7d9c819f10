#!/usr/bin/env python3
"""Each alert fires and is cleared on a real server: seen in the log, as a metric, by `tjzw alerts`, and by a receiver that checks the signature, hangs,
fails and lies about the time.
"""
import hashlib
import hmac
import http.server
import json
import mmap
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from email.utils import formatdate

from lib import BUILD, World, children, free_port, wait_for

from tap import case, done, note

SECRET = "the receiver knows it as well"
PLENTY = 100 << 30      # bytes
PATIENCE = 60     # seconds for what takes a few: the machine may be loaded
SHIM = BUILD / "tests" / "unit" / "libclock_shim.so"


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps each event once, by its id. `mood`: what it does with a request; one that it has not accepted is not kept."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.mood, self.events, self.heard, self.forged, self.ahead, self.plain = "accepts", {}, 0, 0, 0, []
        self.release = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass    # who hangs up is no error here

    def of(self, name):
        return [e for e in self.events.values() if e["name"] == name]

    def last(self, name):
        return (self.of(name) or [{"state": "none"}])[-1]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + self.server.ahead, usegmt=True)

    def do_POST(self):
        body, server = self.rfile.read(int(self.headers["content-length"])), self.server
        signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        server.heard += 1
        server.forged += not hmac.compare_digest(self.headers.get("x-tjzw-signature", ""), signature)
        if server.mood == "hangs":
            server.release.wait(60)
            self.close_connection = True
            return
        if server.mood == "closes":
            self.close_connection = True
            return
        event = json.loads(body)
        if server.mood == "accepts":
            server.events.setdefault(event.get("id"), event)
        if server.mood == "robot":
            server.plain.append(event)
        answer = b'{"errcode":0}' if server.mood in ("accepts", "robot") else b'{"errcode":45009}'
        self.send_response(500 if server.mood == "fails" else 200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Gateway(http.server.ThreadingHTTPServer):
    """For short messages; the codes that came."""

    daemon_threads = True

    def __init__(self, port):
        gateway = self
        self.codes = []

        class Taker(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                gateway.codes.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["code"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Taker)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Wishes:
    """What tests/lib/clock_shim.c shows the server."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(32))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 32)
        self.set("room", PLENTY)     # whatever else this machine does with its disk

    def set(self, which, value):
        struct.pack_into("=q", self.map, {"ahead": 0, "unkept": 8, "files": 16, "room": 24}[which], value)


class Watched:
    """A server whose looks are quick, and what is known of an alert in four places."""

    def __init__(self, w, receiver, **settings):
        self.w, self.receiver, self.wishes = w, receiver, Wishes(w.dir / "wishes")
        self.plain, self.known = free_port(), {}
        env = {"ALERT_EVERY": "50ms", "ALERT_WEBHOOK": receiver.url, "ALERT_WEBHOOK_SECRET": SECRET, "VERIFY_PACE": "100000", **settings}
        port = free_port()
        self.server = w.serve(None, port=port, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{self.plain}"],
                              env={"TJZW_DAYS_OFF": "2099-01-01", **{f"TJZW_{k}": str(v) for k, v in env.items()}, "LD_PRELOAD": str(SHIM), "CLOCK_SHIM": str(self.wishes.path),
                                   "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def api(self, name):
        return next(a for a in self.server.admin("GET", "/v1/alerts").json()["alerts"] if a["name"] == name)

    def logged(self, event, name):
        lines = self.server.log.read_text(errors="replace").splitlines()
        return [line for line in lines if f'"event":"alert_{event}","alert":"{name}"' in line]

    def logged_anew(self, event, name):
        """It is there once more than when this was asked last: alerts fire and clear several times here."""
        before, now = self.known.get((event, name), 0), len(self.logged(event, name))
        assert now > before, f"{name} {event}: {now} lines in the log, and {before} before"
        self.known[event, name] = now

    def fires(self, name, severity, told=True):
        """Waits; the API's row."""
        wait_for(f"{name} to fire", PATIENCE, lambda: self.api(name)["state"] == "firing")
        wait_for("the metric", PATIENCE, lambda: self.server.metric(f"alert_{name}") == 1)
        assert self.api(name)["severity"] == severity, self.api(name)
        self.logged_anew("firing", name)
        if told:
            wait_for(f"the receiver to hear of {name}", PATIENCE, lambda: self.receiver.last(name)["state"] == "firing")
        return self.api(name)

    def clears(self, name, told=True):
        wait_for(f"{name} to be cleared", PATIENCE, lambda: self.api(name)["state"] == "cleared")
        wait_for("the metric", PATIENCE, lambda: self.server.metric(f"alert_{name}") == 0)
        self.logged_anew("cleared", name)
        assert self.api(name)["until"], self.api(name)
        if told:
            wait_for(f"the receiver to hear that {name} is over", PATIENCE, lambda: self.receiver.last(name)["state"] == "cleared")


def make_certificate(cert, key, days):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", "/CN=localhost",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)


def edit(data, sql, *values):
    db = sqlite3.connect(data / "tjzw.db", timeout=10)
    with db:
        assert db.execute(sql, values).rowcount == 1
    db.close()


def crash(watched, times):
    for _ in range(times):
        pid = watched.server.process.pid
        child = wait_for("a child", PATIENCE, lambda: children(pid))[-1]
        os.kill(child, signal.SIGKILL)
        wait_for("the next one", PATIENCE, lambda: (c := children(pid)) and c[-1] != child)
        wait_for("it to look", PATIENCE, lambda: answers(watched))


def answers(watched):
    try:
        return watched.server.admin("GET", "/v1/alerts").json().get("looked")
    except OSError:
        return None


def send_rubbish(port, until):
    while not until.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
                s.sendall(b"GET / HTTP/1.1\r\n\r\n")     # no Host
                s.recv(1000)
        except OSError:
            pass


def processes_and_certificates(w, watched, cert, key):
    receiver, server = watched.receiver, watched.server

    with case("certificate: one that ends in 5 days, then a good one"):
        row = watched.fires("certificate", "error")
        assert re.fullmatch("HTTPS 证书的有效期只剩 [45] 天", row["text"]) and row["unit"] == "seconds", row
        make_certificate(cert, key, 90)
        server.process.send_signal(signal.SIGHUP)
        watched.clears("certificate")

    with case("reload: files that are none, then good ones"):
        good = cert.read_bytes()
        cert.write_text("no certificate")
        server.process.send_signal(signal.SIGHUP)
        watched.fires("reload", "error")
        cert.write_bytes(good)
        server.process.send_signal(signal.SIGHUP)
        watched.clears("reload")

    with case("crash_loop: three deaths, told once although each child looks for itself"):
        crash(watched, 3)
        watched.fires("crash_loop", "error")
        crash(watched, 1)
        assert watched.api("crash_loop")["state"] == "firing"
        told = [e for e in receiver.of("crash_loop") if e["state"] == "firing"]
        assert len(told) == 1 and len(watched.logged("firing", "crash_loop")) == 1, told


def stored(w, watched):
    data = watched.server.data

    with case("broken_chain: an edited row of the running server is found, and mended again"):
        wait_for("a round", PATIENCE, lambda: watched.server.metric("verify_rounds") > 0)
        (title,) = sqlite3.connect(data / "tjzw.db").execute("SELECT title FROM change WHERE seq = 7").fetchone()
        edit(data, "UPDATE change SET title = ? WHERE seq = 7", title + "！")
        row = watched.fires("broken_chain", "error")
        assert "seq 7" in row["textEn"], row
        assert '"event":"log_fault"' in watched.server.log.read_text()
        crash(watched, 1)
        assert watched.api("broken_chain")["state"] == "firing", "a new process does not forget it"
        edit(data, "UPDATE change SET title = ? WHERE seq = 7", title)
        watched.clears("broken_chain")

    with case("backup: an old one, then a new one"):
        (data / "last-backup").write_text(time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(time.time() - 2 * 86400 + 8 * 3600 - 60)))
        row = watched.fires("backup", "warn")
        assert row["text"] == "已有 2 天 没有新的备份", row
        w.tjzw("backup", "--data", data, w.dir / "backup")
        watched.clears("backup")
        assert not (w.dir / "backup" / "last-backup").exists() and not (w.dir / "backup" / "alerts").exists()

    with case("disk: little room, then enough"):
        watched.wishes.set("room", 1 << 30)
        watched.fires("disk", "warn")
        watched.wishes.set("room", PLENTY)
        watched.clears("disk")

    with case("files: the disk has no more inodes"):
        watched.wishes.set("files", 5000)
        row = watched.fires("files", "error")
        assert row["text"] == "数据目录所在磁盘只能再建 5000 个文件", row
        watched.wishes.set("files", 0)
        watched.clears("files")


def attacked(watched):
    with case("attack: refusals at a rate; honest readers are served meanwhile"):
        over = threading.Event()
        attackers = [threading.Thread(target=send_rubbish, args=(watched.plain, over), daemon=True) for _ in range(2)]
        for a in attackers:
            a.start()
        row = watched.fires("attack", "warn")
        assert "guard_refused_host" in row["textEn"], row
        assert watched.server.get("/v1/sync/main/head").status == 200
        over.set()
        watched.clears("attack")


def clocks(watched):
    with case("clock: two minutes ahead and back"):
        watched.wishes.set("ahead", 120)
        row = watched.fires("clock", "warn")
        assert re.search(r"forward by 1(19|20) s", row["textEn"]), row
        watched.wishes.set("ahead", 0)
        watched.clears("clock")

    with case("clock_sync: nobody keeps the clock, then somebody does"):
        watched.fires("clock_sync", "warn")
        watched.wishes.set("unkept", 0)
        watched.clears("clock_sync")

    with case("clock: who answers us says another time"):
        watched.receiver.ahead = -7200
        watched.wishes.set("files", 5000)
        watched.fires("files", "error")           # something to be told
        row = watched.fires("clock", "warn")
        assert "behind ours" in row["textEn"], row
        watched.receiver.ahead = 0
        watched.wishes.set("files", 0)
        watched.clears("clock")
        watched.clears("files")


def undone(w, watched):
    server = watched.server

    def write():
        server.admin("POST", "/v1/orgs", json.dumps({"code": f"org-{time.monotonic_ns()}", "name": "示例"}), {"content-type": "application/json"}, timeout=60)

    with case("oldest_job and writing: somebody holds the database, and lets it go"):
        db = sqlite3.connect(server.data / "tjzw.db", timeout=10, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        row = watched.fires("oldest_job", "warn")
        assert re.fullmatch(r"最早的一件待办已等了 \d+ 秒（写入）", row["text"]), row
        watched.fires("writing", "error")
        db.execute("ROLLBACK")
        db.close()
        writer.join(60)
        watched.clears("oldest_job")
        write()
        watched.clears("writing")

    with case("oldest_job: caches that are not told of a takedown"):
        edit(server.data, "INSERT INTO purge_url (url, at) VALUES ('/a/1', ?)", int(time.time()) - 700)
        row = watched.fires("oldest_job", "warn")
        assert row["text"] == "最早的一件待办已等了 11 分钟（通知缓存撤稿）", row
        edit(server.data, "DELETE FROM purge_url WHERE url = '/a/1'")
        watched.clears("oldest_job")

    with case("mirror: a server that is not there"):
        w.tjzw("mirror", "add", "--data", server.data, "--stream", "heping", f"https://127.0.0.1:{free_port()}")
        row = watched.fires("mirror", "warn")
        assert "heping" in row["textEn"], row
        w.tjzw("mirror", "remove", "--data", server.data, "heping")
        watched.clears("mirror")


def signing_in(watched, gateway_port):
    server = watched.server

    def post(target, method="POST", token=None, **body):
        return server.get(target, method, json.dumps(body), {"content-type": "application/json", **({"authorization": "Bearer " + token} if token else {})})

    def used_again(n):
        """Sessions that end because their first refresh token comes once more, one after the other."""
        firsts = []
        for _ in range(n):
            first = post("/v1/auth/sign-in", login="13900139099", password="绿色的河马爱跳舞").json()["refresh"]
            second = post("/v1/auth/refresh", refresh=first).json()["refresh"]
            assert post("/v1/auth/refresh", refresh=second).status == 200
            firsts.append(first)
        for first in firsts:
            assert post("/v1/auth/refresh", refresh=first).status == 401
            time.sleep(0.02)

    with case("sms: a gateway that is not there, and then is"):
        for n in range(3):
            assert post("/v1/auth/code", phone=f"1390013900{n}").status == 202
        row = watched.fires("sms", "error")
        assert row["text"] == "验证码短信发不出去，最近 3 条都失败了", row
        gateway = Gateway(gateway_port)
        assert post("/v1/auth/code", phone="13900139099").status == 202
        watched.clears("sms")
        assert server.metric("sms_failures") == 3 and server.metric("sms_sent") == 1 and server.metric("codes_made") == 4

    with case("token_reuse: many sessions whose tokens are used again"):
        answer = post("/v1/auth/sign-in", phone="13900139099", code=gateway.codes[-1]).json()
        assert post("/v1/me/password", "PUT", answer["access"], password="绿色的河马爱跳舞").status == 204
        for _ in range(5):
            used_again(30)
            if watched.logged("firing", "token_reuse"):
                break
        assert watched.logged("firing", "token_reuse") and server.metric("refreshes_reused") >= 30
        watched.clears("token_reuse")


def told(w, watched):
    receiver, server = watched.receiver, watched.server

    with case("tjzw alerts: what fires and how to mend it, status 1; nothing, status 0"):
        watched.clears("crash_loop")
        quiet = w.tjzw("alerts", "--data", server.data, check=False)
        assert quiet.returncode == 0 and "✔ disk" in quiet.stdout.decode(), quiet
        watched.wishes.set("files", 5000)
        watched.fires("files", "error")
        loud = w.tjzw("alerts", "--data", server.data, check=False)
        assert loud.returncode == 1 and "✘ files" in loud.stdout.decode() and "→" in loud.stdout.decode(), loud
        watched.wishes.set("files", 0)
        watched.clears("files")

    with case("GET /v1/alerts is not for everybody"):
        assert server.get("/v1/alerts").status == 401
        token = server.program("watcher", "operate")
        other = server.program("editor", "edit")
        assert server.get("/v1/alerts", headers={"authorization": f"Bearer {token}"}).status == 200
        assert server.get("/v1/alerts", headers={"authorization": f"Bearer {other}"}).status == 403

    for mood in ("fails", "closes", "hangs"):
        with case(f"a receiver that {mood}: nobody waits for it, and it hears the newest state later"):
            receiver.mood = mood
            heard, before = receiver.heard, len(receiver.of("files"))
            watched.wishes.set("files", 5000)
            watched.fires("files", "error", told=False)
            wait_for("an attempt", PATIENCE, lambda: receiver.heard > heard)
            watched.wishes.set("files", 0)
            watched.clears("files", told=False)         # judged while the receiver is as it is
            start = time.monotonic()
            assert server.get("/v1/sync/main/head").status == 200
            note(f"a reader meanwhile: {1000 * (time.monotonic() - start):.0f} ms")
            receiver.mood = "accepts"
            receiver.release.set()
            wait_for("the newest state", PATIENCE, lambda: receiver.last("files")["state"] == "cleared" and len(receiver.of("files")) > before)
            receiver.release.clear()

    with case("every message was signed, and no state was told twice in a row"):
        assert receiver.heard and not receiver.forged, receiver.forged
        for name in {e["name"] for e in receiver.events.values()}:
            events = [(e["state"], e["severity"]) for e in receiver.of(name)]
            assert all(a != b for a, b in zip(events, events[1:])) or name == "files", (name, events)
        assert server.metric("alert_webhook_sent") >= 1 and server.metric("alert_webhook_failures") >= 3

    with case("the log and print-conf say neither URL nor secret"):
        env = {"TJZW_ALERT_WEBHOOK": receiver.url, "TJZW_ALERT_WEBHOOK_SECRET": SECRET}
        said = server.log.read_text(errors="replace") + w.tjzw("print-conf", env=env).stdout.decode()
        assert SECRET not in said and receiver.url not in said


def cannot_start(watched, cert):
    receiver, server = watched.receiver, watched.server

    with case("crash_loop: children none of which can start say so themselves"):
        good = cert.read_bytes()
        cert.write_text("no certificate")
        (server.data / "keys" / "tls-last.pem").unlink(missing_ok=True)
        os.kill(children(server.process.pid)[-1], signal.SIGKILL)
        try:
            wait_for("the receiver to hear of it", PATIENCE, lambda: receiver.last("crash_loop")["state"] == "firing")
        finally:
            cert.write_bytes(good)
        wait_for("it to serve again", PATIENCE, lambda: answers(watched))


def robots(w, receiver):
    with case("a group robot gets its own form, and what it refuses inside a 200 is sent again"):
        receiver.mood = "refuses"
        robot = World()
        watched = Watched(robot, receiver, ALERT_WEBHOOK_FORM="wecom")
        heard = receiver.heard
        watched.wishes.set("files", 5000)
        wait_for("an attempt", PATIENCE, lambda: receiver.heard > heard)
        assert not receiver.plain
        receiver.mood = "robot"
        wait_for("the message", PATIENCE, lambda: receiver.plain)
        message = receiver.plain[0]
        assert message["msgtype"] == "text" and message["text"]["content"].startswith("【告警】数据目录所在磁盘只能再建 5000 个文件\n"), message
        assert watched.server.metric("alert_webhook_sent") == 1
        robot.close()

    with case("settings that are none are refused at the start"):
        for env in ({"TJZW_ALERT_WEBHOOK": "ftp://example.cn"}, {"TJZW_ALERT_WEBHOOK_FORM": "fax"}):
            other = w.start(w.dir / "refused", env=env)
            assert other.process.wait(30) not in (0, None) and "alert_webhook" in other.said(), other.said()

    with case("tjzw alerts without a server says so"):
        alone = w.tjzw("alerts", "--data", w.data, check=False)
        assert alone.returncode == 69, alone


with World() as w:
    receiver = Receiver()
    cert, key = w.dir / "cert.pem", w.dir / "key.pem"
    make_certificate(cert, key, 5)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(40))
    watched = Watched(w, receiver, TLS_CERT=cert, TLS_KEY=key, ALERT_ATTACK=60, ALERT_CRASHES=3, ALERT_CRASH_WINDOW="15s", ALERT_OLDEST_JOB="1s",
                      PURGE_HOOK=f"http://127.0.0.1:{free_port()}", SMS_URL=f"http://127.0.0.1:{(gateway_port := free_port())}",
                      SMS_BODY='{"to":"{phone}","code":"{code}"}', RATE_LIMIT=0)
    processes_and_certificates(w, watched, cert, key)
    stored(w, watched)
    watched.wishes.set("unkept", 1)      # takes many looks
    attacked(watched)
    clocks(watched)
    undone(w, watched)
    signing_in(watched, gateway_port)
    told(w, watched)
    cannot_start(watched, cert)
    with case("it stops in order"):
        watched.server.stop()
    robots(w, receiver)

sys.exit(done())
