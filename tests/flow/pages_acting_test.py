"""A person acts for an organisation, in a real browser and by keyboard: every page says so, his own pages stay closed, and it ends when he says so, when the grant
is taken back, and with his own session. His app does the same by JSON, and looks after the organisation's program.
"""
import json
import re
import sys

from app import App
from browser import Browser, missing
from lib import World, free_port
from pages_sign_in_test import PICTURES, look, push, sign_in
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

PHONE, NAME = "13900000051", "示例科技有限公司"
BAR = f"您正在以“{NAME}”的名义办事。"


def newest(w):
    """The number of the account that was made last."""
    return int(re.search(r"accounts/(\d+)", w.tjzw("audit", "list", "--data", w.data, "--action", "account.create").stdout.decode())[1])


def by_json(w, server, organisation):
    own = App(server).by_phone("13900000052")
    with case("an app acts with tokens of their own, exchanges them, and looks after the organisation's program: keys, and what it asked"):
        w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(own.said["account"]))
        mine = own.call("GET", "/v1/me/organisations").json()["organisations"]
        assert [(o["account"], o["name"], o["acting"]) for o in mine] == [(organisation, NAME, False)], mine
        acting = own.call("POST", "/v1/me/act", {"organisation": organisation})
        assert acting.status == 201, acting
        acting = App(server, App(server).call("POST", "/v1/auth/refresh", {"refresh": acting.json()["refresh"]}).json()["access"])
        assert own.call("GET", "/v1/parties/app").status == 404
        key = acting.call("POST", "/v1/parties/app/keys", {"days": 30})
        assert key.status == 201, key
        assert App(server, key.json()["key"]).call("GET", "/v1/items").status == 200
        assert acting.call("GET", "/v1/parties/app/requests").status == 200
        assert acting.call("GET", "/v1/parties/app/keys").json()["keys"][0]["no"] == key.json()["no"]
        assert acting.call("GET", "/v1/me/export").status == 403
    with case("the grant is taken back: the next request is refused, his own tokens are good"):
        w.tjzw("organisations", "forbid", "--data", w.data, str(organisation), str(own.said["account"]))
        assert acting.call("GET", "/v1/me").status == 401
        assert own.call("GET", "/v1/me").status == 200
        log = w.tjzw("audit", "list", "--data", w.data, "--action", "party.key").stdout.decode()
        assert f'"account:{own.said["account"]}"' in log and f'"for":{organisation}' in log.replace(" ", ""), log


def in_a_browser(w, browser, server, url, organisation):
    page = sign_in(browser.page(width=390, script=False), server, url, PHONE)
    account = newest(w)
    with case("who may act for nobody is not bothered with it"):
        assert "以单位的名义办事" not in page.text, page.text
        page.open(url + "/account/organisations")
        assert "还没有单位授权您" in page.text, page.text
    w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(account))
    with case("without a script: he begins, and each page of his account says in whose name"):
        push(page.open(url + "/account"), "以单位的名义办事")
        push(page, f"以它的名义办事：{NAME}")
        assert page.url == "/account?done=acting" and BAR in page.text and "从现在起，您办的事算单位的" in page.text, (page.url, page.text)
        for target in ("/account", "/account/organisations", "/sign-out", "/device"):
            assert BAR in page.open(url + target).text, (target, page.text)
    with case("his own pages are closed until it has ended, and say so"):
        for target in ("/account/devices", "/account/password", "/account/factors", "/account/programs"):
            page.open(url + target)
            assert "或您正在以单位的名义办事" in page.text and "登录于" not in page.text, (target, page.text)
    with case("it ends by its button, and he is himself"):
        push(page.open(url + "/account"), "切换或结束")
        push(page, "结束，回到我本人")
        assert page.url == "/account/organisations?done=acting-end" and BAR not in page.text and "您是您本人" in page.text, (page.url, page.text)
        assert "登录与安全" in page.open(url + "/account").text
    with case("taken back while he acts, the browser is his own again, and he is told"):
        push(page.open(url + "/account/organisations"), f"以它的名义办事：{NAME}")
        w.tjzw("organisations", "forbid", "--data", w.data, str(organisation), str(account))
        page.open(url + "/account")
        assert page.url == "/account/organisations?done=acting-rest" and BAR not in page.text, (page.url, page.text)
        assert "登录与安全" in page.open(url + "/account").text
    with case("signing out while he acts ends both"):
        w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(account))
        push(page.open(url + "/account/organisations"), f"以它的名义办事：{NAME}")
        push(page.open(url + "/sign-out"), "退出登录")
        assert page.open(url + "/account").url.startswith("/sign-in"), page.url
        assert not page.call("Network.getCookies", urls=[url])["cookies"] or all("own" not in c["name"] for c in page.call(
            "Network.getCookies", urls=[url])["cookies"])


def looks(w, browser, server, url, organisation):
    page = sign_in(browser.page(width=320), server, url, "13900000053")
    account = newest(w)
    w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(account))
    push(page.open(url + "/account/organisations"), f"以它的名义办事：{NAME}")
    for name, large, dark in (("narrow", False, False), ("elder-dark", True, True)):
        with case(f"{name}: axe finds nothing, nothing is too small, Tab reaches all"):
            page.dark(dark)
            for target in ("/account", "/account/organisations", "/account/owned"):
                page.open(url + target + ("?large=1" if large else ""))
                look(page, f"{name}-acting{target.replace('/', '-')}", large)
            push(page, "停用这个程序：示例")
            assert "要停用这个程序吗" in page.text, page.text
            look(page, f"{name}-acting-question", large)


def forms(w, server, organisation):
    with case("a form that was filled in as himself is refused while he acts, and the other way round"):
        v = Visitor(server)
        v.sign_in("13900000054")
        account = newest(w)
        w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(account))
        list_page = v.get("/account/organisations")
        assert v.send(list_page, "/account/act", organisation=organisation).status == 303
        assert v.send(list_page, "/account/act", organisation=organisation).status == 403
        acting = v.get("/account/organisations")
        assert v.send(acting, "/account/act/end").status == 303
        assert v.send(acting, "/account/act/end").status == 403
        assert v.get("/account").status == 200


def programs(w, server, organisation):
    key = json.loads(w.tjzw("parties", "key", "--data", w.data, "app").stdout)
    program = App(server, key["key"])
    w.tjzw("parties", "add", "--data", w.data, "--id", "others", "--name", "别人的程序", "--kind", "live")
    others = json.loads(w.tjzw("parties", "key", "--data", w.data, "others").stdout)
    v = Visitor(server)
    v.sign_in("13900000055")
    account = newest(w)
    w.tjzw("organisations", "allow", "--data", w.data, str(organisation), str(account))

    def ask(page, **fields):
        """One of its forms, with no more than is told."""
        return v.post("/account/owned", {k: x for k, x in {**page.form("/account/owned"), "key": None, **fields}.items() if x is not None})
    with case("as himself he sees none of the organisation's programs"):
        own = v.get("/account/owned")
        assert own.status == 200 and "没有登记过" in own.body and "示例" not in own.body, own
    v.send(v.get("/account/organisations"), "/account/act", organisation=organisation)
    with case("who acts sees its programs and their keys; one is revoked, after a question and no sooner"):
        assert program.call("GET", "/v1/items").status == 200
        page = v.get("/account/owned")
        assert "示例" in page.body and f"密钥第 {key['no']} 号" in page.body and "别人的程序" not in page.body, page.body
        question = ask(page, party="app", key=key["no"])
        assert question.status == 200 and "要吊销这把密钥吗" in question.body, question
        assert program.call("GET", "/v1/items").status == 200
        assert v.send(question, "/account/owned").location == "/account/owned?done=owned-key"
        assert program.call("GET", "/v1/items").status == 401
        log = w.tjzw("audit", "list", "--data", w.data, "--action", "party.revoke").stdout.decode()
        assert f'"account:{account}"' in log and f'"for":{organisation}' in log.replace(" ", "") and f"parties/app/keys/{key['no']}" in log, log
    with case("a program is stopped: its keys are void until a security administrator opens it again"):
        program = App(server, json.loads(w.tjzw("parties", "key", "--data", w.data, "app").stdout)["key"])
        page = v.get("/account/owned")
        assert v.send(ask(page, party="app"), "/account/owned").location == "/account/owned?done=owned"
        assert program.call("GET", "/v1/items").status == 401 and "已经停用" in v.get("/account/owned").body
        w.tjzw("parties", "edit", "--data", w.data, "--open", "true", "app")
        assert program.call("GET", "/v1/items").status == 200
    with case("another's program is not there, nor a key of it, whatever is sent; and nothing when the grant is over"):
        page = v.get("/account/owned")
        for fields in ({"party": "others"}, {"party": "others", "key": others["no"]}, {"party": "app", "key": others["no"]}, {"party": "none"}):
            assert ask(page, answer="yes", **fields).status == 404, fields
        assert App(server, others["key"]).call("GET", "/v1/items").status == 200
        w.tjzw("organisations", "forbid", "--data", w.data, str(organisation), str(account))
        assert ask(page, party="app", answer="yes").status == 401
        assert program.call("GET", "/v1/items").status == 200
        assert v.get(v.get("/account/owned").location).location.startswith("/account/organisations")
        assert "没有登记过" in v.get("/account/owned").body


def main():
    lacking = missing()
    if lacking:
        skip("acting in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port = free_port()
        url = f"https://localhost:{port}"
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        organisation = json.loads(w.tjzw("organisations", "add", "--data", w.data, "--name", NAME).stdout)["account"]
        w.tjzw("parties", "add", "--data", w.data, "--id", "app", "--name", "示例", "--kind", "live", "--owner", str(organisation))
        by_json(w, server, organisation)
        in_a_browser(w, browser, server, url, organisation)
        looks(w, browser, server, url, organisation)
        programs(w, server, organisation)
        forms(w, server, organisation)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
