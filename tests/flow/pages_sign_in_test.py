"""The pages of identity in a real browser: walked with the keyboard alone, with scripts and without, in both sizes, light and dark, narrow and wide.

axe-core must find nothing (WCAG 2.2 AA and good practice), no page may scroll sideways at 320 px, and in the large edition no text is smaller than 18 pt
(24 px), no line tighter than 1.3, no target smaller than 60 by 60 and no contrast below 4.5:1, which axe asks of small letters alone (docs/ux of the elder
mode: 工信部《移动互联网应用适老化通用设计规范》). Passkeys are made and used by a virtual authenticator. What is drawn is kept in .cache/pages/ to be looked at.
"""
import base64
import hashlib
import hmac
import re
import struct
import subprocess
import sys
import time

from browser import Browser, missing
from lib import ROOT, World, free_port

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import FULL, case, done, note, skip  # noqa: E402

PICTURES = ROOT / ".cache" / "pages"
PASSWORD = "qingting-luo-zai-he-hua-shang"

# Links within a sentence, and what is not shown, are no targets (WCAG 2.5.8 says so too).
# What is around a box and its words answers for both.
SMALL_TARGETS = """(least => [...document.querySelectorAll('a, button, input:not([type=hidden])')].filter(e => e.offsetParent && !e.closest('.skip')
  && !(e.classList.contains('skip'))).map(e => [e.id || e.name || e.innerText, (e.closest('label') || e).getBoundingClientRect()]).filter(([, r]) => r.width < least || r.height < least)
  .map(([n, r]) => `${n}: ${r.width.toFixed(0)} x ${r.height.toFixed(0)}`))"""
SMALL_TEXTS = """[...document.querySelectorAll('body *')].filter(e => e.offsetParent && !e.closest('svg, .unseen') &&
  [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => [e.innerText, getComputedStyle(e)]).filter(([, s]) =>
  parseFloat(s.fontSize) < 24 || (s.lineHeight !== 'normal' && parseFloat(s.lineHeight) / parseFloat(s.fontSize) < 1.3))
  .map(([t, s]) => `${t.slice(0, 30)}: ${s.fontSize}, ${s.lineHeight}`)"""


def totp(secret, ahead=0):
    """RFC 6238, by another hand than ours. One step ahead is taken too: clocks differ, and nobody waits for a new code."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + ahead), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def code_of(server, phone):
    return re.findall(rf'"phone_ends":"{phone[-4:]}","code":"(\d+)"', server.log.read_text(errors="replace"))[-1]


def fill(page, **fields):
    for name, text in fields.items():
        page.tab_to(name)
        page.type(text)
    with page.leaving():
        page.press("Enter")
    return page


def push(page, words):
    """A button, or a link, found with the keyboard."""
    page.tab_to(words)
    with page.leaving():
        page.press("Enter")
    return page


def sign_in(page, server, url, phone):
    page.open(url + "/sign-in")
    fill(page, phone=phone)
    assert page.url == "/sign-in/code", (page.url, page.text)
    fill(page, code=code_of(server, phone))
    assert page.url == "/account", (page.url, page.text)
    return page


def look(page, name, large=False):
    """What every page must be, whatever it is for."""
    page.picture(PICTURES / f"{name}.png")
    wrong = page.axe()
    assert not wrong, f"{name}: axe: {wrong}"
    assert not page.said(), f"{name}: {page.said()}"
    assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), f"{name}: it scrolls sideways"
    small = page.value(f"{SMALL_TARGETS}({60 if large else 44})")
    assert not small, f"{name}: targets: {small}"
    if large:
        assert not page.value(SMALL_TEXTS), f"{name}: {page.value(SMALL_TEXTS)}"
        pale = [x for x in page.contrasts() if x["ratio"] < 4.5]
        assert not pale, f"{name}: contrast: {pale}"
    seen = page.open_again().walk()
    assert seen[0] == "跳到正文", seen


def look_large(page, name):
    """The same page in the large edition, light and dark, and back to the usual one."""
    push(page, "长辈版")
    for dark in (False, True):
        page.dark(dark)
        page.open_again()
        look(page, f"elder-{'dark-' if dark else ''}{name}", large=True)
    page.dark(False)
    push(page, "标准版")


def public(browser, server, url):
    """What everybody reads."""
    page = browser.page()
    page.open(url + "/")
    article = page.value("document.querySelector('.items a').getAttribute('href')")
    targets = ["/", "/large", "/columns", "/columns/1", "/columns/1?large=1", article, article + "/large", "/docs", "/nowhere"]
    for width, dark in ((320, False), (390, True), (1280, False)) if FULL else ((320, True),):
        with case(f"what everybody reads, {width} px{', dark' if dark else ''}: axe finds nothing"):
            page.size(width)
            page.dark(dark)
            for target in targets:
                wrong = page.open(url + target).axe()
                assert not wrong and not page.said(), f"{target}: {wrong} {page.said()}"
                assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), f"{target}: it scrolls sideways"


def everywhere(browser, server, url):
    """Every page, signed in, in each of its looks."""
    page = browser.page(width=390)
    sign_in(page, server, url, "13900000001")
    looks = [("wide", 1280, False, False), ("narrow", 320, False, False), ("elder", 390, True, False), ("elder-narrow", 320, True, False),
             ("dark", 390, False, True), ("elder-dark", 390, True, True)]
    targets = ["/sign-in", "/sign-in/password", "/sign-in/passkey", "/sign-out", "/account", "/account/devices", "/account/password", "/account/factors",
               "/account/factors/app", "/account/factors/passkey", "/account/programs", "/device"]
    for look_name, width, large, dark in looks if FULL else [looks[1], looks[5]]:
        with case(f"{look_name}: axe finds nothing, nothing is too small, Tab reaches all"):
            page.size(width)
            page.dark(dark)
            for target in targets:
                page.open(url + target + ("?large=1" if large else ""))
                assert page.url.split("?")[0] == target, (target, page.url)
                look(page, f"{look_name}{target.replace('/', '-')}", large)


def without_a_script(browser, server, url):
    with case("without a script: a phone, a wrong code, the right one; a password is set; out; in by password"):
        page = sign_in(browser.page(width=390, script=False), server, url, "13900000002")
        page.open(url + "/account/password")
        fill(page, password="12345678", again="12345678")
        assert page.focused().startswith("有一处需要修改"), page.focused()
        assert page.value("document.title").startswith("有误："), page.value("document.title")
        assert page.value("document.getElementById('password').getAttribute('aria-describedby')") == "password-hint password-wrong"
        fill(page, password=PASSWORD, again=PASSWORD + "x")
        assert "两次输入的新密码不一样" in page.text, page.text
        fill(page, password=PASSWORD, again=PASSWORD)
        assert page.url == "/account?done=password" and "新密码已经生效" in page.text, (page.url, page.text)
        push(page.open(url + "/sign-out"), "退出登录")
        assert page.url == "/sign-out" and "已经退出" in page.text, page.text
        fill(page.open(url + "/sign-in/password?return=%2Faccount%2Fdevices"), login="13900000002", password=PASSWORD)
        assert page.url == "/account/devices", (page.url, page.text)
    with case("without a script: a page with a passkey says what else can be done"):
        page.open(url + "/sign-in/passkey")
        assert "这个浏览器现在不能使用通行密钥" in page.text and "使用通行密钥\n" not in page.text, page.text
    with case("without a script: an app is added by what a camera reads, is asked for, and its code counts once"):
        page.open(url + "/account/factors/app")
        secret = page.value("document.querySelector('.secret').innerText").replace(" ", "")
        page.picture(PICTURES / "qr.png")
        if subprocess.run(["which", "zbarimg"], capture_output=True).returncode == 0:
            read = subprocess.run(["zbarimg", "-q", "--raw", str(PICTURES / "qr.png")], capture_output=True, text=True).stdout
            assert f"secret={secret}&" in read and read.startswith("otpauth://totp/"), read
        else:
            note("zbarimg is not here: the QR code was not read")
        fill(page, code="000000")
        assert "不是应用现在显示的数字" in page.text and page.value("document.querySelector('.secret').innerText").replace(" ", "") == secret, page.text
        fill(page, code=totp(secret), name="我的手机")
        assert page.url == "/account/factors?done=factor" and "我的手机" in page.text, page.text
        push(page.open(url + "/sign-out"), "退出登录")
        fill(page.open(url + "/sign-in/password"), login="13900000002", password=PASSWORD)
        assert page.url == "/sign-in/factor", (page.url, page.text)
        page.picture(PICTURES / "factor.png")
        fill(page, totp=totp(secret, -1))
        assert "不是应用现在显示的数字" in page.text, "a step that was used up counts again"
        fill(page, totp=totp(secret, 1))
        assert page.url == "/account", (page.url, page.text)


def passkeys(browser, server, url):
    page = sign_in(browser.page(width=390), server, url, "13900000003")
    page.authenticator()
    with case("a passkey is made with the keyboard, stands in the list, and cannot be made twice"):
        fill(page.open(url + "/account/factors/passkey"), name="测试钥匙")
        assert page.url == "/account/factors?done=factor" and "测试钥匙" in page.text, (page.url, page.text)
        page.open(url + "/account/factors/passkey").tab_to("加上这台设备")
        page.press("Enter")
        page.wait_text("这台设备上的通行密钥已经加过了")
    with case("it signs in by itself, and leads where it was to lead"):
        push(page.open(url + "/sign-out"), "退出登录")
        push(page.open(url + "/sign-in/passkey?return=%2Faccount%2Fdevices"), "使用通行密钥")
        assert page.url == "/account/devices", (page.url, page.text)
    with case("it is the second factor of a password and of a code"):
        fill(page.open(url + "/account/password"), password=PASSWORD, again=PASSWORD)
        push(page.open(url + "/sign-out"), "退出登录")
        fill(page.open(url + "/sign-in/password"), login="13900000003", password=PASSWORD)
        assert page.url == "/sign-in/factor", (page.url, page.text)
        look(page, "factor-passkey")
        look_large(page, "factor-passkey")
        push(page, "使用通行密钥")
        assert page.url == "/account", (page.url, page.text)
    with case("removed, it signs in no more, and the page says what to do"):
        page.open(url + "/account/factors").tab_to("移除：测试钥匙")
        with page.leaving():
            page.press("Enter")
        assert page.url == "/account/factors?done=factor-gone", page.url
        push(page.open(url + "/sign-out"), "退出登录")
        push(page.open(url + "/sign-in/passkey"), "使用通行密钥")
        assert page.url == "/sign-in/passkey" and "没有通过核对" in page.text, (page.url, page.text)


def devices(browser, server, url):
    with case("another device is ended from the list, and is out at its next step; then all others at once"):
        first = sign_in(browser.page(), server, url, "13900000004")
        fill(first.open(url + "/account/password"), password=PASSWORD, again=PASSWORD)
        others = [browser.page() for _ in range(2)]
        for other in others:
            fill(other.open(url + "/sign-in/password"), login="13900000004", password=PASSWORD)
            assert other.url == "/account", other.url
        first.open(url + "/account/devices")
        assert first.text.count("\n让它退出登录") == 2, first.text
        first.tab_to("让它退出登录：Linux上的Chrome")
        with first.leaving():
            first.press("Enter")
        assert "那台设备已经退出登录" in first.text and first.text.count("\n让它退出登录") == 1, first.text
        assert sorted(o.open(url + "/account").url for o in others) == ["/account", "/sign-in?return=%2Faccount"]
        fill(others[0].open(url + "/sign-in/password"), login="13900000004", password=PASSWORD)
        push(first.open(url + "/account/devices"), "让别的设备全部退出")
        assert [o.open(url + "/account").url for o in others] == ["/sign-in?return=%2Faccount"] * 2
        assert first.open(url + "/account").url == "/account"


def main():
    lacking = missing()
    if lacking:
        skip("the pages in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port = free_port()
        server = w.start(None, "--demo", port=port, urls=[f"https://localhost:{port}"],
                         env={"TJZW_PUBLIC_URL": f"https://localhost:{port}", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        url = f"https://localhost:{port}"
        public(browser, server, url)
        everywhere(browser, server, url)
        without_a_script(browser, server, url)
        passkeys(browser, server, url)
        devices(browser, server, url)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
