#!/usr/bin/env python3
"""kill -9 while a key is exchanged: the chain goes on from where it was, and phones follow it.

In each round the platform's key or the stream's is exchanged, by a running server or on a data directory that nobody uses, and all of it is
killed at a random instant. After an ordinary start: the chain begins with all that was served before, and names the new key if the exchange
was acknowledged; a new key that it does not name is gone, and doctor counts what a killed write left; what is published next is signed so that a phone that was
there all the time takes it. In the end phones that were off, that trust only the first key or the newest, hold the same.
"""
import http.client
import json
import random
import subprocess
import sys
import threading
import time

from lib import World, article, clean_env

from tap import case, done, note, rounds

ROUNDS = rounds(100, 20)
QUICK = {"TJZW_HEAD_DEBOUNCE": "10ms", "TJZW_RATE_LIMIT": "0"}
ROLES = {"platform": "platform", "main": "stream:main"}


class Scene:
    def __init__(self, w):
        self.w, self.made, self.cut, self.acknowledged = w, 0, 0, 0
        w.tjzw("import", "--data", w.data, "--publish", w.articles(20, size=600))
        self.server = w.serve(env=QUICK)
        self.server.settle()
        self.first = self.newest()
        self.chain = self.lines()
        self.phone, self.off = w.phone("always"), w.phone("off")
        for phone in (self.phone, self.off):
            phone.sync()
        # How long an exchange takes here: the instants are spread over it.
        start = time.monotonic()
        self.exchange("main")
        self.takes = {True: time.monotonic() - start}
        self.server.stop()
        start = time.monotonic()
        w.tjzw("keys", "rotate", "--data", w.data, "main", env=QUICK)
        self.takes[False] = time.monotonic() - start
        self.start()

    def start(self):
        self.server = self.w.serve(env=QUICK)
        self.phone.url = self.off.url = self.server.url

    def lines(self):
        return self.server.get("/v1/sync/keys").body.decode().splitlines()

    def newest(self):
        """The platform key that new phones are to trust."""
        return self.w.tjzw("keys", "--data", self.w.data).stdout.decode().split()[2]

    def exchange(self, what):
        try:
            answer = self.server.admin("POST", f"/v1/keys/{what}/rotate")
        except (OSError, http.client.HTTPException):    # the server is gone
            return False
        assert answer.status < 300, answer
        return True

    def killed_while_running(self, what):
        """Whether it was acknowledged."""
        told = []
        asking = threading.Thread(target=lambda: told.append(self.exchange(what)))
        asking.start()
        time.sleep(random.uniform(0, 2 * self.takes[True]))
        self.server.kill()
        asking.join()
        return told[0]

    def killed_alone(self, what):
        self.server.stop()
        asking = subprocess.Popen(self.w.command("keys", "rotate", "--data", self.w.data, what), env=clean_env(QUICK), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 2 * self.takes[False]))
        asking.kill()
        said = asking.communicate()[0]
        return b"has a new key" in said

    def round(self, n):
        what = random.choice(list(ROLES))
        acknowledged = self.killed_while_running(what) if n % 2 else self.killed_alone(what)
        self.start()
        chain = self.lines()
        assert chain[:len(self.chain)] == self.chain, "the chain is not the one before with more behind it"
        more = [line.split()[2] for line in chain[len(self.chain):]]
        assert not acknowledged or ROLES[what] in more, f"the exchange was acknowledged, and the chain does not name it: {more}"
        assert set(more) <= set(ROLES.values()) and (what == "platform" or "platform" not in more), more
        self.chain, self.acknowledged, self.cut = chain, self.acknowledged + acknowledged, self.cut + (bool(more) and not acknowledged)
        left = sorted(p.name for p in (self.w.data / "keys").iterdir())
        assert not [name for name in left if name.endswith(".new")], f"a key that is not used: {left}"
        unfinished = [name for name in left if name.endswith(".tmp")]   # of a write that was killed; doctor says so
        found = self.w.tjzw("doctor", "--data", self.w.data, check=False, env=QUICK).stdout.decode()
        assert (f"{len(unfinished)} unfinished" if unfinished else "no unfinished") in found, found
        listed = self.w.tjzw("keys", "list", "--data", self.w.data).stdout.decode()
        assert listed.count("signs now") == 2, listed
        self.publish_and_read()

    def publish_and_read(self):
        """What is published now is signed by a key that the phone comes to know."""
        self.made += 1
        body = json.dumps(article(1000 + self.made, 600), ensure_ascii=False).encode() + b"\n"
        answer = self.server.admin("POST", "/v1/import?publish=1&create=1", body, {"content-type": "application/x-ndjson"})
        assert answer.status == 200, answer
        self.server.settle()
        self.phone.sync()
        assert self.phone.export() == self.w.export()


def main(w):
    s = Scene(w)
    with case(f"{ROUNDS} kills during an exchange of keys: the chain goes on, and a phone follows it"):
        for n in range(ROUNDS):
            s.round(n)
        note(f"{s.acknowledged} acknowledged, {s.cut} begun and finished by the next start, {len(s.chain) - 1} keys; "
             f"an exchange takes {1000 * s.takes[True]:.0f} ms, alone {1000 * s.takes[False]:.0f} ms")
    with case("phones that were off, that trust the first key or the newest, hold the same"):
        held = s.w.export()
        for phone in (s.off, w.phone("first", "--trust", s.first), w.phone("newest", "--trust", s.newest())):
            phone.sync()
            phone.run("verify")
            assert phone.export() == held
        s.server.stop()
        assert "whole" in w.tjzw("verify", "--data", w.data).stdout.decode()


with World() as world:
    main(world)
sys.exit(done())
