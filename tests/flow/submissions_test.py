#!/usr/bin/env python3
"""A district's platform hands in texts by its key (docs/ingest.md): the whole program, its pictures fetched from a server that is slow, away or in our own network, and a crash while they
are fetched."""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lib import ROOT, World, wait_for

sys.path.insert(0, str(ROOT / "tests" / "lib"))
from tap import case, done  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n" + b"-" * 50000


class District(ThreadingHTTPServer):
    """The platform's own web server. It hangs at /slow.png until it is let go."""

    def __init__(self):
        self.asked, self.go = [], threading.Event()
        super().__init__(("127.0.0.1", 0), Pages)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/slow.png":
            self.server.go.wait(60)
        if self.path == "/moved.png":
            self.send_response(302)
            self.send_header("location", "/1.png")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = PNG if self.path.endswith(".png") and "none" not in self.path else b"<html>no such page</html>"
        self.send_response(200 if body is PNG else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


class Platform:
    def __init__(self, w, server, district):
        self.w, self.server, self.url = w, server, district.url
        self.key = w.dir / "heping.key"
        self.key.write_text(server.program("heping", "import"))

    def send(self, name, html):
        file = self.w.dir / f"{name}.json"
        file.write_text(json.dumps({"site": "1201010001", "column": "要闻", "id": name, "title": "口袋公园建成", "url": f"{self.url}/a/1.html", "html": html}, ensure_ascii=False))
        return json.loads(self.command("send", file))

    def command(self, *args):
        at = ["--server", self.server.url, "--cacert", self.w.certificate(), "--token-file", self.key]
        return self.w.tjzw("submission", args[0], *at, *args[1:]).stdout

    def becomes(self, id_, state, deadline=30):
        return wait_for(f"submission {id_} to be {state}", deadline, lambda: (s := json.loads(self.command("show", id_)))["state"] == state and s, every=0.2)


def open_site(w):
    w.tjzw("site", "create", "--data", w.data, "--code", "1201010001", "--name", "和平区人民政府")
    w.tjzw("column", "create", "--data", w.data, "--site", "1201010001", "--path", "要闻")


def within(w, district):
    server = w.serve(env={"TJZW_SOURCES_PRIVATE": "true"})
    open_site(w)
    p = Platform(w, server, district)
    with case("a text comes in by a command with the platform's key; its picture is fetched, and it waits for an editor"):
        sent = p.send("t1", "<p>三处绿地。<img src='/moved.png' alt='绿地'></p>")
        assert sent["state"] in ("received", "checking", "in_review") and sent["source"] == "party:heping", sent
        s = p.becomes(sent["id"], "in_review")
        assert [(f["state"], f["type"], f["size"]) for f in s["files"]] == [("fetched", "image/png", len(PNG))], s
        assert s["itemState"] == "draft" and server.get(f"/v1/items/{s['item']}").status == 404, s
    with case("sent once more it is the same, and nothing is fetched"):
        asked = len(district.asked)
        assert p.send("t1", "<p>三处绿地。<img src='/moved.png' alt='绿地'></p>")["id"] == sent["id"]
        assert len(district.asked) == asked, district.asked
    with case("what cannot be fetched is said, and stays a link"):
        s = p.becomes(p.send("t2", "<p>见图<img src='/none.png' alt='图'></p>")["id"], "in_review")
        assert s["files"][0]["state"] == "failed" and "404" in s["files"][0]["said"], s
        draft = json.loads(w.tjzw("item", "show", "--data", w.data, s["item"]).stdout)
        assert f"[图片：图]({district.url}/none.png)" in draft["content"]["body"], draft
    with case("with an agreement on record the source's own review counts: it is public, picture and all"):
        made = w.tjzw("site", "agreement", "--data", w.data, "--accepts", "publish", "--basis", "津政办〔2026〕3号", "1201010001", "party:heping")
        assert b"party:heping" in made.stdout, made
        s = p.becomes(p.send("t3", "<p>四处绿地。<img src='/1.png' alt='绿地'></p>")["id"], "published")
        record = server.get(f"/v1/items/{s['item']}").json()
        assert f"![绿地](sha256:{s['files'][0]['hash']})" in record["body"], record
        assert server.get(f"/v1/blobs/{s['files'][0]['hash']}").body == PNG
        audit = json.loads(w.tjzw("audit", "list", "--data", w.data, "--action", "site.agreement").stdout)
        assert "party:heping" in json.dumps(audit), audit
    with case("a crash while a picture is fetched loses nothing"):
        sent = p.send("t4", "<p>五处绿地。<img src='/slow.png' alt='绿地'></p>")
        wait_for("the picture to be asked for", 10, lambda: "/slow.png" in district.asked)
        server.kill()
        district.go.set()
        server = w.serve(env={"TJZW_SOURCES_PRIVATE": "true"})
        p.server = server
        s = p.becomes(sent["id"], "published", 150)
        assert s["files"][0]["state"] == "fetched", s
    with case("staff see all of them, by what has become of them"):
        seen = json.loads(w.tjzw("submission", "list", "--data", w.data, "--state", "published").stdout)
        assert [s["originId"] for s in seen["submissions"]] == ["t4", "t3"], seen
    server.stop()


def abroad(w, district):
    server = w.serve()
    open_site(w)
    p = Platform(w, server, district)
    with case("without the setting nobody has us ask our own network"):
        asked = len(district.asked)
        sent = p.send("t1", "<p>三处绿地。<img src='/1.png' alt='绿地'></p>")
        s = wait_for("a try", 20, lambda: (s := json.loads(p.command("show", sent["id"])))["files"][0].get("said") and s, every=0.2)
        assert s["state"] == "checking" and s["files"][0]["state"] == "wanted" and "公网" in s["files"][0]["said"], s
        assert len(district.asked) == asked, district.asked
    server.stop()


def main():
    district = District()
    with World() as w:
        within(w, district)
    with World() as w:
        abroad(w, district)
    district.shutdown()
    done()


if __name__ == "__main__":
    main()
