#!/usr/bin/env python3
"""A campaign to thousands of phones while the server is killed again and again: of every device it is known what became of it, and the vendor's own count agrees.

    skip      nobody gets it twice, and nobody is lost but in doubt
    resend    everybody gets it; twice only who is noted as sent again
"""
import concurrent.futures
import http.client
import json
import random
import shutil
import sqlite3
import ssl
import struct
import sys
import time

from app import App
from desk import Person, accounts
from lib import World, wait_for
from vendor_farm import Farm, apns_tokens, make_keys

from tap import case, done, note, rounds, skip

PHONES, ROUNDS, KILLS = rounds(100000, 8000), rounds(50, 2), 6
ACCEPTED, DOUBT, RESENT, BITS = 1, 6, 9, 65536


def places(blob):
    """push/bits.h by another hand."""
    if len(blob) < BITS // 8:
        return struct.unpack(f"<{len(blob) // 2}H", blob)
    return [p for p in range(BITS) if blob[p // 8] >> p % 8 & 1]


class City:
    """A server with its vendor, a citizen with thousands of phones, and who may push."""

    def __init__(self, w):
        self.w, self.data = w, w.dir / "data"
        make_keys(w.dir)
        self.farm = Farm(w.dir)
        self.env = {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", "TJZW_PUSH_CA": f"{w.dir}/c.pem", "TJZW_PUSH_AT": f"apns={self.farm.url}",
                    "TJZW_PUSH_APNS_KEY": f"{w.dir}/apns.p8", "TJZW_PUSH_APNS_KEY_ID": "KEY1234567", "TJZW_PUSH_APNS_TEAM": "TEAM123456",
                    "TJZW_PUSH_APNS_TOPIC": "cn.example.app"}
        self.server = w.serve(self.data, "--demo", env=self.env)
        self.li, tester = App(self.server).by_phone("13800000001"), App(self.server).by_phone("13800000002")
        self.env["TJZW_PUSH_TESTERS"] = str(tester.call("GET", "/v1/me").json()["account"])
        self.number = self.li.call("GET", "/v1/me").json()["account"]
        self.restart(self.server.stop)
        self.li.server = tester.server = self.server
        self.register(tester, apns_tokens(1, 1 << 60))
        self.tokens = apns_tokens(PHONES)
        self.register(self.li, self.tokens)
        with self.db() as db:
            rows = db.execute("SELECT no, device FROM push_address WHERE account = ?", (self.number,)).fetchall()
        self.device = {no: self.tokens[int(device)] for no, device in rows}
        assert len(self.device) == PHONES
        self.people = {}
        password, secrets = accounts(self.server)
        for name in ("push", "approver1", "approver2"):
            self.people[name] = Person(self.server)
            self.people[name].sign_in("demo." + name, password, secrets["demo." + name])

    def db(self):
        return sqlite3.connect(f"file:{self.data}/tjzw.db?mode=ro", uri=True)

    def restart(self, end):
        end()
        self.server = self.w.serve(self.data, env=self.env)
        for who in getattr(self, "people", {}).values():
            who.server = self.server

    def register(self, app, tokens, hands=4):
        """Over a few connections that stay open, so that many are written at once."""
        def some(first):
            line = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=ssl._create_unverified_context())
            headers = {"content-type": "application/json", "authorization": "Bearer " + app.access}
            for i in range(first, len(tokens), hands):
                line.request("PUT", f"/v1/me/push/{i:022d}", json.dumps({"token": tokens[i], "transport": "apns"}), headers)
                said = line.getresponse()
                assert said.status == 204, said.read()
                said.read()
            line.close()
        with concurrent.futures.ThreadPoolExecutor(hands) as crew:
            list(crew.map(some, range(hands)))

    def does(self, who, step, **body):
        said = self.people[who].call("POST", f"/v1/push/campaigns{step}", body)
        assert said.status in (200, 201), said
        return said.json()

    def see(self, no):
        return self.people["push"].call("GET", f"/v1/push/campaigns/{no}").json()

    def scheduled(self, item, doubt, **more):
        made = self.does("push", "", item=item, **{"class": "marketing"}, title="示例：明天停水", text="八点到十点，请提前备水。", doubt=doubt,
                         audience={"accounts": [self.number]}, **more)
        no = made["campaign"]
        self.does("push", f"/{no}/test")
        wait_for("the test send", 30, lambda: self.see(no)["tested"])
        self.does("push", f"/{no}/submit")
        for who in ("approver1", "approver2")[:made["approvalsNeeded"]]:
            self.does(who, f"/{no}/approve", hash=self.see(no)["hash"])
        self.does("push", f"/{no}/schedule")
        return no

    def outcomes(self, no):
        """By device: what became of it; and who was sent to again."""
        became, resent = {}, set()
        with self.db() as db:
            for block, what, bits in db.execute("SELECT block, what, bits FROM push_outcome WHERE campaign = ?", (no,)):
                for place in places(bits):
                    if what == RESENT:
                        resent.add(block * BITS + place)
                    elif what < RESENT:    # from there on they are notes
                        assert block * BITS + place not in became, "a device has two outcomes"
                        became[block * BITS + place] = what
        return became, resent

    def delivered(self):
        return self.farm.counts("apns")["tokens"]


def sent(city):
    return city.farm.ask("/_sums").get("apns", 0)


def kill_and_restart(city):
    """Seconds from being ready to the next message that leaves, or None if none is left."""
    city.restart(city.server.kill)
    before, ready = sent(city), time.monotonic()
    while time.monotonic() < ready + 10:
        if sent(city) > before:
            return time.monotonic() - ready
        time.sleep(0.02)
    return None


def judge(city, no, before, doubt):
    became, resent = city.outcomes(no)
    after = city.delivered()
    assert set(became) == set(city.device), f"{len(became)} of {len(city.device)} have an outcome"
    report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    for device, token in city.device.items():
        got = after.get(token, 0) - before.get(token, 0)
        if became[device] == ACCEPTED:
            assert got >= 1, f"accepted and never delivered: {device}"
        if got > 1:
            assert doubt == "resend" and device in resent, f"{device} got it {got} times and is not noted"
        assert got or became[device] == DOUBT, f"{device}: {became[device]}"
        assert doubt == "skip" or became[device] != DOUBT or device in resent, f"{device} is in doubt and was not sent again"
    doubtful = sum(1 for what in became.values() if what == DOUBT)
    note(f"{doubt}: {len(became)} devices, {doubtful} in doubt, {len(resent)} sent again, report {json.dumps(report)[:160]}")
    return doubtful


def one_round(city, item, doubt, first):
    before = city.delivered()
    no = city.scheduled(item, doubt)
    for _ in range(KILLS):
        if city.see(no)["state"] != "running":
            wait_for("it runs or is through", 20, lambda: city.see(no)["state"] in ("running", "done"))
        time.sleep(random.uniform(0, 0.4))
        took = kill_and_restart(city)
        if took is not None:
            first.append(took)
    wait_for("all of it", 600, lambda: city.see(no)["state"] == "done", every=0.1)
    return judge(city, no, before, doubt)


def recalled_in_the_middle(city, item):
    """Who has it a second after the recall is all who ever gets it; and they are asked to give it back."""
    before = city.delivered()

    def reached():
        now = city.delivered()    # the tester's is none of them
        return {t for t in city.tokens if now.get(t, 0) > before.get(t, 0)}
    no = city.scheduled(item, "skip", pace=400)
    wait_for("some of it", 60, lambda: len(reached()) >= 100)
    city.does("approver1", f"/{no}/recall", text="写错了")
    time.sleep(1)
    within = reached()
    wait_for("the recall", 120, lambda: city.see(no)["state"] == "recalled", every=0.1)
    after = reached()
    assert after == within and len(after) < len(city.tokens), (len(within), len(after))
    report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    recall = report["recall"]
    assert recall["overwritten"] == recall["of"] == len(after) and not recall["waiting"], (recall, len(after))
    assert sum(t["devices"] for t in report["transports"]) == report["audience"] == len(city.tokens), report
    note(f"recalled after {len(after)} of {len(city.tokens)}")


def publish(city):
    """Another record each time: what was pushed once is pushed again only for a new reason."""
    said = city.server.admin("POST", "/v1/items", json.dumps({"site": "9900000001", "kind": "message", "column": city.column, "title": "示例：停水通知", "body": "八点到十点。"}),
                             {"content-type": "application/json"})
    assert said.status == 201, said
    item = said.json()["id"]
    for step in ("submit", "approve", "publish"):
        said = city.server.admin("POST", f"/v1/items/{item}/{step}", "{}", {"content-type": "application/json"})
        assert said.status == 200, said
    return item


def tomorrow_noon(city):
    """A device gets three of the class a day: each round is another campaign day."""
    with sqlite3.connect(f"{city.data}/tjzw.db") as db:
        db.execute("UPDATE push_outcome SET day = day - 1")


def main():
    with World() as w:
        city = City(w)
        try:
            said = city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"})
            assert said.status == 201, said
            city.column, first = said.json()["no"], []
            for doubt in ("skip", "resend"):
                with case(f"{PHONES} phones, killed {KILLS} times in each of {ROUNDS // 2 or 1} rounds, {doubt}: nobody is lost, twice only who is noted"):
                    doubtful = 0
                    for _ in range(ROUNDS // 2 or 1):
                        doubtful += one_round(city, publish(city), doubt, first)
                        city.restart(city.server.stop)
                        tomorrow_noon(city)
                    assert doubtful < PHONES * (ROUNDS // 2 or 1), "all are in doubt: then nothing is shown of the others"
            with case("a recall in the middle: nobody gets it later than a second after, and who has it is asked to give it back"):
                recalled_in_the_middle(city, publish(city))
            with case("the first message leaves within two seconds of being ready again"):
                assert first
                note(f"{len(first)} restarts with something left: median {sorted(first)[len(first) // 2]:.2f} s, worst {max(first):.2f} s")
                assert max(first) < 2
        finally:
            city.farm.stop()


if shutil.which("node"):
    main()
else:
    skip("a push while the server is killed", "node is not here")
sys.exit(done())
