#!/usr/bin/env python3
"""A business system's notices while the server is killed: each is in the inbox once, and on the phone's screen once.

    between the row that says it leaves and the first byte to the vendor; then at any instants
"""
import json
import random
import shutil
import socket
import sqlite3
import sys
import time

from app import App
from desk import Person, accounts
from lib import World, wait_for
from vendor_farm import Farm, apns_tokens, make_keys

from tap import case, done, note, rounds, skip

NOTICES, KILLS = rounds(2000, 40), rounds(50, 5)
SUB = "the-name-that-the-office-knows-li-by"
TEMPLATE = {"party": "heping", "name": "visit", "group": "visit", "label": "预约提醒", "title": "预约提醒：{thing}", "text": "请于{when}前往。",
            "link": "https://bd.example.cn/visit/{no}",
            "places": {"thing": {"type": "text", "most": 20}, "when": {"type": "time"}, "no": {"type": "code", "most": 10}}}


class Office:
    """A server, its vendor, a citizen with a phone, and an office that may write to him."""

    def __init__(self, w):
        self.w, self.data = w, w.dir / "data"
        make_keys(w.dir)
        self.farm = Farm(w.dir)
        self.silent = socket.socket()       # a vendor that takes connections and says nothing
        self.silent.bind(("127.0.0.1", 0))
        self.silent.listen()
        self.server = w.serve(self.data, "--demo", env=self.env(self.farm.url))
        self.li = App(self.server).by_phone("13800000001")
        self.account = self.li.call("GET", "/v1/me").json()["account"]
        self.token = apns_tokens(1)[0]
        said = self.li.call("PUT", f"/v1/me/push/{'A' * 22}", {"token": self.token, "transport": "apns"})
        assert said.status == 204, said
        self.ask("POST", "/v1/parties", {"id": "heping", "name": "和平区政务网", "kind": "live", "rights": "notice", "grants": "authorization_code",
                                         "scopes": "openid notice", "redirects": ["https://bd.example.cn/back"]})
        self.program = App(self.server, self.ask("POST", "/v1/parties/heping/keys", {"perMinute": 1000000, "perDay": 100000000})["key"])
        self.approve()
        self.server.stop()
        with sqlite3.connect(self.data / "tjzw.db") as db:      # what he allowed in a browser (pages_consent)
            db.execute("INSERT INTO consent (account, party, scopes, given, subject) SELECT ?, no, 17, ?, ? FROM party WHERE id = 'heping'",
                       (self.account, 4000000000, SUB))

    def env(self, vendor):
        return {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", "TJZW_PUSH_CA": f"{self.w.dir}/c.pem", "TJZW_PUSH_AT": f"apns={vendor}",
                "TJZW_PUSH_APNS_KEY": f"{self.w.dir}/apns.p8", "TJZW_PUSH_APNS_KEY_ID": "KEY1234567", "TJZW_PUSH_APNS_TEAM": "TEAM123456",
                "TJZW_PUSH_APNS_TOPIC": "cn.example.app"}

    def ask(self, method, path, body):
        said = self.server.admin(method, path, json.dumps(body), {"content-type": "application/json"})
        assert said.status in (200, 201), said
        return said.json()

    def approve(self):
        """Drafted by who runs the server, at the command line; approved by somebody else."""
        made = json.loads(self.w.tjzw("notice", "draft", "--data", self.data, "-", input=json.dumps(TEMPLATE).encode()).stdout)
        password, secrets = accounts(self.server)
        approver = Person(self.server)
        approver.sign_in("demo.approver1", password, secrets["demo.approver1"])
        self.ask("POST", "/v1/roles", {"account": approver.call("GET", "/v1/me").json()["account"], "role": "push_approver"})
        said = approver.call("POST", f"/v1/notice-templates/{made['template']}/approve", {"hash": made["hash"]})
        assert said.status == 200, said

    def restart(self, vendor):
        self.server = self.w.serve(self.data, env=self.env(vendor))
        self.li.server = self.program.server = self.server

    def send(self, no):
        return self.program.call("POST", "/v1/notices", {"id": f"n{no}", "template": "visit", "to": SUB,
                                                          "values": {"thing": f"第 {no} 件", "when": "2026-11-24 09:30", "no": f"A{no}"}})

    def on_its_way(self):
        with sqlite3.connect(f"file:{self.data}/tjzw.db?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM push_batch WHERE sent = 1").fetchone()[0]

    def inbox(self):
        said = self.li.call("POST", "/v1/me/sync", {"device": "A" * 22, "mutations": []}).json()
        return [e["value"]["title"] for e in said["entries"] if e["type"] == "message"]

    def screens(self):
        return self.farm.ask("/_screens")

    def status(self, notice):
        return json.loads(self.w.tjzw("notice", "show", "--data", self.data, notice).stdout)


def main():
    with World() as w:
        office = Office(w)
        try:
            with case("killed between the row that says it leaves and the first byte: it comes, once"):
                office.restart(f"https://127.0.0.1:{office.silent.getsockname()[1]}")
                sent = office.send(0)
                assert sent.status == 201, sent
                wait_for("it is on its way", 20, lambda: office.on_its_way() == 1)
                assert not office.screens()
                office.server.kill()
                assert office.on_its_way() == 1
                office.restart(office.farm.url)
                wait_for("the phone has it", 20, lambda: office.status(sent.json()["notice"])["push"].get("accepted") == 1)
                assert list(office.screens().values()) == [1], office.screens()
                assert office.inbox() == ["预约提醒：第 0 件"]
                assert office.status(sent.json()["notice"])["inbox"] == "there"
            with case(f"{NOTICES} notices, killed {KILLS} times, each sent again whenever the office did not hear: once in the inbox, once on the screen"):
                all_of_them = killed(office)
                assert sorted(office.inbox()) == sorted(f"预约提醒：第 {no} 件" for no in range(NOTICES + 1))
                screens = office.screens()
                assert len(screens) == NOTICES + 1, f"{len(screens)} of {NOTICES + 1}"
                note(f"{sum(1 for n in screens.values() if n > 1)} came twice under one id, which a phone shows once")
                assert len(all_of_them) == NOTICES
        finally:
            office.farm.stop()
            office.silent.close()


def killed(office):
    """As an office does it: what was not answered is sent again with the same number."""
    heard, ends = {}, sorted(random.sample(range(1, NOTICES), KILLS))
    for no in range(1, NOTICES + 1):
        while no not in heard:
            try:
                said = office.send(no)
                assert said.status in (200, 201), said
                heard[no] = said.json()["notice"]
            except OSError:
                time.sleep(0.05)
        if ends and no >= ends[0]:
            ends.pop(0)
            time.sleep(random.uniform(0, 0.1))
            office.server.kill()
            office.restart(office.farm.url)
            assert office.send(no).status == 200     # a repeated one is not another
    wait_for("all of them", 120, lambda: len(office.screens()) == NOTICES + 1, every=0.1)
    return heard


if shutil.which("node"):
    main()
else:
    skip("notices while the server is killed", "node is not here")
sys.exit(done())
