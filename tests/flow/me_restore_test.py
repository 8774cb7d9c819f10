#!/usr/bin/env python3
"""A server that was restored from a backup: phones learn it by the epoch, what the backup does not have comes back from them where it is theirs to give, and nothing is twice."""
import json
import sqlite3
import subprocess
import sys
import time
from uuid import uuid4

from lib import World, clean_env, wait_for
from person import GOOD, NUMBER, Gateway, say, settle, sign_in, token_of

from tap import case, done


def write(phone, *more):
    """A letter; its UUID."""
    return say(phone, "letter", "new", "--category", "suggest", "--unit", "heping", *more, "路灯", "路灯不亮").split()[0]


def exchange(server, token, **body):
    answer = server.get("/v1/me/sync", "POST", json.dumps(body), {"authorization": "Bearer " + token, "content-type": "application/json"})
    assert answer.status == 200, answer
    return answer.json()


def come(gateway, phone, number):
    say(phone, "sign-in", number)
    say(phone, "sign-in", number, wait_for("a code", 20, lambda: gateway.got.pop(number, None)))


def account_of(phone):
    db = sqlite3.connect(phone.store)
    try:
        return db.execute("SELECT account FROM person WHERE state = 1").fetchone()[0]
    finally:
        db.close()


def password_of(server, phone):
    headers = {"authorization": "Bearer " + token_of(phone), "content-type": "application/json"}
    assert server.get("/v1/me/password", "PUT", json.dumps({"password": GOOD}), headers).status == 204


def main(w):
    gateway = Gateway()
    w.tjzw("import", "--data", w.data, "--publish", w.articles(5, size=400))
    server = w.serve(env=gateway.settings)
    w.tjzw("org", "create", "--data", w.data, "--code", "heping", "--name", "和平区")
    server.settle()
    a, b = w.phone("a"), w.phone("b")
    for phone in (a, b):
        say(phone, "sync")
    say(a, "sign-in", NUMBER)
    say(a, "sign-in", NUMBER, wait_for("a code", 20, lambda: gateway.got.get(NUMBER)))
    say(a, "sync")
    token = token_of(a)
    password_of(server, a)
    sign_in(b)
    items = [line.split()[1] for line in say(a, "list").splitlines()]

    say(a, "fav", items[0])
    old = write(a)
    guest = w.phone("guest")
    say(guest, "sync")
    say(guest, "rate", items[2], "有用")
    settle((a, b, guest))
    kept = w.dir / "kept"
    w.tjzw("backup", "--data", w.data, kept)
    before = exchange(server, token)["cursor"]

    late = w.phone("late")
    say(late, "sync")
    come(gateway, late, "13800138001")
    say(late, "fav", items[3])
    number_of_late = account_of(late)

    # What the backup does not have: whoever came later, a favourite, a letter with a file, and the removal of what it has.
    paper = w.dir / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7 " + b"a page " * 100)
    say(a, "fav", items[1])
    say(b, "unfav", items[0])
    new = write(a, "--attach", paper)
    settle((a, b))
    said = {"category": "suggest", "unit": "heping", "title": "路灯", "text": "还有一盏"}
    mail = {"type": "letter.send", "key": str(uuid4()), "n": 1}
    gave = exchange(server, token, device="r" * 21 + "A", mutations=[{**mail, "value": said}])["results"][0]
    given = {gave["number"], server.admin("GET", f"/v1/letters/{new}").json()["number"]}
    number = server.admin("GET", f"/v1/letters/{new}").json()["number"]
    lost = exchange(server, token)["cursor"]
    server.stop()
    w.data.rename(w.dir / "burnt")
    w.tjzw("restore", "--data", w.data, kept)
    time.sleep(1.1)     # an epoch is a second
    server = w.serve(env=gateway.settings, port=server.port)

    with case("the number of somebody who came after the backup is somebody else's now, who gets nothing of his on his phone"):
        stranger = w.phone("stranger")
        say(stranger, "sync")
        come(gateway, stranger, "13800138002")
        assert account_of(stranger) == number_of_late, "the backup gives no number again: nothing is shown"
        before_him = say(late, "fav")
        assert items[3] in before_him and items[3] not in say(stranger, "fav")
        password_of(server, stranger)
        ran = subprocess.run(late.command("sign-in", "--password", "13800138002"), input=GOOD.encode() + b"\n", capture_output=True, env=clean_env(), timeout=60)
        assert ran.returncode and "somebody else" in ran.stderr.decode(), ran
        assert say(late, "fav") == before_him

    with case("the vote of a guest, who is another one now, is counted once"):
        for _ in range(3):
            say(guest, "sync", check=False)
        votes = json.loads(w.tjzw("votes", "--data", w.data).stdout)["votes"]
        assert [(v["item"], v["useful"]) for v in votes] == [(items[2], 1)], votes

    with case("who had signed in signs in again: a restored server knows no session"):
        assert server.get("/v1/me/sync", "POST", b"{}", {"authorization": "Bearer " + token, "content-type": "application/json"}).status == 401
        assert [server.admin("GET", f"/v1/letters/{uuid}").status for uuid in (old, new)] == [200, 404]
        for phone in (a, b):
            say(phone, "sync", check=False)
            sign_in(phone)
        token = token_of(a)

    with case("the state has another epoch: a cursor of before, also one that is ahead, gets all there is anew"):
        for cursor in (before, lost):
            answer = exchange(server, token, cursor=cursor)
            assert answer["reset"] and answer["cursor"].split(".")[0] != cursor.split(".")[0], (cursor, answer["cursor"])
            # A message's number is a seq: what was given to one that is lost is given to no other, of which a phone would say what it had to say of the first.
            assert int(answer["cursor"].split(".")[1]) > int(lost.split(".")[1]), (lost, answer["cursor"])
            assert {(e["type"], e["key"]) for e in answer["entries"]} >= {("fav", f"main/{items[0]}"), ("letter", old)}, answer

    with case("and keeps it over a restart that restored nothing"):
        epoch = exchange(server, token)["cursor"].split(".")[0]
        server.stop()
        server = w.serve(env=gateway.settings, port=server.port)
        assert exchange(server, token)["cursor"].split(".")[0] == epoch

    with case("phones learn it and send again: the letter that was lost is there, whole, and the one that was not is there once"):
        settle((a, b))
        for uuid in (old, new):
            letter = server.admin("GET", f"/v1/letters/{uuid}").json()
            assert letter["id"] == uuid and letter["text"] == "路灯不亮", letter
        assert letter["number"] == number, (letter["number"], number)   # of the one that was lost, too
        assert "验证通过" in say(a, "letter", "show", new) and number in say(a, "letter", "show", new), say(a, "letter", "show", new)
        assert say(b, "letter", "show", new) == say(a, "letter", "show", new)
        assert server.admin("GET", f"/v1/letters/{new}/files/{letter['files'][0]['hash']}").body == paper.read_bytes()
        assert len(server.admin("GET", "/v1/letters?n=200").json()["letters"]) == 2

    with case("both phones show what the restored server has, and what they write now arrives"):
        say(a, "fav", items[2])
        settle((a, b))
        assert say(a, "fav") == say(b, "fav") and items[0] in say(a, "fav") and items[2] in say(b, "fav"), (say(a, "fav"), say(b, "fav"))
        shown = [sorted(line.split()[0] for line in say(phone, "letter", "list").splitlines()) for phone in (a, b)]
        assert shown == [sorted((old, new))] * 2, shown
        assert "待送出 0，需要处理 0" in say(a, "me"), say(a, "me")

    with case("no number that was given after the backup is given to another letter, and who brings his receipt has his own again"):
        numbers = {letter["id"]: letter["number"] for letter in server.admin("GET", "/v1/letters?n=200").json()["letters"]}
        assert gave["number"] not in numbers.values() and len(given) == 2, (gave, numbers)
        again = exchange(server, token, device="s" * 21 + "A", mutations=[{**mail, "value": {**said, "receipt": gave["receipt"]}}])["results"][0]
        assert (again["number"], again["receipt"]) == (gave["number"], gave["receipt"]), (again, gave)
        another = exchange(server, token, device="s" * 21 + "A", mutations=[{**mail, "n": 2, "key": str(uuid4()), "value": said}])["results"][0]
        assert another["number"] not in given and int(another["number"].split("-")[1]) > 100000, another


    with case("who does not agree any more that his letter is published says so from his phone"):
        mine = write(a, "--public")
        settle((a,))
        assert server.admin("GET", f"/v1/letters/{mine}").json()["public"] is True
        say(a, "letter", "private", mine)
        settle((a,))
        assert server.admin("GET", f"/v1/letters/{mine}").json()["public"] is False
        assert "待送出 0，需要处理 0" in say(a, "me"), say(a, "me")


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
