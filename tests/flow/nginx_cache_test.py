#!/usr/bin/env python3
"""An ordinary cache in front carries nearly all: of what 10,000 phones with any cursors ask, under 1 % reaches the origin.

The cache is Debian's nginx with proxy_cache and no setting of ours but the cache's place: it obeys the headers. The crowd asks what the
library asks: the heads of its stream; nothing, a catch-up whose URL follows from the cursor (.dz if something is held), or the index and those
objects that are newer. What reaches the origin is counted by its own metric. Among them are real tjzw-phones, over TLS: they end with the
server's export, and what is taken down goes from them, though the cache still holds the answers that showed it.
"""
import functools
import http.client
import json
import os
import random
import shutil
import ssl
import subprocess
import sys
import threading
import time
import uuid

from lib import World, clean_env, free_port, wait_for
from tap import case, done, note, skip

PHONES, THREADS, CATCHUP_MAX = 10_000, 8, 4096
HEADS_TTL = 5    # seconds that a cache may hold the heads
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
        listen 127.0.0.1:{tls} ssl; ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
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
        self.port, self.tls, place = free_port(), free_port(), w.dir / "nginx"
        w.dir.chmod(0o755)    # its worker may be another user
        place.mkdir()
        self.certificate = place / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", place / "key.pem", "-out", self.certificate],
                       check=True, capture_output=True)
        (place / "nginx.conf").write_text(CONF.format(dir=place, port=self.port, tls=self.tls, origin=server.port))
        self.process = subprocess.Popen([nginx, "-c", place / "nginx.conf"], env=clean_env())
        wait_for("nginx", 10, self._answers)

    def _answers(self):
        try:
            return Connection(self.port).get("/v1/sync/heads/main")
        except OSError:
            return None

    def head(self):
        """As it is answered now."""
        return head_of(Connection(self.port).get)

    def phone(self, w, name):
        """A real one that knows the cache only."""
        return w.phone(name, "--cacert", self.certificate, url=f"https://127.0.0.1:{self.tls}")

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


def head_of(get):
    """Of the heads as a phone polls them: the list, its signatures, the stream's head, its signatures."""
    lines = get("/v1/sync/heads/main").decode().split("\n\n")[2].splitlines()
    return dict(line.split(" ", 1) for line in lines)


def log_url(head, cursor):
    """Section 6 of docs/protocol/sync.md."""
    seq, k = int(head["seq"]), 0
    while seq - cursor >= 16 << k:
        k += 1
    return f"/v1/sync/main/log/{head['epoch']}/{head['cut']}/{cursor >> k << k}-{seq}"


@functools.lru_cache
def decoded(body):
    return subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout


def be_phone(get, cursor):
    """What a phone with this cursor asks; how many requests that were."""
    head, asked, encoding = head_of(get), 1, ".dz" if cursor else ".zst"
    seq = int(head["seq"])
    if cursor == seq:
        return asked
    if not cursor:    # a new one needs more to believe what it gets
        for path in ("/v1/sync/keys", f"/v1/sync/main/object/{head['directory']}.zst", f"/v1/sync/main/object/{head['ancestry']}.zst"):
            get(path)
            asked += 1
    if seq - cursor > CATCHUP_MAX:
        lines = decoded(get(f"/v1/sync/main/object/{head['index']}.zst")).decode().splitlines()
        asked += 1
        for line in lines[2:]:
            part = line.split()
            if int(part[5]) > cursor:
                get(f"/v1/sync/main/object/{part[1]}.zst")
                asked += 1
        cursor, encoding = max(cursor, int(lines[1].split()[1])), ".zst"
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
            asked = sum(be_phone(connection.get, cursor) for cursor in mine)
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


def reaches_all(w, phones):
    """Each syncs once and has what the server has."""
    whole = w.export()
    for phone in phones:
        phone.sync()
        assert phone.export() == whole, phone.store
    return whole


def take_down(w, server, cache, phones):
    """While the cache holds heads, objects and catch-ups that show the item; the seconds until no phone of these shows it."""
    item, near = json.loads(phones[0].export().splitlines()[-1])["id"], Connection(cache.port)
    assert all(item.encode() in phone.export() for phone in phones)
    time.sleep(HEADS_TTL + 1)
    old = cache.head()    # the one it holds from now on is as young as can be
    log = log_url(old, int(old["seq"]) - 3) + ".zst"
    assert uuid.UUID(item).bytes in decoded(near.get(log))
    end = server.admin("POST", f"/v1/items/{item}/gone", json.dumps({"reason": "含个人信息"}), {"content-type": "application/json"})
    assert end.status == 200, end
    start, last = time.monotonic(), int(server.head()["seq"])
    assert int(cache.head()["seq"]) < last, "the cache asked at once: this shows nothing"
    assert server.get(log).status == 410 and uuid.UUID(item).bytes in decoded(near.get(log))

    def nobody_shows_it():
        for phone in phones:
            phone.sync()
        return not any(item.encode() in phone.export() for phone in phones)

    wait_for("the end of it on every phone", HEADS_TTL + 10, nobody_shows_it, every=0.5)
    return time.monotonic() - start


def real_phones(w, server, cache, phones):
    """After the crowd, so that the cache holds what they ask."""
    with case("real phones that know the cache only end with the server's export, a new one and those behind"):
        reaches_all(w, [*phones, cache.phone(w, "new")])

    with case("what is taken down goes from the phones behind the cache within the heads' few seconds"):
        note(f"{take_down(w, server, cache, phones):.1f} s until no phone shows it")

    with case("and the cache carries the crowd after it as before, and a new phone"):
        server.settle()
        server.rest()
        head = server.head()
        wait_for("the new head and index at the cache", 15, lambda: cache.head()["index"] == head["index"])
        asked, reached = share(server, cache.port, [random.randrange(head["seq"] + 1) for _ in range(PHONES)])
        note(f"{asked} requests of the phones, {reached:.0f} at the origin: {100 * reached / asked:.2f} %")
        assert reached < asked / 100, (asked, reached)
        reaches_all(w, [*phones, cache.phone(w, "newer")])


def main(w, nginx):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=120))
    w.tjzw("import", "--data", w.data, "--publish", w.articles(EDITS, name="edits.ndjson", first=700, size=120, mark="revised"))
    server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
    server.settle()
    server.rest()
    cache, seq = Cache(w, nginx, server), server.head()["seq"]
    phones = [cache.phone(w, "behind")]
    phones[0].sync()
    phones.append(phones[0].copy("twin"))
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
            near, origin, head = Connection(cache.port), Connection(server.port, tls=True), cache.head()
            for cursor in [seq - 1, *(random.randrange(seq - CATCHUP_MAX, seq) for _ in range(40))]:
                path = log_url(head, cursor) + ".dz"
                assert near.get(path) == origin.get(path), path

        with case("after a change the crowd gets the new head within its few seconds, by as few requests"):
            w.tjzw("import", "--data", w.data, "--publish", w.articles(3, name="more.ndjson", first=ITEMS, size=120))
            later = server.settle()["seq"]
            wait_for("the new head at the cache", 15, lambda: int(cache.head()["seq"]) == later)
            asked, reached = share(server, cache.port, [random.randrange(later + 1) for _ in range(PHONES)])
            note(f"{asked} requests of the phones, {reached:.0f} at the origin: {100 * reached / asked:.2f} %")
            assert reached < asked / 100, (asked, reached)
        real_phones(w, server, cache, phones)
    finally:
        cache.stop()


nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
if nginx:
    with World() as world:
        main(world, nginx)
else:
    skip("10,000 phones behind a cache", "nginx is not installed")
sys.exit(done())
