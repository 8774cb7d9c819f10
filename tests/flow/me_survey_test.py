#!/usr/bin/env python3
"""Surveys and votes on phones, with the real server: read and answered with the network cut, killed while sending, counted once; refused with a sentence."""
import json
import random
import sys

from lib import CuttingProxy, World
from person import Gateway, killed_sync, say

from tap import case, done, rounds

QUESTIONS = [{"kind": "single", "title": "您怎样来办事？", "choices": ["步行", "公交", "开车"], "required": True},
             {"kind": "multiple", "title": "愿意在哪里办？", "choices": ["网上", "手机", "窗口"], "most": 2},
             {"kind": "rating", "title": "总的来说满意吗？", "of": 5},
             {"kind": "text", "title": "还有什么意见？", "max": 200}]


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(5, size=400))
    server = w.serve(env=Gateway().settings)
    at = ["--data", w.data]
    proxy = CuttingProxy(server.port, lambda: None)
    chance = random.Random(random.random())

    def staff(*words, input=None):
        return json.loads(w.tjzw(*words[:2], *at, *words[2:], input=input).stdout)

    site = staff("site", "create", "--code", "1201030001", "--name", "示例区人民政府")
    column = staff("column", "create", "--site", site["no"], "--path", "互动交流/意见征集")

    def survey(**more):
        text = {"site": site["no"], "column": column["no"], "kind": "survey", "title": "出行调查", "body": "请您回答。", "questions": QUESTIONS, **more}
        made = staff("surveys", "create", "-", input=json.dumps(text, ensure_ascii=False).encode())["id"]
        for verb in ("submit", "approve", "open"):
            staff("surveys", verb, made)
        return made

    def votes_of(item):
        return server.admin("GET", f"/v1/staff/votes?item={item}").json()["votes"]

    def results(of):
        return staff("surveys", "results", of)

    of, named, short = survey(), survey(title="实名征集", audience="实名用户"), survey(title="马上截止")
    server.settle()
    phones = [w.phone(f"p{i}", url=proxy.url) for i in range(rounds(20, 4))]
    a, b = phones[:2]
    for phone in phones:
        say(phone, "sync")

    with case("with the network cut it is listed, read and answered, and what does not answer it is told at once"):
        proxy.budget = lambda: 1
        assert say(a, "survey").count("进行中") == 3, say(a, "survey")
        shown = say(a, "survey", "show", of)
        assert all(t in shown for t in ("您怎样来办事？（必答，选一项，写号码 1 到 3）", "   2  公交", "最多 2 项", "1 最低，5 最高", "请您回答。", "每部手机一份")), shown
        for wrong in ("", "\n", "4\n\n\n\n", "1\n1 2 3\n\n\n", "1\n\n6\n\n", "公\n\n\n\n", "公交1\n\n\n\n"):
            assert say(a, "survey", "answer", of, text=wrong, check=False) == "", wrong
        assert "待送出 0" in say(a, "me")
        assert "已记在本机" in say(a, "survey", "answer", of, text="公交\n窗口、１\n5\n多开几个窗口\n")
        shown = say(a, "survey", "show", of)
        assert all(t in shown for t in ("已填好，待送出", "您的回答：公交", "您的回答：窗口、网上", "您的回答：5 分", "您的回答：多开几个窗口")), shown
        assert say(a, "survey", "answer", of, text="1\n\n\n\n", check=False) == ""
        assert say(a, "survey", "answer", named, text="1\n\n\n\n", check=False) == ""    # nobody has signed in
        for phone in phones[1:]:
            say(phone, "survey", "answer", of, text="1\n\n3\n\n")
        say(b, "survey", "answer", short, text="1\n\n\n\n")

    with case("killed at any moment and cut while sending, each answer is counted once"):
        for _ in range(rounds(15, 3)):
            proxy.budget = lambda: chance.choice([None, None, 300, 900, 2000])
            for phone in phones:
                killed_sync(phone, chance)
        staff("surveys", "close", short)
        proxy.budget = lambda: None
        for phone in phones:
            say(phone, "sync")
            say(phone, "sync")
        result = results(of)
        assert result["answers"] == len(phones), (result, [say(x, "outbox") for x in phones])
        assert result["questions"][0]["counts"] == [len(phones) - 1, 1, 0], result
        assert result["questions"][1]["counts"] == [1, 0, 1] and result["questions"][3]["counts"] == [1], result
        assert "已回答" in say(a, "survey") and "待送出 0，需要处理 0" in say(a, "me")

    with case("one that comes too late is refused with a sentence, and is there no more to be answered"):
        late = w.phone("late", url=proxy.url)
        other = survey(title="另一份")
        server.settle()
        say(late, "sync")
        proxy.budget = lambda: 1
        say(late, "survey", "answer", other, text="3\n\n\n\n")
        staff("surveys", "close", other)
        proxy.budget = lambda: None
        server.settle()
        say(late, "sync")
        assert "这份问卷已经截止" in say(late, "outbox") and "需要处理" in say(late, "survey"), say(late, "outbox")
        assert results(other)["answers"] == 0

    with case("useful or not is one vote of a phone, changed and taken back without a network"):
        item = json.loads(say(a, "export").splitlines()[0])["id"]
        proxy.budget = lambda: 1
        say(a, "rate", item, "没用")
        say(a, "rate", item, "有用")
        say(b, "rate", item, "没用")
        assert say(a, "rate", "0190f3c2-7d1c-4a3e-9f00-3c1d5b7e9a11", "有用", check=False) == ""
        proxy.budget = lambda: None
        for phone in (a, b):
            killed_sync(phone, chance)
            say(phone, "sync")
        votes = votes_of(item)
        assert [(v["useful"], v["useless"]) for v in votes] == [(1, 1)], votes
        say(b, "rate", item, "撤回")
        say(b, "sync")
        votes = votes_of(item)
        assert [(v["useful"], v["useless"]) for v in votes] == [(1, 0)], votes

    proxy.close()
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
