#!/usr/bin/env python3
"""A session that the real server has ended because the answer to an exchange of its token was lost for longer than it remembers: a guest keeps all that was his
on his phone, and a citizen who signs in again loses nothing that was not sent."""
import json
import sqlite3
import sys
import time

from lib import World, wait_for
from person import GOOD, NUMBER, Gateway, say, sign_in

from tap import case, done

TYPES = ("fav", "read", "set", "follow", "place", "vote")


def row(phone, sql, *args):
    db = sqlite3.connect(phone.store, timeout=20)
    try:
        with db:
            return db.execute(sql, args).fetchone()
    finally:
        db.close()


def exchange_unheard(server, phone):
    """The token was exchanged, and the answer never came."""
    old = row(phone, "SELECT refresh FROM person WHERE state = 1")[0]
    answer = server.get("/v1/auth/refresh", "POST", json.dumps({"refresh": old}), {"content-type": "application/json"})
    assert answer.status == 200, answer
    row(phone, "UPDATE person SET access = 'tja_' || substr(access, 5, 4) || 'AAAA' WHERE state = 1")      # it is over


def state(phone):
    return {t: say(phone, "put", t) for t in TYPES}


def main(w):
    gateway = Gateway()
    w.tjzw("import", "--data", w.data, "--publish", w.articles(20, size=400))
    server = w.serve(env=gateway.settings)
    server.settle()
    assert server.admin("POST", "/v1/orgs", json.dumps({"code": "heping", "name": "和平区"}), {"content-type": "application/json"}).status == 201
    guest, citizen, other = w.phone("guest"), w.phone("citizen"), w.phone("other")
    for phone in (guest, citizen, other):
        say(phone, "sync")
    items = [line.split()[1] for line in say(guest, "list").splitlines()]

    for phone in (citizen, other):
        gateway.got.pop(NUMBER, None)
        if phone is citizen:
            say(phone, "sign-in", NUMBER)
            say(phone, "sign-in", NUMBER, wait_for("a code", 10, lambda: gateway.got.get(NUMBER)))
            say(phone, "sync")
            token = row(phone, "SELECT access FROM person WHERE state = 1")[0]
            headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
            assert server.get("/v1/me/password", "PUT", json.dumps({"password": GOOD}), headers).status == 204
        else:
            sign_in(phone)
    for phone in (guest, citizen):
        say(phone, "fav", items[0])
        say(phone, "read", items[1])
        say(phone, "follow", "tag/社保")
        say(phone, "set", "font", "20")
        say(phone, "put", "place", f"main/{items[0]}", "500")
        say(phone, "rate", items[2], "有用")
    letter = say(guest, "letter", "new", "--category", "fault", "--unit", "heping", "错字", "第三行有一个错字").split()[0]
    for phone in (guest, citizen):
        say(phone, "sync")
    assert "-000001" in say(guest, "letter", "list"), say(guest, "letter", "list")
    before, shown, account = state(guest), say(guest, "letter", "show", letter), row(guest, "SELECT account FROM person WHERE state = 1")[0]

    for phone in (guest, citizen):
        exchange_unheard(server, phone)
    say(guest, "fav", items[5])
    say(citizen, "fav", items[6])
    unsent = say(citizen, "letter", "new", "--category", "suggest", "--unit", "heping", "路灯", "不亮").split()[0]
    time.sleep(11)                                              # the server remembers its answer for ten seconds

    with case("a guest goes on as if nothing had happened: another guest of the server, and all that was his"):
        say(guest, "sync")
        say(guest, "sync")
        assert row(guest, "SELECT account FROM person WHERE state = 1")[0] != account
        after = state(guest)
        assert items[5] in after.pop("fav") and items[0] in before.pop("fav")
        assert after == before, (after, before)
        assert "待送出 0，需要处理 0" in say(guest, "me"), say(guest, "outbox")
        assert say(guest, "letter", "show", letter) == shown and "验证通过" in shown, shown

    with case("he voted once, though both guests are still there: the lost one's vote is not counted any more"):
        votes = json.loads(w.tjzw("votes", "--data", w.data).stdout)["votes"]
        assert [(v["item"], v["useful"]) for v in votes] == [(items[2], 2)], votes          # his, and the citizen's

    with case("a citizen is asked to sign in again, and what he had not sent arrives, once"):
        assert say(citizen, "sync", check=False) is not None and "登录已在别处结束" in say(citizen, "me")
        assert say(citizen, "fav") == "" and say(citizen, "letter", "list") == ""
        sign_in(citizen)
        for phone in (citizen, other, citizen):
            say(phone, "sync")
        assert items[6] in say(other, "fav") and items[0] in say(other, "fav")
        assert [line.split()[0] for line in say(other, "letter", "list").splitlines()] == [unsent]
        assert state(citizen) == state(other)

    server.stop()


with World() as world:
    main(world)
sys.exit(done())
