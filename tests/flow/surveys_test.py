#!/usr/bin/env python3
"""A survey's life: drafted, opened, read by a phone, answered by browsers while the server is killed, ended, told to the public; and messages to an account."""
import json
import random
import sqlite3
import sys
import threading
import time

from lib import World
from visitor import Visitor

from tap import case, done, rounds

QUESTIONS = [{"kind": "single", "title": "您怎样来办事？", "choices": ["步行", "公交", "开车"], "required": True},
             {"kind": "multiple", "title": "愿意在哪里办？", "choices": ["网上", "手机", "窗口"], "most": 2},
             {"kind": "rating", "title": "总的来说满意吗？", "of": 5},
             {"kind": "text", "title": "还有什么意见？", "max": 200}]


def main(w):
    env = {"TJZW_RATE_LIMIT": "0", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_SURVEY_BROWSERS": "0"}
    server = w.serve(env=env)
    at = ["--data", w.data]

    def staff(*words, check=True, input=None):
        out = w.tjzw(*words[:2], *at, *words[2:], check=check, input=input)
        return json.loads(out.stdout) if out.returncode == 0 and out.stdout.strip().startswith(b"{") else out

    site = staff("site", "create", "--code", "1201030001", "--name", "示例区人民政府")
    column = staff("column", "create", "--site", site["no"], "--path", "互动交流/意见征集")

    def survey(**more):
        text = json.dumps({"site": site["no"], "column": column["no"], "kind": "survey", "title": "出行调查", "body": "请您回答。", "questions": QUESTIONS, **more},
                          ensure_ascii=False).encode()
        made = staff("surveys", "create", "-", input=text)["id"]
        for verb in ("submit", "approve", "open"):
            staff("surveys", verb, made)
        return made

    def answers(of):
        return staff("surveys", "results", of)["answers"]

    with case("a survey is public content: it reaches phones, pages and the API, and is withdrawn like all other"):
        of = survey()
        phone = w.phone()
        server.settle()
        phone.sync()
        assert "您怎样来办事？" in phone.export().decode()
        assert server.get(f"/v1/surveys/{of}").json()["questions"] == QUESTIONS
        assert f"/surveys/{of}" in server.get(f"/a/{of}").body.decode()
        other = survey(title="另一份")
        staff("item", "withdraw", "--reason", "重复", other)
        assert server.get(f"/surveys/{other}").status == 410
        assert [s["id"] for s in server.get("/v1/surveys").json()["surveys"]] == [of]

    def fill(visitor, page, **fields):
        return visitor.send(page, f"/surveys/{of}", **{k.replace("_", "-"): v for k, v in fields.items()})

    with case("a browser answers it without a script, once; a citizen who has signed in once as himself"):
        v = Visitor(server)
        page = v.get(f"/surveys/{of}")
        wrong = fill(v, page, q2_0=1)
        assert wrong.status == 422 and "请回答这个问题" in wrong.body, wrong
        assert fill(v, page, q1=1, q2_0=1, q2_2=1, q3=5, q4="多开几个窗口").location.startswith(f"/surveys/{of}?")
        assert "您已经答过" in v.get(f"/surveys/{of}").body
        li = Visitor(server).sign_in("13900000031")
        page = li.get(f"/surveys/{of}?large=1")
        assert li.post(f"/surveys/{of}", {**page.form(f"/surveys/{of}"), "q1": 0}).status == 303
        assert "您已经答过" in li.get(f"/surveys/{of}").body
        assert answers(of) == 2

    with case("kill -9 while browsers answer, and press twice: each is counted once"):
        pages, lock, stop = [], threading.Lock(), threading.Event()

        def people():
            while not stop.is_set():
                try:
                    v = Visitor(server)
                    page = v.get(f"/surveys/{of}")
                    if page.status != 200:
                        continue
                    with lock:
                        pages.append((v, page))
                    for _ in range(2):
                        fill(v, page, q1=2, q3=3)
                except (OSError, StopIteration, ValueError):
                    pass

        before = answers(of)
        for _ in range(rounds(20, 2)):
            stop.clear()
            threads = [threading.Thread(target=people) for _ in range(4)]
            for t in threads:
                t.start()
            time.sleep(random.uniform(0.3, 0.9))
            server.kill()
            stop.set()
            for t in threads:
                t.join()
            server = w.serve(env=env)
        for v, page in pages:
            v.server, v.port = server, server.port
            assert fill(v, page, q1=2, q3=3).status == 303
        result = staff("surveys", "results", of)
        assert result["answers"] == before + len(pages), (result, before, len(pages))
        assert sum(result["questions"][0]["counts"]) == result["answers"], result

    with case("staff export answers without a name, end it, and tell the public by way of a draft"):
        lines = [json.loads(x) for x in w.tjzw("surveys", "answers", *at, "--n", 1000, of).stdout.splitlines()]
        assert len(lines) == answers(of) and lines[0]["texts"][3] == "多开几个窗口" and set(lines[0]) == {"at", "chosen", "no", "texts"}, lines[0]
        table = w.tjzw("surveys", "csv", *at, of).stdout.decode("utf-8-sig")
        assert "网上、窗口" in table and "多开几个窗口" in table, table[:400]
        staff("surveys", "close", of)
        v = Visitor(server)
        assert "已经截止" in v.get(f"/surveys/{of}").body
        draft = staff("surveys", "draft", of)
        assert draft["state"] == "draft", draft
        for verb in ("submit", "approve", "publish"):
            staff("item", verb, draft["id"])
        told = server.get(f"/a/{draft['id']}").body.decode()
        assert f"共收到 {answers(of)} 份答卷" in told and f"/a/{of}" in told

    with case("messages: a sender that is killed and sends again sends once; read, removed, withdrawn"):
        account = only_citizen(w)
        for _ in range(rounds(10, 2)):
            server.kill()
            server = w.serve(env=env)
            for _ in range(2):
                staff("inbox", "send", "--account", account, "--group", "outage-3", "--title", "今晚升级", "--text", "二十二点到二十三点。")
        staff("inbox", "send", "--account", account, "--group", "other", "--title", "另一条")
        li.server, li.port = server, server.port
        page = li.get("/account/inbox")
        assert page.body.count("今晚升级</strong>") == 1 and page.body.count("【未读】") == 2, page
        assert li.send(page, "/account/inbox/seen").status == 303
        assert "【未读】" not in li.get("/account/inbox").body
        assert staff("inbox", "withdraw", "outage-3")["withdrawn"] == 1
        page = li.get("/account/inbox?large=1")
        assert "今晚升级" not in page.body and "另一条" in page.body
        assert li.send(page, "/account/inbox/drop").status == 303
        assert "另一条" not in li.get("/account/inbox").body


def only_citizen(w):
    db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        return db.execute("SELECT max(id) FROM account").fetchone()[0]
    finally:
        db.close()


with World() as world:
    main(world)
sys.exit(done())
