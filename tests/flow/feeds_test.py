#!/usr/bin/env python3
"""Feeds: conditional requests, what is new, archives that never change and hold exactly what is published, and nothing that was withdrawn (docs/feeds.md)."""
import json
import random
import sys
import xml.etree.ElementTree as ET
from email.utils import parsedate_to_datetime

from lib import World, article, wait_for

from tap import FULL, case, done, note

A, AT, FH, T = ("{http://www.w3.org/2005/Atom}", "{http://purl.org/atompub/tombstones/1.0}", "{http://purl.org/syndication/history/1.0}", "{urn:tjzw:feed:1}")
FORMATS = (".atom", ".rss", ".json")
ROUNDS = 400 if FULL else 60


class Atom:
    """An Atom document, read by a parser of XML that knows nothing of ours."""

    def __init__(self, text):
        self.root = ET.fromstring(text)
        self.entries = [{"id": e.findtext(A + "id")[9:], "title": e.findtext(A + "title"), "seq": int(e.findtext(T + "seq")),
                         "text": e.findtext(A + "content")} for e in self.root.findall(A + "entry")]
        self.gone = [e.get("ref")[9:] for e in self.root.findall(AT + "deleted-entry")]
        self.links = {link.get("rel"): link.get("href") for link in self.root.findall(A + "link")}
        self.archive = self.root.find(FH + "archive") is not None


class City:
    """A server, and what its staff do."""

    def __init__(self, w):
        self.w = w
        self.server = w.serve(env={"TJZW_RATE_LIMIT": "0", "TJZW_PUBLIC_URL": "https://feeds.example"})

    def publish(self, n, first=0, mark=""):
        """n articles, and the server has counted them."""
        self.w.tjzw("import", "--data", self.w.data, "--publish", self.w.articles(n, name=f"more-{first}-{mark}.ndjson", first=first, mark=mark, size=600))
        self.settle()

    def tell(self, path, body):
        answer = self.server.admin("POST", path, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
        assert answer.status < 300, answer
        return answer.json() if answer.body else {}

    def withdraw(self, id):
        self.tell(f"/v1/items/{id}/withdraw", {"reason": "内容有误"})
        self.settle()

    def move(self, id):
        """To another column; where it was and where it is."""
        was = self.get(f"/v1/items/{id}").json()["column"]
        to = next(c for c in self.get("/v1/columns").json()["columns"] if c["path"] != was and "/" in c["path"])
        self.tell(f"/v1/items/{id}/move", {"column": to["no"]})
        self.settle()
        return next(c["no"] for c in self.get("/v1/columns").json()["columns"] if c["path"] == was), to["no"]

    def settle(self):
        """The derived database has taken in what is published."""
        wait_for("the feeds to catch up", 60, lambda: self.server.metric("derived_changes") == self.server.metric("changes"))

    def get(self, path, **headers):
        return self.server.get(path.replace("https://feeds.example", ""), headers={k.replace("_", "-"): v for k, v in headers.items()})

    def atom(self, path):
        answer = self.get(path)
        assert answer.status == 200, (path, answer)
        return Atom(answer.body)

    def walk(self, path):
        """All documents of a feed, the newest first: [(address, bytes)], and what a reader of them holds at the end."""
        seen, held, documents = set(), {}, []
        while path:
            answer = self.get(path)
            assert answer.status == 200, (path, answer)
            documents.append((path, answer.body))
            feed = Atom(answer.body)
            for e in feed.entries:
                if e["id"] not in seen:
                    held[e["id"]] = e
            seen |= {e["id"] for e in feed.entries} | set(feed.gone)
            path = feed.links.get("prev-archive")
        return documents, held

    def listed(self, of="/v1/items"):
        """{id: (title, seq)} of what is published, by the API."""
        out, cursor = {}, ""
        while True:
            page = self.get(f"{of}?n=500{cursor}").json()
            out |= {i["id"]: (i["title"], i["seq"]) for i in page["items"]}
            if not page.get("next"):
                return out
            cursor = "&cursor=" + page["next"]

    def agrees(self, feed, of):
        held, there = self.walk(feed)[1], self.listed(of)
        assert {k: (v["title"], v["seq"]) for k, v in held.items()} == there, (len(held), len(there))
        return held


def conditional(city):
    with case("the second poll is a 304, by entity tag and by time; the entity tag is strong"):
        for ending in FORMATS:
            one = wait_for("a time that is past", 5, lambda: (a := city.get("/feeds/all" + ending)).headers.get("last-modified") and a)
            assert one.status == 200 and one.headers["etag"].startswith('"') and "s-maxage=5" in one.headers["cache-control"], one
            assert city.get("/feeds/all" + ending, if_none_match=one.headers["etag"]).status == 304
            assert city.get("/feeds/all" + ending, if_modified_since=one.headers["last-modified"]).status == 304
            assert city.get("/feeds/all" + ending, if_none_match='"other"', if_modified_since=one.headers["last-modified"]).status == 200
    with case("Last-Modified never repeats while the content changes"):
        before = wait_for("a time that is past", 5, lambda: (a := city.get("/feeds/all.atom")).headers.get("last-modified") and a)
        for i in range(3):
            city.publish(1, first=700 + i)
            after = wait_for("a time that is past", 5, lambda: (a := city.get("/feeds/all.atom")).headers.get("last-modified") and a)
            assert after.headers["etag"] != before.headers["etag"]
            assert parsedate_to_datetime(after.headers["last-modified"]) > parsedate_to_datetime(before.headers["last-modified"])
            before = after


def deltas(city):
    with case("who says what he holds is given only what came since then, once: 226, then 304"):
        whole = city.get("/feeds/all.atom", a_im="feed")
        assert whole.status == 200
        city.publish(2, first=710)
        new = city.get("/feeds/all.atom", a_im="feed", if_none_match=whole.headers["etag"])
        assert new.status == 226 and new.headers["im"] == "feed" and "if-none-match" in new.headers["vary"].lower(), new
        assert "s-maxage" not in new.headers["cache-control"]
        assert sorted(e["title"] for e in Atom(new.body).entries) == ["示例文章第710号", "示例文章第711号"]
        assert len(new.body) < len(whole.body) / 5, (len(new.body), len(whole.body))
        assert new.headers["etag"] == city.get("/feeds/all.atom").headers["etag"]
        assert city.get("/feeds/all.atom", a_im="feed", if_none_match=new.headers["etag"]).status == 304
    with case("a withdrawal is new as well, and says why"):
        held = city.get("/feeds/all.atom")
        victim = Atom(held.body).entries[0]["id"]
        city.withdraw(victim)
        new = city.get("/feeds/all.atom", a_im="other, feed", if_none_match=held.headers["etag"])
        assert new.status == 226 and Atom(new.body).gone == [victim] and not Atom(new.body).entries and "内容有误" in new.body.decode(), new
    with case("RSS cannot say that something is gone, so it is answered whole"):
        held = city.get("/feeds/all.rss")
        city.withdraw(Atom(city.get("/feeds/all.atom").body).entries[0]["id"])
        answer = city.get("/feeds/all.rss", a_im="feed", if_none_match=held.headers["etag"])
        assert answer.status == 200 and len(ET.fromstring(answer.body).findall("channel/item")) > 40, answer
        assert city.get("/feeds/all.atom", a_im="feed;q=0", if_none_match=held.headers["etag"]).status == 200
    with case("what was moved away is gone there, and what came back is later than that"):
        item = Atom(city.get("/feeds/all.atom").body).entries[2]["id"]
        was, to = city.move(item)
        feed = city.atom(f"/feeds/columns/{was}.atom")
        assert item in feed.gone and item in [e["id"] for e in city.atom(f"/feeds/columns/{to}.atom").entries]
        city.tell(f"/v1/items/{item}/move", {"column": was})
        city.settle()
        back = [e for e in city.atom(f"/feeds/columns/{was}.atom").root.findall(A + "entry") if e.findtext(A + "id").endswith(item)][0]
        when = [g.get("when") for g in feed.root.findall(AT + "deleted-entry") if g.get("ref").endswith(item)][0]
        assert back.findtext(A + "updated") >= when, (back.findtext(A + "updated"), when)
    with case("what is no place of this feed is answered whole"):
        held = city.get("/feeds/all.atom")

        other = city.get("/feeds/columns/1.atom").headers["etag"]
        for tag in (other, '"5.0123456789abcdef.00"', '"nonsense"', '"1.zz.00"', '"99999999.0123456789abcdef.00"', held.headers["etag"] + ', "x"', "*"):
            answer = city.get("/feeds/all.atom", a_im="feed", if_none_match=tag)
            assert answer.status == (304 if tag == "*" or held.headers["etag"] in tag else 200), (tag, answer)


    with case("made-up places are answered and not kept: they take no room from what many ask for"):
        city.get("/feeds/all.atom")
        record = {**article(6000, 300), "theme": "城"}
        (city.w.dir / "themed.ndjson").write_text(json.dumps(record, ensure_ascii=False))
        city.w.tjzw("import", "--data", city.w.data, "--publish", city.w.dir / "themed.ndjson")
        city.settle()
        assert len(city.atom("/feeds/themes/%E5%9F%8E.atom").entries) == 1
        city.get("/feeds/all.atom")
        room = city.server.metric("cache_bytes")
        for n in range(1, 40):
            assert city.get("/feeds/all.atom", a_im="feed", if_none_match=f'"{n}.0123456789abcdef.00"').status == 200
        for path in (*(f"/feeds/themes/%e5%{a:02x}%8e.atom" for a in (0x9f,)), *(f"/feeds/areas/{110100 + n}.atom" for n in range(1, 30))):
            assert city.get(path).status == 200, path
        assert city.server.metric("cache_bytes") <= room + 1000, (room, city.server.metric("cache_bytes"))


def whole(city):
    with case("entries of the three formats are the same, and say where they stand in the log"):
        atom, rss, js = (city.get("/feeds/all" + ending).body for ending in FORMATS)
        items = ET.fromstring(rss).findall("channel/item")
        entries = Atom(atom).entries
        assert 50 <= len(entries) <= 99
        assert [e["id"] for e in entries] == [i.findtext("guid")[9:] for i in items] == [i["id"][9:] for i in json.loads(js)["items"]]
        assert [e["seq"] for e in entries] == [int(i.findtext(T + "seq")) for i in items] == [i["_tjzw"]["seq"] for i in json.loads(js)["items"]]
    with case("the documents hold exactly what is published, for everything, each column, the site, and nothing is missing between them"):
        city.agrees("/feeds/all.atom", "/v1/items")
        for column in city.get("/v1/columns").json()["columns"]:
            city.agrees(f"/feeds/columns/{column['no']}.atom", f"/v1/columns/{column['no']}/items")


def archives(city):
    with case("an archive's bytes never change while nothing in it is withdrawn"):
        before, _ = city.walk("/feeds/all.atom")
        assert len(before) > 3 and all(Atom(b).archive for _, b in before[1:])
        moved = Atom(before[-1][1]).entries[3]["id"]
        city.publish(120, first=800)
        city.publish(30, first=0, mark="改")      # other revisions of what stands in the archives
        city.move(moved)                          # and another place
        for path, bytes_ in before[1:]:
            assert city.get(path).body == bytes_, path
        city.publish(30, first=0, mark="再改")
        for path, bytes_ in before[1:]:
            assert city.get(path).body == bytes_, path
        city.agrees("/feeds/all.atom", "/v1/items")
    with case("after a withdrawal the archives that held it are 410, new ones take their place, and its text is in none"):
        before, held = city.walk("/feeds/all.atom")
        oldest = Atom(before[-1][1]).entries[0]
        title = oldest["title"]
        holders = [path for path, text in before if f">{title}<".encode() in text]
        assert holders
        city.withdraw(oldest["id"])
        assert all(city.get(path).status == 410 for path in holders if "/feeds/all/" in path), holders
        after, _ = city.walk("/feeds/all.atom")
        assert all(f">{title}<".encode() not in text for _, text in after)
        city.agrees("/feeds/all.atom", "/v1/items")
    with case("a name that never was is 404 or 410, never another document"):
        name = after[-1][0].rsplit("/", 1)[1]
        for bad, status in (("0-" + name.split("-", 1)[1], 404), ("999999-0123456789abcdef-0.atom", 404), (name.replace("-", "-f", 1), 410), ("x.atom", 404), (name[:-5], 404),
                            (name.replace(".atom", ".exe"), 404), (name.replace("-0.atom", "-00.atom") if name.endswith("-0.atom") else "1--.atom", 410)):
            assert city.get("/feeds/all/" + bad).status == status, (bad, city.get("/feeds/all/" + bad))


def life(city):
    """Anything may happen; the feeds always say what is published."""
    with case(f"{ROUNDS} acts at random: the feed of everything, of columns and of the site are what is published"):
        ids = list(city.listed())
        for n in range(ROUNDS):
            act = random.choice(("publish", "revise", "withdraw", "move"))
            if act in ("publish", "revise"):
                first = random.randrange(2000, 3000) if act == "publish" else random.randrange(200)
                city.w.tjzw("import", "--data", city.w.data, "--publish", city.w.articles(random.randrange(1, 6), name="life.ndjson", first=first, mark=str(n), size=300))
            elif act == "withdraw":
                answer = city.server.admin("POST", f"/v1/items/{random.choice(ids)}/withdraw", '{"reason":"再查"}'.encode(), {"content-type": "application/json"})
                assert answer.status in (200, 409, 410), answer
            else:
                answer = city.server.admin("POST", f"/v1/items/{random.choice(ids)}/move", json.dumps({"column": random.randrange(1, 8)}).encode(), {"content-type": "application/json"})
                assert answer.status in (200, 409, 410), answer
            if n % 20 == 19:
                city.settle()
                city.agrees("/feeds/all.atom", "/v1/items")
        city.settle()
        city.agrees("/feeds/all.atom", "/v1/items")
        for column in city.get("/v1/columns").json()["columns"]:
            city.agrees(f"/feeds/columns/{column['no']}.atom", f"/v1/columns/{column['no']}/items")


def searches(city):
    with case("a search can be followed: the newest that has the words, in three formats, and nothing that was withdrawn"):
        city.publish(3, first=5000, mark="罕见词")
        path = "/feeds/search{}?q=%E7%BD%95%E8%A7%81%E8%AF%8D"
        feed = city.atom(path.format(".atom"))
        assert sorted(e["title"] for e in feed.entries) == [f"示例文章第{n}号罕见词" for n in (5000, 5001, 5002)]
        assert feed.links["self"].endswith(path.format(".atom")) and "prev-archive" not in feed.links
        assert len(ET.fromstring(city.get(path.format(".rss")).body).findall("channel/item")) == 3
        held = city.get(path.format(".json"))
        assert len(held.json()["items"]) == 3 and city.get(path.format(".json"), if_none_match=held.headers["etag"]).status == 304
        city.withdraw(feed.entries[0]["id"])
        assert len(city.atom(path.format(".atom")).entries) == 2
        assert city.get("/feeds/search.atom?q=%E7%BD%95%E8%A7%81%E8%AF%8D&column=99").status == 200
    with case("a feed of no search is refused, and says what is missing"):
        for bad in ("/feeds/search.atom", "/feeds/search.rss?q=", "/feeds/search.json?q=x&n=5", "/feeds/search.xml?q=x"):
            assert city.get(bad).status in (400, 404), (bad, city.get(bad))


def edges(city):
    with case("there is no feed of what is not there"):
        for path in ("/feeds/none.atom", "/feeds/all.xml", "/feeds/all", "/feeds/columns/0.atom", "/feeds/columns/01.atom", "/feeds/columns/99999.atom", "/feeds/columns/x.rss",
                     "/feeds/sites/nowhere.atom", "/feeds/areas/12.atom", "/feeds/areas/1201011.atom", "/feeds/themes/%E6%97%A0.atom", "/feeds/columns/99999999999999999999.json"):
            answer = city.get(path)
            assert answer.status == 404 and b"/feeds" in answer.body or answer.status == 404, (path, answer)
    with case("an area where nothing was published yet is an empty feed"):
        feed = city.atom("/feeds/areas/110000.atom")
        assert not feed.entries and not feed.gone and "prev-archive" not in feed.links
    with case("a site may be called whatever it is called"):
        for code in ("某院/某局", 'a"><b>&'):
            no = city.tell("/v1/sites", {"code": code, "name": "示例机关"})["no"]
            page = city.get("/feeds").body.decode()
            assert code not in page
            feed = city.atom(f"/feeds/sites/{no}.atom")
            assert city.get(feed.links["self"]).status == 200, feed.links
    with case("pages lead to their feeds, /feeds to all"):
        assert 'rel="alternate" type="application/atom+xml" href="/feeds/all.atom"' in city.get("/").body.decode()
        assert 'href="/feeds/columns/1.rss"' in city.get("/columns/1").body.decode()
        assert "/feeds/columns/1.json" in city.get("/feeds").body.decode()


def main():
    with World() as world:
        town = City(world)
        town.publish(230)
        for part in (whole, conditional, deltas, archives, searches, edges, life):
            part(town)
        town.server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
