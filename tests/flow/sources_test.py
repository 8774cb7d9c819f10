#!/usr/bin/env python3
"""A server asks by itself for what others publish (docs/ingest.md): another server's feed, whole, and a feed that is slow to come back; conditional requests over real sockets."""
import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib import ROOT, World, article, free_port, wait_for

sys.path.insert(0, str(ROOT / "tests" / "lib"))
from tap import case, done  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n" + b"-" * 20000
ITEM = """<item><guid isPermaLink="false">{n}</guid><title>第{n}条</title><link>/a/{n}.html</link>
<content:encoded><![CDATA[<p>正文{n}<img src="/1.png" alt="图"></p><script>x()</script>]]></content:encoded><pubDate>Mon, 16 Mar 2026 09:30:00 +0800</pubDate></item>"""


class District(ThreadingHTTPServer):
    def __init__(self):
        self.items, self.seen, self.down = 2, [], False
        super().__init__(("127.0.0.1", 0), Pages)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        etag = f'"{self.server.items}"'
        self.server.seen.append((self.path, self.headers.get("if-none-match")))
        if self.path == "/1.png":
            return self.answer(200, PNG)
        if self.server.down:
            return self.answer(503, b"")
        if self.headers.get("if-none-match") == etag:
            return self.answer(304, b"")
        feed = "".join(ITEM.format(n=n) for n in range(self.server.items, 0, -1))
        self.answer(200, f'<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>和平</title>{feed}</channel></rss>'.encode(), etag)

    def answer(self, status, body, etag=None):
        self.send_response(status)
        if etag:
            self.send_header("etag", etag)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def source(w, *args):
    out = w.tjzw("source", args[0], "--data", w.data, *args[1:]).stdout
    return json.loads(out) if out.strip() else None


def titles(w, **query):
    more = [a for k, v in query.items() for a in (f"--{k}", v)]
    return sorted(i["title"] for i in json.loads(w.tjzw("item", "list", "--data", w.data, "--n", "500", *more).stdout)["items"])


def from_a_site(w, district):
    with case("a feed is read as soon as it is known; its pictures become ours, its scripts nobody's"):
        w.tjzw("source", "add", "--data", w.data, "--id", "heping", "--site", "1201010001", "--column", "要闻", f"{district.url}/all.rss")
        wait_for("two drafts", 30, lambda: titles(w) == ["第1条", "第2条"])
        item = json.loads(w.tjzw("item", "list", "--data", w.data).stdout)["items"][0]["id"]
        draft = json.loads(w.tjzw("item", "show", "--data", w.data, item).stdout)["content"]
        assert "![图](sha256:" in draft["body"] and "x()" not in draft["body"] and draft["sourceUrl"].startswith(f"{district.url}/a/"), draft
    with case("what is known is not sent again"):
        source(w, "pull", "heping")
        wait_for("a conditional request", 20, lambda: ("/all.rss", '"2"') in district.seen)
        district.items = 3
        source(w, "pull", "heping")
        wait_for("the third", 20, lambda: titles(w) == ["第1条", "第2条", "第3条"])
        assert source(w, "show", "heping")["taken"] == 3
    with case("a site that is down is said to be, and comes back"):
        district.down = True
        source(w, "pull", "heping")
        s = wait_for("a failure", 20, lambda: (s := source(w, "show", "heping"))["failures"] == 1 and s)
        assert "503" in s["said"], s
        district.down = False
        source(w, "pull", "heping")
        wait_for("it to be back", 20, lambda: source(w, "show", "heping")["failures"] == 0)


def from_another_server(w):
    other = w.dir / "other"
    records = w.dir / "records.ndjson"
    records.write_text("".join(json.dumps({**article(i, 600), "source": "示例区", "column": "要闻"}, ensure_ascii=False) + "\n" for i in range(40)))
    w.tjzw("import", "--data", other, "--publish", records)
    port = free_port()
    w.start(other, urls=[f"http://127.0.0.1:{port}"]).ready()

    def entries():
        """Its index follows the log; a source that finds less comes back after its half hour."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/feeds/all.atom", timeout=5) as feed:
                return feed.read().count(b"<entry>")
        except OSError:
            return 0
    wait_for("the other's feed", 60, lambda: entries() == 40)
    with case("another server's feed is read whole, and published where that is agreed upon"):
        w.tjzw("site", "agreement", "--data", w.data, "--accepts", "publish", "--basis", "津政办〔2026〕3号", "1201010001", "source:other")
        w.tjzw("source", "add", "--data", w.data, "--id", "other", "--site", "1201010001", "--column", "要闻", f"http://127.0.0.1:{port}/feeds/all.atom")
        wait_for("forty items", 60, lambda: len(titles(w, state="published")) == 40)
        assert source(w, "show", "other")["faults"] == [], source(w, "show", "other")


def main():
    district = District()
    with World() as w:
        server = w.serve(env={"TJZW_SOURCES_PRIVATE": "true"})
        w.tjzw("site", "create", "--data", w.data, "--code", "1201010001", "--name", "和平区人民政府")
        w.tjzw("column", "create", "--data", w.data, "--site", "1201010001", "--path", "要闻")
        from_a_site(w, district)
        from_another_server(w)
        with case("a source that is removed is asked no more, and what came of it stays"):
            source(w, "remove", "heping")
            assert [s["id"] for s in source(w, "list")["sources"]] == ["other"]
            assert "第1条" in titles(w)
        server.stop()
    district.shutdown()
    done()


if __name__ == "__main__":
    main()
