"""leak_walk.py - everything that anybody may ask a server for, asked.

The routes are the program's own list (`tjzw print-routes`): a public GET that is neither asked here nor named in HOLDS_NO_ITEM fails the test, so nobody adds
one unseen. An address that ever answered is remembered and asked again for ever, as a cache or a bookmark would: what was right then must not be said now.
"""
import gzip
import http.client
import http.server
import json
import re
import ssl
import threading
import time
import urllib.parse

from leak_model import SITE, WORD
from lib import free_port, wait_for

# Public GET addresses that are about no item: who signs in, keys, this program itself; WeChat's question whether the address is ours; and /preview/:token, which is for whoever was given the link.
HOLDS_NO_ITEM = """/v1/receipts/key /v1/sandbox /v1/auth/upstreams /v1/warnings /v1/warnings/:identifier /v1/warning-senders /healthz /readyz /version
/.well-known/openid-configuration /oauth2/keys /oauth2/authorize /oauth2/userinfo /oauth2/logout /sign-in /sign-in/code /sign-in/password /sign-in/factor /sign-in/passkey
/sign-in/phone /sign-in/with/:upstream /sign-in/from/:upstream /sign-in/done /sign-out /consent /device /device/confirm /set-up /passkey.js /style.css /favicon.ico /robots.txt
/wechat/:channel /preview/:token /problems/:slug /docs /openapi.json /v1/events""".split()     # /v1/events is heard by Hints

FORMATS = (".atom", ".rss", ".json")
LINK = re.compile(rb'(?:href|src|ref)="((?:https://leak\.example)?/[^"]*)"')
JSON_LINK = re.compile(rb'"(https://leak\.example/[^"]*)"')


class Walk:
    def __init__(self, server, columns):
        self.server, self.columns, self.hashes = server, columns, set()
        self.remembered, self.asked, self.found, self.connection = set(), 0, {}, None
        self.past_heads, self.tags = [], {}     # tags: the first that each feed had

    # ---- asking ----

    def forget_connection(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def get(self, target, headers=None):
        self.asked += 1
        for again in (True, False):
            try:
                if not self.connection:
                    self.connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=30, context=ssl._create_unverified_context())
                self.connection.request("GET", target, headers=headers or {})
                answer = self.connection.getresponse()
                return answer.status, answer.getheader("etag"), answer.read()
            except (http.client.HTTPException, OSError):
                self.forget_connection()
                if not again:
                    raise

    # ---- what there is to ask ----

    def routes(self, world):
        """Of public GETs: (path, its parameters)."""
        for line in world.tjzw("print-routes").stdout.decode().splitlines():
            cells = [c.strip() for c in line.split("|")]
            if len(cells) > 5 and cells[1].startswith("`GET ") and cells[2] == "—":
                yield cells[1][5:-1], re.findall(r"`([^`]+)`", cells[5])

    def check_routes(self, world):
        known, routes = self.addresses(), [path for path, _ in self.routes(world)]
        assert len(routes) > 60, routes
        missing = [path for path in routes if path not in HOLDS_NO_ITEM and path not in known]
        assert not missing, f"nobody asks {missing}: add them to leak_walk.py"
        stale = [path for path in [*known, *HOLDS_NO_ITEM] if path not in routes]
        assert not stale, f"{stale} are no routes"

    def addresses(self, ids=(), revs=1):
        """Route: addresses to be asked."""
        each = {"site": [SITE], "column": self.columns, "id": ids, "hash": sorted(self.hashes)}
        feeds = {"sites": [SITE], "columns": self.columns, "areas": ["120000", "120101"], "themes": [urllib.parse.quote("城乡建设")]}
        word = urllib.parse.quote("共同的开头")
        a = {
            "/v1/orgs": ["/v1/orgs"], "/v1/orgs/:org": ["/v1/orgs/1"], "/v1/sites": ["/v1/sites"], "/v1/sites/:site": [f"/v1/sites/{SITE}"],
            "/v1/columns": ["/v1/columns"], "/v1/columns/:column": [f"/v1/columns/{c}" for c in each["column"]],
            "/v1/columns/:column/items": [f"/v1/columns/{c}/items?n=500" for c in each["column"]],
            "/v1/items": ["/v1/items?n=500", f"/v1/items?site={SITE}&n=100", "/v1/items"],
            "/v1/search": [f"/v1/search?q={word}&n=50", "/v1/search?q=zq&n=50", f"/v1/search?q={urllib.parse.quote('正文')}"],
            "/v1/search/suggest": [f"/v1/search/suggest?q={urllib.parse.quote('示例通知')}", "/v1/search/suggest?q=zq"],
            "/v1/catalogue": ["/v1/catalogue?n=100"], "/v1/surveys": ["/v1/surveys"],
            "/": ["/"], "/large": ["/large"], "/columns": ["/columns", "/columns?large=1"], "/feeds": ["/feeds"], "/metrics": ["/metrics"],
            "/columns/:column": [f"/columns/{c}" for c in each["column"]], "/search": [f"/search?q={word}", f"/search?q={word}&large=1"],
            "/v1/sync/keys": ["/v1/sync/keys"], "/v1/sync/heads": ["/v1/sync/heads"], "/v1/sync/heads/:stream": ["/v1/sync/heads/main"], "/v1/sync/:stream/head": ["/v1/sync/main/head"],
            "/feeds/:feed": ["/feeds/all" + f for f in FORMATS], "/feeds/all/:archive": [],
            "/v1/blobs/:hash": [f"/v1/blobs/{h}" for h in each["hash"]],
        }
        for route in ("/v1/items/:id", "/v1/items/:id/revisions", "/v1/surveys/:id", "/a/:id", "/a/:id/large", "/a/:id/text", "/surveys/:id"):
            a[route] = [route.replace(":id", id) for id in ids]
        a["/v1/items/:id/revisions/:rev"] = [f"/v1/items/{id}/revisions/{rev}" for id in ids for rev in range(1, revs + 1)]
        a["/v1/sync/:stream/place/:id"] = [f"/v1/sync/main/place/{id}" for id in ids]
        for scope, places in feeds.items():
            a[f"/feeds/{scope}/:feed"] = [f"/feeds/{scope}/{p}{f}" for p in places for f in FORMATS]
            a[f"/feeds/{scope}/:place/:archive"] = []       # followed by their links
        for f in FORMATS:
            a["/feeds/search" + f] = [f"/feeds/search{f}?q={word}"]
        for route in ("head/:cursor", "log/:epoch/:cut/:range", "object/:name", "cover/:cursor", "tile/:name", "item/:epoch/:name"):
            a["/v1/sync/:stream/" + route] = []             # from the heads: sync_addresses()
        return a

    def sync_addresses(self, ids):
        """All that a head names, and the items alone."""
        _, _, head = self.get("/v1/sync/main/head")
        h = dict(line.split(" ", 1) for line in head.decode().split("\n\n")[0].splitlines()[1:])
        if h["epoch"] + "." + h["seq"] not in [p[0] + "." + p[1] for p in self.past_heads]:
            self.past_heads.append((h["epoch"], h["seq"]))
        base = "/v1/sync/main"
        yield f"{base}/head/{h['epoch']}.{h['seq']}.{h['sign']}"
        yield f"{base}/cover/{h['epoch']}.{h['seq']}"
        yield f"{base}/tile/6.0.{h['root']}"
        for epoch, seq in [("", "0"), *self.past_heads[-30:]]:
            for suffix in ("", ".gz"):
                yield f"{base}/log/{h['epoch']}/{h['cut']}/{seq}-{h['seq']}{suffix}"
        for name in ("ancestry", "index", "directory"):
            if h.get(name, "-") != "-":
                yield f"{base}/object/{h[name]}"
        if h.get("index", "-") != "-":
            _, _, index = self.get(f"{base}/object/{h['index']}")
            for hash_ in re.findall(rb"[0-9a-f]{64}", index):
                yield f"{base}/object/{hash_.decode()}"
                yield f"{base}/object/{hash_.decode()}.gz"
        for id in ids:
            status, _, place = self.get(f"{base}/place/{id}")
            if status == 200:
                born, seq = place.decode().split()[:2]
                yield f"{base}/item/{h['epoch']}/{born}.{seq}"

    # ---- looking ----

    @staticmethod
    def decoded(target, body):
        if target.endswith(".gz") and body[:2] == b"\x1f\x8b":
            return gzip.decompress(body)
        return body

    def one(self, target, model, public):
        """Asks, and what its links lead to is remembered."""
        status, etag, body = self.get(target)
        body = self.decoded(target, body)
        words = model.check_bytes(body, public, f"{status} {target}")
        kind = re.sub(r"[0-9a-f-]{16,}|(?<!/v)\b\d+\b", "#", target.split("?")[0])
        self.found.setdefault(kind, set()).update(words)
        if status != 200:
            return
        new = {target}
        for link in LINK.findall(body) + JSON_LINK.findall(body):
            address = link.decode().replace("https://leak.example", "").replace("&amp;", "&")
            if address.startswith(("/feeds/", "/v1/blobs/", "/a/", "/columns")):
                new.add(address)
        for address in new - self.remembered:
            self.remembered.add(address)
            if address != target:
                self.one(address, model, public)
        if etag and target.startswith("/feeds/") and not target.startswith("/feeds/search"):
            self.delta(target, etag, model, public)

    def delta(self, target, etag, model, public):
        """What a reader is told who was here once: since the oldest tag that is known of the feed."""
        first = self.tags.setdefault(target, etag)
        _, _, body = self.get(target, {"a-im": "feed", "if-none-match": first})
        model.check_bytes(body, public, f"what is new of {target}")

    def look(self, model, public, whole):
        """Of few steps everything, of most what is about the newest items and what lists them."""
        items = model.items if whole else model.items[-3:]
        ids, revs = [i.id for i in items], max([i.rev for i in items], default=1)
        targets = {t for list_ in self.addresses(ids, revs).values() for t in list_} | set(self.sync_addresses(ids))
        if whole:
            targets |= self.remembered
        for target in sorted(targets):
            self.one(target, model, public)

    def check_sighted(self, model, deliveries):
        """Had something been there, it would have been seen."""
        assert model.live_words(), "nothing is public in the end"
        self.server.settle()
        self.server.rest()
        self.look(model, model.public(), True)
        for kind in ("/v1/items", "/v1/items/#", "/a/#", "/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/v1/search", "/", "/v1/sync/main/item/#/#.#", "/v1/sync/main/log/#/#/#-#", "/v1/sync/main/object/#", "/v1/blobs/#", "/v1/items/#/revisions/#"):
            assert self.found.get(kind), f"no word was ever seen at {kind}: {sorted(k for k, v in self.found.items() if v)}"
        wait_for("a delivery", 15, lambda: any(WORD.search(body) for _, body in deliveries.bodies))


class Hints(threading.Thread):
    """All bytes of /v1/events."""

    def __init__(self, server, heard=None):
        super().__init__(daemon=True)
        self.heard, self.stopped = heard if heard is not None else [], False
        self.connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=600, context=ssl._create_unverified_context())
        self.connection.request("GET", "/v1/events")
        self.answer = self.connection.getresponse()
        self.start()

    def run(self):
        try:
            while line := self.answer.readline():
                self.heard.append((time.time(), line))
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass

    def stop(self):
        self.stopped = True

    def look(self, model):
        for at, line in list(self.heard):
            model.check_bytes(line, model.lately(at), "a hint")


class Deliveries:
    """A subscriber of the feeds, which says yes to all."""

    def __init__(self, server):
        self.bodies, port, outer = [], free_port(), self

        class Callback(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                self.say(query.get("hub.challenge", "").encode())

            def do_POST(self):
                outer.bodies.append((time.time(), self.rfile.read(int(self.headers["content-length"]))))
                self.say(b"")

            def say(self, body):
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        service = http.server.ThreadingHTTPServer(("127.0.0.1", port), Callback)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        for topic in ("/feeds/all.atom", "/feeds/all.json", f"/feeds/sites/{SITE}.rss"):
            form = urllib.parse.urlencode({"hub.mode": "subscribe", "hub.topic": "https://leak.example" + topic,
                                           "hub.callback": f"http://127.0.0.1:{port}/{topic.rsplit('.', 1)[1]}"})
            answer = server.get("/hub", "POST", form.encode(), {"content-type": "application/x-www-form-urlencoded"})
            assert answer.status == 202, answer
        self.looked = 0

    def look(self, model):
        """A delivery is made a moment before it comes."""
        bodies = self.bodies[self.looked:]
        self.looked += len(bodies)
        for at, body in bodies:
            model.check_bytes(body, model.lately(at), "a WebSub delivery")
