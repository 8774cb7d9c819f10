#!/usr/bin/env python3
"""Whatever somebody between phone and server does to the answers, the phone shows the state before or the newest, and nothing else.

A proxy stands between a real tjzw-phone and a real server (plain HTTP on loopback, as behind a balancer that ends TLS). In each round the
server changes something, the proxy lies in one way during one sync, and the phone's export is looked at; then it is honest, and one sync
must bring the newest state. The lies are those of liar.py, on whatever the phone asks for in that round: head, keys, directory,
index, objects, catch-ups as .dz and .zst, cover, tiles, items.
"""
import json
import random
import sqlite3
import sys
from collections import defaultdict

from lib import World, article, free_port
from liar import Liar

from tap import case, done, note, rounds

ROUNDS = rounds(400, 40)    # a round is four processes and half a second on a busy machine: 2,000 are in tests/unit/follow_sim_test.c
ITEMS = 200                 # more than a tile of the tree holds
LIES = ("flip", "cut", "short", "long", "old", "frozen", "swap", "tombstone")
READERS = ("behind", "new", "objects", "damaged")


class Scene:
    """A server, the liar before it, and phones of each sort."""

    def __init__(self, w):
        self.w, self.chance = w, random.Random(random.random())
        w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=900))
        port, tls = free_port(), free_port()
        env = {"TJZW_RATE_LIMIT": "0", "TJZW_HEAD_DEBOUNCE": "10ms", "TJZW_INDEX_CHANGES": "16"}
        self.server = w.serve(urls=[f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{port}"], port=tls, env=env)
        self.server.settle(60)
        self.liar = Liar(port)
        self.liar.begin(None, self.chance)
        self.follower = self.phone("behind")
        self.follower.sync()
        self.published = []     # every export there was
        self.made, self.repairs = 0, defaultdict(list)

    def phone(self, name):
        p = self.w.phone(name, url=self.liar.url)
        p.args = []
        return p

    def change(self):
        """Some items change: corrected, new, withdrawn."""
        items = [json.loads(x)["id"] for x in self.export.splitlines()]
        path = self.w.dir / "change.ndjson"
        first = self.chance.randrange(ITEMS - 5)
        self.made += 1
        with open(path, "w") as out:
            for i in [*range(first, first + 3), 10_000 + self.made, 20_000 + self.made]:
                out.write(json.dumps(article(i, 900, f"第{self.made}回"), ensure_ascii=False) + "\n")
        self.w.tjzw("import", "--data", self.w.data, "--publish", path)
        self.server.admin("POST", f"/v1/items/{self.chance.choice(items)}/withdraw", '{"reason":"测试"}'.encode(),
                          {"content-type": "application/json"})
        self.server.settle(60)

    def round(self, lie, sort):
        self.export = self.w.export()
        self.liar.begin(None, self.chance)
        self.follower.sync()
        assert self.follower.export() == self.export, "an honest sync does not bring what is published"
        if sort in ("new", "objects"):
            phone, old = self.phone("first"), b""
            phone.forget()
        else:
            phone, old = self.follower, self.export
        self.published.append(self.export)
        self.change()
        new = self.w.export()
        assert new != self.export
        if sort == "damaged":
            old = self.damage(phone)
        self.liar.begin(lie, self.chance)
        self.liar.refuse_logs = sort == "objects"
        said = phone.run("sync", "--json", check=False)
        assert said.returncode in (0, 1), said
        self.liar.refuse_logs = False
        shown = phone.run("export", check=False).stdout
        # A phone that holds nothing cannot know that what was right some rounds ago is not the newest.
        before = self.published if lie == "frozen" and sort in ("new", "objects") else ()
        assert shown in (old, new, *before), f"{lie} to a phone that is {sort}: what is shown is neither the state before nor the newest"
        if said.returncode == 0 and self.liar.told and lie not in ("old", "frozen"):
            assert shown == new, f"{lie} to a phone that is {sort}: it says all is well, and shows an older state"
        self.liar.begin(None, self.chance)
        mended = phone.sync()
        self.repairs[f"{lie}, {sort}"].append(mended["bytes_down"])
        assert phone.export() == new, f"after {lie} to a phone that is {sort}, an honest sync does not bring the newest"

    def damage(self, phone):
        """A few items of the store are written over; what verify then says. Returns what it shows."""
        db = sqlite3.connect(phone.store)
        born = [row[0] for row in db.execute("SELECT born FROM item WHERE op = 1")]
        for b in self.chance.sample(born, 3):
            db.execute("UPDATE item SET title = title || '?' WHERE born = ?", (b,))
        db.commit()
        db.close()
        assert phone.run("verify", check=False).returncode == 1, "damage is not found"
        return phone.run("export", check=False).stdout


def main(w):
    s = Scene(w)
    tries = [(lie, sort) for lie in LIES for sort in READERS if (lie, sort) not in (("tombstone", "new"), ("old", "new"), ("old", "objects"))]
    with case(f"{ROUNDS} rounds of lies: what is shown is verified, and an honest answer mends it"):
        for n in range(ROUNDS):
            s.round(*tries[n % len(tries)])
        s.follower.run("verify")
        for what, n in sorted(s.liar.lied.items()):
            note(f"{n:4} x {what}")
        for what, sizes in s.repairs.items():
            note(f"mended after {what}: {sum(sizes) // len(sizes):,} bytes on the mean")
    with case("every sort of lie was told, about everything a phone asks for"):
        told = {what.split()[0] for what in s.liar.lied}
        assert told == set(LIES), set(LIES) - told
        about = {what.split()[1].split(".")[0] for what in s.liar.lied}
        assert {"log", "object", "keys"} <= about and about & {"head", "heads"}, about
        if ROUNDS > 100:
            assert {"cover", "item"} <= about, about
    s.server.stop()


with World() as world:
    main(world)
sys.exit(done())
