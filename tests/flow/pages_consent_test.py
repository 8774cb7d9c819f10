"""A program asks for a person, and a screen in a hall is let in: the whole way in a real browser, by keyboard, from the program's page through sign-in and consent
and back to it.

What browsers hold against a policy only they show: a form's answer that leads to another site is stopped if the policy does not name it.
"""
import base64
import hashlib
import http.server
import json
import secrets
import sys
import threading
import urllib.parse

from browser import Browser, missing
from lib import World, free_port
from pages_sign_in_test import PICTURES, code_of, fill, look, look_large, push, sign_in
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402


class Program:
    """A site of another origin, on loopback: it shows a link, and what it was sent back with."""

    def __init__(self):
        program = self
        self.verifier = secrets.token_urlsafe(32)

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                if parts.path == "/back":
                    program.got = dict(urllib.parse.parse_qsl(parts.query))
                    program.referrer = self.headers.get("referer")
                body = f"<!doctype html><title>program</title><a id=go href=\"{getattr(program, 'link', '')}\">go</a>".encode()
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.got = self.referrer = None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def question(self, url, **more):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        return url + "/oauth2/authorize?" + urllib.parse.urlencode({
            "response_type": "code", "client_id": "heping", "redirect_uri": self.url + "/back", "scope": "openid phone", "state": "s1",
            "nonce": "n1", "code_challenge": challenge, "code_challenge_method": "S256", **more})


def consent(browser, server, url, program):
    page = browser.page(width=390, script=False)
    program.link = program.question(url)
    with case("without a script: from the program's page to sign-in, to consent, and back with a code"):
        page.open(program.url + "/")
        push(page, "go")
        assert page.url.startswith("/sign-in?ask=") and "“和平区政务网”请您登录" in page.text, (page.url, page.text)
        fill(page, phone="13900000021")
        assert page.url.startswith("/sign-in/code?return="), page.url
        page.tab_to("code")
        page.type(code_of(server, "13900000021"))
        page.press("Enter")
        page.wait_text("请您允许")
        assert page.url.startswith("/consent?ask=") and "您的手机号码" in page.text, (page.url, page.text)
        push(page, "同意")
        assert program.got and program.got["state"] == "s1" and program.got["code"].startswith("toc_") and program.got["iss"] == url, program.got
        assert not program.referrer or "ask=" not in program.referrer, program.referrer
        assert not page.said(), page.said()
    with case("its code becomes a token that tells the number, and nothing that was not asked for"):
        answer = Visitor(server).post("/oauth2/token", {"grant_type": "authorization_code", "code": program.got["code"], "client_id": "heping",
                                                        "redirect_uri": program.url + "/back", "code_verifier": program.verifier})
        assert answer.status == 200, answer
        token = json.loads(answer.body)["access_token"]
        info = json.loads(Visitor(server).get("/oauth2/userinfo", authorization=f"Bearer {token}").body)
        assert info["phone_number"].endswith("13900000021") and "name" not in info, info
    with case("asked once: the second time the browser passes through; taken back, it is asked again, and may refuse"):
        program.got = None
        push(page.open(program.url + "/"), "go")
        assert program.got["code"].startswith("toc_"), program.got
        page.open(url + "/account/programs").tab_to("收回：和平区政务网")
        with page.leaving():
            page.press("Enter")
        assert page.url == "/account/programs?done=program" and "和平区政务网" not in page.value("document.querySelector('.rows').innerText"), page.text
        assert Visitor(server).get("/oauth2/userinfo", authorization=f"Bearer {token}").status == 401
        program.got = None
        push(page.open(program.url + "/"), "go")
        assert page.url.startswith("/consent?ask="), page.url
        push(page, "不同意")
        assert program.got["error"] == "access_denied" and "code" not in program.got, program.got
    with case("the page of consent, with scripts on, in the large edition and narrow: axe finds nothing"):
        wide = browser.page(width=320)
        wide.open(url + "/sign-in")
        fill(wide, phone="13900000022")
        fill(wide, code=code_of(server, "13900000022"))
        wide.open(program.link)
        look(wide, "consent")
        push(wide, "长辈版")
        assert wide.url.startswith("/consent?large=1&ask="), wide.url
        look(wide, "elder-consent", large=True)
        wide.dark(True)
        look(wide, "elder-dark-consent", large=True)
        wide.open(program.question(url, acr_values="2"))
        assert "要求第 2 级实名" in wide.text, wide.text
        look(wide, "more")


def device(browser, server, url):
    ask = Visitor(server)
    begun = json.loads(ask.post("/oauth2/device", {"client_id": "screen", "scope": "openid"}).body)
    page = browser.page(width=390, script=False)
    with case("without a script: a screen's letters, typed small and without their dash, let it in"):
        page.open(begun["verification_uri"])
        fill(page, user_code=begun["user_code"].replace("-", "").lower())
        assert page.url.startswith("/sign-in?return="), page.url
        fill(page, phone="13900000023")
        fill(page, code=code_of(server, "13900000023"))
        assert page.url.startswith("/device/confirm?user_code=") and begun["user_code"] in page.text, (page.url, page.text)
        page.picture(PICTURES / "device-confirm.png")
        push(page, "同意")
        assert "那台设备可以用了" in page.text, page.text
        answer = ask.post("/oauth2/token", {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"],
                                            "client_id": "screen"})
        assert answer.status == 200, answer
    with case("the screen stands among his devices under its own name, and is ended there"):
        page.open(url + "/account/devices")
        assert "大厅屏幕" in page.text, page.text
        token = json.loads(answer.body)["access_token"]
        assert Visitor(server).get("/oauth2/userinfo", authorization=f"Bearer {token}").status == 200
        push(page, "让它退出登录：大厅屏幕")
        assert Visitor(server).get("/oauth2/userinfo", authorization=f"Bearer {token}").status == 401


    with case("the page that asks whether the screen may come in, in both editions: axe finds nothing"):
        begun = json.loads(ask.post("/oauth2/device", {"client_id": "screen", "scope": "openid"}).body)
        page = sign_in(browser.page(width=320), server, url, "13900000024")
        fill(page.open(begun["verification_uri"]), user_code=begun["user_code"])
        assert page.url.startswith("/device/confirm?user_code="), page.url
        look(page, "device-confirm")
        look_large(page, "device-confirm")
        assert begun["user_code"] in page.text and page.url.startswith("/device/confirm?"), (page.url, page.text)


def main():
    lacking = missing()
    if lacking:
        skip("consent in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port, program = free_port(), Program()
        url = f"https://localhost:{port}"
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        w.tjzw("parties", "add", "--data", w.data, "--id", "heping", "--name", "和平区政务网", "--kind", "live", "--grants", "authorization_code refresh_token",
               "--redirects", "http://127.0.0.1/back", "--scopes", "openid phone", "--ceiling", "2", "--confidential", "false")
        w.tjzw("parties", "add", "--data", w.data, "--id", "screen", "--name", "大厅屏幕", "--kind", "live", "--grants", "device_code",
               "--scopes", "openid", "--confidential", "false")
        consent(browser, server, url, program)
        device(browser, server, url)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
