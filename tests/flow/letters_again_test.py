#!/usr/bin/env python3
"""What a phone sends once more arrives as it was: one file from two phones at once, letters about an item that a restore lost, messages that point at what the phone does not hold yet."""
import hashlib
import json
import re
import sqlite3
import sys
import threading
import time
import uuid

from citizen import png, sync
from letters_test import guest
from lib import World, wait_for
from person import GOOD, NUMBER, Gateway, say, sign_in, token_of

from tap import case, done

DEVICE, OTHER = "q83vEjRWeJCrze8SNFZ4kA", "s" * 21 + "A"


def at_once(*jobs):
    """Runs them together; what each said."""
    said = []
    threads = [threading.Thread(target=lambda job=job: said.append(job())) for job in jobs]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return said


def uploads(server, w, phones):
    li = guest(server)
    with case("of three who send the last piece at once one is told that it is there, and who is too early to come again"):
        picture = png(3000, 3000, 9_000_000, b"x")
        name, last = hashlib.sha256(picture).hexdigest(), len(picture) // (256 << 10) * (256 << 10)
        assert li.put(picture[:last], name, len(picture)).status == 200
        answers = at_once(*[lambda: li.put(picture, name, first=last)] * 3)
        assert any(a.status in (200, 201) for a in answers), answers
        assert all(a.status in (200, 201) or (a.status == 503 and 1 <= int(a.headers["retry-after"]) <= 4) for a in answers), [(a.status, a.body) for a in answers]
        assert li.put(picture, name, first=last).status in (200, 201)

    with case("two phones of one account send letters with the same picture at once: both arrive, and none needs attention"):
        paper = w.dir / "lamp.png"
        paper.write_bytes(png(3000, 3000, 6_000_000, b"y"))
        for phone in phones:
            say(phone, "letter", "new", "--category", "suggest", "--unit", "heping", "--attach", paper, "路灯", f"不亮 {phone.store.name}")
        at_once(*[lambda phone=phone: say(phone, "sync", check=False) for phone in phones])
        for phone in phones:
            assert "需要处理" not in say(phone, "outbox"), say(phone, "outbox")
            wait_for("the letter to arrive", 60, lambda phone=phone: (say(phone, "sync", check=False), not say(phone, "outbox"))[1])


def messages(server, w, phone):
    with case("a message that points at an item is shown when the phone holds that item, not before"):
        account = int(re.search(r"账号 (\d+)", say(phone, "me"))[1])
        w.tjzw("import", "--data", w.data, "--publish", w.articles(1, name="one.ndjson", first=50, size=400))
        server.settle()
        item = next(e["id"] for e in map(json.loads, w.export().splitlines()) if e["title"].startswith("示例文章第50号"))
        body = json.dumps({"account": account, "group": "look", "title": "请看这一条", "item": item})
        assert server.admin("POST", "/v1/inbox", body, {"content-type": "application/json"}).status == 201
        say(phone, "--server", "https://127.0.0.1:1", "sync", check=False)   # the public content is away; his own comes from where he signed in
        assert "请看这一条" in str(entries_of(phone)) and "请看这一条" not in say(phone, "inbox")
        say(phone, "sync")
        assert "请看这一条" in say(phone, "inbox") and item in say(phone, "list")


def about_an_item(server, phone):
    with case("a letter about an item that the phone holds says which, and as of when"):
        item = say(phone, "list").split()[1]
        written = say(phone, "letter", "new", "--category", "fault", "--unit", "heping", "--item", item, "电话", "电话号码不对").split()[0]
        assert say(phone, "letter", "new", "--category", "fault", "--unit", "heping", "--item", str(uuid.uuid4()), "电话", "电话号码不对", check=False) == ""
        say(phone, "sync")
        assert not say(phone, "outbox"), say(phone, "outbox")
        there = server.admin("GET", f"/v1/letters/{written}").json()
        assert there["item"] == f"main/{item}" and there["seq"] == server.settle()["seq"], there


def entries_of(phone):
    db = sqlite3.connect(phone.store)
    try:
        return db.execute("SELECT value FROM entry WHERE type = 'message'").fetchall()
    finally:
        db.close()


def faults(server, w, settings):
    li = guest(server)
    kept = w.dir / "kept"
    w.tjzw("backup", "--data", w.data, kept)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(3, name="more.ndjson", first=100, size=400))
    seq = server.settle()["seq"]
    items = [json.loads(line) for line in w.export().splitlines()]
    old, new = items[0]["id"], next(x["id"] for x in items if x["title"].startswith("示例文章第100号"))
    values = [{"category": "fault", "unit": "heping", "title": "错", "text": "电话不对", "item": f"main/{i}", "seq": seq} for i in (old, new, old)]
    keys = [str(uuid.uuid4()) for _ in values]
    sent, _ = sync(li, DEVICE, *({"n": i + 1, "type": "letter.send", "key": keys[i], "value": values[i]} for i in range(2)))
    assert all(sent[n]["result"] == "done" for n in (1, 2)), sent
    server.stop()
    w.data.rename(w.dir / "burnt")
    w.tjzw("restore", "--data", w.data, kept)
    time.sleep(1.1)
    server = w.serve(env=settings, port=server.port)
    li = guest(server)

    with case("letters about an item and as of a seq that a restore lost come again by their receipts, each with its number"):
        again, _ = sync(li, OTHER, *({"n": n, "type": "letter.send", "key": keys[n - 1], "value": {**values[n - 1], "receipt": sent[n]["receipt"]}} for n in (1, 2)))
        assert [again[n].get("number") for n in (1, 2)] == [sent[n]["number"] for n in (1, 2)], again

    with case("and one that had not been sent yet is taken, though it was written as of a seq that is to come"):
        first, _ = sync(li, OTHER, {"n": 3, "type": "letter.send", "key": keys[2], "value": values[2]})
        assert first[3]["result"] == "done", first
    server.stop()


def main(w):
    gateway = Gateway()
    settings = gateway.settings
    w.tjzw("import", "--data", w.data, "--publish", w.articles(5, size=400))
    server = w.serve(env=settings)
    w.tjzw("org", "create", "--data", w.data, "--code", "heping", "--name", "和平区")
    server.settle()
    phones = [w.phone("a"), w.phone("b")]
    for phone in phones:
        say(phone, "sync")
    say(phones[0], "sign-in", NUMBER)
    say(phones[0], "sign-in", NUMBER, wait_for("a code", 20, lambda: gateway.got.get(NUMBER)))
    headers = {"authorization": "Bearer " + token_of(phones[0]), "content-type": "application/json"}
    assert server.get("/v1/me/password", "PUT", json.dumps({"password": GOOD}), headers).status == 204
    sign_in(phones[1])
    uploads(server, w, phones)
    messages(server, w, phones[0])
    about_an_item(server, phones[0])
    faults(server, w, settings)


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
