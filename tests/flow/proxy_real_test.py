#!/usr/bin/env python3
"""Debian's own HAProxy and nginx before the server, set as docs/http.md says: whom they bring is who counts.

All of this runs on one machine, so the clients' addresses are made up: the test tells them to the proxies by PROXY v2, as a balancer in front
of them would.
"""
import os
import shutil
import subprocess
import sys

from lib import World, clean_env, free_port, wait_for
from proxy_wire import H1, H2, connect, secure, told

from tap import case, done, skip

RATE = 30
ONE, TWO, SIX, NEIGHBOUR, FAR = "100.64.1.1", "100.64.1.2", "2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:2::1"

HAPROXY = """
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen passing_tls_on
    mode tcp
    bind 127.0.0.1:{tcp} accept-proxy
    server tjzw 127.0.0.1:{tls} send-proxy-v2 source 127.77.0.2
listen speaking_http
    mode http
    bind 127.0.0.1:{http} accept-proxy
    http-request set-var(txn.ip) src
    http-request set-header Forwarded for=%[var(txn.ip)]
    http-request set-header Forwarded for=\\"[%[var(txn.ip)]]\\" if {{ var(txn.ip) -m sub : }}
    server tjzw 127.0.0.1:{clear} source 127.77.0.2
listen speaking_http2
    mode http
    bind 127.0.0.1:{http2} accept-proxy
    http-request set-var(txn.ip) src
    http-request set-header Forwarded for=%[var(txn.ip)]
    http-request set-header Forwarded for=\\"[%[var(txn.ip)]]\\" if {{ var(txn.ip) -m sub : }}
    server tjzw 127.0.0.1:{tls} ssl verify none alpn h2 source 127.77.0.2
"""

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {dir}/body; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; proxy_temp_path {dir}/proxy;
    map $proxy_protocol_addr $forwarded {{
        ~: 'for="[$proxy_protocol_addr]"';
        default "for=$proxy_protocol_addr";
    }}
    upstream tjzw {{ server 127.0.0.1:{clear}; keepalive 8; keepalive_timeout 50s; }}
    server {{
        listen 127.0.0.1:{http} proxy_protocol;
        location / {{
            proxy_pass http://tjzw; proxy_http_version 1.1; proxy_bind 127.77.0.3;
            proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header Forwarded $forwarded;
        }}
    }}
}}
"""


class Front:
    """A program before the server, until the test is over."""

    def __init__(self, w, command, ready):
        self.log = open(w.dir / f"{os.path.basename(command[0])}.log", "wb")
        self.process = subprocess.Popen(command, env=clean_env(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(f"{command[0]} to listen", 10, lambda: self.listens(ready))

    def listens(self, port):
        assert self.process.poll() is None, open(self.log.name).read()[-2000:]
        try:
            connect(port).close()
            return True
        except OSError:
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def counts_each(left):
    """left(client): what is left of its rate limit after one more request."""
    assert left(ONE) == RATE - 1 and left(ONE) == RATE - 2
    assert left(TWO) == RATE - 1
    assert left(SIX) == RATE - 1 and left(NEIGHBOUR) == RATE - 2
    assert left(FAR) == RATE - 1
    while left(ONE) >= 0:
        pass
    assert left(TWO) == RATE - 2


def by_http(port):
    return lambda client: H1(connect(port, None, told(client))).left("/nowhere", 'for=203.0.113.1, for="')


def serving(w):
    """Fresh clients for each case: a limit is remembered as long as its server."""
    ports = {name: free_port() for name in ("tls", "clear")}
    server = w.serve(port=ports["tls"], urls=[f"https://127.0.0.1:{ports['tls']}", f"http://127.0.0.1:{ports['clear']}"],
                     env={"TJZW_TRUSTED_PROXIES": "127.77.0.0/16", "TJZW_RATE_LIMIT": str(RATE)})
    return server, ports


def haproxy(w, program):
    at = {name: free_port() for name in ("tcp", "http", "http2")}
    ways = {
        "TLS passed on with send-proxy-v2": lambda client: H1(secure(connect(at["tcp"], None, told(client)), "http/1.1")).left(),
        "HTTP/1.1 with Forwarded": by_http(at["http"]),
        "HTTP/2 to the server with Forwarded": by_http(at["http2"]),
    }
    for name, left in ways.items():
        with case(f"HAProxy: {name}"):
            server, ports = serving(w)
            (w.dir / "haproxy.cfg").write_text(HAPROXY.format(**at, **ports))
            with Front(w, [program, "-db", "-f", str(w.dir / "haproxy.cfg")], at["tcp"]):
                counts_each(left)
                phone = H2(secure(connect(at["tcp"], None, told("100.64.1.9"))))
                assert phone.status(phone.ask("/v1/sync/main/head")) == 200
            server.stop()


def nginx(w, program):
    with case("nginx: HTTP/1.1 with Forwarded"):
        server, ports = serving(w)
        at, place = free_port(), w.dir / "nginx"
        w.dir.chmod(0o755)    # its worker may be another user
        place.mkdir()
        (place / "nginx.conf").write_text(NGINX.format(dir=place, http=at, **ports))
        with Front(w, [program, "-c", str(place / "nginx.conf")], at):
            counts_each(by_http(at))
        server.stop()


with World() as world:
    world.tjzw("import", "--data", world.data, "--publish", world.articles(5, size=300))
    for name, try_it in (("haproxy", haproxy), ("nginx", nginx)):
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if found:
            try_it(world, found)
        else:
            skip(name, f"{name} is not installed")
sys.exit(done())
