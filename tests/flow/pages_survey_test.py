#!/usr/bin/env python3
"""A survey and the inbox in a real browser: filled in and read by keyboard, without a script, and in every look what the other pages are: nothing for axe to find,
nothing too small, letters of 18 points for who asked for large ones.
"""
import json
import sqlite3
import sys

from browser import Browser, missing
from lib import World, free_port, wait_for
from pages_sign_in_test import PICTURES, look, push, sign_in

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

LOOKS = [("narrow", 320, False, False), ("wide", 1280, False, False), ("dark", 390, False, True), ("elder", 390, True, False), ("elder-dark", 320, True, True)]
PHONE = "13900000091"
QUESTIONS = [{"kind": "single", "title": "您怎样来办事？", "choices": ["步行", "公交", "开车"], "required": True},
             {"kind": "multiple", "title": "愿意在哪里办？", "choices": ["网上", "手机", "窗口"], "most": 2},
             {"kind": "rating", "title": "总的来说满意吗？", "of": 5},
             {"kind": "text", "title": "还有什么意见？", "max": 200}]


def large(url, on):
    return url + ("?large=1" if on else "")


def opened(w, at):
    """Surveys: open, for who proved his name, and not open yet."""
    def staff(*words, input=None):
        return json.loads(w.tjzw(*words[:2], *at, *words[2:], input=input).stdout)

    site = staff("site", "create", "--code", "1201030001", "--name", "示例区人民政府")
    column = staff("column", "create", "--site", site["no"], "--path", "互动交流/意见征集")
    made = []
    for more in ({"closes": "2099-12-31"}, {"audience": "实名用户"}, {"opens": "2099-01-01"}):
        text = json.dumps({"site": site["no"], "column": column["no"], "kind": "survey", "title": "您平时怎样出行、愿意在哪里办事？",
                           "body": "请您花两分钟回答。\n\n结果会在这里公布。", "questions": QUESTIONS, **more})
        made.append(staff("surveys", "create", "-", input=text.encode())["id"])
        for verb in ("submit", "approve", "open"):
            staff("surveys", verb, made[-1])
    return made


def answered(browser, url, survey, read):
    page = browser.page(width=390, script=False)
    page.open(f"{url}/surveys/{survey}?large=1")
    with case("by keyboard and without a script: what is missing is said beside its question, and what was filled in stays"):
        page.tab_to("q2-0")
        page.press("Space")
        page.tab_to("q4")
        page.type("多开几个窗口")
        page.press("Enter")
        page.type("周末也开")
        push(page, "提交")
        wait_for("the focus on what is wrong", 20, lambda: page.focused().startswith("有一处需要修改"))
        assert "请回答这个问题" in page.text, page.text
        assert page.value("[document.querySelector('[name=q2-0]').checked, document.querySelector('[name=q4]').value].join()") == "true,多开几个窗口\n周末也开"
        page.picture(PICTURES / "survey-wrong.png")
    with case("a group of boxes is one stop of Tab, and arrows choose in it; then it is sent, and thanked for"):
        page.tab_to("q1")
        page.press("Space")
        page.press("ArrowDown")
        assert page.value("document.querySelector('[name=q1]:checked').value") == "1"
        page.tab_to("q3")
        page.press("Space")
        push(page, "提交")
        assert page.url.split("?")[0] == f"/surveys/{survey}" and "答过这份问卷，谢谢" in page.text and "提交" not in page.text, (page.url, page.text)
        page.picture(PICTURES / "survey-thanks.png")
    with case("what was written in two lines is read in two by who counts"):
        assert [line["texts"][3] for line in read(survey)] == ["多开几个窗口\n周末也开"]


def looks(browser, url, surveys, page):
    for name, width, big, dark in LOOKS:
        with case(f"{name}: axe finds nothing, nothing is too small, Tab reaches all"):
            other = browser.page(width=width, dark=dark)      # who has not answered
            for number, survey in enumerate(surveys):
                look(other.open(large(f"{url}/surveys/{survey}", big)), f"{name}-survey-{number}", big)
            push(other.open(large(f"{url}/surveys/{surveys[0]}", big)), "提交")
            other.picture(PICTURES / f"{name}-survey-wrong.png")
            assert not (wrong := other.axe()), wrong
            page.size(width)
            page.dark(dark)
            look(page.open(large(url + "/account/inbox", big)), f"{name}-inbox", big)


def inbox(browser, server, url):
    page = sign_in(browser.page(width=390, script=False), server, url, PHONE)
    with case("an inbox without messages says what will come to it"):
        page.open(url + "/account/inbox")
        assert "现在没有消息" in page.text, page.text
        page.picture(PICTURES / "inbox-empty.png")
    return page


def send(server, account, group, **message):
    answer = server.admin("POST", "/v1/inbox", json.dumps({"account": account, "group": group, **message}), {"content-type": "application/json"})
    assert answer.status in (200, 201, 204), answer


def read(page, server, url, account, item):
    send(server, account, "outage-1", title="今晚升级", text="今晚 22:00 至 24:00 升级系统，期间不能登录。\n给您带来不便，敬请谅解。")
    send(server, account, "campaign-1", title="关于征求意见的消息", item=item)
    with case("messages are read, and one is removed, by keyboard and without a script"):
        page.open(url + "/account/inbox")
        assert page.text.index("关于征求意见的消息") < page.text.index("今晚升级"), page.text
        push(page, "全部标为已读")
        assert page.url == "/account/inbox?done=seen" and "全部标为已读" not in page.text, (page.url, page.text)
        push(page.open(url + "/account/inbox"), "删除这条消息：关于征求意见的消息")
        assert page.url == "/account/inbox?done=dropped" and "关于征求意见的消息" not in page.text and "今晚升级" in page.text, (page.url, page.text)
    send(server, account, "campaign-2", title="意见征集：请您说说怎样出行", item=item)
    send(server, account, "letter-1", title="您的信件已答复", text="和平区答复了您的信件（ZX2026-000017）。请您评价这次答复：如果不满意，会有人再与您联系。\n您好，来信收悉。路灯已经修好。")


def main():
    lacking = missing()
    if lacking:
        skip("surveys and the inbox in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        port = free_port()
        url = f"https://localhost:{port}"
        server = w.start(port=port, urls=[url], env={"TJZW_PUBLIC_URL": url, "TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "100000"})
        server.ready()
        surveys = opened(w, ["--data", w.data])
        answered(browser, url, surveys[0], lambda s: map(json.loads, w.tjzw("surveys", "answers", "--data", w.data, s).stdout.splitlines()))
        page = inbox(browser, server, url)
        account = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True).execute("SELECT MAX(id) FROM account").fetchone()[0]
        read(page, server, url, account, surveys[1])
        page.call("Emulation.setScriptExecutionDisabled", value=False)     # axe is one
        looks(browser, url, surveys, page)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
