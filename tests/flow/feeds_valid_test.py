#!/usr/bin/env python3
"""Feeds of every scope, their archives, what is new in them and their tombstones: well-formed and valid by RELAX NG (tests/data/atom.rnc and rss.rnc, read by Debian's jing),
and keep to what a grammar cannot say. The grammars are tried, too: each document of theirs that was broken must be refused.
"""
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

from feeds_test import A, AT, FH, Atom, City
from lib import ROOT, World, article, clean_env

from tap import case, done, note, skip

NASTY = "<b>社保</b> & \"引号\" '撇' ]]> <![CDATA[ &amp; 𠮷 \u00a0 -- %E7"
SCOPES = ("all", "columns/1", "columns/2", "sites/1", "sites/2", "areas/110000", "themes/%E5%9F%8E%E4%B9%A1%E5%BB%BA%E8%AE%BE", "search")
# In an Atom document: what is broken, by what it was and what it becomes.
BROKEN_ATOM = {
    "no id": (r"<id>[^<]*</id>", ""), "two titles": (r"<title>", "<title>x</title><title>"), "no time": (r"(?s)(<entry>.*?)<updated>[^<]*</updated>", r"\1"),
    "a time without a zone": (r"\+08:00</published>", "</published>"), "a day": (r"T\d\d:\d\d:\d\d\+08:00</updated>", "</updated>"),
    "an entry without an author": (r"<author>\s*<name>[^<]*</name>\s*</author>", ""), "a nameless author": (r"<name>[^<]*</name>", ""),
    "a link to nowhere": (r'(<link rel="alternate") href="[^"]*"', r"\1"), "an address that is not whole": (r'(<link rel="self" href=")https://[^/]*', r"\1"),
    "a category without a term": (r' term="[^"]*"', ""), "content of a type that is none": (r'type="html"', 'type="HTML"'), "markup that is no text": (r'(<content type="html">)', r"\1<p>x</p>"),
    "an entry before the feed's own": (r"(?s)(<subtitle>.*?</subtitle>)(.*)(</feed>)", r"\2\1\3"), "a place that is none": (r"<tjzw:seq>\d+", "<tjzw:seq>x"),
    "an element that nobody named": (r"<summary>", "<abstract/><summary>"), "another name space": ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns"),
    "an enclosure of no type": (r'type="application/pdf"', 'type="pdf"'), "a tombstone of nothing": (r'(<at:deleted-entry) ref="[^"]*"', r"\1"),
    "a tombstone of no time": (r'(<at:deleted-entry [^>]*) when="[^"]*"', r"\1"), "a tombstone after the entries": (r"(?s)(<at:deleted-entry.*</at:deleted-entry>)(.*)(</feed>)", r"\2\1\3"),
    "an end that is missing": (r"</feed>", ""),     # the last: jing reads no further than what is no XML
}
BROKEN_RSS = {
    "no title": (r"<title>[^<]*</title>", ""), "no description": (r"(?s)^(.*?)<description>[^<]*</description>", r"\1"), "an item without an address": (r"(?s)(<item>.*?)<link>[^<]*</link>", r"\1"),
    "another version": ('version="2.0"', 'version="0.92"'), "a time of another form": (r"<pubDate>[^<]*", "<pubDate>2026-11-23T10:00:00Z"), "a day that is none": (r"<pubDate>\w+", "<pubDate>Day"),
    "an enclosure without a length": (r' length="\d+"', ""), "two guids": (r"(<guid.*</guid>)", r"\1\1"), "an item outside of the channel": (r"(?s)(<item>.*</item>)(.*</channel>)", r"\2\1"),
    "an element that nobody named": ("<item>", "<item><abstract/>"),
}


class Documents:
    """Files of all documents that were asked for, by their ending."""

    def __init__(self, city):
        self.city, self.files = city, {".atom": [], ".rss": []}

    def keep(self, text, ending, name):
        path = self.city.w.dir / f"{name}-{len(self.files[ending])}{ending}"
        path.write_bytes(text)
        self.files[ending].append(path)
        return path

    def whole(self, scope, ending, name):
        """The newest, and all before it."""
        query = "?q=%E7%A4%BE%E4%BF%9D" if scope == "search" else ""
        next_ = f"/feeds/{scope}{ending}{query}"
        while next_:
            answer = self.city.get(next_)
            assert answer.status == 200, (next_, answer)
            self.keep(answer.body, ending, name)
            next_ = (re.search(rb'rel="prev-archive" href="([^"]*)"', answer.body) or [None, b""])[1].decode()

    def new_since(self, etag, name):
        answer = self.city.get("/feeds/all.atom", a_im="feed", if_none_match=etag)
        assert answer.status == 226, answer
        return self.keep(answer.body, ".atom", name)


def jing(grammar, files):
    """What is wrong, a line each; "": nothing is."""
    ran = subprocess.run(["jing", "-c", str(ROOT / "tests" / "data" / grammar), *map(str, files)], capture_output=True, text=True, timeout=300, env=clean_env())
    assert bool(ran.returncode) == bool(ran.stdout), ran
    return ran.stdout


def library(city):
    """All that an entry may have, and what has none of it; enough for archives, which have tombstones."""
    file = b"%PDF-1.4 " + b"x" * 100
    name = city.server.put_file(file)
    full = {**article(9000, 900), "title": NASTY[:190], "summary": NASTY, "keywords": ["社保", NASTY], "contentSource": NASTY, "sourceUrl": "https://example.invalid/a?b=1&c=%E7", "theme": "城乡建设",
            "image": name, "attachments": [{"hash": name, "name": "附件 " + NASTY.replace("/", "") + ".pdf", "size": len(file), "type": "application/pdf"}], "body": "社保\n\n## " + NASTY + "\n\n" + NASTY}
    bare = {**article(9001, 30), "body": "社保"}
    city.publish(230)
    (city.w.dir / "odd.ndjson").write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in (full, bare)))
    city.w.tjzw("import", "--data", city.w.data, "--publish", city.w.dir / "odd.ndjson")
    city.tell("/v1/sites", {"code": 'a"><b>&', "name": NASTY[:50]})     # and nothing in it
    city.settle()


def asked(city):
    """Documents of all kinds."""
    documents, held = Documents(city), city.get("/feeds/all.atom").headers["etag"]
    for scope in SCOPES:
        for ending in documents.files:
            documents.whole(scope, ending, scope.split("/")[0])
    entries = Atom(documents.files[".atom"][0].read_bytes()).entries
    moved, reasoned = entries[5]["id"], entries[7]["id"]
    city.publish(3, first=500)
    documents.new_since(held, "delta-new")
    city.withdraw(reasoned)
    was, _ = city.move(moved)
    documents.mixed = documents.new_since(held, "delta-mixed")
    gone = city.get("/feeds/all.atom").headers["etag"]
    city.withdraw(entries[9]["id"])
    documents.new_since(gone, "delta-tombstone")
    city.publish(120, first=600)    # so that tombstones come to stand in archives
    for scope in ("all", f"columns/{was}"):
        for ending in documents.files:
            documents.whole(scope, ending, "later")
    return documents


def links(of, *rels):
    return [link for link in of.findall(A + "link") if link.get("rel") in rels]


def keeps_the_rules(root):
    """RFC 4287, 5005 and 6721, beyond the grammar."""
    entries = root.findall(A + "entry")
    assert len(links(root, "self")) == 1 and all(len(links(root, rel)) <= 1 for rel in ("prev-archive", "current", "hub"))
    for of in (root, *entries):
        alternate = [(link.get("type"), link.get("hreflang")) for link in links(of, "alternate")]
        assert len(set(alternate)) == len(alternate), alternate
        assert of.find(A + "content") is not None or alternate, ET.tostring(of)
    ids = [e.findtext(A + "id") for e in entries]
    gone = [(g.get("ref"), g.get("when")) for g in root.findall(AT + "deleted-entry")]
    assert len(set(ids)) == len(ids) and len(set(gone)) == len(gone), (ids, gone)
    if root.find(FH + "archive") is not None:
        assert links(root, "current") and links(root, "current")[0].get("href") != links(root, "self")[0].get("href")


def refused(documents, grammar, text, broken):
    with case(f"{grammar} refuses {len(broken)} documents that are broken, each in one way"):
        files = []
        for number, (how, (was, becomes)) in enumerate(broken.items()):
            bad = re.sub(was, becomes, text, count=1)
            assert bad != text, f"{how}: there is nothing to break"
            files.append(documents.city.w.dir / f"broken-{number}.xml")
            files[-1].write_text(bad)
        said = jing(grammar, files)
        kept = [how for number, how in enumerate(broken) if f"broken-{number}.xml:" not in said]
        assert not kept, f"it takes {kept}"


def main():
    if not shutil.which("jing"):
        skip("feeds are valid", "jing is not here (./dev setup installs it)")
        return
    with World() as w:
        city = City(w)
        library(city)
        documents = asked(city)
        note({ending: len(files) for ending, files in documents.files.items()})
        for ending, grammar in ((".atom", "atom.rnc"), (".rss", "rss.rnc")):
            with case(f"all documents of every scope are valid by {grammar}"):
                said = jing(grammar, documents.files[ending])
                assert not said and len(documents.files[ending]) > 20, said
        with case("no Atom document says anything twice, and archives lead to the newest"):
            roots = [ET.fromstring(file.read_bytes()) for file in documents.files[".atom"]]
            for root in roots:
                keeps_the_rules(root)
            assert any(root.find(FH + "archive") is not None and root.find(AT + "deleted-entry") is not None for root in roots)
            assert any(root.find(AT + "deleted-entry") is not None and root.find(A + "entry") is None for root in roots)
            assert any(root.find(A + "entry") is None and root.find(AT + "deleted-entry") is None for root in roots)
        full = next(file for file in documents.files[".atom"] if NASTY.split()[0].replace("<", "&lt;").replace(">", "&gt;") in file.read_text() and "application/pdf" in file.read_text())
        text = documents.mixed.read_text()
        text = re.sub(r"(?s)<entry>.*</entry>", lambda _: next(e for e in re.findall(r"(?s)<entry>.*?</entry>", full.read_text()) if "application/pdf" in e), text)
        refused(documents, "atom.rnc", text, BROKEN_ATOM)
        rss = next(file for file in documents.files[".rss"] if "<enclosure" in file.read_text()).read_text()
        refused(documents, "rss.rnc", rss, BROKEN_RSS)
        city.server.stop()


if __name__ == "__main__":
    main()
    sys.exit(done())
