#!/usr/bin/env python3
"""A warning from the authority's key to phones: before the campaign that is being sent, and in hand without a network. Its signature is OpenSSL's, its document Python's, the vendor is tests/mocks/farm.mjs."""
import base64
import concurrent.futures
import datetime
import hashlib
import http.client
import json
import shutil
import ssl
import subprocess
import sys
import time
import xml.sax.saxutils

from app import App
from desk import Person, accounts
from lib import World, clean_env, wait_for
from person import say, token_of
from vendor_farm import Farm, make_keys, run

from tap import case, done, note, skip

CODE, PHONES = "12000041600", 3000
BEIJING = datetime.timezone(datetime.timedelta(hours=8))


def text(at):
    return datetime.datetime.fromtimestamp(at, BEIJING).isoformat(timespec="seconds")


class Authority:
    """Who may issue warnings: a key, and what is written with it."""

    def __init__(self, where, name="main"):
        self.where, self.name, self.n = where, name, 0
        run("openssl", "genpkey", "-algorithm", "ED25519", "-out", f"{name}.key", cwd=where)
        self.pem = run("openssl", "pkey", "-in", f"{name}.key", "-pubout", cwd=where)

    def spec(self):
        return {"areas": ["120000"], "from": "2026-01-01", "until": "2036-01-01", "keys": [{"id": self.name, "pem": self.pem}],
                "levels": ["red", "orange", "yellow", "blue"], "name": "示例市气象台"}

    def write(self, headline, kind="Alert", refers=None, area="120101", severity="Extreme", status="Actual", lasts=3600):
        now, self.n = int(time.time()), self.n + 1
        name = f"{CODE}_{datetime.datetime.fromtimestamp(now, BEIJING):%Y%m%d%H%M%S}_{self.n % 10}"
        quoted = xml.sax.saxutils.escape(headline)
        document = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{name}</identifier><sender>{CODE}</sender><sent>{text(now)}</sent><status>{status}</status>
<msgType>{kind}</msgType><scope>Public</scope>{f"<references>{refers}</references>" if refers else ""}<info><language>zh-CN</language><category>Met</category><event>暴雨</event>
<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Observed</certainty><expires>{text(now + lasts)}</expires><senderName>示例市气象台</senderName>
<headline>{quoted}</headline><description>预计未来三小时有大暴雨。</description><instruction>请不要外出。</instruction><area><areaDesc>某区</areaDesc><geocode>
<valueName>GB/T 2260</valueName><value>{area}</value></geocode></area></info></alert>
"""
        return document.encode(), f"{CODE},{name},{text(now)}"

    def send(self, server, document, key=None):
        key, now = key or f"{CODE}/{self.name}", str(int(time.time()))
        to = server.get("/v1/warning-senders").json()["name"]
        (self.where / "signed").write_bytes(f"tjzw warning 2\n{key}\n{to}\n{now}\n".encode() + document)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", f"{self.name}.key", "-in", "signed"], cwd=self.where, capture_output=True, check=True).stdout
        word = base64.urlsafe_b64encode(signature).decode().rstrip("=")
        return server.get("/v1/warnings", "POST", document, {"content-type": "application/cap+xml", "authorization": f"Warning-Signature key={key},to={to},time={now},signature={word}"})


class City:
    def __init__(self, w):
        self.w, self.data = w, w.dir / "data"
        make_keys(w.dir)
        self.farm = Farm(w.dir)
        self.env = {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", "TJZW_PUSH_CA": f"{w.dir}/c.pem", "TJZW_PUSH_AT": f"xiaomi={self.farm.url},apns={self.farm.url}",
                    "TJZW_PUSH_XIAOMI_PACKAGE": "cn.example.app", "TJZW_PUSH_XIAOMI_SECRET": "secret"}
        server = w.serve(self.data, "--demo", env=self.env)
        tester = App(server).by_phone("13800000002")
        self.env["TJZW_PUSH_TESTERS"] = str(tester.call("GET", "/v1/me").json()["account"])
        self.password, self.secrets = accounts(server)
        server.stop()
        self.server = w.serve(self.data, env=self.env)
        tester.server = self.server
        self.register(tester, ["tester-000000000000"])

    def register(self, app, tokens, hands=4):
        def some(first):
            line = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=ssl._create_unverified_context())
            headers = {"content-type": "application/json", "authorization": "Bearer " + app.access}
            for i in range(first, len(tokens), hands):
                line.request("PUT", f"/v1/me/push/{i:022d}", json.dumps({"token": tokens[i], "transport": "xiaomi"}), headers)
                assert line.getresponse().read() == b""
            line.close()
        with concurrent.futures.ThreadPoolExecutor(hands) as crew:
            list(crew.map(some, range(hands)))

    def publish(self):
        place = self.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"}).json()["no"]
        item = self.server.admin("POST", "/v1/items", json.dumps({"site": "9900000001", "kind": "message", "column": place, "title": "示例：停水通知", "body": "八点到十点。"}),
                                 {"content-type": "application/json"}).json()["id"]
        for step in ("submit", "approve", "publish"):
            assert self.server.admin("POST", f"/v1/items/{item}/{step}", "{}", {"content-type": "application/json"}).status == 200
        return item

    def campaign(self, account):
        people = {}
        for name in ("push", "approver1", "approver2"):
            people[name] = Person(self.server)
            people[name].sign_in("demo." + name, self.password, self.secrets["demo." + name])

        def does(who, step, **body):
            said = people[who].call("POST", f"/v1/push/campaigns{step}", body)
            assert said.status in (200, 201), said
            return said.json()

        def see():
            return people["push"].call("GET", f"/v1/push/campaigns/{no}").json()
        made = does("push", "", item=self.publish(), **{"class": "marketing"}, title="示例：明天停水", text="八点到十点，请提前备水。", audience={"accounts": [account]})
        no = made["campaign"]
        does("push", f"/{no}/test")
        wait_for("the test send", 30, lambda: see()["tested"])
        does("push", f"/{no}/submit")
        for who in ("approver1", "approver2")[:made["approvalsNeeded"]]:
            does(who, f"/{no}/approve", hash=see()["hash"])
        does("push", f"/{no}/schedule")
        return see

    def delivered(self, prefix):
        return {t: n for t, n in self.farm.counts("xiaomi")["tokens"].items() if t.startswith(prefix)}


def lives(server, w, phone_number, area):
    """A citizen who says where he lives, by tjzw-phone."""
    phone, app = w.phone("wang", url=server.url), App(server)
    seen = len(app.codes(phone_number))
    say(phone, "sync")
    say(phone, "sign-in", phone_number)
    code = wait_for("a code", 20, lambda: app.codes(phone_number)[seen:])[-1]
    say(phone, "sign-in", phone_number, code)
    say(phone, "set", "area", area)
    say(phone, "sync")
    return phone


def let_in(city, w, authority):
    with case("who may issue warnings is proposed and confirmed by command"):
        said = w.tjzw("warning", "propose", "--data", city.data, CODE, "-", input=json.dumps(authority.spec()).encode())
        digest = json.loads(said.stdout)["hash"]
        assert w.tjzw("warning", "confirm", "--data", city.data, "--hash", "0" * 64, CODE, check=False).returncode
        w.tjzw("warning", "confirm", "--data", city.data, "--hash", digest, CODE)
        assert authority.pem in json.loads(w.tjzw("warning", "senders", "--data", city.data).stdout)["senders"][0]["confirmed"]["keys"][0]["pem"]


def overtakes(city, w, authority):
    li = App(city.server).by_phone("13800000001")
    phone = lives(city.server, w, "13800000003", "120101")
    city.register(li, [f"li-{i:016d}" for i in range(PHONES)])
    city.register(App(city.server, token_of(phone)), ["wang-0000000000000"])
    see = city.campaign(li.call("GET", "/v1/me").json()["account"])
    wait_for("the campaign is being sent", 30, lambda: len(city.delivered("li-")) > 200)
    document, reference = authority.write("示例市气象台发布暴雨红色预警")
    with case("a warning goes before what is left of a campaign, and is there within a second or so"):
        said, began = authority.send(city.server, document), time.monotonic()
        assert said.status == 201 and said.json()["pushed"], said
        wait_for("the warning on the screen", 10, lambda: city.delivered("wang-"))
        took, left = time.monotonic() - began, PHONES - len(city.delivered("li-"))
        note(f"{took:.2f} s after the answer; {left} of {PHONES} of the campaign were still to be sent")
        assert took < 3 and left > 200
    with case("the campaign then goes on to its end, and nobody else got the warning"):
        wait_for("the campaign", 60, lambda: see()["state"] == "done", every=0.1)
        assert set(city.delivered("li-").values()) == {1} and city.delivered("wang-") == {"wang-0000000000000": 1}
    return document, reference, phone


def in_hand(city, w, authority, first, reference, phone):
    update, second = authority.write("示例市气象台：暴雨预警降为蓝色", "Update", reference, severity="Minor", area="120102")
    with case("an update goes to who got the first one, though it is of another place and of a level that is not pushed"):
        assert authority.send(city.server, update).status == 201
        wait_for("the update on the screen", 10, lambda: city.delivered("wang-")["wang-0000000000000"] == 2)
    with case("what was signed is what is served"):
        for document, ref in ((first, reference), (update, second)):
            said = city.server.get("/v1/warnings/" + ref.split(",")[1])
            assert said.status == 200 and said.body == document, said
    with case("a phone that has synced shows it without a network"):
        feed = [r for r in city.server.get("/v1/warnings").json()["warnings"] if r["sender"] == CODE]     # the demo has one of its own
        assert [r["title"] for r in feed] == ["示例市气象台：暴雨预警降为蓝色"] and feed[0]["sourceHash"] == hashlib.sha256(update).hexdigest()
        say(phone, "sync")
        city.server.stop()
        here = say(phone, "alerts", "120102")
        assert "【蓝色预警】示例市气象台：暴雨预警降为蓝色" in here and "防御指南：请不要外出。" in here, here
        there = say(phone, "alerts", "120103")
        assert there == "", there
        bad = subprocess.run(phone.command("alerts", "天津"), env=clean_env(), capture_output=True)
        assert bad.returncode == 2 and "区划代码" in bad.stderr.decode()


def main():
    with World() as w:
        city = City(w)
        try:
            authority = Authority(w.dir)
            let_in(city, w, authority)
            in_hand(city, w, authority, *overtakes(city, w, authority))
        finally:
            city.farm.stop()


if shutil.which("node"):
    main()
else:
    skip("warnings before campaigns", "node is not here")
sys.exit(done())
