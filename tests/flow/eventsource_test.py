#!/usr/bin/env python3
"""GET /v1/events with npm's eventsource, which nobody here wrote: it hears each head, comes back by itself, with what it heard last, and hears of its owner's messages."""
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

from app import App
from lib import ROOT, World, clean_env
from npm import missing

from tap import case, done, skip

HERE, THERE = Path(__file__).with_name("eventsource"), ROOT / ".cache" / "eventsource-npm"


class Source:
    def __init__(self, *args):
        env = clean_env({"NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1"})
        self.process = subprocess.Popen(["node", "listen.mjs", *args], cwd=THERE, env=env, stdout=subprocess.PIPE, text=True)
        self.said = queue.Queue()
        threading.Thread(target=lambda: [self.said.put(json.loads(line)) for line in self.process.stdout], daemon=True).start()

    def until(self, fits, deadline=30):
        """What came up to the first that fits, that one last."""
        heard = []
        while not heard or not fits(heard[-1]):
            heard.append(self.said.get(timeout=deadline))
        return heard

    def head(self, seq):
        return self.until(lambda o: o.get("event") == "head" and o["data"]["seq"] >= seq)

    def stop(self):
        self.process.kill()
        self.process.wait()


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(2))
    server = w.serve(env={"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"})
    url, port = server.url + "/v1/events", server.port
    li = App(server).by_phone("13800138000")
    both = [Source(url), Source(url, li.access)]
    try:
        with case("it opens, and hears the newest head"):
            for s in both:
                heard = s.head(2)
                assert heard[0] == {"open": True} and heard[-1]["data"]["stream"] == "main" and heard[-1]["id"], heard
        with case("it hears of what is published, in order"):
            item = json.dumps({"site": server.get("/v1/sites").json()["sites"][0]["code"], "column": 1, "title": "一", "body": "正文"}).encode()
            made = server.admin("POST", "/v1/items", item, {"content-type": "application/json"}).json()["id"]
            for step in ("submit", "approve", "publish"):
                assert server.admin("POST", f"/v1/items/{made}/{step}", b"{}", {"content-type": "application/json"}).status == 200
            for s in both:
                heard = s.head(3)
                assert [o["data"]["seq"] for o in heard if "event" in o] == sorted(o["data"]["seq"] for o in heard if "event" in o), heard
        with case("who comes with a session hears that there is something for him, and nobody else does"):
            note = json.dumps({"account": li.call("GET", "/v1/me").json()["account"], "group": "g", "title": "一"}).encode()
            assert server.admin("POST", "/v1/inbox", note, {"content-type": "application/json"}).status == 201
            both[1].until(lambda o: o.get("event") == "me")
            assert both[0].said.empty()
        with case("the server ends in order and comes back: so does it, and hears nothing twice"):
            server.stop()
            server = w.serve(port=port, env={"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"})
            for s in both:
                heard = s.until(lambda o: o.get("open"), 60)
                assert any("error" in o for o in heard), heard
            made = server.admin("POST", f"/v1/items/{made}/withdraw", '{"reason":"内容有误"}'.encode(), {"content-type": "application/json"})
            assert made.status == 200, made
            for s in both:
                seqs = [o["data"]["seq"] for o in s.head(4) if o.get("event") == "head"]
                assert seqs[-1] == 4 and len([x for x in seqs if x == 4]) == 1, seqs
    finally:
        for s in both:
            s.stop()
    server.stop()


if why := missing(HERE, THERE):
    skip("npm's eventsource", why)
else:
    with World() as world:
        main(world)
sys.exit(done())
