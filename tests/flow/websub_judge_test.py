#!/usr/bin/env python3
"""The WebSub hub, judged by a subscriber of npm's that nobody here wrote."""
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import ROOT, World, clean_env, free_port, wait_for
from npm import missing
from websub_test import City

from tap import case, done, skip

HERE, THERE = Path(__file__).with_name("websub"), ROOT / ".cache" / "websub-npm"


class Reader:
    def __init__(self, city, hub, *secret):
        self.heard = []
        self.process = subprocess.Popen(["node", "subscriber.mjs", str(free_port()), hub, city.topic(), *secret], cwd=THERE, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=clean_env({"NODE_NO_WARNINGS": "1"}))
        threading.Thread(target=lambda: self.heard.extend(map(json.loads, self.process.stdout)), daemon=True).start()

    def hears(self, event, word=""):
        return next((h for h in self.heard if h["event"] == event and word in h.get("body", "")), None)

    def waits(self, event, word=""):
        return wait_for(f"{event} {word}: {self.heard}", 20, lambda: self.hears(event, word), every=0.1)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


class TwoDoors(City):
    """It has no way to believe a certificate of our own: so it asks at a door without TLS."""

    def start(self):
        self.plain = free_port()
        self.server = self.w.serve(port=self.port, env=self.env, urls=[f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.plain}"])


def main():
    why = missing(HERE, THERE)
    if why:
        skip("a subscriber of npm's", why)
        return
    with World() as w:
        w.tjzw("import", "--data", w.data, "--publish", w.articles(3, size=300))
        city = TwoDoors(w, None)
        hub = f"http://127.0.0.1:{city.plain}/hub"
        plain, signed = Reader(city, hub), Reader(city, hub, "a secret")
        try:
            judge(city, plain, signed)
        finally:
            plain.process.kill(), signed.process.kill()


def judge(city, plain, signed):
    with case("pubsubhubbub 1.0.2 subscribes, is asked, and hears its lease"):
        for reader in (plain, signed):
            asked = reader.waits("subscribe")
            assert asked["topic"] == city.topic() and abs(asked["lease"] - time.time() - 7200) < 60, asked
        wait_for("two subscriptions", 15, lambda: len(city.rows()) == 2, every=0.1)

    with case("it takes what is published, with and without a signature"):
        city.publish("给订阅者")
        for reader in (plain, signed):
            got = reader.waits("feed", "给订阅者")
            assert got["topic"] == city.topic() and got["type"].startswith("application/atom+xml"), got

    with case("with another secret it believes none of it: so it did check"):
        signed.say("wrong")
        time.sleep(0.3)
        city.publish("没有人信")
        plain.waits("feed", "没有人信")
        time.sleep(1)
        assert not signed.hears("feed", "没有人信")

    with case("it leaves"):
        plain.say("leave")
        plain.waits("unsubscribe")
        wait_for("one subscription", 15, lambda: len(city.rows()) == 1, every=0.1)
        assert not plain.hears("denied") and not signed.hears("denied"), (plain.heard, signed.heard)


if __name__ == "__main__":
    main()
    sys.exit(done())
