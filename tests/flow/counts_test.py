#!/usr/bin/env python3
"""Counts of reads through a real server: repeated reports, floods, wrong clocks, kill -9 at any moment, and what staff see."""
import base64
import json
import os
import random
import sys
import threading
import time

from lib import World, wait_for

from tap import case, done, rounds

BROWSER = {"user-agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"}


def today():
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))


def report(items, reads=1, day=None):
    name = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
    return json.dumps({"day": day or today(), "report": name, "reads": [{"item": i, "reads": reads} for i in sorted(items)]})


def send(server, body, timeout=30):
    return server.get("/v1/counts", "POST", body, {"content-type": "application/json"}, timeout)


def main(w):
    env = {"TJZW_RATE_LIMIT": "0"}
    w.tjzw("import", "--data", w.data, "--publish", w.articles(20, size=600))
    server = w.serve(env=env)
    items = [i["id"] for i in server.get("/v1/items?n=20").json()["items"]]

    def counts():
        return server.admin("GET", "/v1/staff/counts?n=1000").json()["counts"]

    def total(channel):
        return sum(row[channel] for row in counts())

    with case("a report counts once, whoever repeats it, and says so"):
        body = report(items[:3], 2)
        first = send(server, body)
        assert first.status == 200 and first.json() == {"apart": 0, "counted": 6, "refused": [], "result": "counted"}, first
        assert all(send(server, body).json() == {"result": "known"} for _ in range(5))
        assert total("phone") == 6, counts()

    with case("clocks of 1970 and 2100, millions, unknown items, a token: each its own clear result, and nothing is counted"):
        for day, word in (("1970-01-01", "over"), ("2100-01-01", "not come")):
            answer = send(server, report(items[:1], day=day))
            assert answer.status == 400 and word in answer.json()["detail"], answer
        assert send(server, report(items[:1], 30_000_000)).status == 400
        assert send(server, report(items[:1], 900_000)).json()["refused"] == [{"code": "implausible", "item": items[0]}]
        assert send(server, report(["0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11"])).json()["refused"][0]["code"] == "unknown"
        assert server.get("/v1/counts", "POST", report(items[:1]), {"content-type": "application/json", "authorization": "Bearer tja_x"}).status in (400, 401)
        assert send(server, json.dumps({"day": today(), "report": "A" * 22, "reads": []})).status == 400
        assert total("phone") == 6 and total("apart") == 900_000, counts()

    with case("a page counts for people and not for robots"):
        for _ in range(7):
            assert server.get(f"/a/{items[5]}", headers=BROWSER).status == 200
        for agent in ("Baiduspider", "curl/8.0", ""):
            server.get(f"/a/{items[5]}", headers={"user-agent": agent})
        wait_for("the pages to be written down", 20, lambda: total("web") == 7)

    with case("kill -9 at any moment: what was answered is counted, once, and numbers only go up"):
        sent, lock, stop = {}, threading.Lock(), threading.Event()

        def phones():
            while not stop.is_set():
                body = report(random.sample(items, 4))
                with lock:
                    sent[body] = None
                for _ in range(2):          # each is sent twice by a phone that did not hear the answer
                    try:
                        answer = send(server, body, 5)
                        if answer.status == 200:
                            with lock:
                                sent[body] = answer.json()["result"]
                    except OSError:
                        pass

        before, web = total("phone"), total("web")
        for _ in range(rounds(20, 3)):
            stop.clear()
            threads = [threading.Thread(target=phones) for _ in range(4)]
            for t in threads:
                t.start()
            time.sleep(random.uniform(0.2, 0.8))
            server.kill()
            stop.set()
            for t in threads:
                t.join()
            server = w.serve(env=env)
            assert total("web") >= web, "reads of pages that stood in the database went away"
        for body in sent:                   # and all of them once more
            assert send(server, body).status == 200
        assert total("phone") == before + 4 * len(sent), (total("phone"), before, len(sent))

    with case("a flood from one address stands apart, and others' reads do not"):
        server.stop()
        server = w.serve(env={**env, "TJZW_COUNTS_REPORTS": "5", "TJZW_COUNTS_PAGES": "3"})
        before, apart = total("phone"), total("apart")
        for _ in range(9):
            assert send(server, report(items[:1])).status == 200
        assert total("phone") == before + 5 and total("apart") == apart + 4
        web = total("web")
        for _ in range(8):
            server.get(f"/a/{items[6]}", headers=BROWSER)
        server.stop()                       # it writes down what it had seen
        server = w.serve(env=env)
        assert total("web") == web + 3 and total("apart") == apart + 4 + 5

    with case("staff have it as a table, by item and by day"):
        table = w.tjzw("counts", "csv", "--data", w.data, "--by", "day").stdout.decode("utf-8-sig")
        assert today() in table and "手机" in table, table
        rows = json.loads(w.tjzw("counts", "list", "--data", w.data, "--n", "1").stdout)["counts"]
        assert len(rows) == 1 and rows[0]["title"].startswith("示例文章"), rows
        assert w.tjzw("counts", "list", "--data", w.data, "--since", "yesterday", check=False).returncode


with World() as world:
    main(world)
sys.exit(done())
