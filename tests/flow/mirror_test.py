#!/usr/bin/env python3
"""A district publishes, the city mirrors it: through edits, cuts, kills and restarts of both they are equal in the end, byte for byte, and
phones of either verify the same. What the district takes down is gone at the city; what the city withholds is hidden there and stays in the stream.
"""
import hashlib
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time

from lib import CuttingProxy, World, article, clean_env, wait_for

from tap import case, done, note, rounds

EDITS = rounds(1000, 120)
QUICK = {"TJZW_INDEX_CHANGES": "16", "TJZW_HEAD_DEBOUNCE": "20ms", "TJZW_RATE_LIMIT": "0", "TJZW_MIRROR_POLL": "1s", "TJZW_HEAD_POLL": "1s", "TJZW_HINT_SPREAD": "100ms"}


class Pair:
    """District and city; between them a proxy that cuts."""

    def __init__(self, w):
        self.w, self.texts, self.cut = w, {}, False
        self.data = {"district": w.dir / "district", "city": w.dir / "city"}
        self.district = self.start("district")
        self.city = self.start("city")
        self.proxy = CuttingProxy(self.district.port, lambda: random.randrange(300, 20000) if self.cut else None)

    def start(self, who, port=None):
        return self.w.serve(self.data[who], port=port, env={**QUICK, "TJZW_STREAMS": {"district": "heping", "city": "main"}[who]})

    def restart(self, who):
        """kill -9 and up again, at the same place."""
        old = getattr(self, who)
        old.kill()
        setattr(self, who, self.start(who, old.port))

    def tell(self, server, method, path, body=None):
        data = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        answer = server.admin(method, path, data, {"content-type": "application/json"})
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.json() if answer.body else {}

    def take_in(self, lines):
        body = "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines).encode()
        answer = self.district.admin("POST", "/v1/import?publish=1&create=1", body, {"content-type": "application/x-ndjson"})
        assert answer.status == 200, answer
        return answer

    def follow(self):
        self.w.tjzw("mirror", "add", "--data", self.data["city"], "--stream", "heping", "--ca",
                    self.w.certificate(self.data["district"]), self.proxy.url)

    def head(self, server, stream="heping"):
        return server.get(f"/v1/sync/{stream}/head").body

    def level(self, deadline=60):
        """Until the city shows the district's newest head."""
        def equal():
            note = self.head(self.district)
            return note.startswith(b"tjzw head 1") and note == self.head(self.city)

        # what was committed is signed first
        db = sqlite3.connect(f"file:{self.data['district']}/tjzw.db?mode=ro", uri=True, timeout=10)
        last = db.execute("SELECT MAX(seq) FROM change").fetchone()[0]
        db.close()
        wait_for("the district's head", 20, lambda: f"\nseq {last}\n".encode() in self.head(self.district))
        try:
            wait_for("the city to be level", deadline, equal, 0.1)
        except AssertionError as why:
            raise AssertionError(f"{why}\n{self.city.said()[-1500:]}\n{self.mirrors()}") from None

    def mirrors(self):
        return self.city.admin("GET", "/v1/mirrors").body.decode()

    def items(self, data):
        db = sqlite3.connect(f"file:{data}/tjzw.db?mode=ro", uri=True, timeout=10)
        rows = db.execute("SELECT hex(i.id), i.authority, i.origin_id, i.title, i.date, i.live_rev FROM item i JOIN stream s ON s.no = i.stream "
                          "WHERE s.name = 'heping' AND i.live_rev IS NOT NULL ORDER BY 1").fetchall()
        db.close()
        return rows


def fields(note):
    lines = note.decode().split("\n\n")[0].splitlines()
    return {k: v for k, _, v in (line.partition(" ") for line in lines)}


def urls(p):
    """Every URL of the stream that its newest head and index name."""
    h = fields(p.head(p.district))
    out = [f"/v1/sync/heping/head/{h['epoch']}.{h['seq']}.{h['sign']}", f"/v1/sync/heping/cover/{h['epoch']}.{h['seq']}"]
    names = [h["ancestry"], h["directory"]]
    if h["index"] != "-":
        index = p.district.get(f"/v1/sync/heping/object/{h['index']}").body.decode()
        names += [h["index"]] + [line.split()[1] for line in index.splitlines()[2:]]
    for name in names:
        out += [f"/v1/sync/heping/object/{name}{e}" for e in ("", ".gz", ".zst")]
    seq = int(h["seq"])
    step = 1
    while seq >= 16 * step:
        step *= 2
    for start in sorted({max(0, seq - back) // step * step for back in (1, 5, 17, 100, seq)}):
        out += [f"/v1/sync/heping/log/{h['epoch']}/{h['cut']}/{start}-{seq}{e}" for e in ("", ".gz", ".zst")]
    db = sqlite3.connect(f"file:{p.data['district']}/tjzw.db?mode=ro", uri=True)
    for born, s in db.execute("SELECT born, seq FROM leaf ORDER BY born LIMIT 12"):
        out += [f"/v1/sync/heping/item/{h['epoch']}/{born}.{s}{e}" for e in ("", ".gz")]
    db.close()
    return out


def check_equal(p):
    p.level()
    tried = 0
    for url in urls(p):
        a, b = p.district.get(url), p.city.get(url)
        if "/log/" in url and a.status == 400 == b.status:
            continue
        assert a.status == b.status, f"{url}: {a.status} at the district, {b.status} at the city: {b.body[:300]}"
        assert a.body == b.body or a.status >= 400, f"{url}: other bytes"
        tried += a.status == 200
    assert tried > 20, tried
    assert p.items(p.data["district"]) == p.items(p.data["city"])
    return tried


def edit(p, i):
    """One change at the district, of any kind."""
    kind = random.randrange(10)
    ids = list(p.texts)
    if kind < 3 or len(ids) < 5:
        new = article(1000 + i)
        p.texts[new["id"]] = new
        p.take_in([new])
    elif kind < 8:
        one = p.texts[random.choice(ids)]
        one["body"] = one["body"].replace("。", f"，第{i}次修改。", 1)
        p.take_in([one])
    else:
        listed = p.district.get("/v1/items?n=100").json()["items"]
        one = random.choice(listed)
        p.tell(p.district, "POST", f"/v1/items/{one['id']}/{'withdraw' if kind == 8 else 'gone'}", {"reason": "试"})


with World() as w:
    p = Pair(w)
    with case("a stream of another server is followed and listed like our own"):
        for i in range(60):
            p.texts[f"a{i}"] = article(i)
        p.texts = {x["id"]: x for x in p.texts.values()}
        p.take_in(list(p.texts.values()))
        p.follow()
        p.level()
        assert len(p.items(p.data["city"])) == 60
        listed = p.city.get("/v1/items?n=5").json()["items"]
        assert listed and p.city.get(f"/v1/items/{listed[0]['id']}").body == p.district.get(f"/v1/items/{listed[0]['id']}").body
        assert p.city.get(f"/a/{listed[0]['id']}").status == 200
        assert p.city.get(f"/v1/columns/{listed[0]['columnNo']}").status == 200
        assert p.city.get("/v1/items?stream=heping&n=1").json()["items"]
        assert p.city.metric("items_published") == 60
    with case("what is mirrored cannot be edited here"):
        one = p.city.get("/v1/items?n=1").json()["items"][0]
        for verb in ("withdraw", "gone"):
            answer = p.city.admin("POST", f"/v1/items/{one['id']}/{verb}", b'{"reason":"x"}', {"content-type": "application/json"})
            assert answer.status == 409, answer
    with case("a stream of our own is not followed"):
        bad = w.tjzw("mirror", "add", "--data", p.data["city"], "--stream", "main", p.proxy.url, check=False)
        assert bad.returncode != 0 and b"own" in bad.stderr, bad.stderr
    with case(f"{EDITS} edits with cuts and kills leave both equal"):
        p.cut = True
        p.restart("city")
        for i in range(EDITS):
            edit(p, i)
            if random.random() < 0.04:
                p.restart(random.choice(["district", "city"]))
                p.proxy.target = p.district.port
            if random.random() < 0.1:
                time.sleep(random.random() * 0.6)
        p.cut = False
        note(f"{p.proxy.cuts} cuts; {check_equal(p)} URLs the same")
    with case("phones of either hold the same"):
        exports = []
        for server, data in ((p.district, p.data["district"]), (p.city, p.data["city"])):
            phone = w.phone(f"of-{data.name}", "--stream", "heping", url=server.url)
            phone.args[1] = w.certificate(data)
            phone.sync()
            exports.append(phone.export())
        assert exports[0] == exports[1] and exports[0]
    with case("what the district takes down is gone at the city with the next run"):
        new = article(5000)
        new["body"] = "绝密的一段话。" + new["body"]
        p.take_in([new])
        p.level()
        one = next(x for x in map(json.loads, w.export(p.data["city"]).splitlines()) if x["title"] == new["title"])
        assert "绝密的一段话" in p.city.get(f"/v1/items/{one['id']}").body.decode()
        def on_disk():
            files = (p.data["city"] / name for name in ("tjzw.db", "tjzw.db-wal"))
            return any("绝密的一段话".encode() in f.read_bytes() for f in files if f.exists())
        assert on_disk()
        p.tell(p.district, "POST", f"/v1/items/{one['id']}/gone", {"reason": "试"})
        p.level()
        assert p.city.get(f"/v1/items/{one['id']}").status == 410
        db = sqlite3.connect(f"file:{p.data['city']}/tjzw.db?mode=ro", uri=True)
        left = db.execute("SELECT COUNT(*) FROM record WHERE instr(bytes, ?) > 0", ("绝密的一段话".encode(),)).fetchone()[0]
        db.close()
        assert left == 0, left
        wait_for("the text to be overwritten", 10, lambda: not on_disk(), 0.2)
    with case("a picture follows its item: phones of the city fetch it there, and it goes with the item"):
        bytes_ = random.Random(7).randbytes(900_000)
        name = hashlib.sha256(bytes_).hexdigest()
        p.cut = True
        for at in range(0, len(bytes_), 262144):
            piece = bytes_[at:at + 262144]
            answer = p.district.admin("PUT", f"/v1/blobs/{name}", piece, {"content-type": "application/octet-stream",
                                      "content-range": f"bytes {at}-{at + len(piece) - 1}/{len(bytes_)}"})
            assert answer.status < 300, answer
        p.cut = False
        new = {**article(6000), "attachments": [{"hash": name, "name": "附件.bin", "size": len(bytes_), "type": "application/octet-stream"}]}
        p.take_in([new])
        p.level()
        first = p.city.get(f"/v1/blobs/{name}")
        assert first.status == 200 or first.status == 503 and "retry-after" in {k.lower() for k in first.headers}, first
        wait_for("the file at the city", 20, lambda: p.city.get(f"/v1/blobs/{name}").status == 200)
        assert p.city.get(f"/v1/blobs/{name}").body == bytes_
        phone = w.phone("files", "--stream", "heping", url=p.city.url)
        phone.args[1] = w.certificate(p.data["city"])
        phone.sync()
        phone.run("blob", name, w.dir / "file")
        assert (w.dir / "file").read_bytes() == bytes_
        one = next(x for x in map(json.loads, w.export(p.data["city"]).splitlines()) if x["title"] == new["title"])
        p.take_in([{**new, "summary": "改了摘要，附件不变"}])
        p.level()
        time.sleep(1.5)
        assert p.city.get(f"/v1/blobs/{name}").body == bytes_, "an edit that keeps the file keeps it"
        p.tell(p.district, "POST", f"/v1/items/{one['id']}/gone", {"reason": "试"})
        p.level()
        assert p.city.get(f"/v1/blobs/{name}").status == 404
        wait_for("the file to go", 10, lambda: not (p.data["city"] / "blobs" / name[:2] / name).exists())
    with case("a new key of the district is followed"):
        w.tjzw("keys", "rotate", "--data", p.data["district"], "heping")
        edit(p, 9000)
        p.level()
        phone = w.phone("after-rotation", "--stream", "heping", url=p.city.url)
        phone.args[1] = w.certificate(p.data["city"])
        phone.sync()
    with case("a connection that died without a word is not asked again: what is new comes over another"):
        p.proxy.freeze()
        edit(p, 9001)
        start = time.monotonic()
        p.level(50)
        note(f"level after {time.monotonic() - start:.0f} s")
    with case("a withheld item is hidden here at once, and for phones of this server"):
        one = p.city.get("/v1/items?n=1").json()["items"][0]
        w.tjzw("item", "withhold", "--data", p.data["city"], "--reason", "依本地规定", one["id"])
        assert p.city.get(f"/v1/items/{one['id']}").status == 410
        assert "不展示" in p.city.get(f"/a/{one['id']}").body.decode()
        assert all(x["id"] != one["id"] for x in p.city.get("/v1/items?n=100").json()["items"])
        assert p.district.get(f"/v1/items/{one['id']}").status == 200
        phone.sync()
        assert one["id"].encode() not in phone.run("list").stdout, "the phone lists it"
        p.take_in([{**next(iter(p.texts.values())), "summary": "又改"}])
        p.level()
        assert p.city.get(f"/v1/items/{one['id']}").status == 410
        w.tjzw("item", "unwithhold", "--data", p.data["city"], one["id"])
        assert p.city.get(f"/v1/items/{one['id']}").status == 200
    with case("a phone that listens hears at once of what is withheld, and of what is not any more"):
        p.level()
        listening = subprocess.Popen(phone.command("--json", "listen", 60), stdout=subprocess.PIPE, env=clean_env(), stdin=subprocess.DEVNULL)
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(listening.stdout.readline, b"")), daemon=True).start()
        wait_for("the first sync", 10, lambda: lines)
        time.sleep(1.5)
        for verb, said in (("withhold", ["--reason", "试"]), ("unwithhold", [])):
            before = len(lines)
            w.tjzw("item", verb, "--data", p.data["city"], *said, one["id"])
            wait_for(f"a sync after {verb}", 20, lambda: len(lines) > before)
            listed = one["id"].encode() in phone.run("list", "-n", 500).stdout
            assert listed == (verb == "unwithhold"), verb
        listening.terminate()
        assert listening.wait(5) == 0
    with case("doctor says why a mirror is behind, since when, and how to mend it"):
        def doctor():
            return w.tjzw("doctor", "--data", p.data["city"], check=False).stdout.decode()
        assert "镜像  heping: head " in doctor() and "failing" not in doctor(), doctor()
        p.district.stop()
        wait_for("a failed attempt", 20, lambda: "error" in p.tell(p.city, "GET", "/v1/mirrors")["mirrors"][0], 0.1)
        since = p.tell(p.city, "GET", "/v1/mirrors")["mirrors"][0]["since"]
        assert f"failing since {since} (" in doctor() and "tjzw mirror add URL" in doctor(), doctor()
        p.district = p.start("district", p.district.port)
        wait_for("the mirror to work again", 30, lambda: "error" not in p.tell(p.city, "GET", "/v1/mirrors")["mirrors"][0], 0.2)
        assert "failing" not in doctor(), doctor()
    with case("verify finds both whole"):
        for who in ("district", "city"):
            getattr(p, who).stop()
            w.tjzw("verify", "--data", p.data[who])
        db = sqlite3.connect(p.data["city"] / "tjzw.db")
        shown = db.execute("SELECT COUNT(*) FROM item WHERE live_rev IS NOT NULL").fetchone()[0]
        db.close()
    with case("verify names a mirrored stream of which a row was damaged"):
        db = sqlite3.connect(p.data["city"] / "tjzw.db")
        where = (
            "stream = (SELECT no FROM stream WHERE name = 'heping') "
            "AND born = (SELECT MIN(l.born) FROM leaf l JOIN stream s ON s.no = l.stream WHERE s.name = 'heping')"
        )
        good = db.execute(f"SELECT hash FROM leaf WHERE {where}").fetchone()[0]
        db.execute(f"UPDATE leaf SET hash = zeroblob(32) WHERE {where}")
        db.commit()
        bad = w.tjzw("verify", "--data", p.data["city"], check=False)
        assert bad.returncode != 0 and b"heping" in bad.stdout + bad.stderr, bad
        db.execute(f"UPDATE leaf SET hash = ? WHERE {where}", (good,))
        db.commit()
        db.close()
        w.tjzw("verify", "--data", p.data["city"])
    with case("doctor has a line about mirrors"):
        told = w.tjzw("doctor", "--data", p.data["city"], check=False).stdout.decode()
        assert "镜像  heping: head " in told, told
    with case("a stream that is not mirrored cannot be removed, and the names that can are pointed at"):
        ran = w.tjzw("mirror", "remove", "--data", p.data["city"], "nosuch", check=False)
        assert ran.returncode == 66 and b"tjzw mirror list" in ran.stderr, ran
    with case("a mirror that is removed leaves nothing"):
        p.district = p.start("district", p.district.port)
        p.city = p.start("city", p.city.port)
        assert p.city.metric("items_published") == shown
        w.tjzw("mirror", "remove", "--data", p.data["city"], "heping")
        assert p.city.get("/v1/sync/heping/head").status == 404
        assert p.city.get("/v1/items?n=5").json()["items"] == []
        assert not (p.data["city"] / "mirror" / "heping").exists()
        assert p.city.metric("items_published") == 0
sys.exit(done())
