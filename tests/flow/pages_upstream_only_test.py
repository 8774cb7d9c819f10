"""Where nobody registers (upstream_only), no page may say that one could: each is read as a citizen reads it who has never been here, and as one who came by the
upstream and has no telephone. And it tells nobody whether a number has an account.
"""
import sys
import urllib.parse

from browser import Browser, missing
from fault import Clock
from lib import World, free_port
from pages_sign_in_test import PICTURES, fill, look
from upstream import Upstream
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

NONSENSE = ("第一次登录会同时建立账号", "现在用短信验证码登录", "手机号已核对")
STRANGER = ["/sign-in", "/sign-in/password", "/sign-in/passkey", "/sign-out", "/device", "/sign-in?over=1", "/sign-in?fresh=1"]
OWN = ["/account", "/account/bindings", "/account/phone", "/account/devices", "/account/password", "/account/factors", "/account/programs", "/account/data",
       "/account/leave"]


def by_upstream(server, u, sub):
    """Somebody who came by the upstream, with nothing but its number."""
    v = Visitor(server)
    answer = u.approve(v.get("/sign-in/with/ywt").location, sub=sub)
    back = v.get("/sign-in/from/ywt?" + urllib.parse.urlencode({k: answer[k] for k in ("code", "state", "iss")}))
    assert (back.status, back.location) == (303, "/account"), back
    return v


def stranger(browser, server, url):
    page = browser.page(width=390, script=False)
    with case("who has never been here is led to the upstream, before anything else"):
        page.open(url + "/sign-in")
        text = page.text
        assert "第一次使用，请用下面的身份登录" in text and text.index("用“天津政务一网通”登录") < text.index("手机号"), text
        assert text.count("用“天津政务一网通”登录") == 1, text
    with case("no page says that one could register by telephone"):
        for target in STRANGER:
            page.open(url + target)
            assert not [w for w in NONSENSE if w in page.text], (target, page.text)
    with case("a number that nobody has: the page says when a message comes, and what to do if none does; nothing tells of an account"):
        page.open(url + "/sign-in")
        fill(page, phone="13900000201")
        assert page.url == "/sign-in/code" and "如果 139****0201 已经绑定在一个账号上" in page.text and "就不会有短信" in page.text, (page.url, page.text)
        assert '"phone_ends":"0201"' not in server.log.read_text(errors="replace")
        fill(page, code="123456")
        assert "验证码不对" in page.text, page.text


def same_words(server, known):
    with case("a number that somebody has and one that nobody has get the same page"):
        pages = []
        for phone in (known, "13900000209"):
            v = Visitor(server)
            answer = v.send(v.get("/sign-in"), "/sign-in", phone=phone)
            assert (answer.status, answer.location) == (303, "/sign-in/code"), answer
            page = v.get("/sign-in/code").body.replace(phone[-4:], "NNNN").replace(phone, "NUMBER").replace(phone[:7], "HEAD")
            token = next(f["token"] for where, f in v.get("/sign-in/code").forms() if where == "/sign-in/code")
            pages.append(page.replace(token, "TOKEN"))
        strip = [p.partition('name="token"')[0] for p in pages]
        assert strip[0] == strip[1], strip


def own(browser, server, url, u):
    v = by_upstream(server, u, "1")
    page = browser.page(width=320)
    page.call("Network.setCookie", name="__Host-tjzw", value=v.jar["__Host-tjzw"], url=url, secure=True, httpOnly=True, path="/")
    with case("who came by the upstream and has no telephone reads nothing of one that he had proved"):
        for target in OWN:
            page.open(url + target)
            assert page.url == target and not [w for w in NONSENSE if w in page.text], (target, page.url, page.text)
        assert "统一身份认证" in page.open(url + "/account").text and "解绑" not in page.open(url + "/account/bindings").value(
            "document.querySelector('.rows').innerText")
    return v


def looks(browser, url):
    page = browser.page(width=320)
    for name, large, dark in (("narrow", False, False), ("elder-dark", True, True)):
        with case(f"{name}: axe finds nothing, nothing is too small, Tab reaches all"):
            page.dark(dark)
            page.open(url + "/sign-in" + ("?large=1" if large else ""))
            look(page, f"{name}-upstream-only-sign-in", large)
            fill(page, phone="13900000205" if large else "13900000202")
            assert page.url.startswith("/sign-in/code"), page.url
            look(page, f"{name}-upstream-only-code", large)


def main():
    lacking = missing()
    if lacking:
        skip("the pages where nobody registers", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port, clock = free_port(), Clock(w)
        url = f"https://localhost:{port}"
        u = Upstream(w, "ywt")
        u.connect(w.data)
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000",
                                                     "TJZW_UPSTREAM_ONLY": "true", **clock.env})
        server.ready()
        stranger(browser, server, url)
        v = own(browser, server, url, u)
        known = "13900000203"
        v.send(v.get("/account/phone"), "/account/phone", phone=known)
        v.send(v.get("/account/phone/code"), "/account/phone/code", code=v.code(known))
        clock.ahead(100)
        u.ahead = 100
        same_words(server, known)
        looks(browser, url)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
