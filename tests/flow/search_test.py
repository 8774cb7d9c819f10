#!/usr/bin/env python3
"""Search on a real server: it catches up after kill -9 at any time, after its file was deleted or is of another log, and shows nothing that was withdrawn.

The oracle is the library: a search for what every article has, walked to its end, must give each published article once.
"""
import json
import sys
import time
import urllib.parse

from lib import World, article, wait_for

from tap import case, done, note

SETTINGS = {"TJZW_RATE_LIMIT": "0"}
N = 1200


def write(world, name, first, n):
    path = world.dir / name
    with open(path, "w") as out:
        for i in range(first, first + n):
            made = article(i, 800, "")
            made["body"] = f"公共词语，第{i}篇。" + made["body"]
            out.write(json.dumps(made, ensure_ascii=False) + "\n")
    return path


def hits(server, q, **more):
    """Ids of all pages."""
    found, after = [], None
    while True:
        query = {"q": q, "n": 50, **more, **({"after": after} if after else {})}
        answer = server.get("/v1/search?" + urllib.parse.urlencode(query))
        assert answer.status == 200, answer
        page = answer.json()
        found += [hit["item"]["id"] for hit in page["hits"]]
        after = page.get("next")
        if not after:
            return found


def published(server):
    found, cursor = [], ""
    while True:
        page = server.get("/v1/items?n=500" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [item["id"] for item in page["items"]]
        cursor = page.get("next")
        if not cursor:
            return found


def whole(server, q="公共词语"):
    """Waits until each published article is found; fails if one is found twice, or one that is not published. While the index is made anew there is
    none, which is a 503, and a walk that began in the index before may meet an article again: it does not count."""
    def there():
        before = server.metric("derived_rebuilds")
        if server.get("/v1/search?" + urllib.parse.urlencode({"q": q})).status == 503:
            return False
        try:
            found, all_ = hits(server, q), published(server)
            assert len(set(found)) == len(found), "one was found twice"
        except AssertionError:
            if server.metric("derived_rebuilds") == before:
                raise
            return False
        return set(found) == set(all_)
    wait_for("everything to be found", 120, there, every=0.2)


with World() as w:
    def tjzw(*args, **how):
        return w.tjzw(*args, "--data", w.data, env=SETTINGS, **how)

    tjzw("import", "--publish", write(w, "first", 0, N))
    file = w.data / "derived.db"

    with case("a server that is started finds what was there before"):
        server = w.serve(env=SETTINGS)
        began = time.monotonic()
        whole(server)
        note(f"{N} articles found {time.monotonic() - began:.1f} s after the start")
        assert json.loads(tjzw("search", "公共词语", "--n", "3").stdout)["hits"]
        assert "检索" in tjzw("doctor", check=False).stdout.decode()

    with case("kill -9 at any time while it is being made loses and doubles nothing"):
        for round_ in range(6):
            server.kill()
            if round_ % 2 == 0:
                for behind in ("", "-wal", "-shm"):
                    (w.data / ("derived.db" + behind)).unlink(missing_ok=True)
            server = w.serve(env=SETTINGS)
            time.sleep(0.05 + 0.15 * round_)
        server.kill()
        server = w.serve(env=SETTINGS)
        whole(server)

    with case("what is withdrawn is found by nobody from the answer on"):
        for one in hits(server, "公共词语")[:5]:
            answer = server.admin("POST", f"/v1/items/{one}/withdraw", json.dumps({"reason": "测试"}), {"content-type": "application/json"})
            assert answer.status == 200, answer
            assert one not in hits(server, "公共词语")
        whole(server)

    with case("a restored log is another one, and is taken anew"):
        backup = w.dir / "backup"
        tjzw("backup", backup)
        before = set(published(server))
        tjzw("import", "--publish", write(w, "more", N, 30))
        whole(server)
        server.stop()
        old = file.read_bytes()
        data = w.dir / "restored"
        w.tjzw("restore", backup, "--data", data, env=SETTINGS)
        (data / "derived.db").write_bytes(old)     # of the log that was lost
        server = w.serve(data, env=SETTINGS)
        whole(server)
        assert set(published(server)) == before
        server.stop()

    with case("a file that is damaged is made anew"):
        (w.dir / "restored" / "derived.db").write_bytes(b"no database at all" * 1000)
        server = w.serve(w.dir / "restored", env=SETTINGS)
        whole(server)
        server.stop()

sys.exit(done())
