#!/usr/bin/env python3
"""What the server asks of others goes through the HTTP proxy of its settings: mirrors by CONNECT, a hook in absolute form. Commands on the admin
socket never do, and the environment's http_proxy counts for the phones' library alone.
"""
import base64
import http.client
import http.server
import json
import select
import socket
import subprocess
import sys
import threading

from lib import World, clean_env, free_port, wait_for

from tap import case, done

SECRET = "tjzw:口令"
QUICK = {"TJZW_HEAD_DEBOUNCE": "20ms", "TJZW_RATE_LIMIT": "0", "TJZW_MIRROR_POLL": "1s", "TJZW_OUTBOUND_DIRECT": "localhost"}


class Proxy(http.server.ThreadingHTTPServer):
    """CONNECT and absolute-form, for who knows the password; what it was asked stands in `asked`."""

    def __init__(self, secret=None):
        proxy = self
        self.asked, self.refused = [], 0
        wanted = secret and "Basic " + base64.b64encode(secret.encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def let_in(self):
                if wanted and self.headers["proxy-authorization"] != wanted:
                    proxy.refused += 1
                    self.send_response(407)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return False
                proxy.asked.append((self.command, self.path))
                return True

            def do_CONNECT(self):
                if not self.let_in():
                    return
                host, _, port = self.path.rpartition(":")
                with socket.create_connection((host, int(port))) as far:
                    self.send_response(200)
                    self.end_headers()
                    carry(self.connection, far)
                self.close_connection = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if not self.let_in():
                    return
                host, _, path = self.path.removeprefix("http://").partition("/")
                there = http.client.HTTPConnection(host, timeout=10)
                there.request("POST", "/" + path, body, {"content-type": self.headers["content-type"]})
                self.send_response(there.getresponse().status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def tunnels(self):
        return [path for command, path in self.asked if command == "CONNECT"]


def carry(near, far):
    while True:
        for s in select.select([near, far], [], [])[0]:
            piece = s.recv(65536)
            if not piece:
                return
            (far if s is near else near).sendall(piece)


class Hook(http.server.ThreadingHTTPServer):
    """Somebody's cache."""

    def __init__(self):
        hook = self
        self.urls = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.urls += json.loads(self.rfile.read(int(self.headers["content-length"])))["urls"]
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.at = f"http://127.0.0.1:{self.server_address[1]}/purge"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def level(a, b):
    wait_for("the edge to be level", 30, lambda: (h := a.get("/v1/sync/main/head").body).startswith(b"tjzw head 1") and
             h == b.get("/v1/sync/main/head").body, 0.1)


def through(w, city, trust):
    """An edge of the city's server behind a proxy with a password."""
    proxy, dead = Proxy(SECRET), f"http://127.0.0.1:{free_port()}"
    edge = w.serve(w.dir / "edge", "--mirror", city.url, "--trust", trust, "--cacert", w.certificate(w.dir / "city"),
                   env={**QUICK, "TJZW_OUTBOUND_PROXY": proxy.url, "TJZW_OUTBOUND_PROXY_SECRET": SECRET, "https_proxy": dead, "no_proxy": "*"})
    with case("a mirror comes through the proxy of the settings, whatever the environment says"):
        level(city, edge)
        assert proxy.tunnels() and set(proxy.tunnels()) == {f"127.0.0.1:{city.port}"}, proxy.asked
    edge.stop()

    with case("a proxy that refuses is said to, and nothing gets past it"):
        asked, refused = len(proxy.asked), proxy.refused
        edge = w.serve(w.dir / "refused", "--mirror", city.url, "--trust", trust, "--cacert", w.certificate(w.dir / "city"),
                       env={**QUICK, "TJZW_OUTBOUND_PROXY": proxy.url})
        wait_for("a refusal", 15, lambda: proxy.refused > refused)
        wait_for("it to be told", 15, lambda: edge.metric("mirror_errors") or "mirror" in edge.said())
        assert len(proxy.asked) == asked
        edge.stop()

    with case("who is in outbound_direct is asked directly, and the environment is not looked at"):
        asked = len(proxy.asked)
        edge = w.serve(w.dir / "direct", "--mirror", city.url, "--trust", trust, "--cacert", w.certificate(w.dir / "city"),
                       env={**QUICK, "TJZW_OUTBOUND_PROXY": proxy.url, "TJZW_OUTBOUND_DIRECT": "127.0.0.0/8"})
        level(city, edge)
        edge.stop()
        edge = w.serve(w.dir / "none", "--mirror", city.url, "--trust", trust, "--cacert", w.certificate(w.dir / "city"),
                       env={**QUICK, "https_proxy": proxy.url, "http_proxy": proxy.url, "ALL_PROXY": proxy.url})
        level(city, edge)
        edge.stop()
        assert len(proxy.asked) == asked, proxy.asked[asked:]


def hooked(w):
    proxy, hook = Proxy(), Hook()
    server = w.serve(env={**QUICK, "TJZW_PURGE_HOOK": hook.at, "TJZW_OUTBOUND_PROXY": proxy.url, "TJZW_PUBLIC_URL": "https://www.example.cn"})
    with case("the purge hook is told through it, in absolute form"):
        item = server.get("/v1/items?n=1").json()["items"][0]["id"]
        w.tjzw("item", "withdraw", "--data", w.data, "--reason", "试", item)
        wait_for("the purge hook", 15, lambda: f"https://www.example.cn/a/{item}" in hook.urls)
        assert ("POST", hook.at) in proxy.asked, proxy.asked

    with case("commands on the admin socket go through none, neither the settings' nor the environment's"):
        asked, dead = len(proxy.asked), f"http://127.0.0.1:{free_port()}"
        for env in ({"TJZW_OUTBOUND_PROXY": dead, "TJZW_OUTBOUND_DIRECT": ""}, {"http_proxy": dead, "ALL_PROXY": dead}):
            assert w.tjzw("item", "list", "--data", w.data, env=env).stdout
        assert len(proxy.asked) == asked

    with case("a command that asks a server by its URL goes through the settings' proxy"):
        asked = len(proxy.tunnels())
        w.tjzw("item", "list", "--server", server.url, "--cacert", w.certificate(), check=False,
               env={"TJZW_OUTBOUND_PROXY": proxy.url, "TJZW_OUTBOUND_DIRECT": ""})
        assert len(proxy.tunnels()) == asked + 1, proxy.asked

    with case("a phone's library asks as curl does: by the environment"):
        asked, phone = len(proxy.tunnels()), w.phone("one")
        ran = subprocess.run(phone.command("sync"), env=clean_env({"https_proxy": proxy.url}), capture_output=True, timeout=60)
        assert ran.returncode == 0 and len(proxy.tunnels()) > asked, (ran, proxy.asked)
    server.stop()


def settings(w):
    with case("a proxy's address that is none is refused and named; its password is not printed"):
        for bad in ("proxy.example.cn:3128", "http://proxy.example.cn", "https://proxy.example.cn:3128", "http://u:geheim@proxy:3128",
                    "http://proxy:3128/x", "http://:3128", "http://proxy:x"):
            said = w.tjzw("print-conf", check=False, env={"TJZW_OUTBOUND_PROXY": bad})
            assert said.returncode == 78 and b"outbound_proxy" in said.stderr, (bad, said)
            assert b"geheim" not in said.stderr, said
        said = w.tjzw("print-conf", env={"TJZW_OUTBOUND_PROXY": "http://[::1]:3128", "TJZW_OUTBOUND_PROXY_SECRET": SECRET}).stdout.decode()
        assert "http://[::1]:3128" in said and SECRET not in said and "***" in said


with World() as world:
    settings(world)
    world.tjzw("import", "--data", world.data, "--publish", world.articles(10, size=300))
    hooked(world)
    world.tjzw("import", "--data", world.dir / "city", "--publish", world.articles(10, size=300))
    origin = world.serve(world.dir / "city", env=QUICK)
    through(world, origin, origin.get("/v1/sync/keys").body.decode().splitlines()[1].split()[4])
sys.exit(done())
