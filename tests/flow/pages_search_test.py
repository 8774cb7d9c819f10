#!/usr/bin/env python3
"""The page of search in a real browser: a title with marked words is laid out as one text, whatever the width; asked and walked by keyboard, without a script."""
import json
import sys

from browser import Browser, missing
from lib import World, article, wait_for
from pages_sign_in_test import PICTURES, look, push

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, skip  # noqa: E402

LOOKS = [("narrow", 320, False, False), ("wide", 1280, False, False), ("dark", 390, False, True), ("elder", 390, True, False), ("elder-dark", 320, True, True)]
TITLES = ["关于进一步做好社保关系转移接续工作、方便参保人员异地就业后社保待遇及时兑现有关问题的通知", "社保卡怎样补办", "城乡居民社保", "没有这个词的标题"]
# Where a title does not go on as one text does: each character right behind the one before it, or at the beginning of the next line.
BROKEN = """[...document.querySelectorAll('.items li > a')].flatMap(a => {
  const one = document.createRange(), texts = document.createTreeWalker(a, NodeFilter.SHOW_TEXT), left = a.getBoundingClientRect().left, broken = [];
  for (let text, last = null; (text = texts.nextNode());)
    for (let i = 0; i < text.length; i++) {
      one.setStart(text, i);
      one.setEnd(text, i + 1);
      const r = one.getBoundingClientRect(), same = last && Math.abs(r.bottom - last.bottom) < r.height / 2;
      if (Math.abs(r.left - (same ? last.right : left)) > 2 || (last && !same && r.top < last.top))
        broken.push(a.textContent + ' at ' + text.data.slice(i, i + 5));
      last = r;
    }
  return broken;
})"""
# Between what is written, not between boxes.
GAPS = """[...document.querySelectorAll('.items li')].filter(li => li.querySelector('.summary')).map(li => {
  const words = document.createRange();
  const [title, text, date] = ['a', '.summary', '.small'].map(what => {
    words.selectNodeContents(li.querySelector(what));
    return words.getBoundingClientRect();
  });
  return Math.min(text.top - title.bottom, date.top - text.bottom);
})"""


def found(browser, url):
    page = browser.page(width=390, script=False)
    with case("by keyboard and without a script: a word is asked for, found and opened"):
        page.open(url + "/search")
        page.tab_to("q")
        page.type("社保")
        push(page, "搜索")
        assert page.url == "/search?q=%E7%A4%BE%E4%BF%9D", page.url
        assert all(title in page.text.replace("\n", "") for title in TITLES), page.text
        push(page, TITLES[1])
        assert page.url.startswith("/a/") and TITLES[1] in page.text, page.url
    with case("what cannot be searched for is said where it can be mended"):
        page.open(url + "/search?q=%E3%80%82")
        assert "请输入要找的词" in page.text, page.text


def looks(browser, url):
    page = browser.page()
    for name, width, large, dark in LOOKS:
        with case(f"{name}: a title with marks is one text; axe finds nothing, nothing is too small, Tab reaches all"):
            page.size(width)
            page.dark(dark)
            page.open(f"{url}/search?q=%E7%A4%BE%E4%BF%9D{'&large=1' if large else ''}")
            look(page, f"{name}-search", large)
            broken, gaps = page.value(BROKEN), page.value(GAPS)
            assert not broken and page.value("document.querySelectorAll('.items a mark').length") == 4, broken
            assert gaps and min(gaps) >= 3, gaps
    for name, width, large, dark in LOOKS[:3]:
        with case(f"{name}: what leads to the feeds is as easy to hit as all else"):
            page.size(width)
            page.dark(dark)
            look(page.open(url + "/feeds"), f"{name}-feeds")
            look(page.open(url + "/columns"), f"{name}-columns")


def main():
    lacking = missing()
    if lacking:
        skip("search in a browser", lacking)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with World() as w, Browser() as browser:
        lines = [{**article(n, 900), "title": title, "body": "参加社保的人，可以在网上办理。\n\n" + article(n, 900)["body"]} for n, title in enumerate(TITLES)]
        (w.dir / "titles.ndjson").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        w.tjzw("import", "--data", w.data, "--publish", w.dir / "titles.ndjson")
        server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
        wait_for("the index to have them", 60, lambda: len(server.get("/v1/search?q=%E7%A4%BE%E4%BF%9D").json().get("hits", [])) == len(TITLES))
        found(browser, server.url)
        looks(browser, server.url)
        with case("the server stops in order"):
            server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
