#!/usr/bin/env python3
"""A push campaign of the newsroom's day, from its draft to its recall, by commands alone: an editor, reviewers, an operator, two approvers, and two citizens' phones, which show the message and
lose it; their vendor is tests/mocks/farm.mjs.

The server is the demo; whom it has no role for yet gets one from the security administrator.
"""
import json
import shutil
import sys

from app import App
from lib import World, wait_for
from newsroom import Newsroom
from vendor_farm import Farm, apns_tokens, make_keys

from tap import case, done, skip

SITE = "9900000001"
ROLES = {"editor": "push_operator", "review1": "push_approver", "review2": "push_approver"}
DEVICE = "q83vEjRWeJCrze8SNFZ4kA"


def record(room):
    """A message of the library: first it is published, then it is pushed."""
    column = room.does("site", "column", "create", "--site", SITE, "--path", "通知公告/停水")["no"]
    text = json.dumps({"kind": "message", "column": column, "title": "示例：明天停水", "body": "八点到十点。"}).encode()
    item = room.does("editor", "item", "create", "-", input=text)["id"]
    room.may_not("editor", "push", "draft", "-", input=campaign(item), says="没有发布")
    room.does("editor", "item", "submit", item)
    room.does("review3", "item", "approve", item)
    room.does("publisher", "item", "publish", item)
    return item


def campaign(item, **more):
    return json.dumps({"item": item, "class": "marketing", "title": "明天停水", "text": "八点到十点，请提前备水。", "audience": {"all": True}, **more}).encode()


def morning(room):
    with case("they sign in; the security administrator makes an operator and two approvers of three of them"):
        room.come(*ROLES, "site", "security", "review3", "publisher")
        names = {"editor": "编辑", "review1": "初审", "review2": "复审"}
        listed = {a["name"]: a["account"] for a in room.does("security", "accounts", "list")["accounts"]}
        for name, role in ROLES.items():
            number = next(no for n, no in listed.items() if names[name] in n)
            room.does("security", "roles", "grant", "--role", role, "--site", SITE, "--account", str(number))


def draft(room, item):
    with case("an operator drafts it; free text, a past time, warnings and others' work are refused, each with its reason"):
        room.may_not("editor", "push", "draft", "-", input=b'{"title":"x"}', says="消息")
        room.may_not("editor", "push", "draft", "-", input=campaign(item, start="2020-01-01"), says="过去")
        room.may_not("editor", "push", "draft", "-", input=campaign(item, **{"class": "emergency"}), says="预警")
        room.may_not("review1", "push", "draft", "-", input=campaign(item))
        made = room.does("editor", "push", "draft", "-", input=campaign(item))
        assert made["state"] == "draft" and made["approvalsNeeded"] == 2 and "退订" in made["shown"]["text"], made
    return str(made["campaign"])


def look(room, li, no):
    with case("the plan says whom it reaches; a test send comes to the tester's phone, and before that it cannot be handed in"):
        wait_for("the phones in the audience", 30, lambda: room.does("editor", "push", "plan", no)["audience"] == 2)
        plan = room.does("editor", "push", "plan", no)
        assert plan["off"] == 0 and plan["send"] == 2, plan
        assert room.does("editor", "push", "sample", no)["people"] == []
        room.may_not("editor", "push", "submit", no, says="试发")
        room.does("editor", "push", "test", no)
        tested(room, no)
        entries = li.call("POST", "/v1/me/sync", {"device": DEVICE, "mutations": []}).json()["entries"]
        assert any(e["type"] == "message" and e["value"]["title"] == "【试发】明天停水" for e in entries), entries


def tested(room, no):
    wait_for("the test send", 30, lambda: room.does("editor", "push", "show", no)["tested"])


def approve(room, no):
    with case("two approve what they looked at; who edits in between takes it back to draft"):
        room.does("editor", "push", "submit", no)
        seen = room.does("review1", "push", "show", no)["hash"]
        room.may_not("editor", "push", "approve", "--hash", seen, no)
        room.does("editor", "push", "edit", no, "-", input='{"title":"明天八点停水"}'.encode())
        room.may_not("review1", "push", "approve", "--hash", seen, no)
        room.does("editor", "push", "test", no)
        tested(room, no)
        room.does("editor", "push", "submit", no)
        room.may_not("review1", "push", "approve", "--hash", seen, no, says="改过")
        room.does("review1", "push", "return", "--text", "请写明哪个小区", no)
        room.does("editor", "push", "submit", "--text", "全区都停", no)
        seen = room.does("review1", "push", "show", no)["hash"]
        assert room.does("review1", "push", "approve", "--hash", seen, no)["state"] == "submitted"
        room.may_not("review1", "push", "approve", "--hash", seen, no)
        assert room.does("review2", "push", "approve", "--hash", seen, no)["state"] == "approved"
    with case("it is scheduled; its steps say what was done, and a copy of it is another draft"):
        assert room.does("editor", "push", "schedule", no)["state"] in ("scheduled", "running", "done")
        steps = [s["step"] for s in room.does("review2", "push", "steps", no)["steps"]]
        assert steps[:14] == ["create", "test", "tested", "submit", "edit", "test", "tested", "submit", "return", "submit", "approve", "approve", "pass", "schedule"], steps
        copy = room.does("editor", "push", "copy", no)
        assert copy["copyOf"] == int(no) and copy["state"] == "draft"
        assert room.does("editor", "push", "cancel", str(copy["campaign"]))["state"] == "cancelled"
        assert no in json.dumps(room.does("review1", "push", "list"))


def go_out(room, farm, phones, no):
    with case("it goes out once to each phone, is watched, and stands in their lists"):
        watched = room.prints("review1", "push", "watch", no).splitlines()
        assert watched[-1].startswith("已发完") and "已接收 2" in watched[-1], watched
        got = farm.counts("apns")["tokens"]
        assert [got[t] for t in apns_tokens(2)] == [3, 1], got    # the first is the tester's: two tests
        for phone in phones:
            phone.sync()
            assert "示例：明天停水" in phone.run("list").stdout.decode()
        table = room.prints("review1", "push", "report", "--csv", no)
        assert table.startswith("\ufeff") and '"合计","",2,0,0,2,' in table, table


def recall(room, farm, phones, item, no):
    with case("recalled, the vendor is asked to show another in its place; withdrawn, the record goes from the phones"):
        room.may_not("editor", "push", "recall", no)
        room.does("review2", "push", "recall", "--text", "停水取消了", no)
        wait_for("the recall", 30, lambda: room.does("review2", "push", "show", no)["state"] == "recalled")
        said = room.does("review2", "push", "report", no)["recall"]
        assert (said["of"], said["overwritten"], said["waiting"], said["inbox"]) == (2, 2, 0, "published"), said
        got = farm.counts("apns")["tokens"]
        assert [got[t] for t in apns_tokens(2)] == [4, 2], got
        room.does("publisher", "item", "withdraw", "--reason", "停水取消了", item)
        for phone in phones:
            wait_for("the phone loses it", 60, lambda: phone.sync() and "示例：明天停水" not in phone.run("list").stdout.decode())
        assert room.does("review2", "push", "report", no)["recall"]["inbox"] == "withdrawn"


def settings(w, farm):
    return {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", "TJZW_PUSH_CA": f"{w.dir}/c.pem", "TJZW_PUSH_AT": f"apns={farm.url}", "TJZW_PUSH_APNS_KEY": f"{w.dir}/apns.p8",
            "TJZW_PUSH_APNS_KEY_ID": "KEY1234567", "TJZW_PUSH_APNS_TEAM": "TEAM123456", "TJZW_PUSH_APNS_TOPIC": "cn.example.app"}


def day(w, farm):
    data, env = w.dir / "data", settings(w, farm)
    server = w.serve(data, "--demo", env=env)
    people = [App(server).by_phone(f"1380000000{i}") for i in (1, 2)]
    number = people[0].call("GET", "/v1/me").json()["account"]
    server.stop()
    room = Newsroom(w, w.serve(data, "--demo", env={**env, "TJZW_PUSH_TESTERS": str(number)}))
    for person, token in zip(people, apns_tokens(2)):
        person.server = room.server    # a session outlives the server
        assert person.call("PUT", f"/v1/me/push/{DEVICE}", {"token": token, "transport": "apns"}).status == 204
    phones = [w.phone(name) for name in ("li", "wang")]
    morning(room)
    item = record(room)
    no = draft(room, item)
    look(room, people[0], no)
    approve(room, no)
    go_out(room, farm, phones, no)
    recall(room, farm, phones, item, no)


def main():
    if not shutil.which("node"):
        skip("push_day", "the vendors are a program of node")
        return done()
    with World() as w:
        make_keys(w.dir)
        farm = Farm(w.dir)
        try:
            day(w, farm)
        finally:
            farm.stop()
    return done()


sys.exit(main())
