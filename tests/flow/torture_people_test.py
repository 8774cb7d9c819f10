#!/usr/bin/env python3
"""The n-th call fails (torture.py): what citizens and their phones do: signing in, a letter, a search, a push that goes out."""
import base64
import json
import os
import time
import urllib.parse
from uuid import uuid4

from app import App
from fault import Faults
from lib import wait_for
from person import GOOD
from push_city import City, publish
from torture import TROUBLE, Scenario, Tortured, torture

PHONES, LETTERS = 40, 20    # letters that one citizen may write a day


class Citizen(App):
    """Signs in again by his password when his token is over."""

    def of(self, phone):
        self.phone, self.device, self.n = phone, base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("="), 0
        self.by_phone(phone)
        assert super().call("PUT", "/v1/me/password", {"password": GOOD}).status == 204
        return self

    def call(self, method, target, body=None, timeout=30):
        said = super().call(method, target, body, timeout)
        if said.status != 401 or not self.access:
            return said
        self.access = None
        self.keep(self.sign_in())
        return super().call(method, target, body, timeout)

    def sign_in(self):
        """The answer, with a session of its own."""
        return App(self.server).call("POST", "/v1/auth/sign-in", {"login": self.phone, "password": GOOD})


class Town(Tortured):
    """A small city with a vendor. What was acknowledged: letters, and inboxes of campaigns that are done."""

    def __init__(self, w):
        self.city, faults = City(w, PHONES), Faults(w)
        self.server, self.people, self.letters, self.serial = self.city.server, 0, {}, 0
        self.wang, self.writer = self.somebody(), self.somebody()
        self.city.column = self.city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"}).json()["no"]
        w.tjzw("org", "create", "--data", self.city.data, "--code", "heping", "--name", "示例区")
        super().__init__(w, faults, self.begin)
        self.wang.server = self.writer.server = self.server

    def somebody(self):
        self.people += 1
        return Citizen(self.server).of(f"139{self.people:08}")

    def begin(self, env):
        self.city.env.update(env)
        self.city.restart(self.city.server.stop)
        return self.city.server

    def whole(self):
        self.server.settle(30)
        self.server.stop()
        said = self.w.tjzw("verify", "--data", self.city.data).stdout.decode()
        assert "NOT" not in said, said
        with self.city.db() as db:
            held = {f"{bytes(i).hex()}": number for i, number in db.execute("SELECT id, number FROM letter")}
        lost = {key for key, number in self.letters.items() if held.get(key.replace("-", "")) != number}
        assert not lost and len(held) == len(self.letters), (lost, len(held), len(self.letters))
        return f"{self.ends} ends for want of memory; {len(self.letters)} letters, {self.serial} campaigns"


class SignIn(Scenario):
    name = "signing in with a password"
    kinds = ("memory", "write", "short", "sync", "socket")

    def act(self, t, it):
        return t.wang.sign_in()

    def judge(self, t, it, outcome):
        for said in (outcome, self.act(t, it)):
            self.must(said is None and outcome is None or said is outcome and said.status >= 500 or said.status == 200, said)
            if said is not None and said.status == 200:
                me = App(t.server, said.json()["access"]).call("GET", "/v1/me")
                self.must(me.status == 200, f"a session that was given is none: {me}")
                App(t.server, said.json()["access"]).call("POST", "/v1/auth/sign-out")


class Letter(Scenario):
    name = "a letter, by a phone's exchange"
    kinds = ("memory", "write", "short", "sync", "socket")

    def prepare(self, t):
        if t.writer.n == LETTERS:
            t.writer = t.somebody()
        t.writer.n += 1
        return {"n": t.writer.n, "key": str(uuid4()), "type": "letter.send", "value": {"category": "suggest", "unit": "heping", "title": "示例：路灯", "text": "路灯不亮"}}

    def act(self, t, mutation):
        return t.writer.call("POST", "/v1/me/sync", {"device": t.writer.device, "acked": mutation["n"] - 1, "mutations": [mutation]}, timeout=5)

    def judge(self, t, mutation, outcome):
        again = self.act(t, mutation)
        self.must(again.status == 200 and again.json()["results"][0].get("number"), again)
        number = again.json()["results"][0]["number"]
        if outcome is not None and outcome.status == 200:
            self.must(outcome.json()["results"][0]["number"] == number, (outcome, again))
        self.must(outcome is None or outcome.status == 200 or outcome.status >= 500, outcome)
        self.must(t.server.admin("GET", f"/v1/letters/{mutation['key']}").json()["number"] == number, "another letter")
        t.letters[mutation["key"]] = number


class Search(Scenario):
    name = "a publication that is searched for"
    kinds = ("memory", "write", "short")

    def find(self, t, word):
        said = t.server.get("/v1/search?q=" + urllib.parse.quote(word), timeout=5)
        return said, said.status == 200 and [hit["item"]["title"] for hit in said.json()["hits"]]

    def prepare(self, t):
        word = "".join(chr(0x4e00 + int(c, 16) * 97 + i) for i, c in enumerate(uuid4().hex[:6]))
        said = t.server.admin("POST", "/v1/items", json.dumps({"site": "9900000001", "kind": "message", "column": t.city.column, "title": f"示例：{word}", "body": word}),
                              {"content-type": "application/json"})
        item = said.json()["id"]
        for step in ("submit", "approve"):
            self.must(t.server.admin("POST", f"/v1/items/{item}/{step}", "{}", {"content-type": "application/json"}).status == 200, step)
        return item, word

    def publish(self, t, item):
        return t.server.admin("POST", f"/v1/items/{item}/publish", "{}", {"content-type": "application/json"})

    def act(self, t, it):
        said = self.publish(t, it[0])
        time.sleep(0.1)     # the index follows
        return said, self.find(t, it[1])

    def judge(self, t, it, outcome):
        item, word = it
        said, (answer, found) = outcome or (None, (None, None))
        if said is None or said.status != 200:
            self.must(self.publish(t, item).status in (200, 409), "it cannot be published")
        self.must(answer is None or answer.status >= 500 or found in ([], [f"示例：{word}"]), found)
        wait_for("the search finds it", 60, lambda: self.find(t, word)[1] == [f"示例：{word}"], 0.1)


class Push(Scenario):
    name = "a push that goes out to a citizen's phones"
    kinds = ("memory", "write", "short", "sync", "socket")

    def prepare(self, t):
        t.serial += 1
        return t.city.approved(publish(t.city), "skip"), t.city.delivered(), t.city.inboxes()[t.city.number]

    def schedule(self, t, no):
        return t.city.people["push"].call("POST", f"/v1/push/campaigns/{no}/schedule", {}, timeout=5)

    def state(self, t, no):
        try:
            return t.city.see(no).get("state")      # none: a failure, as JSON
        except TROUBLE:
            return None

    def act(self, t, it):
        said, until = self.schedule(t, it[0]), time.monotonic() + 3
        while time.monotonic() < until and self.state(t, it[0]) != "done":
            time.sleep(0.05)
        return said

    def judge(self, t, it, outcome):
        no, before, inbox = it
        if self.state(t, no) == "approved":
            self.must(outcome is None or outcome.status != 200, "an acknowledged schedule is lost")
            self.must(self.schedule(t, no).status == 200, "it cannot be scheduled")
        wait_for("the push to be done", 240, lambda: self.state(t, no) == "done", 0.1)
        wait_for("the inbox", 60, lambda: t.city.inbox_over(no), 0.1)
        became, _ = t.city.outcomes(no)
        self.must(set(became) == set(t.city.device), f"{len(became)} of {len(t.city.device)} phones have an outcome")
        twice = {k for k, n in t.city.delivered().items() if n - before.get(k, 0) > 1}
        self.must(not twice, f"{len(twice)} phones got it twice")
        self.must(t.city.inboxes()[t.city.number] == inbox + 1, "the inbox has not one message more")


torture(SignIn(), Letter(), Search(), Push(), of=Town)
