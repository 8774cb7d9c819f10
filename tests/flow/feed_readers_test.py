#!/usr/bin/env python3
"""Feeds of the whole library, read by programs that nobody here wrote: five of npm's, and those of Debian that are installed, of which jing holds them against a grammar."""
import http.client
import http.server
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from feeds_valid_test import jing
from lib import ROOT, World, clean_env, free_port, wait_for
from npm import missing

from tap import case, done, note, skip

HERE, THERE = Path(__file__).with_name("feeds"), ROOT / ".cache" / "feeds-npm"
DEBIAN_PYTHON = "/usr/bin/python3"


class Recorder(http.server.ThreadingHTTPServer):
    """Between a reader and the server, so that we see what was asked and answered."""
    daemon_threads = True

    def __init__(self, port):
        recorder, self.told = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                there.request("GET", self.path, headers={k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection", "accept-encoding")})
                answer = there.getresponse()
                body = answer.read()
                recorder.told.append((self.path, answer.status))
                self.send_response(answer.status)
                for k, v in answer.getheaders():
                    if k.lower() not in ("connection", "server", "date", "content-length", "transfer-encoding"):
                        self.send_header(k, v)
                if answer.status != 304:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                there.close()

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def statuses(self, path):
        return [status for asked, status in self.told if asked == path]


class Library:
    def __init__(self, w):
        self.w, self.plain = w, free_port()
        w.tjzw("import", "--data", w.data, "--publish", w.corpus(), timeout=600)
        port = free_port()
        self.server = w.serve(port=port, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{self.plain}"], env={"TJZW_RATE_LIMIT": "0"})
        self.recorder = Recorder(self.plain)
        wait_for("the feeds to catch up", 120, lambda: self.server.metric("derived_changes") >= self.server.metric("items_published") > 0)
        self.live = {i["id"]: i["title"] for i in self.items()}
        self.files = {ending: self.walk(ending) for ending in (".atom", ".rss", ".json")}

    def items(self):
        cursor = ""
        while True:
            page = self.server.get(f"/v1/items?n=500{cursor}").json()
            yield from page["items"]
            if not page.get("next"):
                return
            cursor = "&cursor=" + page["next"]

    def walk(self, ending):
        """All documents of the feed of everything, in files; [(address, file)]."""
        out, path = [], "/feeds/all" + ending
        while path:
            answer = self.server.get(path)
            assert answer.status == 200, (path, answer)
            file = self.w.dir / f"feed-{len(out)}{ending}"
            file.write_bytes(answer.body)
            out.append((path, file))
            atom = self.server.get(path.rsplit(".", 1)[0] + ".json").json()
            before = atom["_tjzw"].get("prev_archive")
            path = before and "/feeds/" + before.split("/feeds/", 1)[1].rsplit(".", 1)[0] + ending
        return out

    def complete(self, items):
        """Each published item was read, once, under its title."""
        found = {i["id"].split(":")[-1]: i["title"].strip() for i in items}
        assert found == {k: v.strip() for k, v in self.live.items()}, (len(found), len(self.live), [v for k, v in found.items() if self.live.get(k) != v][:3])


def run(*command, env=None, **how):
    return subprocess.run([str(c) for c in command], capture_output=True, timeout=300, env=env or clean_env(), **how)


def read_by_npm(lib):
    if why := missing(HERE, THERE):
        skip("npm's readers", why)
        return
    for ending, files in lib.files.items():
        said = {}
        for _, file in files:
            for name, f in json.loads(run("node", THERE / "readers.mjs", file, cwd=THERE).stdout).items():
                said.setdefault(name, []).append(f)
        for name, feeds in said.items():
            with case(f"{name} reads all {len(lib.live)} items of {len(feeds)} documents, {ending[1:]}"):
                assert not [f for f in feeds if "error" in f], feeds[0]
                lib.complete(i for f in feeds for i in f["items"])
                assert all(f["title"].startswith("天津政务") for f in feeds)


def read_by_feedparser(lib):
    script = """if True:
        import feedparser, json, sys
        out = []
        for file in sys.argv[1:]:
            f = feedparser.parse(file)
            assert not f.bozo, (file, f.bozo_exception)
            out += [{"id": e.id, "title": e.title} for e in f.entries]
        print(json.dumps(out))"""
    if run(DEBIAN_PYTHON, "-c", "import feedparser").returncode:
        skip("feedparser", "python3-feedparser is not here")
        return
    for ending in (".atom", ".rss"):
        with case(f"feedparser reads everything, {ending[1:]}"):
            said = run(DEBIAN_PYTHON, "-c", script, *(file for _, file in lib.files[ending]))
            assert not said.returncode, said.stderr.decode()[-500:]
            lib.complete(json.loads(said.stdout))
    poll = """if True:
        import feedparser, json, sys
        one = feedparser.parse(sys.argv[1])
        two = feedparser.parse(sys.argv[1], etag=one.etag)
        sys.stdin.readline() if not print("ready", flush=True) else 0
        three = feedparser.parse(sys.argv[1], etag=one.etag)
        print(json.dumps([one.status, two.status, three.status, [e.title for e in three.entries]]))"""
    with case("feedparser's second poll is a 304, and what came since then a 226"):
        p = subprocess.Popen([DEBIAN_PYTHON, "-c", poll, lib.recorder.url + "/feeds/all.atom"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_env(), text=True)
        assert p.stdout.readline() == "ready\n"
        lib.w.tjzw("import", "--data", lib.w.data, "--publish", lib.w.articles(1, name="new.ndjson", first=9000))
        wait_for("the feed to have it", 60, lambda: "第9000号" in lib.server.get("/feeds/all.atom").body.decode())
        said = json.loads(p.communicate("\n", timeout=60)[0])
        assert said == [200, 304, 226, ["示例文章第9000号"]], said


def read_by_jing(lib):
    if not shutil.which("jing"):
        skip("jing", "it is not here")
        return
    for ending, grammar in ((".atom", "atom.rnc"), (".rss", "rss.rnc")):
        with case(f"jing finds all {len(lib.files[ending])} documents valid by {grammar}"):
            said = jing(grammar, [file for _, file in lib.files[ending]])
            assert not said, said


def read_by_newsboat(lib):
    if not shutil.which("newsboat"):
        skip("newsboat", "it is not here")
        return
    for ending in (".atom", ".rss"):
        with case(f"newsboat reads everything, {ending[1:]}"):
            home = lib.w.dir / f"newsboat{ending}"
            home.mkdir()
            (home / "urls").write_text("".join(f"{lib.recorder.url}{path}\n" for path, _ in lib.files[ending]))
            (home / "config").write_text("reload-threads 2\n")
            ran = run("newsboat", "-u", home / "urls", "-c", home / "cache.db", "-C", home / "config", "-x", "reload", env=clean_env({"HOME": str(home)}))
            assert not ran.returncode, ran
            rows = sqlite3.connect(home / "cache.db").execute("SELECT guid, title FROM rss_item").fetchall()
            lib.complete({"id": guid, "title": title} for guid, title in rows if "第9000号" not in title)


def read_by_sfeed(lib):
    if not shutil.which("sfeed"):
        skip("sfeed", "it is not here")
        return
    for ending in (".atom", ".rss"):
        with case(f"sfeed reads everything, {ending[1:]}"):
            items = []
            for _, file in lib.files[ending]:
                for line in run("sfeed", stdin=open(file, "rb")).stdout.decode().splitlines():
                    fields = line.split("\t")
                    items.append({"id": fields[5], "title": fields[1]})
            lib.complete(items)


def read_by_feed2exec(lib):
    if not shutil.which("feed2exec"):
        skip("feed2exec", "it is not here")
        return
    with case("feed2exec reads the newest document, and its second poll is a 304"):
        home, path = lib.w.dir / "feed2exec", "/feeds/columns/1.atom"
        home.mkdir()
        tool = ["feed2exec", "--config", home / "feeds.ini", "--database", home / "feeds.db"]
        env = clean_env({"HOME": str(home), "XDG_CACHE_HOME": str(home), "LC_ALL": "C.UTF-8"})
        want = [i["title"] for i in lib.server.get("/feeds/columns/1.json").json()["items"]]
        for step in (["add", "ours", lib.recorder.url + path, "--output", "feed2exec.plugins.echo", "--args", "{item.title}"], ["fetch"], ["fetch"]):
            ran = run(*tool, *step, env=env)
            assert not ran.returncode, ran
            if step == ["fetch"] and want:
                said = ran.stdout.decode()
                assert all(title.strip() in said for title in want), said[:500]
                want = []
        assert lib.recorder.statuses(path) == [200, 304], lib.recorder.statuses(path)


def read_by_rsstail(lib):
    if not shutil.which("rsstail"):
        skip("rsstail", "it is not here")
        return
    with case("rsstail shows the newest"):
        feed = lib.server.get("/feeds/all.json").json()["items"]
        ran = run("rsstail", "-1", "-n", "100", "-N", "-u", lib.recorder.url + "/feeds/all.rss")
        assert all(i["title"].strip() in ran.stdout.decode() for i in feed), ran


with World() as world:
    library = Library(world)
    note(f"{len(library.live)} items in {len(library.files['.atom'])} documents of each format")
    for read in (read_by_npm, read_by_jing, read_by_newsboat, read_by_sfeed, read_by_feed2exec, read_by_rsstail, read_by_feedparser):
        read(library)
    library.recorder.shutdown()
    library.server.stop()
sys.exit(done())
