#!/usr/bin/env python3
"""A push campaign of the newsroom's day, from its draft to its schedule, by commands alone: an operator, two approvers, and the phone of a tester.

The server is the demo; whom it has no role for yet gets one from the security administrator.
"""
import json
import sys

from app import App
from desk import Desk, Person, accounts
from lib import World, wait_for

from tap import case, done

SITE = "9900000001"
ROLES = {"editor": "push_operator", "review1": "push_approver", "review2": "push_approver"}
DEVICE = "q83vEjRWeJCrze8SNFZ4kA"


class Newsroom:
    def __init__(self, w, server):
        self.w, self.server, self.desk = w, server, Desk(w, server, {})

    def sign_in(self, name, password, secret):
        person = Person(self.server)
        person.sign_in("demo." + name, password, secret)
        process, letters, _ = self.desk.login(name)
        assert person.answer(letters, True).status == 204
        assert process.wait(60) == 0, process.stderr.read().decode()

    def does(self, who, *words, input=None):
        said = self.w.tjzw(*words[:2], "--profile", who, *words[2:], env=self.desk.env, input=input).stdout
        return json.loads(said) if said.strip() else None

    def may_not(self, who, *words, input=None, says=""):
        said = self.w.tjzw(*words[:2], "--profile", who, *words[2:], check=False, env=self.desk.env, input=input)
        assert said.returncode, f"{who} did: {words}: {said.stdout}"
        text = said.stderr.decode() if isinstance(said.stderr, bytes) else said.stderr
        assert says in text, f"{words}: {text}"


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
        password, secrets = accounts(room.server)
        for name in (*ROLES, "site", "security", "review3", "publisher"):
            room.sign_in(name, password, secrets["demo." + name])
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
        wait_for("the phone in the audience", 30, lambda: room.does("editor", "push", "plan", no)["audience"] == 1)
        plan = room.does("editor", "push", "plan", no)
        assert plan["off"] == 1 and plan["send"] == 0, plan
        assert room.does("editor", "push", "sample", no)["people"] == []
        room.may_not("editor", "push", "submit", no, says="试发")
        assert room.does("editor", "push", "test", no)["tested"]
        entries = li.call("POST", "/v1/me/sync", {"device": DEVICE, "mutations": []}).json()["entries"]
        assert any(e["type"] == "message" and e["value"]["title"] == "【试发】明天停水" for e in entries), entries


def approve(room, no):
    with case("two approve what they looked at; who edits in between takes it back to draft"):
        room.does("editor", "push", "submit", no)
        seen = room.does("review1", "push", "show", no)["hash"]
        room.may_not("editor", "push", "approve", "--hash", seen, no)
        room.does("editor", "push", "edit", no, "-", input='{"title":"明天八点停水"}'.encode())
        room.may_not("review1", "push", "approve", "--hash", seen, no)
        room.does("editor", "push", "test", no)
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
        assert steps[:12] == ["create", "test", "submit", "edit", "test", "submit", "return", "submit", "approve", "approve", "pass", "schedule"], steps
        copy = room.does("editor", "push", "copy", no)
        assert copy["copyOf"] == int(no) and copy["state"] == "draft"
        assert room.does("editor", "push", "cancel", str(copy["campaign"]))["state"] == "cancelled"
        assert no in json.dumps(room.does("review1", "push", "list"))


def main():
    with World() as w:
        data, env = w.dir / "data", {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"}
        server = w.serve(data, "--demo", env=env)
        li = App(server).by_phone("13800000001")
        number = li.call("GET", "/v1/me").json()["account"]
        server.stop()
        room = Newsroom(w, w.serve(data, "--demo", env={**env, "TJZW_PUSH_TESTERS": str(number)}))
        li.server = room.server    # a session outlives the server
        assert li.call("PUT", f"/v1/me/push/{DEVICE}", {"token": "0123456789abcdef-1", "transport": "huawei"}).status == 204
        morning(room)
        item = record(room)
        no = draft(room, item)
        look(room, li, no)
        approve(room, no)
    return done()


sys.exit(main())
