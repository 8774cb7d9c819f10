#!/usr/bin/env python3
"""tjzw-phone watch, device and inbox: a message that is sent arrives on a screen at once, and goes again; news does too; and whom a message to many is for, the phone tells by itself."""
import json
import re
import signal
import sqlite3
import subprocess
import sys
import threading

from app import App
from lib import World, clean_env, wait_for

from tap import case, done


class Screen:
    """A running watch, and what stands on it."""

    def __init__(self, phone):
        self.lines = []
        self.process = subprocess.Popen(phone.command("watch"), env=clean_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.threads = [threading.Thread(target=self.read, args=(stream,), daemon=True) for stream in (self.process.stdout, self.process.stderr)]
        for thread in self.threads:
            thread.start()

    def read(self, stream):
        for line in stream:
            self.lines.append(line)

    def shows(self, pattern, seconds=8):
        wait_for(f"{pattern} on the screen: {self.lines}", seconds, lambda: any(re.search(pattern, line) for line in self.lines))

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(10)


def publish(server, kind, title, **more):
    said = server.admin("POST", "/v1/items", json.dumps({"site": "9900000001", "column": 2, "kind": kind, "title": title, "body": title + "。", **more}),
                        {"content-type": "application/json"})
    assert said.status == 201, said
    for step in ("submit", "approve", "publish"):
        assert server.admin("POST", f"/v1/items/{said.json()['id']}/{step}", "{}", {"content-type": "application/json"}).status == 200
    return said.json()["id"]


def main():
    with World() as w:
        server = w.serve(w.dir / "data", "--demo", env={"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", "TJZW_HINT_SPREAD": "0s"})
        phone = w.phone()
        phone.sync()
        number = "13800000001"
        phone.run("sign-in", number)
        phone.run("sign-in", number, wait_for("a code", 20, lambda: App(server).codes(number))[-1])
        with sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True) as db:
            account = db.execute("SELECT account FROM session ORDER BY id DESC LIMIT 1").fetchone()[0]

        def send(group, title):
            w.tjzw("inbox", "send", "--data", server.data, "--account", str(account), "--group", group, "--title", title)

        with case("device tells where this phone is reached, and takes it back"):
            told = lambda: sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True).execute("SELECT account, device FROM push_address").fetchall()
            said = phone.run("device", "huawei", "0123456789abcdef").stdout.decode()
            assert told() == [(account, re.search(r"（(\S{22})）", said)[1])], (said, told())
            assert "从 huawei 接收推送" in phone.run("device").stdout.decode(), phone.run("device").stdout
            assert phone.run("device", "nobody", "0123456789abcdef", check=False).returncode
            assert phone.run("device", "huawei", check=False).returncode == 2
            phone.run("device", "remove")
            assert told() == []
            assert "没有登记" in phone.run("device").stdout.decode()
            assert "请先 sync 或登录" in w.phone("stranger").run("device", check=False).stderr.decode()
        with case("a setting is written as one says it: a code, hours, a number, a word"):
            for name, value, kept in (("area", "120101", '"120101"'), ("quiet", "22:00-07:00", '"22:00-07:00"'), ("font", "20", "20"), ("theme", "dark", '"dark"')):
                phone.run("set", name, value)
                assert f"{name}  {kept}  " in phone.run("set").stdout.decode(), (name, phone.run("set").stdout.decode())
            for name, value in (("font", "large"), ("area", "天津"), ("area", '"'), ("nothing", "1")):
                assert phone.run("set", name, value, check=False).returncode == 2, (name, value)
        screen = Screen(phone)
        try:
            with case("a message is on the screen at once, without a poll; taken back, it goes at once"):
                screen.shows("在看着")
                wait_for("it listens", 10, lambda: server.metric("hint_subscribers") == 1)
                send("g-1", "您的信件有答复")
                screen.shows("新消息：您的信件有答复", 5)
                w.tjzw("inbox", "withdraw", "--data", server.data, "g-1")
                screen.shows("一条消息收回了", 5)
            with case("a title stands there as it was written, quotes and all"):
                send("g-2", '关于"一网通办"的\\答复')
                screen.shows(r'新消息：关于"一网通办"的\\答复  inbox', 5)
            with case("news is, too"):
                publish(server, "notice", "明天停水")
                screen.shows("新内容：明天停水")
        finally:
            assert screen.stop() == 0, screen.lines
        with case("what becomes one of the newest because another went is not new"):
            soon = publish(server, "notice", "马上撤回")
            while phone.sync() and (held := phone.export().count(b"\n")) < 110:
                for i in range(110 - held):
                    publish(server, "notice", f"以前 {held + i}")
            screen = Screen(phone)
            try:
                screen.shows("在看着")
                wait_for("it listens", 10, lambda: server.metric("hint_subscribers") == 1)
                assert server.admin("POST", f"/v1/items/{soon}/withdraw", '{"reason":"写错了"}'.encode(), {"content-type": "application/json"}).status == 200
                wait_for("it is gone from the phone", 20, lambda: "马上撤回" not in phone.export().decode(), every=0.5)
                publish(server, "notice", "真的新")
                screen.shows("新内容：真的新", 20)
                assert sum("新内容：" in line for line in screen.lines) == 1, screen.lines
            finally:
                assert screen.stop() == 0, screen.lines
        with case("a message to many is in the inbox of those it is for, and in no other"):
            phone.run("follow", "tag/养老")
            for title, whom in (("给所有人", None), ("给养老", {"tag": "养老"}), ("给学生", {"tag": "学生"}), ("不给养老", {"not": {"tag": "养老"}})):
                publish(server, "message", title, **({"recipients": whom} if whom else {}))
            wait_for("all of them are on the phone", 30, lambda: phone.sync() and "不给养老" in phone.export().decode(), every=0.5)
            said = phone.run("inbox").stdout.decode()
            assert [t for t in ("给所有人", "给养老", "给学生", "不给养老") if f"公告  {t}\n" in said] == ["给所有人", "给养老"], said
            refused = server.admin("POST", "/v1/items", json.dumps({"site": "9900000001", "column": 2, "kind": "message", "title": "一", "body": "二。",
                                                                    "recipients": {"accounts": [1]}}), {"content-type": "application/json"})
            assert refused.status == 400 and "recipients" in refused.body.decode(), refused
        with case("who signs out is reached there no more"):
            phone.run("device", "huawei", "0123456789abcdef")
            assert [row[0] for row in told()] == [account], told()
            phone.run("sign-out")
            wait_for("the server has forgotten the address", 10, lambda: told() == [])


main()
sys.exit(done())
