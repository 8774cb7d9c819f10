#!/usr/bin/env python3
"""Counts of reads by phones, with the real server: read without a network, told of the next day, cut and killed while telling; the server counts each once."""
import json
import random
import sqlite3
import sys

from lib import CuttingProxy, World
from person import Gateway, killed_sync, say

from tap import case, done, rounds


def tamper(phone, sql):
    """As the clock would: a day passes, the hour of a report comes."""
    db = sqlite3.connect(phone.store, timeout=20)
    try:
        with db:
            db.execute(sql)
    finally:
        db.close()


def kept(phone):
    db = sqlite3.connect(phone.store)
    try:
        return db.execute("SELECT (SELECT count(*) FROM read_count), (SELECT count(*) FROM report)").fetchone()
    finally:
        db.close()


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(12, size=400))
    server = w.serve(env={**Gateway().settings, "TJZW_COUNTS_REPORTS": "0"})
    server.settle()
    proxy = CuttingProxy(server.port, lambda: None)
    chance = random.Random(random.random())
    phones = [w.phone(f"p{i}", url=proxy.url) for i in range(rounds(12, 4))]
    for phone in phones:
        say(phone, "sync")
    items = [line.split()[1] for line in say(phones[0], "list").splitlines()]
    read = dict.fromkeys(items, 0)

    def counted():
        rows = server.admin("GET", "/v1/staff/counts?n=1000").json()["counts"]
        return {i: sum(r["phone"] for r in rows if r["item"] == i) for i in items}, sum(r["apart"] for r in rows)

    with case("who was not asked is not counted, on the phone or anywhere"):
        say(phones[0], "show", items[0])
        assert "没有计入" in say(phones[0], "counts") and kept(phones[0]) == (0, 0)

    with case("who agreed is counted without a network, and told of when the day is over"):
        proxy.budget = lambda: 1
        for phone in phones:
            say(phone, "counts", "on")
            for _ in range(5):
                read[item := chance.choice(items)] += 1
                say(phone, "show", item)
        proxy.budget = lambda: None
        for phone in phones:
            say(phone, "sync")                                  # the day is not over
            assert kept(phone)[0] and not kept(phone)[1]
        assert counted() == (dict.fromkeys(items, 0), 0)

    with case("cut and killed at any moment while they tell of it, each read is counted once"):
        for phone in phones:
            tamper(phone, "UPDATE read_count SET day = day - 1")
            say(phone, "sync")
            tamper(phone, "UPDATE report SET due = 0")
        proxy.budget = lambda: chance.choice([None, 300, 900, 2000, 5000])
        for _ in range(rounds(20, 4)):
            for phone in phones:
                killed_sync(phone, chance)
                if kept(phone)[1]:
                    tamper(phone, "UPDATE report SET due = 0")     # not in an hour: now
        proxy.budget = lambda: None
        for phone in phones:
            tamper(phone, "UPDATE report SET due = 0")
            say(phone, "sync")
            assert kept(phone) == (0, 0)
        assert counted() == (read, 0), (counted(), read)

    with case("an answer that is lost, and a copy of the phone, count nothing twice"):
        say(phones[0], "show", items[0])
        tamper(phones[0], "UPDATE read_count SET day = day - 1")
        say(phones[0], "sync")
        tamper(phones[0], "UPDATE report SET due = 0")
        twin = phones[0].copy("twin")
        say(phones[0], "sync")
        say(twin, "sync", check=False)
        read[items[0]] += 1
        assert counted() == (read, 0), (counted(), read)

    with case("who agrees no more has nothing told of him that was not told yet"):
        say(phones[1], "show", items[1])
        assert kept(phones[1]) == (1, 0) and "已经删去" in say(phones[1], "counts", "off")
        assert kept(phones[1]) == (0, 0)

    proxy.close()
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
