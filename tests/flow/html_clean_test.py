#!/usr/bin/env python3
"""Pages of others, cleaned (server/ingest/html_clean.h), and judged by a real browser.

What is cleaned and shown does nothing: none of the attacks of tests/vectors/html_xss.json runs, asks for anything or leaves an element or attribute that our
markup does not have; uncleaned, in the same browser, many of them do, so the trap is set. And it reads the same: of 30 real pages the browser shows the same text
before and after, and so it does of pages that were made to be hard.
"""
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading

from browser import Browser
from lib import BUILD, ROOT, wait_for

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
from tap import case, done, note, skip  # noqa: E402

VECTORS = json.loads((ROOT / "tests" / "vectors" / "html_xss.json").read_text())
REAL = ROOT.parent / "shared" / "corpus" / "gov-html.ndjson"
BASE = "http://127.0.0.1/news/page.html"
RUN_AT_LEAST = 60   # of the attacks, uncleaned, in the browser that there is: many are for others
SIZE = 0.40         # of the real pages' characters, at most: a body's limits count characters
TRAP = "window.hits = []; window.alert = window.confirm = window.prompt = window.print = () => { window.hits.push(ID); };"
ALLOWED = {"P": [], "BR": [], "UL": [], "OL": [], "LI": ["value"], "H2": [], "H3": [], "H4": [], "H5": [], "STRONG": [], "TABLE": [], "THEAD": [], "TBODY": [],
           "TR": [], "TH": ["scope"], "TD": [], "A": ["rel", "href"], "DIV": ["class", "tabindex", "role", "aria-label"], "IMG": ["src", "alt"]}
ALIEN = """(() => {
  const allowed = %s, found = [];
  for (const e of document.querySelectorAll('#all > div *')) {
    const a = e.tagName === 'A' && !/^https?:$/.test(e.protocol);
    if (!allowed[e.tagName] || a || [...e.attributes].some(x => !allowed[e.tagName].includes(x.name)))
      found.push(e.closest('#all > div').id + ': ' + e.outerHTML.slice(0, 200));
  }
  return found;
})()""" % json.dumps(ALLOWED)
HARD = [
    "<table><tr><th>单位<th>电话<tr><td rowspan=2>甲|乙<td>022-1<tr><td>- 二</table>",
    "<table><tr><td><table><tr><td>里<td>面</table><td>外</table>",
    "<table><tr><td><p>布局<p>两段</table>", "<p>1. 不是列表<br>- 也不是<br># 不是<br>| 不是 |<br>**不是** 也*不*是 \\* \\",
    "<p>国发[2019](5)号，见[附件](http://a.cn/x)", "<ul><li>一<ul><li>二</ul><li><p>三<p>四</ul>", "<p>甲<b>乙 </b>丙<strong>丁</strong><b>戊</b>",
    "<p>见<a href=/x> 这里 </a>吧 <a href=javascript:x>坏</a>", "<a href=/x><h3>题</h3><div>日期</div></a>", "<div>一<div>二</div>三</div>四<span>五</span>六",
    "<p style='display:none'>隐</p><p hidden>藏</p><p style='Visibility : HIDDEN'>匿</p>显", "<script>一</script><style>二</style><template>三</template><!-- 四 -->五",
    "<noscript>一</noscript><iframe>二</iframe><object></object>三", "<pre>一\n  二\n三</pre>", "<p>　　首行　缩进&nbsp;&nbsp;两格</p>", "<dl><dt>名<dd>释</dl>",
    "<p>a&lt;b&gt;&amp;amp;&copy;&hellip;</p>", "<h1>一<br>二</h1><h6>三</h6><h2></h2>", "<ruby>汉<rp>(</rp><rt>han</rt><rp>)</rp></ruby>", "<p>甲<span>\n</span>乙<span> </span>丙",
    "<table><caption>表一</caption><tr><td>---<td>:-<tr><td>:<td>|</table>", "<b><p>粗一<p>粗二</b>三", "<p>未闭合<div><p>又一<li>点", "<table>漏<tr><td>一<td>二<p>三</table>",
    "<center><font size=7>大</font></center><blockquote>引</blockquote>", "<p>“引号”、‘单’——破折……《书》〔2019〕№①㈠　★", "𠮷野家<wbr>长词&shy;断",
]


def cleaned(pages):
    ran = subprocess.run([BUILD / "tests" / "html-drive"], input="".join(json.dumps(p) + "\n" for p in pages), capture_output=True, text=True, check=True, timeout=300)
    answers = [json.loads(line) for line in ran.stdout.split("\n")[:-1]]
    assert len(answers) == len(pages), (len(answers), ran.stderr)
    return answers


class Site:
    """Pages by path; whatever else is asked for is written down."""

    def __init__(self):
        site, self.pages, self.asked = self, {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = site.pages.get(self.path)
                if body is None:
                    site.asked.append(self.path)
                self.send_response(200 if body else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            do_POST = do_GET

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, body, script):
        self.pages[path] = f"<!doctype html><meta charset=utf-8><link rel=icon href=data:,><script>{script}</script><body>{body}".encode("utf-8", "replace")
        return f"http://127.0.0.1:{self.server.server_port}{path}"


def attacks(browser):
    site = Site()
    for pictures in ("link", "words", "blob"):
        with case(f"{len(VECTORS)} attacks, cleaned and shown with pictures as {pictures}: nothing runs, nothing is asked for, no element but ours"):
            answers = cleaned([{"html": html, "base": BASE, "pictures": pictures} for _, html in VECTORS])
            assert not [a for a in answers if "error" in a], answers
            body = "".join(f'<div id="v{i}">{a["page"]}</div>' for i, a in enumerate(answers))
            site.asked.clear()
            page = browser.page()
            page.open(site.put(f"/clean-{pictures}", f'<div id=all>{body}</div>', TRAP.replace("ID", "1")))
            page.value("document.querySelectorAll('#all > div').forEach(e => { e.innerHTML = e.innerHTML; })")     # what a second reading makes of it
            page.value("new Promise(r => setTimeout(r, 300))")
            assert page.value("document.querySelectorAll('#all > div').length") == len(VECTORS)
            assert page.value("hits.length") == 0, page.value("hits")
            own = {"/v1/blobs/" + "a" * 64}
            assert not set(site.asked) - own, site.asked
            assert page.url == f"/clean-{pictures}"
            aliens = page.value(ALIEN)
            assert not aliens, aliens
    with case("the same attacks, not cleaned: the trap is set"):
        site.asked.clear()
        trap = TRAP.replace("window.hits.push(ID)", "parent.hits.push(%d)").replace("window.hits = [];", "")
        frames = [f"<script>{trap % i}</script>{html}" for i, (_, html) in enumerate(VECTORS)]
        body = "".join('<iframe sandbox="allow-scripts allow-same-origin allow-forms" srcdoc="{}"></iframe>'.format(f.replace("&", "&amp;").replace('"', "&quot;")) for f in frames)
        page = browser.page()
        page.open(site.put("/dirty", body, TRAP.replace("ID", "-1")))
        page.value("for (const f of document.querySelectorAll('iframe')) try { f.contentDocument.querySelectorAll('a, button').forEach(e => e.click()) } catch (gone) {}")
        ran = wait_for("attacks that run", 60, lambda: (n := page.value("new Set(hits).size")) >= RUN_AT_LEAST and n)
        asked = wait_for("what attacks ask for", 60, lambda: (n := len({a for a in site.asked if a.startswith("/x/")})) >= 12 and n)
        note(f"{ran} of {len(VECTORS)} attacks ran by themselves, {asked} addresses were asked for")


def folded(text):
    return " ".join(re.sub("[\u00ad\u200b\u2060\ufeff]", "", text).split())


def seen(page, html):
    """What the browser shows of it."""
    return folded(page.value(f"(() => {{ document.body.innerHTML = {json.dumps(html)}; return document.body.innerText; }})()"))


def reads(browser):
    page = browser.page(script=False)
    page.open("about:blank")
    for html, answer in zip(HARD, cleaned([{"html": html, "base": BASE} for html in HARD])):
        with case(f"the same text before and after: {html[:40]!r}"):
            assert seen(page, html) == seen(page, answer["page"]), (seen(page, html), answer)
    if not REAL.exists():
        skip("real pages", f"{REAL.name} is not here")
        return
    documents = [json.loads(line) for line in REAL.read_text().splitlines()]
    answers = cleaned([{"html": d["html"], "base": d["url"]} for d in documents])
    with case(f"{len(documents)} real pages read the same"):
        assert len(documents) == 30
        different = [d["id"] for d, a in zip(documents, answers) if seen(page, d["html"]) != seen(page, a["page"]) or not a["page"]]
        assert not different, different
    with case("and are smaller, with no script, style or handler in them"):
        before, after = (sum(len(x) for x in xs) for xs in ([d["html"] for d in documents], [a["markdown"] for a in answers]))
        note(f"{after} of {before} characters: {100 * after / before:.1f} %; of the bytes {100 * sum(len(a['markdown'].encode()) for a in answers) / sum(len(d['html'].encode()) for d in documents):.1f} %")
        assert after <= SIZE * before
        assert not [a for a in answers if re.search(r"<|style=|\bon\w+=", a["markdown"])]


def main():
    if not shutil.which("chromium"):
        skip("a browser's judgement of cleaned pages", "chromium is not here (./dev setup installs it)")
        return
    with Browser() as browser:
        attacks(browser)
        reads(browser)


main()
sys.exit(done())
