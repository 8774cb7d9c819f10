#!/usr/bin/env python3
"""What a citizen writes without a network on two phones arrives once, and both end equal: the real server, cut connections, phones that are killed at any
moment, two processes on one store, a shared phone.
"""
import json
import random
import re
import sqlite3
import subprocess
import sys

from lib import ROOT, CuttingProxy, World, clean_env, wait_for
from person import GOOD, NUMBER, Gateway, killed_sync, say, settle, sign_in, token_of

from tap import case, done, note, rounds

TYPES = ("fav", "read", "set", "follow", "place", "vote")
ROUNDS = rounds(120, 6)


def state(phone):
    """All that it shows, as text."""
    return {t: say(phone, "put", t) for t in TYPES}


def write_offline(phone, items, chance):
    """One thing, as its owner would."""
    item = chance.choice(items)
    what = chance.randrange(6)
    if what == 0:
        say(phone, "fav", item)
    elif what == 1:
        say(phone, "unfav", item)
    elif what == 2:
        say(phone, "read", item)
    elif what == 3:
        say(phone, "set", "font", chance.choice(["14", "16", "18", "20"]))
    elif what == 4:
        say(phone, "follow", f"tag/{chance.choice('abcdef')}", str(chance.randrange(1, 4)))
    else:
        say(phone, "put", "place", f"main/{item}", str(chance.randrange(1000)))


def told(phone, *args, input=None):
    """(exit status, what it says beside its output)"""
    done = subprocess.run(phone.command(*args), input=input, capture_output=True, text=True, env=clean_env(), timeout=120, check=False)
    return done.returncode, done.stderr


def write_letter(phone, written):
    """A letter; its number goes to `written`."""
    written.append(say(phone, "letter", "new", "--category", "suggest", "--unit", "heping", f"第{len(written)}封", "路灯不亮").split()[0])


def letters(phone):
    """The numbers of all letters that it shows, one a line."""
    return [line.split()[0] for line in say(phone, "letter", "list").splitlines()]


def main(w):
    gateway = Gateway()
    w.tjzw("import", "--data", w.data, "--publish", w.articles(60, size=400))
    server = w.serve(env=gateway.settings)
    server.settle()
    proxy = CuttingProxy(server.port, lambda: None)
    a, b = w.phone("a", url=proxy.url), w.phone("b", url=proxy.url)
    chance = random.Random(random.random())
    written = []

    with case("a guest's favourites become the account's when he signs in by a code"):
        say(a, "sync")
        items = [line.split()[1] for line in say(a, "list").splitlines()]
        say(a, "fav", items[0])
        say(a, "sync")
        assert "没有登录" in say(a, "me")
        say(a, "sign-in", NUMBER)
        code = wait_for("a code", 10, lambda: gateway.got.get(NUMBER))
        assert "已登录" in say(a, "sign-in", NUMBER, code)
        say(a, "sync")
        assert items[0] in say(a, "fav") and "待送出" not in say(a, "fav")

    with case("the same on another phone, signed in by a password"):
        token = token_of(a)
        headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
        assert (answer := server.get("/v1/me/password", "PUT", json.dumps({"password": GOOD}), headers)).status == 204, answer
        say(b, "sync")
        sign_in(b)
        say(b, "sync")
        assert say(b, "fav") == say(a, "fav")

    with case("written with the network cut on both, it arrives and both end equal"):
        proxy.budget = lambda: 1
        for _ in range(15):
            write_offline(a, items, chance)
            write_offline(b, items, chance)
        write_letter(a, written)
        write_letter(b, written)
        assert say(a, "sync", check=False) == "" and "待送出 0" not in say(a, "me")
        proxy.budget = lambda: None
        settle((a, b))
        assert state(a) == state(b), (state(a), state(b))
        assert "待送出 0，需要处理 1" in say(a, "me"), say(a, "me")
        assert "（missing）" in say(a, "outbox"), say(a, "outbox")     # there is no such unit yet

    with case("a kind of letter that there is not is told at once, with those that there are, and nothing is written"):
        known = re.findall(r'^LETTER_CATEGORY\(\w+, \d+, "(\w+)", "\w+", "(\S+)"', (ROOT / "server/citizen/letter_category.def").read_text(), re.MULTILINE)
        for how in (["--category", "nope", "--unit", "heping", "题", "文"], ["-"]):
            status, words = told(a, "letter", "new", *how, input='{"category":"nope","text":"文","title":"题","unit":"heping"}')
            assert status == 2 and len(known) == 7, (status, known)
            assert "没有这一类信件： nope" in words and all(f"{word} {chinese}" in words for word, chinese in known), words
        assert len(say(a, "outbox").splitlines()) == 2, say(a, "outbox")

    with case("a letter that was refused says why, which units there are and what to do, and holds nothing up; corrected, it has a number and a receipt that holds without a network"):
        made = server.admin("POST", "/v1/orgs", json.dumps({"code": "shili", "name": "示例区"}), {"content-type": "application/json"})
        assert made.status == 201, made
        for phone in (a, b):
            refused = re.search(r"信件  （(\S+)）", say(phone, "outbox"))[1]
            assert f"letter again {refused}" in say(phone, "letter", "show", refused) and "letter again" in told(phone, "outbox")[1]
            assert "没有这一类信件" in told(phone, "letter", "again", refused, "--category", "nope")[1]
            written.append(say(phone, "letter", "again", refused, "--unit", "nowhere").split()[0])
            assert refused not in say(phone, "outbox") and "没有这封要改正的信" in told(phone, "letter", "again", refused)[1]
        del written[:2]
        settle((a, b))
        assert "没有这个单位。单位代码例如：shili（示例区）" in say(a, "outbox"), say(a, "outbox")
        made = server.admin("POST", "/v1/orgs", json.dumps({"code": "heping", "name": "和平区"}), {"content-type": "application/json"})
        assert made.status == 201, made
        say(b, "outbox", "drop", say(b, "outbox").split()[0])
        written[:] = [say(a, "letter", "again", written[0], "--unit", "heping").split()[0]]
        settle((a, b))
        proxy.budget = lambda: 1
        shown = say(a, "letter", "show", written[0])
        assert "验证通过" in shown, shown
        assert re.search(r"JY\d{4}-000001", shown), shown
        assert say(b, "letter", "show", written[0]) == shown
        proxy.budget = lambda: None

    with case("after months the letter is as it was on either phone"):
        store = sqlite3.connect(a.store)
        store.execute("UPDATE taken SET written = written - 91 * 86400")
        store.commit()
        store.close()
        settle((a, b))
        assert say(a, "letter", "show", written[0]) == say(b, "letter", "show", written[0]) == shown

    with case("what is added to a letter takes a file along, written without a network"):
        paper = w.dir / "paper.pdf"
        paper.write_bytes(b"%PDF-1.7 a page more")
        proxy.budget = lambda: 1
        say(a, "letter", "add", "--attach", paper, written[0], "请看附件")
        proxy.budget = lambda: None
        settle((a,))
        letter = server.admin("GET", f"/v1/letters/{written[0]}").json()
        added = [step for step in letter["steps"] if step["verb"] == "add"]
        assert len(added) == 1 and added[0]["text"] == "请看附件" and added[0]["files"][0]["name"] == "paper.pdf", letter
        assert server.admin("GET", f"/v1/letters/{written[0]}/files/{added[0]['files'][0]['hash']}").body == paper.read_bytes()

    with case(f"{ROUNDS} rounds of cuts and kills: nothing is lost, nothing is twice"):
        for number in range(ROUNDS):
            proxy.budget = lambda: int(chance.expovariate(1 / 3000)) + 1
            for phone in (a, b):
                for _ in range(chance.randrange(4)):
                    write_offline(phone, items, chance)
                if len(written) < 15 and chance.random() < 0.3:
                    write_letter(phone, written)
                killed_sync(phone, chance)
            if number % 3 == 2:
                proxy.budget = lambda: None
                settle((a, b))
                assert state(a) == state(b), (number, state(a), state(b))
        proxy.budget = lambda: None
        settle((a, b))
        fresh = w.phone("fresh")
        say(fresh, "sync")
        sign_in(fresh)
        say(fresh, "sync")
        assert state(a) == state(b) == state(fresh), (state(a), state(b), state(fresh))
        assert sorted(letters(fresh)) == sorted(letters(a)) == sorted(letters(b)) == sorted(written), (letters(fresh), written)
        note(f"{proxy.cuts} connections cut, {len(written)} letters")

    with case("two processes on one store: both write while both sync"):
        running = [a.start("sync") for _ in range(3)]
        for item in items[10:16]:
            say(a, "fav", item)
            running.append(a.start("sync"))
        for r in running:
            r.wait(60)
        settle((a, b))
        assert state(a) == state(b)
        assert all(item in say(b, "fav") for item in items[10:16])

    with case("while one program listens, what another writes on the same phone goes up by itself, and the listener is told"):
        listening = subprocess.Popen(a.command("listen", "60"), stdout=subprocess.PIPE, env=clean_env())
        say(a, "follow", "tag/随时")
        wait_for("what was written to go up", 40, lambda: "待送出 0" in say(a, "me"))
        listening.terminate()
        assert "关注或设置有变化" in listening.communicate(timeout=30)[0].decode()
        settle((b,))
        assert "tag/随时" in say(b, "follow")

    with case("messages are listed in words, read on one device and read on all, and removed without a network"):
        account = re.search(r"账号 (\d+)", say(a, "me"))[1]
        for group in ("one", "two"):
            w.tjzw("inbox", "send", "--data", w.data, "--account", account, "--group", group, "--title", f"今晚升级{group}", "--text", "二十二点到二十三点。")
        settle((a, b))
        shown = say(a, "inbox")
        assert shown.count("【未读】今晚升级") == 2 and "二十二点到二十三点。" in shown, shown
        first, second = sorted((line.split()[0] for line in shown.splitlines() if "今晚升级" in line), key=int)
        proxy.budget = lambda: 1
        say(a, "inbox", "read", first)
        say(a, "inbox", "drop", second)
        assert say(a, "inbox", "read", "999999", check=False) == ""
        assert "【未读】" not in say(a, "inbox") and "今晚升级two" not in say(a, "inbox")
        proxy.budget = lambda: None
        settle((a, b))
        assert say(b, "inbox") == say(a, "inbox") != "", say(b, "inbox")

    with case("an answer is rated and another letter taken back without a network, and the unit is told both once"):
        write_letter(a, written)
        settle((a,))
        def staff(verb, body):
            answer = server.admin("POST", f"/v1/letters/{written[0]}/{verb}", json.dumps(body), {"content-type": "application/json"})
            assert answer.status == 200, (verb, answer)
            return answer.json()

        staff("accept", {})
        staff("review", {"draft": staff("draft", {"text": "已经修好"})["draft"]})
        staff("answer", {})
        assert "现在不能评价" in told(a, "rate", written[-1], "5")[1]      # nobody has answered that one
        settle((a,))
        proxy.budget = lambda: 1
        say(a, "rate", written[0], "5", "很快")
        say(a, "letter", "withdraw", written[-1], "已经亮了")
        assert "待送出 2" in say(a, "me"), say(a, "me")
        proxy.budget = lambda: None
        settle((a, b))
        for letter, verb, state_of, words in ((written[0], "rate", "rated", "很快"), (written[-1], "withdraw", "withdrawn", "已经亮了")):
            there = server.admin("GET", f"/v1/letters/{letter}").json()
            steps = [step for step in there["steps"] if step["verb"] == verb]
            assert there["state"] == state_of and len(steps) == 1 and steps[0]["text"] == words, there
            assert say(a, "letter", "show", letter) == say(b, "letter", "show", letter)

    with case("who signs out leaves nothing; the next one begins anew; who comes back finds what he had not sent"):
        proxy.budget = lambda: 1
        say(a, "follow", "tag/只有他知道")
        say(a, "sign-out")
        proxy.budget = lambda: None
        assert not any("只有他知道".encode() in f.read_bytes() for f in a.files() if f.is_file())
        assert say(a, "fav") == "" and "没有登录" in say(a, "me")
        say(a, "sync")
        assert say(a, "follow") == ""
        sign_in(a)
        settle((a, b))
        assert "tag/只有他知道" in say(b, "follow"), say(b, "follow")
        assert state(a) == state(b)

    with case("a session that was ended elsewhere leaves the phone"):
        answer = server.get("/v1/me/sessions", "DELETE", None, {"authorization": "Bearer " + token_of(b)})
        assert answer.status == 204, answer
        assert say(a, "sync", check=False) is not None
        assert "登录已在别处结束" in say(a, "me") and say(a, "fav") == ""

    with case("a citizen takes his data with him, and may leave"):
        sign_in(b)
        assert json.loads(say(b, "account", "export"))
        assert "已申请注销" in say(b, "account", "delete")
        assert "已撤回" in say(b, "account", "stay")

    proxy.close()
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
