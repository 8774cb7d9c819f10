#!/usr/bin/env python3
"""Signing in by npm's oidc-provider: somebody else's reading of the same specifications, over its own pages, with userinfo, a level and a phone.

It comes from npm, at the version of upstream_peer/package.json, into .cache/upstream-npm. Without node or npm this test says so and skips.
"""
import html
import http.client
import http.cookies
import json
import re
import ssl
import subprocess
import sys
import urllib.parse
from pathlib import Path

from lib import ROOT, World, clean_env, free_port, wait_for
from upstream import openssl
from visitor import Visitor

from npm import missing
from tap import case, done, skip

HERE, THERE, SECRET = Path(__file__).with_name("upstream_peer"), ROOT / ".cache" / "upstream-npm", "a key of forty characters: +/%& 0123456789"


class Person:
    """At the provider's pages: enters a name and any password, agrees, and is led away with a code."""

    def __init__(self, port):
        self.port, self.jar = port, http.cookies.SimpleCookie()

    def ask(self, url, fields=None):
        at = urllib.parse.urlsplit(url)
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=ssl._create_unverified_context())
        headers = {"cookie": "; ".join(f"{k}={m.value}" for k, m in self.jar.items())}
        if fields is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        c.request("GET" if fields is None else "POST", at.path + ("?" + at.query if at.query else ""),
                  None if fields is None else urllib.parse.urlencode(fields), headers)
        answer = c.getresponse()
        body = answer.read().decode()
        for line in answer.headers.get_all("set-cookie") or []:
            self.jar.load(line)
        c.close()
        return answer.status, urllib.parse.urljoin(url, answer.headers["location"] or ""), body

    def approve(self, url, sub):
        """The address that it ends at."""
        fields = None
        for _ in range(12):
            status, location, body = self.ask(url, fields)
            fields = None
            if status in (302, 303):
                if "/sign-in/from/" in location:
                    return location
                url = location
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', body, re.S)
            assert status == 200 and form, (status, body[:500])
            url = urllib.parse.urljoin(url, html.unescape(form[1]))
            fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form[2]))
            if 'name="login"' in form[2]:
                fields.update(login=sub, password="anything")
        raise AssertionError("it leads in a circle")


def start(w, server_url, port):
    cert, key = w.dir / "op.pem", w.dir / "op-key.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", cert)
    log = open(w.dir / "op.log", "wb")
    node = subprocess.Popen(["node", "provider.mjs", str(port), str(cert), str(key), SECRET, f"{server_url}/sign-in/from/peer"], cwd=THERE,
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_env())
    wait_for("oidc-provider", 60, lambda: b"ready" in (w.dir / "op.log").read_bytes() or node.poll() is not None)
    assert node.poll() is None, (w.dir / "op.log").read_text()
    return node, cert


def main(w):
    ours, theirs = free_port(), free_port()
    node, cert = start(w, f"https://127.0.0.1:{ours}", theirs)
    try:
        there = w.data / "upstreams"
        there.mkdir(parents=True)
        (there / "peer.json").write_text(json.dumps({
            "kind": "oidc", "label": "示例身份平台", "issuer": f"https://127.0.0.1:{theirs}", "client": "tjzw", "ca": str(cert), "private": True,
            "scopes": ["openid", "profile", "phone"], "userinfo": True, "claims": {"name": "name", "phone": "phone_number", "level": "acr"},
            "levels": {"L2": 2, "L3": 3}, "trusts_phone": True}, ensure_ascii=False))
        (there / "peer.secret").write_text(SECRET)
        (there / "peer.secret").chmod(0o600)
        server = w.serve(port=ours)
        with case("oidc-provider's word makes an account: RS256, discovery, PKCE, iss, userinfo, a key with signs in it"):
            li = Visitor(server)
            out = li.get("/sign-in/with/peer")
            assert out.status == 303, (out, server.said())
            back = Person(theirs).approve(out.location, "1001")
            assert "iss=" in back, back
            page = li.get(back.removeprefix(f"https://127.0.0.1:{ours}"))
            assert (page.status, page.location) == (303, "/account"), (page, server.said())
            page = li.get("/account")
            assert page.status == 200 and "李雷" in page.body and "138****8000" in page.body, page
        with case("and finds it again; another of its people is another account"):
            accounts = []
            for sub in ("1001", "1002"):
                b = Visitor(server)
                back = Person(theirs).approve(b.get("/sign-in/with/peer").location, sub)
                assert b.get(back.removeprefix(f"https://127.0.0.1:{ours}")).status == 303, server.said()
                accounts.append(b.get("/account").body)
            assert "李雷" in accounts[0] and "李雷" not in accounts[1]
        with case("its code is good once, and in the browser alone that was sent for it"):
            b, thief = Visitor(server), Visitor(server)
            back = Person(theirs).approve(b.get("/sign-in/with/peer").location, "1001").removeprefix(f"https://127.0.0.1:{ours}")
            thief.get("/sign-in/with/peer")
            assert thief.get(back).status == 401
            jar = dict(b.jar)
            assert b.get(back).status == 303
            b.jar = jar
            assert b.get(back).status == 401
        server.stop()
    finally:
        node.kill()
        node.wait()


if reason := missing(HERE, THERE):
    skip("oidc-provider as an upstream", reason)
else:
    with World() as world:
        main(world)
sys.exit(done())
