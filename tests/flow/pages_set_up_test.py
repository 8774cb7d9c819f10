"""The first administrator, and whoever is invited: from the link that `tjzw serve` prints, by the page, to a session. And the demo's people.

With a real browser by keyboard, where there is one; links and squares are read as a person's phone would read them.
"""
import os
import pty
import re
import select
import subprocess
import sys
import time

from browser import Browser, missing
from fault import Clock
from lib import TJZW, World, clean_env, free_port, wait_for, INSIDE
from pages_sign_in_test import PICTURES, fill, look, look_large, push, totp
from visitor import Visitor

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

PASSWORD = "yun-duo-shang-de-shi-liu"


def start(w, name, *args, **env):
    port = free_port()
    server = w.start(w.dir / name, *args, port=port, urls=[f"https://localhost:{port}"],
                     env={"TJZW_PUBLIC_URL": f"https://localhost:{port}", "TJZW_RATE_LIMIT": "100000", **env})
    server.ready()
    return server, f"https://localhost:{port}"


def link_of(said):
    return re.findall(r"https://\S+/set-up\?token=tji_[A-Za-z0-9_-]+", said)[-1]


def secret_on(page):
    return page.value("document.querySelector('.secret').innerText").replace(" ", "")


def first_administrator(w, browser):
    server, url = start(w, "first")
    wait_for("the link", 10, lambda: "首次设置" in server.said())
    link = link_of(server.said())
    page = browser.page(width=390, script=False)
    with case("a fresh server prints a link; without a script it makes the security administrator, and nobody else"):
        page.open(link)
        assert "您将是安全管理员" in page.text, page.text
        before = secret_on(page)
        with page.leaving():
            page.tab_to("完成设置").press("Enter")
        assert page.text.count("请输入") >= 4 and page.focused().startswith("有几处需要修改"), page.text
        fill(page, name="<b>王芳</b>", login="WangFang", password="12345678", again="12345678", code="000000")
        assert "太容易被猜到" in page.text and "<b>" not in page.value("document.querySelector('main').innerHTML").replace("&lt;b&gt;", ""), page.text
        assert secret_on(page) == before, "a wrong password made another square"
        page.picture(PICTURES / "set-up-wrong.png")
        fill(page, password=PASSWORD, again=PASSWORD, code="000000")
        assert "不是应用现在显示的数字" in page.text, page.text
        page.tab_to("name")
        page.value("document.getElementById('name').value = ''")
        page.type("王芳")
        fill(page, password=PASSWORD, again=PASSWORD, code=totp(before))
        assert page.url == "/account?done=set-up" and "账号设置好了" in page.text, (page.url, page.text)
        assert "wangfang" in page.text, page.text
    with case("the link is good once, and a link that never was looks the same"):
        for used in (link, link[:-1] + ("A" if link[-1] != "A" else "B"), url + "/set-up", url + "/set-up?token=%3Cscript%3E"):
            answer = Visitor(server).get(used.removeprefix(url))
            assert answer.status in (400, 410), answer
            assert "<script" not in answer.body
        page.open(link)
        assert "这个链接不能用了" in page.text and "tjzw admin link" in page.text, page.text
    with case("she signs in with her name, password and app, and in no other way"):
        push(page.open(url + "/sign-out"), "退出登录")
        fill(page.open(url + "/sign-in/password"), login="wangfang", password=PASSWORD)
        assert page.url == "/sign-in/factor", (page.url, page.text)
        fill(page, totp=totp(before, 1))
        assert page.url == "/account", (page.url, page.text)
        assert page.open(url + "/account/factors").text.count("移除") == 1, page.text   # the words that say why not
    with case("the next is invited on the machine, and begins with a passkey"):
        said = w.tjzw("admin", "link", "--data", server.data, "--role", "system").stdout.decode()
        other = browser.page(width=390)
        other.authenticator()
        other.open(link_of(said))
        assert "您将是系统管理员" in other.text, other.text
        look(other, "set-up")
        look_large(other, "set-up")
        push(other, "改用通行密钥（指纹、人脸或安全密钥）")
        look(other, "set-up-passkey")
        look_large(other, "set-up-passkey")
        for name, text in (("name", "李明"), ("login", "wangfang"), ("password", PASSWORD), ("again", PASSWORD)):
            other.tab_to(name)
            other.type(text)
        push(other, "用这台设备完成设置")
        assert "已经有人用了" in other.text, other.text
        other.value("document.getElementById('login').value = ''")
        for name, text in (("login", "liming"), ("password", PASSWORD), ("again", PASSWORD)):
            other.tab_to(name)
            other.type(text)
        push(other, "用这台设备完成设置")
        assert other.url == "/account?done=set-up" and "第 4 级" in other.text, (other.url, other.text)
    with case("with a security administrator there, the server prints no more links"):
        server.stop()
        again, _ = start(w, "first")
        assert "首次设置" not in again.log.read_text().split("tjzw 0", 1)[-1], again.said()
        again.stop()


def half_an_hour(w):
    with case("a link of the machine opens for half an hour, and not for longer"):
        clock = Clock(w)
        server, url = start(w, "half", **clock.env)
        link = link_of(w.tjzw("admin", "link", "--data", server.data, "--role", "security").stdout.decode()).removeprefix(url)
        for minutes, status in ((0, 200), (29, 200), (31, 410)):
            clock.ahead(60 * minutes)
            page = Visitor(server).get(link)
            assert page.status == status, (minutes, page)
            assert ("您将是安全管理员" in page.body) == (status == 200), (minutes, page)
        server.stop()


def square_in_a_terminal(w):
    """What a phone reads off the screen."""
    if subprocess.run(["which", "zbarimg"], capture_output=True).returncode:
        skip("the square in the terminal is the link", "zbarimg is not here")
        return
    with case("the square in the terminal is the link"):
        port, (ours, theirs) = free_port(), pty.openpty()
        server = subprocess.Popen([TJZW, "serve", "--data", w.dir / "square", "--listen", f"https://localhost:{port}"], stdin=subprocess.DEVNULL,
                                  stdout=theirs, stderr=subprocess.DEVNULL, env=clean_env({"TERM": "xterm", **INSIDE}))
        said = b""
        try:
            end = time.monotonic() + 30
            while "过期了再要一个".encode() not in said and time.monotonic() < end:
                if select.select([ours], [], [], 0.1)[0]:
                    said += os.read(ours, 65536)
        finally:
            server.terminate()
            server.wait(20)
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\r")) for line in said.decode().split("\n") if "\x1b[30;107m" in line]
        dots = []
        for line in lines:
            dots += [[c in "▀█" for c in line], [c in "▄█" for c in line]]
        scale = 6
        rows = [bytes(0 if d else 255 for d in row for _ in range(scale)) for row in dots for _ in range(scale)]
        image = w.dir / "square.pgm"
        image.write_bytes(b"P5 %d %d 255\n" % (len(rows[0]), len(rows)) + b"".join(rows))
        read = subprocess.run(["zbarimg", "-q", "--raw", image], capture_output=True, text=True).stdout.strip()
        assert read == link_of(said.decode()), (read, said.decode()[-600:])


def demo(w):
    with case("--demo prints people to sign in as; they are marked, and get in as it says, after a restart too"):
        for turn in range(2):
            server, _ = start(w, "demo", "--demo")
            said = wait_for("the people", 10, lambda: (s := server.log.read_text()).count("demo.letters") and s).rsplit("天津政务后端", 1)[-1]
            assert said.count("示例") >= 13 and "首次设置" not in said, said
            password = re.search(r"密码都是 (\S+)，", said)[1]
            v = Visitor(server)
            page = v.send(v.get("/sign-in/password"), "/sign-in/password", login="demo.editor", password=password)
            assert (page.status, page.location) == (303, "/sign-in/factor"), page
            code = totp(re.search(r"demo\.editor .*密钥 (\w+)", said)[1], turn)
            page = v.send(v.get("/sign-in/factor"), "/sign-in/factor", totp=code)
            assert (page.status, page.location) == (303, "/account"), page
            assert "示例编辑" in v.get("/account").body
            phone, name = [("13800000001", "示例市民"), ("13800000002", "示例长者")][turn]
            assert name in Visitor(server).sign_in(phone).get("/account").body
            assert oct(os.stat(server.data / "demo-accounts").st_mode)[-3:] == "600"
            server.stop()
    with case("of the demo's secrets the log knows nothing"):
        log = "\n".join(line for line in server.log.read_text().splitlines() if line.startswith("{"))
        assert password not in log and "密钥" not in log


def main():
    with World() as w:
        square_in_a_terminal(w)
        half_an_hour(w)
        demo(w)
        lacking = missing()
        if lacking:
            skip("the set-up page in a browser", lacking)
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        with Browser() as browser:
            first_administrator(w, browser)


if __name__ == "__main__":
    main()
    sys.exit(done())
