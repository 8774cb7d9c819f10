"""What one signs in by, one's data, and leaving, in a real browser by keyboard: a phone is bound and let go of, two accounts become one, all of it is taken along,
and who wants to be forgotten is told what stays, and may think better of it.
"""
import json
import sys

from app import App
from browser import Browser, missing
from fault import Clock
from lib import World, free_port
from pages_sign_in_test import PICTURES, code_of, fill, look, push, sign_in, totp
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

OLD, NEW, OTHER, GUARDED = "13900000061", "13900000062", "13900000063", "13900000064"


def bind(page, server, url, phone):
    """Up to where its code was right."""
    push(page.open(url + "/account/bindings"), "绑定手机号")
    fill(page, phone=phone)
    assert page.url == "/account/phone/code" and phone[-4:] in page.text, (page.url, page.text)
    return fill(page, code=code_of(server, phone))


def phones(browser, server, url):
    page = sign_in(browser.page(width=390, script=False), server, url, OLD)
    with case("the only way in cannot be let go of"):
        push(page, "手机号与绑定")
        assert "139****0061" in page.text and "\n解绑" not in page.text, page.text
    with case("without a script: what is no number, and a wrong code, are said on the page; the right one binds it"):
        push(page, "绑定手机号")
        fill(page, phone="12345")
        assert "请检查手机号" in page.text and page.focused().startswith("有一处需要修改"), page.text
        fill(page, phone=NEW)
        fill(page, code="000000" if code_of(server, NEW) != "000000" else "111111")
        assert page.url == "/account/phone/code" and "验证码不对" in page.text, (page.url, page.text)
        fill(page, code=code_of(server, NEW))
        assert page.url == "/account/bindings?done=bound" and "139****0062" in page.text, (page.url, page.text)
    with case("the old one is let go of: a change of number; then the new one is the last"):
        push(page, "解绑：139****0061")
        assert page.url == "/account/bindings?done=unbound" and "139****0061" not in page.text and "\n解绑" not in page.text, (page.url, page.text)
    return page


def joined(clock, browser, page, server, url):
    clock.ahead(100)   # a number gets a code a minute
    other = App(server).by_phone(OTHER)
    other.call("PATCH", "/v1/me", {"name": "另一个"})
    fav = {"key": "main/0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11", "n": 1, "type": "fav", "value": {"at": 1763790123}}
    assert other.call("POST", "/v1/me/sync", {"device": "q83vEjRWeJCrze8SNFZ4kA", "mutations": [fav]}).json()["results"][0]["result"] == "done"
    clock.ahead(200)
    with case("a phone that has an account: he is told what will happen, and may leave it at that"):
        bind(page, server, url, OTHER)
        assert "合并两个账号" in page.text and "139****0063 已经有一个账号" in page.text and "不能再分开" in page.text, page.text
        assert "收藏、已读、关注，写过的信件和答过的问卷，也归到现在这个账号" in page.text, page.text
        page.picture(PICTURES / "join.png")
        push(page, "不合并")
        assert "139****0063" not in page.text and other.call("GET", "/v1/me").status == 200, page.text
    with case("he agrees: they are one, the other's devices are out, and its phone leads here"):
        clock.ahead(300)
        bind(page, server, url, OTHER)
        push(page, "合并到现在这个账号")
        assert page.url == "/account/bindings?done=joined" and "139****0063" in page.text and "139****0062" in page.text, (page.url, page.text)
        assert other.call("GET", "/v1/me").status == 401
        clock.ahead(400)
        one = App(server).by_phone(OTHER)
        me = one.call("GET", "/v1/me").json()
        assert [e["key"] for e in one.call("POST", "/v1/me/sync", {}).json()["entries"] if e["type"] == "fav"] == [fav["key"]]      # as the page had said
        assert {i["hint"] for i in me["identifiers"]} == {"139****0062", "139****0063"} and "name" not in me, me
    with case("an account with a second factor is not joined by its phone alone"):
        guarded = App(server).by_phone(GUARDED)
        offer = guarded.call("POST", "/v1/me/factors/offer", {"kind": "totp"}).json()
        assert guarded.call("POST", "/v1/me/factors", {"ticket": offer["ticket"], "name": "x", "code": totp(offer["secret"], 13)}).status in (201, 400)
        assert [f["kind"] for f in guarded.call("GET", "/v1/me/factors").json()["factors"]] == ["totp"]
        clock.ahead(500)
        bind(page, server, url, GUARDED)
        assert "不能合并" in page.text and "验证器" in page.text, page.text


def proved(v, phone):
    """The page that asks whether two accounts are to be one."""
    v.send(v.get("/account/phone"), "/account/phone", phone=phone)
    answer = v.send(v.get("/account/phone/code"), "/account/phone/code", code=v.code(phone))
    assert answer.status == 200 and "合并两个账号" in answer.body, answer
    return answer


def slips(clock, server):
    first, second = "13900000071", "13900000072"
    tokens = [App(server).by_phone(phone) for phone in (first, second)]
    clock.ahead(600)
    v = Visitor(server).sign_in("13900000073")
    with case("what proves another's phone is good for that phone's account alone"):
        join = proved(v, first).form("/account/phone/join")
        assert proved(v, second).status == 200                       # the browser is at another number now
        answer = v.post("/account/phone/join", join)
        assert answer.status == 422 and "重新核对手机号" in answer.body, answer
        assert [t.call("GET", "/v1/me").status for t in tokens] == [200, 200]
    with case("… once, and not where it was bent or comes without a page of ours"):
        clock.ahead(700)
        join = proved(v, second).form("/account/phone/join")
        assert v.post("/account/phone/join", {**join, "ticket": join["ticket"][:-2] + "AA"}).status == 422
        assert v.post("/account/phone/join", {"ticket": join["ticket"]}).status == 403
        assert v.post("/account/phone/join", join).location == "/account/bindings?done=joined"
        assert [t.call("GET", "/v1/me").status for t in tokens] == [200, 401]
        assert v.post("/account/phone/join", join).status == 422


def data(w, clock, server):
    with case("all that is known of him is one file; it is asked for with a new sign-in after ten minutes, and written down once"):
        v = Visitor(server).sign_in("13900000081")
        page = v.get("/account/data")
        assert page.status == 200 and 'href="/account/data/export"' in page.body and "登录标识" in page.body, page
        file = v.get("/account/data/export")
        assert file.status == 200 and "attachment" in file.header("content-disposition"), file
        tables = {t["table"] for t in json.loads(file.body)["tables"]}
        assert {"account", "identifier", "session"} <= tables and "13900000081" in file.body, file
        clock.ahead(1500)
        for target in ("/account/data", "/account/data/export"):
            assert v.get(target).location == "/sign-in?return=%2Faccount%2Fdata&fresh=1", v.get(target)
        log = w.tjzw("audit", "list", "--data", w.data, "--action", "account.export").stdout.decode()
        assert log.count('"account.export"') == 1, log


def leaving(clock, browser, server, url):
    page = sign_in(browser.page(width=390, script=False), server, url, "13900000082")
    with case("without a script: he reads what goes, what stays and why, asks to be forgotten, and sees when"):
        push(page, "注销账号")
        for words in ("都会清除，不能恢复", "操作日志：法定留存不少于一年", "15 天", "先导出我的数据"):
            assert words in page.text, (words, page.text)
        push(page, "申请注销")
        assert page.url == "/account/leave?done=leaving" and "以后清除" in page.text and "撤回，保留账号" in page.text, (page.url, page.text)
        assert "您申请了注销账号" in page.open(url + "/account").text, page.text
    with case("he thinks better of it"):
        push(page, "查看或撤回")
        push(page, "撤回，保留账号")
        assert page.url == "/account?done=stay" and "您申请了注销账号" not in page.text, (page.url, page.text)
        clock.ahead(1700)
        assert App(server).by_phone("13900000082").call("GET", "/v1/me").json()["state"] == "open"


def looks(browser, server, url):
    page = sign_in(browser.page(width=320), server, url, "13900000083")
    fill(page.open(url + "/account/phone"), phone="13900000084")
    for name, large, dark in (("narrow", False, False), ("elder-dark", True, True)):
        with case(f"{name}: axe finds nothing, nothing is too small, Tab reaches all"):
            page.dark(dark)
            for target in ("/account", "/account/bindings", "/account/phone", "/account/phone/code", "/account/data", "/account/leave"):
                page.open(url + target + ("?large=1" if large else ""))
                assert page.url.split("?")[0] == target, (target, page.url)
                look(page, f"{name}{target.replace('/', '-')}", large)
    with case("leaving, in both sizes"):
        push(page.open(url + "/account/leave"), "申请注销")
        for large in (False, True):
            page.open(url + "/account/leave" + ("?large=1" if large else ""))
            look(page, f"{'elder-' if large else ''}leaving", large)


def main():
    lacking = missing()
    if lacking:
        skip("an account's pages in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port, clock = free_port(), Clock(w)
        url = f"https://localhost:{port}"
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000", **clock.env})
        server.ready()
        page = phones(browser, server, url)
        joined(clock, browser, page, server, url)
        slips(clock, server)
        clock.ahead(800)
        data(w, clock, server)
        clock.ahead(1600)
        leaving(clock, browser, server, url)
        clock.ahead(1800)
        looks(browser, server, url)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
