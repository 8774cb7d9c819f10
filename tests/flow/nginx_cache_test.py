#!/usr/bin/env python3
"""An ordinary cache in front carries nearly all: of what 10,000 phones with any cursors ask, under 1 % reaches the origin.

The cache is Debian's nginx with proxy_cache and no setting of ours but the cache's place: it obeys the headers. The phones are the
protocol's page and no more: the head; nothing, a catch-up whose URL follows from the cursor, or the index and those objects that are newer.
What reaches the origin is counted by its own metric.
"""
import http.client
import os
import random
import shutil
import ssl
import subprocess
import sys
import threading

from lib import World, clean_env, free_port, wait_for
from tap import case, done, note, skip

PHONES, THREADS, CATCHUP_MAX = 10_000, 8, 4096
ITEMS, EDITS = 6000, 1500

CONF = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 1000000;
    client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; proxy_temp_path {dir}/proxy;
    proxy_cache_path {dir}/cache keys_zone=phones:8m max_size=200m;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass https://origin; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_cache phones; proxy_cache_lock on;
        }}
    }}
}}
"""


class Cache:
    """nginx before `server`."""

    def __init__(self, w, nginx, server):
        self.port, place = free_port(), w.dir / "nginx"
        w.dir.chmod(0o755)    # its worker may be another user
        place.mkdir()
        (place / "nginx.conf").write_text(CONF.format(dir=place, port=self.port, origin=server.port))
        self.process = subprocess.Popen([nginx, "-c", place / "nginx.conf"], env=clean_env())
        wait_for("nginx", 10, self._answers)

    def _answers(self):
        try:
            return Connection(self.port).get("/v1/sync/main/head")
        except OSError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Connection:
    """One that stays open, to the cache or, over TLS, to the origin."""

    def __init__(self, port, tls=False):
        self.http = http.client.HTTPSConnection("127.0.0.1", port, context=ssl._create_unverified_context(), timeout=30) if tls else \
            http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path):
        self.http.request("GET", path)
        answer = self.http.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:300])
        return body


def fields(note_text):
    lines = note_text.decode().split("\n\n")[0].splitlines()
    return dict(line.split(" ", 1) for line in lines)


def log_url(head, cursor):
    """Section 6 of docs/protocol/sync.md."""
    seq, k = int(head["seq"]), 0
    while seq - cursor >= 16 << k:
        k += 1
    return f"/v1/sync/main/log/{head['epoch']}/{head['cut']}/{cursor >> k << k}-{seq}"


def be_phone(get, cursor, encoding):
    """What a phone with this cursor asks; how many requests that were."""
    head, asked = fields(get("/v1/sync/main/head")), 1
    seq = int(head["seq"])
    if cursor == seq:
        return asked
    if seq - cursor > CATCHUP_MAX:
        lines = get(f"/v1/sync/main/object/{head['index']}").decode().splitlines()
        asked += 1
        for line in lines[2:]:
            part = line.split()
            if int(part[5]) > cursor:
                get(f"/v1/sync/main/object/{part[1]}.zst")
                asked += 1
        cursor = max(cursor, int(lines[1].split()[1]))
    if not cursor and seq:    # a new one needs more to believe what it got
        for path in ("/v1/sync/keys", f"/v1/sync/main/object/{head['directory']}", f"/v1/sync/main/object/{head['ancestry']}"):
            get(path)
            asked += 1
    if cursor == seq:
        return asked
    get(log_url(head, cursor) + encoding)
    return asked + 1


def crowd(port, cursors):
    """All of them, some at a time; the requests they made."""
    total, failures, lock = [0], [], threading.Lock()

    def run(mine):
        connection = Connection(port)
        try:
            asked = sum(be_phone(connection.get, cursor, ".zst") for cursor in mine)
        except (AssertionError, OSError, http.client.HTTPException) as why:
            failures.append(why)
            return
        with lock:
            total[0] += asked

    threads = [threading.Thread(target=run, args=(cursors[at::THREADS],)) for at in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return total[0]


def share(server, port, cursors):
    """(requests of the phones, how many of them reached the origin)"""
    before = server.metric("requests")
    asked = crowd(port, cursors)
    return asked, server.metric("requests") - before - 1    # the second question for the metric


def stop_making(server):
    """Until the head and its index stay: objects are still made after a large import."""
    seen = []

    def same():
        head = server.head()
        seen.append((head["seq"], head["index"]))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    wait_for("the index to stay as it is", 60, same, every=0.1)


def main(w, nginx):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=120))
    w.tjzw("import", "--data", w.data, "--publish", w.articles(EDITS, name="edits.ndjson", first=700, size=120, mark="revised"))
    server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
    server.settle()
    stop_making(server)
    cache, seq = Cache(w, nginx, server), server.head()["seq"]
    try:
        with case("under 1 % of 10,000 phones' requests with random cursors reach the origin"):
            asked, reached = share(server, cache.port, [random.randrange(seq + 1) for _ in range(PHONES)])
            note(f"{asked} requests of the phones, {reached:.0f} at the origin: {100 * reached / asked:.2f} %")
            assert asked > 2 * PHONES and 0 < reached < asked / 100, (asked, reached)

        with case("a second crowd with other cursors asks the origin for the head and hardly more"):
            asked, reached = share(server, cache.port, [random.randrange(seq + 1) for _ in range(PHONES // 10)])
            note(f"{asked} requests of the phones, {reached:.0f} at the origin")
            assert reached <= 20, reached

        with case("the cache answers what the origin answers"):
            near, origin, head = Connection(cache.port), Connection(server.port, tls=True), fields(server.get("/v1/sync/main/head").body)
            for cursor in [seq - 1, *(random.randrange(seq - CATCHUP_MAX, seq) for _ in range(40))]:
                path = log_url(head, cursor) + ".zst"
                assert near.get(path) == origin.get(path), path

        with case("after a change the crowd gets the new head within its few seconds, by as few requests"):
            w.tjzw("import", "--data", w.data, "--publish", w.articles(3, name="more.ndjson", first=ITEMS, size=120))
            later = server.settle()["seq"]
            wait_for("the new head at the cache", 15, lambda: int(fields(Connection(cache.port).get("/v1/sync/main/head"))["seq"]) == later)
            asked, reached = share(server, cache.port, [random.randrange(later + 1) for _ in range(PHONES)])
            note(f"{asked} requests of the phones, {reached:.0f} at the origin: {100 * reached / asked:.2f} %")
            assert reached < asked / 100, (asked, reached)
    finally:
        cache.stop()


nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
if nginx:
    with World() as world:
        main(world, nginx)
else:
    skip("10,000 phones behind a cache", "nginx is not installed")
sys.exit(done())
