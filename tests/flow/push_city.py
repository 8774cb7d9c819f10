"""push_city.py - a server with its vendor (vendor_farm.py), a citizen with thousands of phones, neighbours who have an inbox alone, and who may push.

    city = City(w, 8000, neighbours=2000)
    no = city.scheduled(publish(city), "skip")
    became, resent = city.outcomes(no)
"""
import concurrent.futures
import http.client
import json
import sqlite3
import ssl
import struct

from app import App
from desk import Person, accounts
from lib import wait_for
from vendor_farm import Farm, apns_tokens, make_keys

RESENT, BITS = 9, 65536      # push/run.h: from RESENT on they are notes beside the outcomes


def places(blob):
    """push/bits.h by another hand."""
    if len(blob) < BITS // 8:
        return struct.unpack(f"<{len(blob) // 2}H", blob)
    return [p for p in range(BITS) if blob[p // 8] >> p % 8 & 1]


class Staff(Person):
    """Whose session ends while the rounds go on, and who signs in again then."""

    def come(self, *who):
        self.who = who
        self.sign_in(*who)
        return self

    def call(self, method, target, body=None, timeout=30):
        said = super().call(method, target, body, timeout)
        if said.status != 401 or target.startswith("/v1/auth/"):
            return said
        self.access = None
        self.sign_in(*self.who)
        return super().call(method, target, body, timeout)


class City:
    def __init__(self, w, phones, neighbours=0):
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
        self.restart(lambda: (self.server.stop(), self.settle(neighbours)))
        self.li.server = tester.server = self.server
        self.register(tester, apns_tokens(1, 1 << 60))
        self.tokens = apns_tokens(phones)
        self.register(self.li, self.tokens)
        with self.db() as db:
            rows = db.execute("SELECT no, device FROM push_address WHERE account = ?", (self.number,)).fetchall()
        self.device = {no: self.tokens[int(device)] for no, device in rows}
        assert len(self.device) == phones
        self.people = {}
        password, secrets = accounts(self.server)
        for name in ("push", "approver1", "approver2"):
            self.people[name] = Staff(self.server).come("demo." + name, password, secrets["demo." + name])

    def db(self):
        return sqlite3.connect(f"file:{self.data}/tjzw.db?mode=ro", uri=True)

    def settle(self, neighbours):
        """So many accounts like li's, behind the back of a server that is at rest."""
        with sqlite3.connect(self.data / "tjzw.db") as db:
            last, = db.execute("SELECT MAX(id) FROM account").fetchone()
            db.executemany("INSERT INTO account (kind, state, state_at, level, subject, created) SELECT kind, state, state_at, level, randomblob(16), created FROM account WHERE id = ?",
                           [(self.number,)] * neighbours)
            self.people_of_the_list = [self.number, *(no for no, in db.execute("SELECT id FROM account WHERE id > ?", (last,)))]

    def restart(self, end):
        """On the same port, so that who listens finds it again."""
        end()
        self.server = self.w.serve(self.data, env=self.env, port=self.server.port)
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

    def approved(self, item, doubt, title="示例：明天停水", **more):
        made = self.does("push", "", item=item, **{"class": "marketing"}, title=title, text="八点到十点，请提前备水。", doubt=doubt,
                         audience={"accounts": self.people_of_the_list}, **more)
        no = made["campaign"]
        self.does("push", f"/{no}/test")
        wait_for("the test send", 30, lambda: self.see(no)["tested"])
        self.does("push", f"/{no}/submit")
        for who in ("approver1", "approver2")[:made["approvalsNeeded"]]:
            self.does(who, f"/{no}/approve", hash=self.see(no)["hash"])
        return no

    def scheduled(self, item, doubt, *title, **more):
        no = self.approved(item, doubt, *title, **more)
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
                    elif what < RESENT:
                        assert block * BITS + place not in became, "a device has two outcomes"
                        became[block * BITS + place] = what
        return became, resent

    def inboxes(self):
        """{account: messages that came into it}, removed ones too; of those who are on the list."""
        with self.db() as db:
            had = dict(db.execute("SELECT account, COUNT(*) FROM entry WHERE type = 'message' GROUP BY account"))
        return {account: had.get(account, 0) for account in self.people_of_the_list}

    def inbox_over(self, no):
        with self.db() as db:
            return db.execute("SELECT state FROM push_inbox WHERE campaign = ?", (no,)).fetchone() == (3,)

    def delivered(self):
        return self.farm.counts("apns")["tokens"]


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
