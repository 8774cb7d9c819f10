#!/usr/bin/env python3
"""A phone that is cut off at any byte, or killed at any moment, converges all the same, and never shows what it has not verified.

Between phone and server stands a proxy that ends connections after a random number of bytes; some syncs are killed besides. The server
changes meanwhile. Every few rounds the phone is let through and must hold exactly what the server publishes. Bytes are cut at places that
are evenly spread over their orders of magnitude: in a handshake, a head, the middle of a large object. Half of the rounds are those of phones with a
horizon, which narrows and widens from life to life.
"""
import json
import math
import random
import subprocess
import sys
import time

from lib import CuttingProxy, World

from tap import case, done, note, rounds

ROUNDS = rounds(1000, 40)     # both halves together
A_LIFE = 5      # rounds until the phone is let through; every other time one that holds nothing takes its place


def change_something(w, number):
    """New items, changed items, and a withdrawal now and then."""
    w.tjzw("import", "--data", w.data, "--publish", w.articles(12, name="more.ndjson", first=10_000 + 12 * number))
    w.tjzw("import", "--data", w.data, "--publish", w.articles(8, name="edit.ndjson", first=8 * number, mark=f"（第{number}次修订）"))
    items = [json.loads(line)["id"] for line in w.export().splitlines()]
    w.tjzw("item", "withdraw", "--data", w.data, "--reason", "测试", random.choice(items))


def cut_sync(phone, proxy, killed):
    """One sync that may come to nothing."""
    sync = phone.start("sync", url=proxy.url)
    if killed:
        time.sleep(random.expovariate(1 / 0.05))
        sync.kill()
    try:
        return sync.wait(60)
    except subprocess.TimeoutExpired:
        sync.kill()
        sync.wait()
        raise AssertionError("a sync over a cut connection hung for 60 s") from None


def items_of(text):
    return {json.loads(line)["id"]: line for line in text.splitlines()}


def check(w, phone, horizon, number):
    """It holds exactly what the server publishes, or the newest of it."""
    phone.run("verify")
    there, here = w.export(), phone.export()
    if horizon == "all":
        assert here == there, f"after round {number} phone and server differ"
        return
    all_, held = items_of(there), items_of(here)
    assert all(all_[i] == text for i, text in held.items()), f"after round {number} the phone shows what the server does not publish"
    assert horizon - 300 <= len(held) < len(all_), f"after round {number}: {len(held)} items"       # tombstones count for a horizon


def whole_sync(w, horizons):
    """The bytes of a first sync. While many changes are still being joined, which a busy machine does slowly, a phone may be asked to come again."""
    for number in range(24):
        done = w.phone(f"measure-{horizons[0]}-{number}").run("sync", "--json", check=False)
        if not done.returncode:
            return json.loads(done.stdout)["bytes_down"]
        assert b"stale" in done.stderr, done.stderr.decode()
        time.sleep(5)
    raise AssertionError("objects were still being joined after two minutes")


def cut_rounds(w, server, count, horizons):
    size = whole_sync(w, horizons)
    note(f"a whole sync brings {size} bytes")
    proxy = CuttingProxy(server.port, lambda: int(math.exp(random.uniform(0, math.log(size)))))
    outcome = {"done": 0, "failed": 0, "killed": 0}
    phone, horizon = w.phone(f"cut-{horizons[0]}"), horizons[0]
    args = phone.args
    for number in range(1, count + 1):
        killed = random.random() < 0.4
        phone.args = [*args, "--horizon", horizon]
        status = cut_sync(phone, proxy, killed)
        outcome["killed" if status < 0 else "failed" if status else "done"] += 1
        if number % A_LIFE == 0:
            if phone.store.exists():
                done = phone.run("verify", check=False)     # killed each time before it could write down whom it follows
                assert not done.returncode or b"is not followed" in done.stderr, done.stderr.decode()
            change_something(w, number)
            server.settle()
            phone.sync()
            check(w, phone, horizon, number)
            if number // A_LIFE % 2 == 0:
                phone = w.phone(f"cut-{horizons[0]}-{number}")
            horizon = horizons[number // A_LIFE % len(horizons)]
    note(f"{outcome}, {proxy.cuts} connections cut")
    assert proxy.cuts + outcome["killed"] >= count / 2, "too little was cut to mean anything"
    return proxy, size


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.corpus())
    server = w.serve()
    half = ROUNDS // 2
    with case(f"{half} cuts and kills at random: the phone converges every time it is let through"):
        proxy, size = cut_rounds(w, server, half, ["all"])

    with case("cut after cut, it still gets there through the proxy alone"):
        stubborn = w.phone("stubborn")
        proxy.budget = lambda: random.randrange(size // 20, size // 3)     # a third at most, each time
        tries = 0
        while stubborn.run("sync", url=proxy.url, check=False).returncode:
            tries += 1
            assert tries < 200, "200 syncs of up to a third each did not make a whole"
        note(f"{tries} broken syncs, then whole")
        assert stubborn.export() == w.export()

    with case(f"{half} more with a horizon that moves: never anything that is not proved, and in the end what it should hold"):
        w.tjzw("import", "--data", w.data, "--publish", w.articles(4000, name="many.ndjson", first=200_000, size=600))
        server.settle()
        proxy.close()
        proxy, _ = cut_rounds(w, server, half, [1500, 400, 3000, "all", 1200])

    proxy.close()
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
