#!/usr/bin/env python3
"""Signing in by another's word, against upstreams that hang, lie, mix things up, rotate their keys or belong to somebody else; and by WeChat.
"""
import concurrent.futures
import base64
import hashlib
import hmac
import json
import sqlite3
import struct
import sys
import time
import urllib.parse

from app import App
from fault import Clock
from lib import World, wait_for
from upstream import SECRET, Key, Upstream
from visitor import Visitor

from tap import case, done, note, rounds

APP = "cn.gov.tj.app:/signed-in"
PHONES = {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"}
LEVELS = {"claims": {"name": "name", "phone": "phone_number", "level": "acr"}, "levels": {"L2": 2, "L3": 3, "L4": 4}, "level_max": 3,
          "trusts_phone": True, "redirects": [APP]}


class Traveller(App):
    def start(self, u, redirect=APP):
        return self.call("POST", f"/v1/auth/upstreams/{u.name}/start", {"redirect": redirect} if redirect else {})

    def finish(self, u, ticket, back, **more):
        """`more` None: without it."""
        body = {"device": "手机", "ticket": ticket, **back, **more}
        answer = self.call("POST", f"/v1/auth/upstreams/{u.name}", {k: v for k, v in body.items() if v is not None})
        if answer.status == 200 and answer.json()["step"] == "done":
            self.access = answer.json()["access"]
        return answer

    def sign_in(self, u, **claims):
        begun = self.start(u)
        assert begun.status == 200, begun
        return self.finish(u, begun.json()["ticket"], u.approve(begun.json()["url"], **claims))

    def code(self, phone):
        """A code by SMS: in the log of a server that is being developed."""
        before = len(codes(self.server, phone))
        answer = self.call("POST", "/v1/auth/code", {"phone": phone})
        assert answer.status == 202, answer
        return wait_for("the code in the log", 10, lambda: codes(self.server, phone)[before:])[0]

    def by_phone(self, phone, **more):
        answer = self.call("POST", "/v1/auth/sign-in", {"phone": phone, "code": self.code(phone), **more})
        if answer.status == 200 and answer.json()["step"] == "done":
            self.access = answer.json()["access"]
        return answer


def codes(server, phone):
    found = []
    for line in server.log.read_text(errors="replace").splitlines():
        if '"sms_development"' in line and f'"phone_ends":"{phone[-4:]}"' in line:
            found.append(json.loads(line[line.index("{"):])["code"])
    return found


def words(server, u, other):
    with case("an app is told whom one may sign in by"):
        there = Traveller(server).call("GET", "/v1/auth/upstreams").json()["upstreams"]
        assert [(x["name"], x["kind"]) for x in there] == [("info", "oidc"), ("other", "oidc"), ("wx", "wechat_oauth"), ("wxmini", "wechat_mini"), ("ywt", "oidc")], there
        assert SECRET not in json.dumps(there)
    with case("a word of level 3 makes an account with its name and phone, and finds it again"):
        li = Traveller(server)
        answer = li.sign_in(u, sub="1001", name="李雷", phone_number="+86 138 0013 8000", acr="L3").json()
        assert answer["step"] == "done" and answer["new"] and answer["level"] == 3, answer
        me = li.call("GET", "/v1/me").json()
        assert me["name"] == "李雷" and me["level"] == 3 and {x["kind"] for x in me["identifiers"]} == {"upstream:ywt", "phone"}, me
        again = Traveller(server).sign_in(u, sub="1001").json()
        assert again["account"] == answer["account"] and not again["new"] and again["level"] == 3, again
    with case("its level is never above its ceiling, and what it does not say is the lowest"):
        assert Traveller(server).sign_in(u, sub="1002", acr="L4", phone_number="13800138002").json()["level"] == 3
        asked = Traveller(server).sign_in(u, sub="1003", acr="L9").json()
        assert asked["step"] == "phone" and "access" not in asked, asked
    with case("a phone that it proves finds the account that has it, and raises its level; the other upstream proves none"):
        wang = Traveller(server)
        account = wang.by_phone("13600136000").json()["account"]
        answer = Traveller(server).sign_in(u, sub="1004", phone_number="13600136000", acr="L2").json()
        assert answer["account"] == account and answer["level"] == 2 and not answer["new"], answer
        with sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True) as db:
            assert db.execute("SELECT level, level_by FROM account WHERE id = ?", (account,)).fetchone() == (2, "upstream:ywt")
        answer = Traveller(server).sign_in(other, sub="1004", phone_number="13600136000", acr="L3").json()
        assert answer["step"] == "phone", answer
        unproved = Traveller(server).sign_in(u, sub="1005", phone_number="13600136000", phone_number_verified=False).json()
        assert unproved["step"] == "phone", unproved
    with case("who is not known well proves a phone, and is known from then on; the ticket is good once"):
        asked = Traveller(server).sign_in(other, sub="2001").json()
        assert asked["step"] == "phone", asked
        app = Traveller(server)
        wrong = app.call("POST", "/v1/auth/sign-in", {"phone": "13700137000", "code": "000000", "ticket": asked["ticket"]})
        assert wrong.status == 401, wrong
        answer = app.by_phone("13700137000", ticket=asked["ticket"]).json()
        assert answer["step"] == "done" and answer["new"], answer
        again = Traveller(server).sign_in(other, sub="2001").json()
        assert again["step"] == "done" and again["account"] == answer["account"], again
        used = Traveller(server).call("POST", "/v1/auth/sign-in", {"phone": "13700137001", "code": Traveller(server).code("13700137001"), "ticket": asked["ticket"]})
        assert used.status == 401, used
        bent = asked["ticket"][:-3] + ("AAA" if asked["ticket"][-3:] != "AAA" else "BBB")
        assert app.call("POST", "/v1/auth/sign-in", {"phone": "13700137000", "code": "000000", "ticket": bent}).status == 401


def attacks(server, u, other, info):
    app = Traveller(server)

    def refused(answer):
        assert answer.status == 401 and "access" not in answer.json(), answer

    with case("a code is good once, and so is the ticket"):
        begun = app.start(u).json()
        back = u.approve(begun["url"], sub="3001", acr="L2")
        assert app.finish(u, begun["ticket"], back).json()["step"] == "done"
        refused(app.finish(u, begun["ticket"], back))
        refused(app.finish(u, begun["ticket"], u.approve(begun["url"], sub="3001", acr="L2")))
    with case("an injected code opens nothing: PKCE ties it to the sign-in that it was made for"):
        victim, thief = app.start(u).json(), app.start(u).json()
        stolen = u.approve(victim["url"], sub="3002", acr="L3")
        refused(app.finish(u, thief["ticket"], {**stolen, "state": thief["state"]}))
    with case("another state, a bent ticket, none: refused before the upstream is asked"):
        begun = app.start(u).json()
        back, asked = u.approve(begun["url"], sub="3003", acr="L2"), u.asked.count("token")
        other_state = app.start(u).json()["state"]
        for wrong in ({"state": other_state}, {"state": None}, {"state": back["state"][:-1]}, {"ticket": None}, {"ticket": "A" * 56}):
            refused(app.finish(u, wrong.pop("ticket", begun["ticket"]), back, **wrong))
        assert u.asked.count("token") == asked
        assert app.finish(u, begun["ticket"], back).json()["step"] == "done"
    with case("mix-up: a ticket of one upstream is none at another, and an answer that names another issuer is refused unsent"):
        begun = app.start(u).json()
        back = u.approve(begun["url"], sub="3004", acr="L2")
        asked = other.asked.count("token")
        refused(app.finish(other, begun["ticket"], back))
        assert other.asked.count("token") == asked
        asked = u.asked.count("token")
        refused(app.finish(u, begun["ticket"], back, iss=other.url))
        refused(app.finish(u, begun["ticket"], back, iss=None))     # it promised to say who it is (RFC 9207)
        assert u.asked.count("token") == asked
        assert app.finish(u, begun["ticket"], back).json()["step"] == "done"
    with case("no address but a registered one, byte for byte: at the begin and at the end"):
        for bad in ("https://evil.example/", APP + "/", APP.upper(), "https://127.0.0.1/sign-in/from/ywt", "//evil.example"):
            assert app.start(u, bad).status == 400, bad
        assert app.start(u, None).status == 400
        begun = app.start(u).json()
        assert app.finish(u, begun["ticket"], u.approve(begun["url"], sub="3005"), redirect="https://evil.example/").status == 400
    with case("an upstream that nobody knows is not there"):
        assert app.call("POST", "/v1/auth/upstreams/nobody/start", {}).status == 404
        assert app.call("POST", "/v1/auth/upstreams/nobody", {"code": "x"}).status == 404
    now = int(time.time())
    stranger = Key(u.folder, u.key.kid + "x")
    lies = {
        "another nonce": {"claims": {"nonce": "A" * 43}}, "no nonce": {"claims": {"nonce": None}},
        "another issuer": {"claims": {"iss": other.url}}, "another audience": {"claims": {"aud": "somebody"}},
        "a list of audiences without azp": {"claims": {"aud": ["tjzw", "somebody"]}}, "another azp": {"claims": {"azp": "somebody"}},
        "its time is over": {"claims": {"iat": now - 900, "exp": now - 600}}, "of the future": {"claims": {"iat": now + 600, "exp": now + 900}},
        "no sub": {"claims": {"sub": None}}, "a sub with a space": {"claims": {"sub": "a b"}}, "a number as sub": {"claims": {"sub": 7}},
        "alg none": {"head": {"alg": "none"}}, "HS256 by the public key": {"head": {"alg": "HS256"}}, "RS256 by an EC key": {"head": {"alg": "RS256"}},
        "an unknown kid": {"head": {"kid": "nobody"}}, "crit": {"head": {"crit": ["exp"]}}, "a key in its head": {"head": {"jwk": stranger.jwk()}},
        "a stranger's signature": {"key": stranger, "head": {"kid": u.key.kid}}, "an access token as ID token": {"head": {"typ": "at+jwt"}},
    }
    for what, lie in lies.items():
        with case(f"a lie is not believed: {what}"):
            u.lie = lie
            refused(app.sign_in(u, sub="1001", acr="L3"))
            u.lie = {}
    with case("what stands in userinfo alone is read there, if it speaks of the same person"):
        info.lie = {"claims": {"name": None, "acr": None}}
        answer = app.sign_in(info, sub="4001", name="韩梅梅", acr="L3").json()
        assert answer["level"] == 3 and app.call("GET", "/v1/me").json()["name"] == "韩梅梅", answer
        for somebody in ({"sub": "1001"}, {"sub": None}):
            info.lie = {"userinfo": somebody}
            refused(app.sign_in(info, sub="4001"))
        info.lie = {}
        info.how["userinfo"] = "flood"
        assert app.sign_in(info, sub="4001").status == 503
        info.how.clear()
    with case("refusals are in the audit log, without a word of what came"):
        def rows():
            return [r for r in server.admin("GET", "/v1/audit?n=200").json()["records"] if r["action"] == "credential.refused"]
        wait_for("a row", 10, rows)
        text = server.log.read_text(errors="replace")
        assert SECRET not in text and "eyJ" not in text, "a secret in the log"
        assert '"upstream_failed"' in text


def totp(secret, at):
    step = int(at) // 30
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    return f"{(struct.unpack('>I', mac[mac[19] & 15:][:4])[0] & 0x7fffffff) % 1000000:06}"


def factors(server, u):
    with case("a second factor is asked for after a word as after a code, and no phone ties another upstream's word to it"):
        li = Traveller(server)
        account = li.sign_in(u, sub="6001", acr="L2", phone_number="13400134001").json()["account"]
        offer = li.call("POST", "/v1/me/factors/offer", {"kind": "totp"}).json()
        done_ = li.call("POST", "/v1/me/factors", {"ticket": offer["ticket"], "name": "手机", "code": totp(offer["secret"], time.time())})
        assert done_.status == 201, done_
        asked = Traveller(server).sign_in(u, sub="6001").json()
        assert asked["step"] == "factor" and "access" not in asked, asked
        app = Traveller(server)
        answer = app.call("POST", "/v1/auth/sign-in", {"ticket": asked["ticket"], "totp": totp(offer["secret"], time.time() + 30)}).json()
        assert answer["step"] == "done" and answer["account"] == account, answer
        asked = Traveller(server).sign_in(u, sub="6002", phone_number="13400134001").json()
        assert asked["step"] == "factor", asked
        with sqlite3.connect(f"file:{server.data}/tjzw.db?mode=ro", uri=True) as db:
            assert db.execute("SELECT count(*) FROM identifier WHERE account = ? AND kind = 'upstream:ywt'", (account,)).fetchone() == (1,)


class Browser(Visitor):
    def out(self, name, query=""):
        """To an upstream: its address."""
        page = self.get(f"/sign-in/with/{name}{query}")
        assert page.status == 303 and "no-referrer" in page.header("referrer-policy"), page
        return page.location

    def back(self, name, answer, **more):
        """From it: the page it came to. `more` None: without it."""
        asked = {"code": answer["code"], "state": answer["state"], "iss": answer["iss"], **more}
        return self.get(f"/sign-in/from/{name}?" + urllib.parse.urlencode({k: v for k, v in asked.items() if v is not None}))


def browsers(server, u, other):
    with case("a browser is led out and back in, to the page that it wanted, in a session of its own"):
        li = Browser(server)
        page = li.get("/sign-in")
        assert 'href="/sign-in/with/ywt"' in page.body and "wxmini" not in page.body, page
        answer = u.approve(li.out("ywt", "?return=%2Faccount%2Fdevices"), sub="1001")
        assert answer["redirect"] == server.url + "/sign-in/from/ywt", answer
        before = dict(li.jar)
        page = li.back("ywt", answer)
        assert (page.status, page.location) == (303, "/account/devices"), page
        assert li.get("/account").status == 200 and "__Host-tjzw-upstream" in before and "__Host-tjzw-upstream" not in li.jar
        assert li.back("ywt", answer).status == 401, "the same answer was good twice"
    with case("nobody is led to another site"):
        for bad in ("https://evil.example/", "//evil.example", "/\\evil.example", "/sync", "javascript:alert(1)"):
            b = Browser(server)
            page = b.back("ywt", u.approve(b.out("ywt", "?return=" + urllib.parse.quote(bad, safe="")), sub="1001"))
            assert (page.status, page.location) == (303, "/account"), (bad, page)
    with case("an answer counts in the browser that was sent out alone: no sign-in is planted in another"):
        thief, victim = Browser(server), Browser(server)
        answer = u.approve(thief.out("ywt"), sub="1001")
        asked = u.asked.count("token")
        for b in (victim, Browser(server)):
            page = b.back("ywt", answer)
            assert page.status == 401 and "__Host-tjzw" not in b.jar and "重新开始" in page.body, page
            victim.out("ywt")       # also when it is on its way itself
        assert u.asked.count("token") == asked
    with case("mix-up: no code of one upstream is shown to another"):
        b = Browser(server)
        answer, asked = u.approve(b.out("ywt"), sub="1001"), (u.asked.count("token"), other.asked.count("token"))
        jar = dict(b.jar)
        assert b.back("other", answer).status == 401
        b.jar = dict(jar)
        assert b.back("ywt", answer, iss=other.url).status == 401
        b.jar = dict(jar)
        assert b.back("ywt", answer, iss=None).status == 401
        b.jar = dict(jar)
        assert b.back("ywt", answer, state="0" * 64).status == 401
        assert (u.asked.count("token"), other.asked.count("token")) == asked
        b.jar = jar
        assert b.back("ywt", answer).status == 303
    with case("who turns back at the upstream begins again; an error that nobody asked for is refused"):
        b = Browser(server)
        answer = u.approve(b.out("ywt"), sub="1001")
        page = b.back("ywt", answer, code=None, error="access_denied")
        assert page.status == 200 and "没有在" in page.body and "__Host-tjzw" not in b.jar, page
        assert b.back("ywt", answer, code=None, error="access_denied").status == 401
        assert b.get("/sign-in/from/ywt").status == 401 and b.get("/sign-in/from/nobody?code=x").status == 404
        assert b.get("/sign-in/with/nobody").status == 404 and b.get("/sign-in/with/wxmini").status == 404
    with case("who is not known well proves a phone on a page; who comes to /sign-in by himself gets nothing of it"):
        b = Browser(server)
        page = b.back("other", other.approve(b.out("other"), sub="7001"))
        assert (page.status, page.location) == (303, "/sign-in/phone"), page
        page = b.get("/sign-in/phone")
        ticket = page.form("/sign-in")["ticket"]
        assert "ticket" not in b.get("/sign-in").form("/sign-in")
        assert b.send(page, "/sign-in", phone="12").status == 422
        page = b.send(page, "/sign-in", phone="13300133001")
        assert (page.status, page.location) == (303, "/sign-in/code"), page
        page = b.send(b.get("/sign-in/code"), "/sign-in/code", code=b.code("13300133001"))
        assert (page.status, page.location) == (303, "/account"), page
        again = Browser(server)
        page = again.back("other", other.approve(again.out("other"), sub="7001"))
        assert (page.status, page.location) == (303, "/account"), page
        assert len(ticket) < 1800
    with case("an upstream that fails is told of in words, and the other ways in stand beside it"):
        b = Browser(server)
        answer = u.approve(b.out("ywt"), sub="1001")
        u.how["token"] = "refuse"
        page = b.back("ywt", answer)
        u.how.clear()
        assert page.status == 503 and "现在没有回应" in page.body and "/sign-in/password" in page.body, page
    with case("WeChat's page is asked in its own way"):
        url = Browser(server).out("wx")
        assert url.startswith("https://open.weixin.qq.com/connect/qrconnect?appid=wx0123456789abcdef&redirect_uri="), url
        assert url.endswith("#wechat_redirect") and "scope=snsapi_login" in url


def rotation(server, u):
    app = Traveller(server)
    with case("a new key is fetched when it signs, also of another algorithm; who does not publish it is not believed"):
        fetched = u.asked.count("keys")
        for kid, alg in (("n1", "ES256"), ("n2", "RS256")):
            server.clock.forward(61)
            u.rotate(kid, alg)
            assert app.sign_in(u, sub="1001").json()["step"] == "done", kid
        assert u.asked.count("keys") == fetched + 2
    with case("an unknown key is asked for at most once a minute"):
        server.clock.forward(61)
        fetched = u.asked.count("keys")
        u.lie = {"key": Key(u.folder, "unpublished")}
        for _ in range(5):
            assert app.sign_in(u, sub="1001").status == 401
        u.lie = {}
        assert u.asked.count("keys") == fetched + 1, u.asked.count("keys") - fetched
        assert app.sign_in(u, sub="1001").json()["step"] == "done"


def hanging(server, u, other):
    app = Traveller(server)
    for part, how in (("token", "flood"), ("token", "away"), ("token", "refuse"), ("token", "garbage")):
        with case(f"an upstream whose {part} endpoint does this signs nobody in: {how}"):
            u.how[part] = how
            answer = app.sign_in(u, sub="1001")
            assert answer.status == 503 and "elsewhere" not in u.asked, answer
            u.how.clear()
            assert app.sign_in(u, sub="1001").json()["step"] == "done"
    for how in ("hang", "slow")[:rounds(2, 1)]:
        with case(f"while one upstream does this nobody else waits: {how}"):
            u.how["token"] = how
            u.freed.clear()
            with concurrent.futures.ThreadPoolExecutor(60) as many:
                begun = [app.start(u).json() for _ in range(60)]
                waiting = [many.submit(Traveller(server).finish, u, b["ticket"], u.approve(b["url"], sub="1001")) for b in begun]
                time.sleep(0.5)
                start = time.monotonic()
                assert Traveller(server).sign_in(other, sub="2001").json()["step"] == "done"
                assert server.get("/v1/items").status == 200
                took = time.monotonic() - start
                answers = [x.result() for x in waiting]
            u.freed.set()
            u.how.clear()
            note(f"beside 60 that hang another upstream took {took * 1000:.0f} ms")
            assert took < 5, took
            assert {a.status for a in answers} == {503}, {a.status for a in answers}
    with case("and it is believed again when it answers again"):
        wait_for("a sign-in", 30, lambda: app.sign_in(u, sub="1001").status == 200)


def wechat(server, wx):
    def mini(code, app=None):
        return (app or Traveller(server)).call("POST", "/v1/auth/upstreams/wxmini", {"code": code, "device": "微信"})

    with case("a mini-program's user proves a phone once, and is found by openid and unionid from then on"):
        wx.wechat["c1"] = {"openid": "o-mini-1", "unionid": "u-1"}
        asked = mini("c1")
        assert asked.status == 200 and asked.json()["step"] == "phone" and b"session_key" not in asked.body and b"o-mini" not in asked.body, asked
        li = Traveller(server)
        answer = li.by_phone("13500135001", ticket=asked.json()["ticket"]).json()
        assert answer["step"] == "done" and answer["new"], answer
        kinds = {x["kind"] for x in li.call("GET", "/v1/me").json()["identifiers"]}
        assert kinds == {"phone", "wechat", "wechat:wx0123456789abcdef"}, kinds
        wx.wechat["c2"] = {"openid": "o-mini-1", "unionid": "u-1"}
        assert mini("c2").json()["account"] == answer["account"]
    with case("who has an account by phone joins his WeChat to it, and no second account is made"):
        wang = Traveller(server)
        account = wang.by_phone("13500135002").json()["account"]
        wx.wechat["c3"] = {"openid": "o-mini-2"}
        ticket = mini("c3").json()["ticket"]
        server.clock.forward(61)
        answer = Traveller(server).by_phone("13500135002", ticket=ticket).json()
        assert answer["account"] == account and not answer["new"], answer
        wx.wechat["c4"] = {"openid": "o-mini-2"}
        assert mini("c4").json()["account"] == account
    with case("by WeChat's page: the address is WeChat's form, the code brings the same person by unionid"):
        app = Traveller(server)
        begun = app.start(wx_page, APP).json()
        assert "appid=wx0123456789abcdef" in begun["url"] and begun["url"].endswith("#wechat_redirect") and f"state={begun['state']}" in begun["url"]
        assert begun["state"].isalnum() and len(begun["state"]) <= 128
        wx.wechat["c5"] = {"openid": "o-web-1", "unionid": "u-1"}
        answer = app.finish(wx_page, begun["ticket"], {"code": "c5", "state": begun["state"], "redirect": APP})
        assert answer.json()["step"] == "done", answer
        assert Traveller(server).call("POST", "/v1/auth/upstreams/wx", {"code": "c5"}).status == 401, "a code without a ticket"
    for errcode, status in ((40029, 401), (40163, 401), (40226, 403), (45011, 429), (-1, 503), (40125, 503), (99999, 503)):
        with case(f"WeChat's {errcode} is {status}"):
            wx.wechat["bad"] = errcode
            answer = mini("bad")
            assert answer.status == status and (status != 429 or "retry-after" in answer.headers), answer
    with case("WeChat that hangs, floods, sends nonsense"):
        for how in ("flood", "garbage", "refuse", "away"):
            wx.how["token"] = how
            assert mini("c9").status == 503, how
        wx.how.clear()
        text = server.log.read_text(errors="replace")
        assert SECRET not in text and "tiihtNczf5v6" not in text and "js_code" not in text, "a secret in the log"
        database = b"".join(p.read_bytes() for p in server.data.glob("tjzw.db*"))
        assert b"tiihtNczf5v6" not in database and b"o-mini-1" not in database and b"u-1" not in database.replace(b"u-16", b"")


def files(w):
    with case("a file with a mistake keeps the server from starting, and doctor says which and where"):
        there = w.dir / "broken" / "upstreams"
        there.mkdir(parents=True)
        (w.dir / "broken").chmod(0o700)
        good = {"kind": "oidc", "label": "一网通", "issuer": "https://id.example.cn", "client": "tjzw"}
        bad = {
            "not JSON": b"{", "issuer": {"issuer": "http://id.example.cn"}, "kind": {"kind": "saml"}, "colour": {"colour": "red"},
            "level_max": {"level_max": 5}, "levels": {"levels": {"L2": 7}}, "scopes": {"scopes": ["profile"]}, "endpoints": {"endpoints": {"token": "https://x.cn/t"}},
            "label": {"label": None}, "AppSecret": {"kind": "wechat_mini", "issuer": None, "client": "wx1"},
        }
        for what, change in bad.items():
            text = change if isinstance(change, bytes) else json.dumps({k: v for k, v in {**good, **change}.items() if v is not None}).encode()
            (there / "ywt.json").write_bytes(text)
            said = w.tjzw("doctor", "--data", w.dir / "broken", check=False).stdout.decode()
            line = [x for x in said.splitlines() if "上游" in x]
            assert line and line[0].startswith("✘") and "ywt.json" in line[0] and what in line[0], (what, line)
        server = w.start(w.dir / "broken")
        assert server.process.wait(30) != 0 and "ywt" in server.said(), server.said()
        (there / "ywt.json").write_text(json.dumps(good))
        secret = there / "ywt.secret"
        secret.write_text("x")
        secret.chmod(0o644)
        said = w.tjzw("doctor", "--data", w.dir / "broken", check=False).stdout.decode()
        assert "chmod 600" in said, said


def private(w):
    with case("an address in a private network is not asked unless its file allows it"):
        u = Upstream(w, "inside")
        u.connect(w.dir / "private", private=None, redirects=[APP])
        server = w.serve(w.dir / "private", env=PHONES)
        assert Traveller(server).start(u).status == 503 and not u.asked
        server.stop()
    with case("where nobody registers, a word makes the account; and a phone alone does not"):
        u.connect(w.dir / "private", redirects=[APP])
        server = w.serve(w.dir / "private", env={**PHONES, "TJZW_UPSTREAM_ONLY": "true"})
        answer = Traveller(server).sign_in(u, sub="1").json()
        assert answer["step"] == "done" and answer["new"] and answer["level"] == 1, answer
        server.stop()


class Ahead:
    """The wall clock of the server, and of its upstreams."""

    def __init__(self, world, upstreams):
        self.clock, self.seconds, self.upstreams = Clock(world), 0, upstreams

    def forward(self, seconds):
        self.seconds += seconds
        self.clock.ahead(self.seconds)
        for u in self.upstreams:
            u.ahead = self.seconds


def main(w):
    global wx_page
    u, other, wx, info = (Upstream(w, name) for name in ("ywt", "other", "wxmini", "info"))
    u.connect(w.data, **LEVELS)
    other.connect(w.data, **{**LEVELS, "trusts_phone": False, "level_max": 1})
    info.connect(w.data, **LEVELS, userinfo=True)
    at = {"issuer": None, "client": "wx0123456789abcdef"}
    wx.connect(w.data, kind="wechat_mini", endpoints={"token": wx.url + "/sns/jscode2session"}, **at)
    wx.name = "wx"
    wx.connect(w.data, kind="wechat_oauth", redirects=[APP], endpoints={"token": wx.url + "/sns/oauth2/access_token"}, **at)
    wx_page = wx
    ahead = Ahead(w, (u, other, info))
    server = w.serve(env={**PHONES, **ahead.clock.env})
    server.clock = ahead
    with case("doctor names them"):
        assert "info, other, wx, wxmini, ywt" in w.tjzw("doctor", "--data", w.data, check=False).stdout.decode()
    words(server, u, other)
    attacks(server, u, other, info)
    factors(server, u)
    browsers(server, u, other)
    rotation(server, u)
    hanging(server, u, other)
    wechat(server, wx)
    with case("the log of all this holds"):
        w.tjzw("audit", "verify", "--data", w.data)
    server.stop()
    files(w)
    private(w)


with World() as world:
    main(world)
sys.exit(done())
