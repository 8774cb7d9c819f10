#!/usr/bin/env python3
"""The WebSub hub against subscribers that are honest, slow, lying or dead: verification, delivery, signatures, rests, leases, and a crash in mid fan-out
(docs/feeds.md). The subscribers are a process of their own, which knows nothing of ours: signatures are checked by Python's hmac."""
import asyncio
import hashlib
import hmac
import http.client
import json
import multiprocessing
import sqlite3
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

from fault import Clock
from lib import World, free_port, wait_for

from tap import case, done, note

A, AT = "{http://www.w3.org/2005/Atom}", "{http://purl.org/atompub/tombstones/1.0}"
SUBSCRIBERS = 1000


# ---- subscribers: one process, any number of callbacks /s/NAME ----

def secret_of(name):
    return f"secret of {name}"


class Subscribers:
    """The name of a callback says what its owner does: lie-wrong, lie-redirect, lie-500, lie-slow, lie-huge, lie-longer; gone (410), dead (500), redirect,
    slow, huge; flaky (500 three times); everybody else is honest."""

    def __init__(self, port):
        self.port, self.asked, self.got, self.times = port, {}, {}, {}

    async def answer(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                at = time.time()
                path, _, query = target.partition("?")
                name = path.rsplit("/", 1)[1]
                status, extra, said, wait = self.control(path, query) if path.startswith("/control/") else \
                    self.verify(name, query) if method == "GET" else self.take(name, headers, body, at, query)
                if wait:
                    await asyncio.sleep(wait)
                writer.write(f"HTTP/1.1 {status} X\r\n{extra}content-length: {len(said)}\r\n\r\n".encode() + said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def control(self, path, query):
        name = urllib.parse.unquote(query)
        if path == "/control/got":
            return 200, "", json.dumps(self.got.get(name, [])).encode(), 0
        if path == "/control/asked":
            return 200, "", json.dumps(self.asked.get(name, [])).encode(), 0
        if path == "/control/all":
            return 200, "", json.dumps({"got": {k: len(v) for k, v in self.got.items()}, "asked": {k: len(v) for k, v in self.asked.items()},
                                        "times": self.times}).encode(), 0
        if path == "/control/forget":
            self.got, self.times = {}, {}
        return 200, "", b"{}", 0

    def verify(self, name, query):
        q = dict(urllib.parse.parse_qsl(query))
        self.asked.setdefault(name, []).append(q)
        challenge = q.get("hub.challenge", "").encode()
        if name.startswith("lie-redirect"):
            return 302, f"location: http://127.0.0.1:{self.port}/s/honest?{query}\r\n", b"", 0
        said = {"lie-wrong": b"wrong", "lie-huge": challenge * 100000, "lie-longer": challenge + b"\n", "lie-empty": b""}.get(name, challenge)
        return 500 if name == "lie-500" else 200, "", said, 30 if name == "lie-slow" else 0

    def take(self, name, headers, body, at, query):
        tries = self.times.setdefault(name, [])
        tries.append(at)
        if name.startswith("gone"):
            return 410, "", b"", 0
        if name.startswith("dead") or name.startswith("flaky") and len(tries) <= 3:
            return 500, "", b"", 0
        if name.startswith("redirect"):
            return 307, f"location: http://127.0.0.1:{self.port}/s/victim\r\n", b"", 0
        good = "x-hub-signature" not in headers
        if not good:
            method, _, mark = headers["x-hub-signature"].partition("=")
            good = hmac.compare_digest(hmac.new(secret_of(name).encode(), body, method).hexdigest(), mark)
            assert method == "sha256", method
        self.got.setdefault(name, []).append({"at": at, "type": headers.get("content-type"), "link": headers.get("link"), "query": query,
                                              "signed": "x-hub-signature" in headers, "good": good, "body": body.decode()})
        return 200, "", b"x" * 100000 if name.startswith("huge") else b"", 8 if name.startswith("slow") else 0


def serve(port):
    async def run():
        them = Subscribers(port)
        server = await asyncio.start_server(them.answer, "0.0.0.0", port, backlog=1024)     # all of 127.0.0.0/8
        async with server:
            await server.serve_forever()

    asyncio.run(run())


class Mock:
    def __init__(self):
        self.port = free_port()
        self.process = multiprocessing.Process(target=serve, args=(self.port,), daemon=True)
        self.process.start()
        wait_for("the subscribers to listen", 10, self.is_up)

    def is_up(self):
        try:
            return self.tell("all") is not None
        except OSError:
            return False

    def tell(self, what, name=""):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request("GET", f"/control/{what}?{urllib.parse.quote(name)}")
        return json.loads(c.getresponse().read())

    def got(self, name):
        return self.tell("got", name)

    def asked(self, name):
        return self.tell("asked", name)

    def url(self, name, query=""):
        return f"http://127.0.0.1:{self.port}/s/{name}{query}"

    def close(self):
        self.process.kill()


# ---- the city ----

class City:
    def __init__(self, w, mock, env=None, data=None):
        self.w, self.mock, self.data, self.port = w, mock, data, free_port()
        self.env = {"TJZW_RATE_LIMIT": "0", "TJZW_WEBSUB_PRIVATE": "true", **(env or {})}
        self.start()

    def start(self):
        self.server = self.w.serve(self.data, port=self.port, env=self.env)

    def topic(self, path="/feeds/all.atom"):
        return self.server.url + path

    def ask(self, mode="subscribe", callback=None, topic=None, **more):
        form = {"hub.mode": mode, "hub.topic": topic or self.topic(), "hub.callback": callback, **{f"hub.{k}": v for k, v in more.items()}}
        return self.server.get("/hub", "POST", urllib.parse.urlencode({k: v for k, v in form.items() if v is not None}),
                               {"content-type": "application/x-www-form-urlencoded"})

    def subscribe(self, name, query="", **more):
        answer = self.ask(callback=self.mock.url(name, query), **more)
        assert answer.status == 202, answer
        return self

    def rows(self):
        out, after = [], 0
        while after is not None:
            page = self.server.admin("GET", f"/v1/websub?after={after}").json()
            out += page["subscriptions"]
            after = page.get("next")
        return out

    def row(self, name):
        return next((r for r in self.rows() if r["callback"].split("?")[0].endswith("/s/" + name)), None)

    def tell(self, method, path, body):
        answer = self.server.admin(method, path, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
        assert answer.status < 300, answer
        return answer.json() if answer.body else {}

    def publish(self, title):
        """A draft through all steps; its id, and when it was published."""
        column = self.server.get("/v1/columns").json()["columns"][0]
        made = self.tell("POST", "/v1/items", {"kind": "article", "title": title, "body": "正文", "site": column["site"], "column": column["no"]})
        id = made["id"]
        for step in ("submit", "approve"):
            answer = self.server.admin("POST", f"/v1/items/{id}/{step}", b"{}", {"content-type": "application/json"})
            assert answer.status < 300, answer
        at = time.time()
        self.tell("POST", f"/v1/items/{id}/publish", {})
        return id, at


def titles(deliveries):
    return [t for d in deliveries for t in entries(d["body"])]


def entries(body):
    return [e.findtext(A + "title") for e in ET.fromstring(body).findall(A + "entry")]


def gone(deliveries):
    return [e.get("ref") for d in deliveries for e in ET.fromstring(d["body"]).findall(AT + "deleted-entry")]


def until_row(city, name, deadline=15):
    return wait_for(f"the subscription of {name}", deadline, lambda: city.row(name), every=0.1)


def until_title(mock, name, title, deadline=20):
    wait_for(f"{name} to be told of {title}", deadline, lambda: title in titles(mock.got(name)), every=0.1)


def main():
    with World() as w:
        w.tjzw("import", "--data", w.data, "--publish", w.articles(30, size=600))
        mock = Mock()
        clock = Clock(w)
        city = City(w, mock, env=clock.env)
        try:
            alone(city, mock)
            liars(city, mock)
            ends(city, mock, clock)
            crowd(city, mock)
        finally:
            mock.close()
            city.server.stop()
        strangers(w)


def alone(city, mock):
    with case("feeds name the hub and themselves, in the answer and in the document"):
        for ending in (".atom", ".rss", ".json", ".atom"):      # … and in the one that is kept
            answer = city.server.get("/feeds/all" + ending)
            hub, self = city.server.url + "/hub", city.topic("/feeds/all" + ending)
            assert answer.headers["link"] == f'<{hub}>; rel="hub", <{self}>; rel="self"', answer.headers
            assert hub in answer.body.decode(), ending

    with case("who subscribes is asked, and told of what comes next, signed, in the topic's format, by its own query"):
        city.subscribe("one", "?key=1", secret=secret_of("one"))
        row = until_row(city, "one")
        asked = mock.asked("one")
        assert len(asked) == 1 and asked[0]["hub.mode"] == "subscribe" and asked[0]["hub.topic"] == city.topic() and asked[0]["key"] == "1", asked
        assert asked[0]["hub.lease_seconds"] == "864000" and len(asked[0]["hub.challenge"]) >= 32, asked
        assert "key=1" not in row["callback"], row
        id, _ = city.publish("第一条消息")
        until_title(mock, "one", "第一条消息")
        got = mock.got("one")
        assert len(got) == 1 and entries(got[0]["body"]) == ["第一条消息"], got
        assert got[0]["signed"] and got[0]["good"] and got[0]["query"] == "key=1", got
        assert got[0]["type"].startswith("application/atom+xml"), got
        assert got[0]["link"] == f'<{city.server.url}/hub>; rel="hub", <{city.topic()}>; rel="self"', got
        assert "正文" in got[0]["body"]

    with case("what is withdrawn is told as a tombstone"):
        city.tell("POST", f"/v1/items/{id}/withdraw", {"reason": "内容有误"})
        wait_for("the tombstone", 20, lambda: f"urn:uuid:{id}" in gone(mock.got("one")), every=0.1)
        assert "第一条消息" not in mock.got("one")[-1]["body"]

    with case("RSS and JSON Feed are delivered as such; without a secret nothing is signed"):
        city.subscribe("rss", topic=city.topic("/feeds/all.rss")).subscribe("json", topic=city.topic("/feeds/all.json"))
        until_row(city, "rss"), until_row(city, "json")
        city.publish("三种格式")
        wait_for("both", 20, lambda: mock.got("rss") and mock.got("json"), every=0.1)
        assert ET.fromstring(mock.got("rss")[0]["body"]).findtext("channel/item/title") == "三种格式"
        assert [i["title"] for i in json.loads(mock.got("json")[0]["body"])["items"]] == ["三种格式"]
        assert not mock.got("rss")[0]["signed"] and not mock.got("json")[0]["signed"]

    with case("to subscribe again replaces secret and lease, and is one subscription"):
        before = until_row(city, "rss")
        city.subscribe("rss", topic=city.topic("/feeds/all.rss"), secret=secret_of("rss"), lease_seconds=7200)
        wait_for("the new lease", 15, lambda: city.row("rss")["ends"] < before["ends"], every=0.1)
        city.publish("换了密钥")
        wait_for("a signed one", 20, lambda: mock.got("rss")[-1]["signed"], every=0.1)
        assert mock.got("rss")[-1]["good"] and len([r for r in city.rows() if "/s/rss" in r["callback"]]) == 1

    with case("who unsubscribes is asked, and told of nothing more"):
        assert city.ask("unsubscribe", mock.url("json"), city.topic("/feeds/all.json")).status == 202
        wait_for("the end", 15, lambda: not city.row("json"), every=0.1)
        assert mock.asked("json")[-1]["hub.mode"] == "unsubscribe"
        many = len(mock.got("json"))
        city.publish("退订之后")
        until_title(mock, "one", "退订之后")
        time.sleep(0.5)
        assert len(mock.got("json")) == many

    with case("what cannot be is refused at once"):
        good = mock.url("refused")
        for why, answer in {
            "no such feed": city.ask(callback=good, topic=city.topic("/feeds/columns/999999.atom")),
            "another server's": city.ask(callback=good, topic="https://example.com/feeds/all.atom"),
            "no feed": city.ask(callback=good, topic=city.topic("/v1/items")),
            "a search": city.ask(callback=good, topic=city.topic("/feeds/search.atom?q=1")),
            "a theme that nothing has": city.ask(callback=good, topic=city.topic("/feeds/themes/x.atom")),
            "another spelling": city.ask(callback=good, topic=city.topic("/feeds/all.atom?")),
            "no mode": city.ask("publish", good),
            "no callback": city.ask(),
            "a fragment": city.ask(callback=good + "#x"),
            "a user": city.ask(callback="http://a:b@127.0.0.1/"),
            "another scheme": city.ask(callback="ftp://127.0.0.1/"),
            "a line feed": city.ask(callback=good + "\r\nx: y"),
            "a long secret": city.ask(callback=good, secret="x" * 200),
            "a lease of words": city.ask(callback=good, lease_seconds="soon"),
        }.items():
            assert answer.status == 400 and answer.headers["content-type"].startswith("application/problem+json"), (why, answer)
        time.sleep(0.3)
        assert not mock.asked("refused")


def liars(city, mock):
    with case("who does not say yes has no subscription: wrong, longer, empty and huge answers, redirects, errors"):
        for name in ("lie-wrong", "lie-redirect", "lie-500", "lie-huge", "lie-longer", "lie-empty", "lie-slow"):
            city.subscribe(name)
        for name in ("lie-wrong", "lie-redirect", "lie-500", "lie-huge", "lie-longer", "lie-empty", "lie-slow"):
            wait_for(f"{name} to be asked", 15, lambda n=name: mock.asked(n), every=0.1)
        wait_for("all to be decided", 30, lambda: city.server.metric("websub_refused") >= 7, every=0.2)
        assert not [r for r in city.rows() if "/s/lie" in r["callback"]]
        assert not mock.asked("honest")

    with case("a slow subscriber, one that answers much, dead ones and one that redirects hold up nobody"):
        for name in ("slow", "huge", "dead", "redirect", "flaky", "gone", "quick"):
            city.subscribe(name)
        for name in ("slow", "huge", "dead", "redirect", "flaky", "gone", "quick"):
            until_row(city, name)
        _, at = city.publish("有人很慢")
        until_title(mock, "quick", "有人很慢")
        assert mock.got("quick")[0]["at"] - at < 3, mock.got("quick")[0]["at"] - at
        city.publish("又一条")
        until_title(mock, "quick", "又一条", 5)
        assert len(mock.got("slow")) == 1, "one delivery a subscriber is under way"

    with case("410 ends a subscription, a redirect is a failure, and failures rest longer each time"):
        wait_for("the end of who is gone", 10, lambda: not city.row("gone"), every=0.1)
        assert len(mock.tell("all")["times"]["gone"]) == 1
        wait_for("the flaky one", 40, lambda: "又一条" in titles(mock.got("flaky")), every=0.2)
        times = mock.tell("all")["times"]["flaky"]
        rests = [b - a for a, b in zip(times, times[1:])]
        assert rests[0] >= 1.5 and rests[1] >= 3 and rests[2] >= 6, rests
        wait_for("the flaky one to be as new", 5, lambda: city.row("flaky")["failures"] == 0, every=0.1)
        assert city.row("dead")["failures"] >= 3 and city.row("redirect")["failures"] >= 3
        assert not mock.tell("all")["asked"].get("victim") and not mock.got("victim")
        assert len(mock.got("huge")) == 2, "an answer of any length is one"
        until_title(mock, "slow", "又一条", 20)


def ends(city, mock, clock):
    with case("a lease that ended is over"):
        city.subscribe("brief", lease_seconds=1)
        assert until_row(city, "brief") and mock.asked("brief")[0]["hub.lease_seconds"] == "3600"
        clock.ahead(4000)
        wait_for("its end", 15, lambda: not city.row("brief"), every=0.2)
        city.publish("租期之后")
        until_title(mock, "one", "租期之后")
        time.sleep(0.5)
        assert not mock.got("brief")
        assert city.row("quick"), "others are not over"


def crowd(city, mock):
    names = [f"many-{i:04}" for i in range(SUBSCRIBERS)]
    hosts = [f"127.0.1.{i}" for i in range(1, 12)]
    with case(f"{SUBSCRIBERS} subscribe"):
        left, answers = list(enumerate(names)), []

        def work():
            while left:
                i, name = left.pop()
                answers.append(city.ask(callback=f"http://{hosts[i // 100]}:{mock.port}/s/{name}", secret=secret_of(name)).status)

        threads = [threading.Thread(target=work) for _ in range(4)]
        [t.start() for t in threads], [t.join() for t in threads]
        assert set(answers) == {202} and len(answers) == SUBSCRIBERS, set(answers)
        wait_for("all to be verified", 120, lambda: sum("/s/many-" in r["callback"] for r in city.rows()) == SUBSCRIBERS, every=0.5)

    with case("all are told, each once, and the slowest of a hundred is there within moments"):
        mock.tell("forget")
        worst = []
        for round in range(3):
            _, at = city.publish(f"通知大家{round}")
            wait_for("everybody", 60, lambda r=round: sum(n > r for k, n in mock.tell("all")["got"].items() if k.startswith("many-")) == SUBSCRIBERS, every=0.3)
            late = sorted(t[round] - at for k, t in mock.tell("all")["times"].items() if k.startswith("many-"))
            worst.append(late[len(late) * 99 // 100])
            note(f"publish to callback, {SUBSCRIBERS} subscribers: p50 {late[len(late) // 2] * 1000:.0f} ms, p99 {worst[-1] * 1000:.0f} ms, last {late[-1] * 1000:.0f} ms")
        got = mock.tell("all")["got"]
        assert all(got[n] == 3 for n in names), [n for n in names if got[n] != 3][:5]
        assert all(d["good"] and d["signed"] for n in names[::50] for d in mock.got(n))
        assert min(worst) < 2, worst        # the aim is 0.2 s on a machine that does nothing else; printed, because this one may be busy

    with case("kill -9 in mid fan-out: everybody gets everything at least once, and what was noted only once"):
        mock.tell("forget")
        _, at = city.publish("停电之前")
        wait_for("some to be told", 20, lambda: 50 < sum(k.startswith("many-") for k in mock.tell("all")["got"]), every=0.005)
        city.server.kill()
        before = mock.tell("all")["got"]
        told = sum(k.startswith("many-") for k in before)
        city.start()
        wait_for("everybody", 60, lambda: sum("many-" in k for k in mock.tell("all")["got"]) == SUBSCRIBERS, every=0.3)
        wait_for("what was told to be noted", 20, lambda: len({r["n"] for r in city.rows() if "/s/many-" in r["callback"]}) == 1, every=0.3)
        after = mock.tell("all")["got"]
        note(f"killed when {told} had been told; {sum(after[n] > 1 for n in names)} were told twice")
        assert all("停电之前" in titles(mock.got(n)) for n in names[::25])
        assert max(after[n] for n in names) <= 2


def strangers(w):
    mock, data = Mock(), w.dir / "other"
    w.tjzw("import", "--data", data, "--publish", w.articles(1, size=300))
    city = City(w, mock, data=data)
    try:
        city.subscribe("early").subscribe("other")
        until_row(city, "early"), until_row(city, "other")
        asked(city)
        city.server.stop()
        with sqlite3.connect(data / "tjzw.db") as db:
            db.execute("UPDATE websub SET topic = '/feeds/columns/99999.atom' WHERE callback LIKE '%/other'")
        inside(city, mock)
    finally:
        mock.close()


def asked(city):
    with case("what was asked survives kill -9 before it is verified"):
        for i in range(80):
            city.subscribe(f"hasty-{i}")
        city.server.kill()
        city.start()
        wait_for("all to be verified", 20, lambda: sum("/s/hasty-" in r["callback"] for r in city.rows()) == 80, every=0.1)


def inside(city, mock):
    with case("whose feed is gone is told so, and has no subscription"):
        city.start()
        wait_for("the word", 15, lambda: mock.asked("other")[-1]["hub.mode"] == "denied", every=0.1)
        said = mock.asked("other")[-1]
        assert said["hub.topic"] == city.topic("/feeds/columns/99999.atom") and said["hub.reason"] and "hub.challenge" not in said, said
        wait_for("the end", 10, lambda: not city.row("other"), every=0.1)
        assert city.row("early")
        city.server.stop()

    with case("callbacks of our own network are refused, and not called though they were let in before"):
        del city.env["TJZW_WEBSUB_PRIVATE"]
        city.start()
        for host in ("127.0.0.1", "localhost", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433",
                     "127.1", "intranet", "printer.local", "[fe80::1]", "0"):
            answer = city.ask(callback=f"http://{host}:{mock.port}/s/x")
            assert answer.status == 400, (host, answer)
        city.publish("只给外面")
        wait_for("it to fail", 15, lambda: city.row("early")["failures"], every=0.1)
        assert not mock.asked("x") and not mock.got("early")
        city.server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
