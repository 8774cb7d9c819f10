#!/usr/bin/env python3
"""An upstream's identity and WeChat are bound to an account that is signed in, and let go of: by an app, and on the pages; never the last way in, never
another's, and never by an answer that came about elsewhere.
"""
import sys
import urllib.parse

from app import App
from fault import Clock
from lib import World, free_port
from upstream import Upstream
from visitor import Visitor

from tap import case, done

APP = "cn.gov.tj.app:/signed-in"
LEVELS = {"claims": {"name": "name", "phone": "phone_number", "level": "acr"}, "levels": {"L2": 2, "L3": 3}, "level_max": 3, "trusts_phone": True,
          "redirects": [APP]}


class Traveller(App):
    def enter(self, body, target="/v1/auth/sign-in"):
        answer = self.call("POST", target, body)
        if answer.status == 200 and answer.json().get("step") == "done":
            self.keep(answer)
        return answer

    def begin(self, u, mine=True):
        answer = self.call("POST", f"/v1/{'me' if mine else 'auth'}/upstreams/{u.name}/start", {"redirect": APP})
        assert answer.status == 200, answer
        return answer.json()

    def finish(self, u, begun, mine=True, **claims):
        body = {"ticket": begun["ticket"], **u.approve(begun["url"], **claims)}
        return self.enter(body, f"/v1/{'me' if mine else 'auth'}/upstreams/{u.name}")

    def link(self, u, **claims):
        return self.finish(u, self.begin(u), **claims)

    def sign_in(self, u, **claims):
        return self.finish(u, self.begin(u, False), False, **claims)

    def bound(self):
        return {i["kind"]: i["id"] for i in self.call("GET", "/v1/me").json()["identifiers"]}


def by_json(w, clock, server, u):
    li = Traveller(server).by_phone("13900000101")
    with case("an upstream is bound: its level and name count from then on, it leads to this account, and that is written down"):
        answer = li.link(u, sub="1", name="李雷", acr="L3")
        assert answer.status == 200 and {i["kind"] for i in answer.json()["identifiers"]} == {"phone", "upstream:ywt"}, answer
        again = Traveller(server).sign_in(u, sub="1").json()
        assert again["step"] == "done" and again["account"] == li.said["account"] and again["level"] == 3, again
        assert li.call("GET", "/v1/me").json()["name"] == "李雷"
        log = w.tjzw("audit", "list", "--data", w.data, "--action", "identifier.add").stdout.decode()
        assert f'"account:{li.said["account"]}"' in log and '"upstream":"ywt"' in log.replace(" ", ""), log
    with case("it is nobody else's: refused, and nothing of it is kept"):
        wang = Traveller(server).by_phone("13900000102")
        assert wang.link(u, sub="1").status == 409 and set(wang.bound()) == {"phone"}
    with case("a ticket to sign in binds nothing, a ticket to bind signs nobody in, and another's binds nothing here"):
        body = {**u.approve((begun := wang.begin(u, False))["url"], sub="2"), "ticket": begun["ticket"]}
        assert wang.call("POST", "/v1/me/upstreams/ywt", body).status == 403
        body = {**u.approve((begun := wang.begin(u))["url"], sub="2"), "ticket": begun["ticket"]}
        assert Traveller(server).call("POST", "/v1/auth/upstreams/ywt", body).status == 401
        assert li.call("POST", "/v1/me/upstreams/ywt", body).status == 403
        assert set(wang.bound()) == {"phone"} and wang.call("POST", "/v1/me/upstreams/ywt", body).status == 200
        assert wang.call("POST", "/v1/me/upstreams/ywt", body).status == 403, "good twice"
        assert Traveller(server).call("POST", "/v1/me/upstreams/ywt/start", {"redirect": APP}).status == 401
    with case("an upstream that lies binds nothing, and one that hangs says so"):
        zhao = Traveller(server).by_phone("13900000103")
        u.lie = {"head": {"alg": "none"}}
        assert zhao.link(u, sub="3").status == 403
        u.lie, u.how = {}, {"token": "refuse"}
        assert zhao.link(u, sub="3").status == 503 and set(zhao.bound()) == {"phone"}
        u.how = {}
    with case("it is let go of, and leads here no more; the last way in stays"):
        assert li.call("DELETE", f"/v1/me/identifiers/{li.bound()['phone']}").status == 204
        assert li.call("DELETE", f"/v1/me/identifiers/{li.bound()['upstream:ywt']}").status == 409
        assert wang.call("DELETE", f"/v1/me/identifiers/{wang.bound()['upstream:ywt']}").status == 204
        assert Traveller(server).sign_in(u, sub="2").json()["step"] == "phone"
    with case("only soon after a sign-in"):
        clock.ahead(601)
        u.ahead = 601
        for method, target, body in (("POST", "/v1/me/upstreams/ywt/start", {"redirect": APP}),
                                     ("DELETE", f"/v1/me/identifiers/{wang.bound()['phone']}", None)):
            answer = wang.call(method, target, body)
            assert answer.status == 401 and "max_age=600" in answer.headers["www-authenticate"], answer
    return li


def wechat(server, wx):
    with case("WeChat: a mini-program's code binds openid and unionid; one of them let go of takes the other along"):
        app = Traveller(server).by_phone("13900000104")
        wx.wechat["c1"] = {"openid": "o-1", "unionid": "u-1"}
        answer = app.call("POST", "/v1/me/upstreams/wxmini", {"code": "c1"})
        assert answer.status == 200 and set(app.bound()) == {"phone", "wechat", "wechat:wx0123456789abcdef"}, answer
        wx.wechat["c2"] = {"openid": "o-1", "unionid": "u-1"}
        other = Traveller(server).by_phone("13900000105")
        assert other.call("POST", "/v1/me/upstreams/wxmini", {"code": "c2"}).status == 409
        assert app.call("DELETE", f"/v1/me/identifiers/{app.bound()['wechat']}").status == 204
        assert set(app.bound()) == {"phone"}
        wx.wechat["c3"] = {"openid": "o-1", "unionid": "u-1"}
        assert Traveller(server).call("POST", "/v1/auth/upstreams/wxmini", {"code": "c3"}).json()["step"] == "phone"
        wx.wechat["c4"] = {"openid": "o-1"}
        assert app.call("POST", "/v1/me/upstreams/wxmini", {"code": "c4"}).status == 200
        assert app.call("DELETE", f"/v1/me/identifiers/{app.bound()['phone']}").status == 204
        assert app.call("DELETE", f"/v1/me/identifiers/{app.bound()['wechat:wx0123456789abcdef']}").status == 409


def back(u, location, **claims):
    answer = u.approve(location, **claims)
    return "/sign-in/from/ywt?" + urllib.parse.urlencode({k: answer[k] for k in ("code", "state", "iss")})


def link(v):
    return v.send(v.get("/account/bindings"), "/account/link/ywt")


def pages(clock, server, u, li):
    v = Visitor(server).sign_in("13900000106")
    with case("on the pages: out to the upstream, and back, bound; its button is gone, another has come"):
        page = v.get("/account/bindings")
        assert page.status == 200 and "绑定“天津政务一网通”" in page.body, page
        out = link(v)
        assert out.status == 303 and out.location.startswith(u.url), out
        answer = v.get(back(u, out.location, sub="6", acr="L2"))
        assert (answer.status, answer.location) == (303, "/account/bindings?done=linked"), answer
        page = v.get("/account/bindings")
        assert "统一身份认证：天津政务一网通" in page.body and "绑定“天津政务一网通”" not in page.body, page
        assert Traveller(server).sign_in(u, sub="6").json()["level"] == 2
    with case("an answer that came about in another browser binds nothing, here or there"):
        other = Visitor(server).sign_in("13900000107")
        here = Visitor(server).sign_in("13900000108")
        out = link(here).location
        answer = other.get(back(u, out, sub="7"))
        assert answer.status == 401, answer
        assert "统一身份认证" not in other.get("/account/bindings").body
        link(other)
        answer = other.get(back(u, link(here).location, sub="7"))
        assert answer.status == 401, answer
    with case("whoever signed out, or in as somebody else, in between, binds nothing"):
        out = link(other).location
        mine, other.jar = other.jar, {k: c for k, c in other.jar.items() if not k.endswith("tjzw")}
        assert other.get(back(u, out, sub="7")).status == 401
        other.jar = mine
    with case("another's: the page says so, and what to do"):
        answer = other.get(back(u, link(other).location, sub="1"))
        assert answer.status == 409 and "已经是另一个账号的" in answer.body and "/account/bindings" in answer.body, answer
    with case("he thinks better of it there: back to the list"):
        state = dict(urllib.parse.parse_qsl(link(other).location.partition("?")[2]))["state"]
        answer = other.get("/sign-in/from/ywt?" + urllib.parse.urlencode({"error": "access_denied", "state": state, "iss": u.url}))
        assert (answer.status, answer.location) == (303, "/account/bindings"), answer
    with case("it is let go of by its button; who is not signed in is led to sign in first"):
        page = v.get("/account/bindings")
        name = next(f["binding"] for where, f in page.forms() if where == "/account/bindings/end")
        forms = [f for where, f in page.forms() if where == "/account/bindings/end"]
        assert len(forms) == 2 and name, forms
        answer = v.post("/account/bindings/end", forms[-1])
        assert answer.location == "/account/bindings?done=unbound", answer
        assert Visitor(server).get("/account/bindings").location == "/sign-in?return=%2Faccount%2Fbindings"
    with case("a link of somebody else's page begins nothing, nor a form that is not ours"):
        assert other.get("/account/link/ywt").status == 405, other.get("/account/link/ywt")
        answer = other.post("/account/link/ywt", {})
        assert answer.status == 403 and not answer.location, answer
    with case("only soon after a sign-in: else he is led there, and back"):
        clock.ahead(1300)
        u.ahead = 1300
        answer = link(v)
        assert answer.location == "/sign-in?return=%2Faccount%2Fbindings&fresh=1", answer


def main():
    with World() as w:
        port, clock = free_port(), Clock(w)
        url = f"https://localhost:{port}"
        u, wx = Upstream(w, "ywt"), Upstream(w, "wxmini")
        u.connect(w.data, **LEVELS)
        wx.connect(w.data, kind="wechat_mini", label="微信", issuer=None, client="wx0123456789abcdef", endpoints={"token": wx.url + "/sns/jscode2session"})
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000", **clock.env})
        server.ready()
        li = by_json(w, clock, server, u)
        wechat(server, wx)
        pages(clock, server, u, li)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
