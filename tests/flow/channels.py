"""channels.py - a city with accounts on WeChat and Weibo, which are tests/mocks/platforms.mjs.

    city = Channels(w)
    task = city.send(city.wechat, city.publish("关于停水的通知"))
    city.waits(task, "done")
    city.platforms.state()["articles"]
"""
import json
import struct
import subprocess
import urllib.request
import zlib

from lib import ROOT, wait_for

JSON = {"content-type": "application/json"}


def png(colour):
    """A picture of one point."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0" + bytes(colour))) +
            chunk(b"IEND", b""))


class Platforms:
    def __init__(self):
        self.process = subprocess.Popen(["node", str(ROOT / "tests/mocks/platforms.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def ask(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self.url + path, data), timeout=10) as answer:
            return json.loads(answer.read())

    def set(self, **how):
        self.ask("/_control", how)

    def state(self):
        return self.ask("/_state")

    def out(self, task):
        """How often that task's article stands there, deleted or not."""
        return [a for a in self.state()["articles"] if a["source"].endswith(f"#tjzw-{task}")]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Channels:
    def __init__(self, w):
        self.w, self.platforms, self.n = w, Platforms(), 0
        self.env = {"TJZW_CHANNEL_WECHAT": self.platforms.url, "TJZW_CHANNEL_WEIBO": self.platforms.url, "TJZW_CHANNEL_PRIVATE": "true",
                    "TJZW_PUBLIC_URL": "https://www.example.cn"}
        self.server = w.serve(env=self.env)
        self.ok("POST", "/v1/sites", {"code": "1200000000", "name": "示例市人民政府"}, 201)
        self.column = self.ok("POST", "/v1/columns", {"site": "1200000000", "path": "通知公告"}, 201)["no"]
        self.pictures = [self.server.put_file(png((i, 2, 3))) for i in range(2)]
        self.wechat = self.account("wechat", "wx0123456789abcdef", {"secret": "app secret", "token": "atoken"})
        self.weibo = self.account("weibo", "1234567890", {"secret": "s", "token": "weibo token", "address": "203.0.113.7"}, domain="example.cn")

    def ok(self, method, target, body=None, status=200):
        said = self.server.admin(method, target, json.dumps(body) if body is not None else None, JSON)
        assert said.status == status, (method, target, said)
        return said.json()

    def account(self, kind, handle, secrets, **more):
        no = self.ok("POST", "/v1/channels", {"kind": kind, "handle": handle, "name": f"示例发布（{kind}）", "site": "1200000000", "state": "active", **more}, 201)["no"]
        self.ok("PUT", f"/v1/channels/{no}/credentials", secrets)
        return no

    def restart(self, how):
        port = self.server.port
        how()
        self.server = self.w.serve(port=port, env=self.env)

    def publish(self, title=None):
        """An item with two pictures."""
        self.n += 1
        one, two = self.pictures
        made = self.ok("POST", "/v1/items", {"site": "1200000000", "column": self.column, "title": title or f"第{self.n}号通知", "image": one,
                                             "attachments": [{"hash": two, "name": "图.png", "size": len(png((1, 2, 3))), "type": "image/png"}],
                                             "body": f"第{self.n}件事。\n\n![图](sha256:{two})\n\n**请注意**。"}, 201)
        for step in ("submit", "approve", "publish"):
            self.ok("POST", f"/v1/items/{made['id']}/{step}")
        return made["id"]

    def write(self, channel, item, **more):
        said = {"title": f"微信：{self.n}", "digest": "摘要", "byline": "示例", "body": f"第{self.n}件事。\n\n![图](sha256:{self.pictures[1]})", "cover": self.pictures[0]} \
            if channel == self.wechat else {"body": f"第{self.n}件事：请看"}
        return self.ok("POST", f"/v1/channels/{channel}/versions", {"item": item, **said, **more}, 201)

    def approve(self, version):
        return self.ok("POST", f"/v1/channel-versions/{version['no']}/approve", {"hash": version["hash"]})

    def send(self, channel, item, **more):
        """The number of the task."""
        version = self.approve(self.write(channel, item, **more))
        return self.ok("POST", f"/v1/channel-versions/{version['no']}/send")["no"]

    def task(self, no):
        return self.ok("GET", f"/v1/channel-tasks/{no}")

    def waits(self, no, *states, deadline=60):
        return wait_for(f"task {no} {states}: {self.task(no)}", deadline, lambda: (t := self.task(no))["state"] in states and t, every=0.1)

    def deletion(self, no):
        """The task that deletes what that one published, or None."""
        version = self.task(no)["version"]
        return next((t for t in self.ok("GET", "/v1/channel-tasks")["tasks"] if t["version"] == version and t["verb"] == "delete"), None)

    def withdraw(self, item):
        self.ok("POST", f"/v1/items/{item}/withdraw", {"reason": "写错了"})

    def stop(self):
        self.platforms.stop()
