#!/usr/bin/env python3
"""The OpenID provider, driven by two clients of others that are certified (openid-client, oauth4webapi), against the real program: every grant, and
what must be refused. The cases are in oidc/*.mjs; here is the world they meet: people of all levels, programs that may ask them. The issue wants a
hundred cases at least, half of them of what is refused: they are counted.

The clients come from npm, at the versions of oidc/package.json, into .cache/oidc-npm. Without node or npm this test says so and skips.
"""
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

from fault import Clock
from lib import ROOT, World, clean_env, wait_for

from npm import missing
from tap import case, done, note, rounds, skip

HERE, THERE = Path(__file__).with_name("oidc"), ROOT / ".cache" / "oidc-npm"
BACK, OUT, LOCAL = "https://heping.example/back", "https://heping.example/out", "http://127.0.0.1:49152/done"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"     # RFC 7636, appendix B
PEOPLE = {"one": ("13811110001", 1), "two": ("13811110002", 2), "four": ("13811110004", 4), "leaving": ("13811110005", 2), "fresh": ("13811110006", 2)}
PARTIES = [
    {"id": "heping", "name": "和平区政务网", "confidential": True, "ceiling": 3, "redirects": [BACK, BACK + "2"], "logouts": [OUT],
     "grants": "authorization_code refresh_token", "scopes": "openid profile phone offline_access"},
    {"id": "desk", "name": "示例桌面程序", "confidential": False, "ceiling": 4, "redirects": ["http://127.0.0.1/done"],
     "grants": "authorization_code refresh_token", "scopes": "openid profile phone offline_access"},
    {"id": "screen", "name": "办事大厅屏幕", "confidential": False, "ceiling": 2, "grants": "device_code refresh_token", "scopes": "openid offline_access"},
    {"id": "script", "name": "示例脚本", "confidential": True, "ceiling": 1, "grants": "client_credentials", "scopes": ""},
]


def post(server, target, body, how="get"):
    answer = getattr(server, how)(target, method="POST", body=json.dumps(body, ensure_ascii=False).encode(), headers={"content-type": "application/json"}) \
        if how == "get" else server.admin("POST", target, json.dumps(body, ensure_ascii=False).encode(), {"content-type": "application/json"})
    assert answer.status < 300, (target, answer)
    return answer.json() if answer.body else None


def code_of(server, phone):
    found = wait_for("a code in the log", 10, lambda: re.findall(rf'"phone_ends":"{phone[-4:]}","code":"(\d+)"', server.log.read_text(errors="replace")))
    return found[-1]


def sign_in(server, phone):
    post(server, "/v1/auth/code", {"phone": phone})
    return post(server, "/v1/auth/sign-in", {"phone": phone, "code": code_of(server, phone), "device": "手机"})


def register(server):
    keys = {}
    for party in PARTIES:
        post(server, "/v1/parties", {"kind": "live", **party}, "admin")
        if party["confidential"]:
            keys[party["id"]] = post(server, f"/v1/parties/{party['id']}/keys", {"perMinute": 100_000}, "admin")["key"]
    return keys


def settle(data, people):
    """Levels above the first are an upstream's to give, and what was allowed before is: both by hand, while the server is away."""
    db = sqlite3.connect(data / "tjzw.db")
    for name, (_, level) in PEOPLE.items():
        account = people[name]["account"]
        db.execute("UPDATE account SET level = ? WHERE id = ?", (level, account))
        db.execute("UPDATE session SET level = ? WHERE account = ?", (level, account))
        if name != "fresh":
            db.execute("INSERT INTO consent (account, party, scopes, given) SELECT ?, no, 15, ? FROM party", (account, 4000000000))
    db.commit()
    db.close()


counted = {False: 0, True: 0}     # good ways, refusals


def run(script, world, forward=None, **more):
    """Runs the cases of a script, each one of ours; what it says besides. `forward` is called when the script wants a later time."""
    env = clean_env({"TJZW_OIDC": json.dumps(world), "NODE_TLS_REJECT_UNAUTHORIZED": "0", "NODE_NO_WARNINGS": "1", **more})
    ran = subprocess.Popen(["node", script], cwd=THERE, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    too_long = threading.Timer(600, ran.kill)
    too_long.start()
    said = {}
    for line in ran.stdout:
        told = json.loads(line)
        if "name" in told:
            counted[told["negative"]] += 1
            with case(told["name"]):
                assert told["why"] is None, told["why"]
        elif "forward" in told:
            forward(told["forward"])
            ran.stdin.write("\n")
            ran.stdin.flush()
        else:
            said.update(told)
    _, complaints = ran.communicate()
    too_long.cancel()
    with case(f"{script} came to its end"):
        assert ran.returncode == 0, complaints[-3000:]
    return said


def main():
    with World() as w:
        clock = Clock(w)
        env = {"TJZW_RATE_LIMIT": "0", **clock.env}
        server = w.serve(None, "--demo", env=env)
        keys = register(server)
        people = {name: sign_in(server, phone) for name, (phone, _) in PEOPLE.items()}
        server.stop()
        settle(w.data, people)
        server = w.serve(None, "--demo", env=env, port=server.port)
        world = {"issuer": server.url, "keys": keys, "people": people, "back": BACK, "out": OUT, "local": LOCAL, "verifier": VERIFIER,
                 "mutations": rounds(5000, 400)}
        run("cases.mjs", world)
        kept = run("later.mjs", world)["kept"]
        ahead = 1860
        clock.ahead(ahead)
        for name in ("two",):
            people[name].update(post(server, "/v1/auth/refresh", {"refresh": people[name]["refresh"]}))
        run("later.mjs", {**world, "before": kept})
        with case("what was done stands in the audit log"):
            for word in ("grant.give", "grant.reused", "grant.revoke", "device.allow", "device.refuse", "consent.give", "consent.refuse", "consent.end", "sign_out"):
                assert word in w.tjzw("audit", "list", "--data", w.data, "--action", word).stdout.decode(), word
            reused = server.admin("GET", "/v1/audit?action=grant.reused").json()["records"][0]["details"]
            assert reused["account"] in {p["account"] for p in people.values()} and reused["session"], reused
            assert server.admin("GET", "/v1/audit?action=right.refused&n=500").body.count(b"/oauth2/authorize"), "what was refused at the authorization endpoint is not in the log"

        def forward(seconds):
            nonlocal server, ahead
            server.stop()
            ahead += seconds
            clock.ahead(ahead)
            server = w.serve(None, "--demo", env=env, port=server.port)

        run("rotation.mjs", world, forward, **clock.env)
        with case(f"{sum(counted.values())} cases, {counted[True]} of them refusals: a hundred, and half of them"):
            assert sum(counted.values()) >= 100 and counted[True] >= sum(counted.values()) / 2, counted
        with case("no code, token or key stands in the log"):
            log = server.log.read_text(errors="replace")
            for text in ("toc_", "tod_", "tja_", "tjr_", "tjp_", "eyJ", VERIFIER):
                assert text not in log, text
        server.stop()


why = missing(HERE, THERE)
if why:
    skip("the OpenID provider, driven by clients of others", why)
else:
    main()
note(f"node {subprocess.run(['node', '--version'], capture_output=True, text=True).stdout.strip()}" if shutil.which("node") else "no node")
sys.exit(done())
