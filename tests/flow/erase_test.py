#!/usr/bin/env python3
"""Somebody takes his data with him, asks to be forgotten, thinks better of it, asks again; fifteen days later nothing of him is left, and no old backup
brings him back.
"""
import sys

from app import App
from fault import Clock
from lib import World, wait_for

from tap import case, done

PHONE, DAY = "13800138000", 86400


def tables(document):
    return {t["table"]: t for t in document["tables"]}


def raw(directory):
    return b"".join(p.read_bytes() for p in directory.rglob("*") if p.is_file())


def leave(w, clock, server, li):
    ahead = 0

    def later(seconds):
        nonlocal ahead
        ahead += seconds
        clock.ahead(ahead)

    account = li.by_phone(PHONE).said["account"]
    assert li.call("PATCH", "/v1/me", {"name": "李雷雷雷"}).status == 200
    with case("all of it comes as one document, what is sealed in clear"):
        answer = li.call("GET", "/v1/me/export")
        assert answer.status == 200 and "attachment" in answer.headers["content-disposition"], answer
        there = tables(answer.json())
        assert there["identifier"]["rows"][0]["value"] == "86" + PHONE and there["account"]["rows"][0]["name"] == "李雷雷雷", there
        assert there["session"]["rows"][0]["network"] == "127.0.0.0/24", there["session"]
        assert {r["action"] for r in there["audit"]["rows"]} >= {"sign_in", "account.edit"} and "一年" in there["audit"]["kept"], there["audit"]
    with case("a phone that was left on a table gives nothing away: it wants a sign-in of the last ten minutes"):
        later(601)
        for method, target in (("GET", "/v1/me/export"), ("POST", "/v1/me/erase")):
            answer = li.call(method, target)
            assert answer.status == 401 and "insufficient_user_authentication" in answer.headers["www-authenticate"], answer
        assert li.call("GET", "/v1/me").json()["state"] == "open"
    with case("he asks, may still sign in, and takes it back"):
        li.by_phone(PHONE)
        answer = li.call("POST", "/v1/me/erase").json()
        assert answer["state"] == "leaving" and answer["erased_at"], answer
        later(DAY)
        li.by_phone(PHONE)
        me = li.call("GET", "/v1/me").json()
        assert me["state"] == "leaving" and me["erased_at"] == answer["erased_at"] and me["account"] == account, me
        assert li.call("DELETE", "/v1/me/erase").status == 204 and li.call("DELETE", "/v1/me/erase").status == 409
        assert li.call("GET", "/v1/me").json()["state"] == "open"
    w.tjzw("backup", "--data", server.data, w.dir / "backup")
    with case("he asks again, and fifteen days later nothing is left of him"):
        assert li.call("POST", "/v1/me/erase").status == 200
        later(15 * DAY + 3700)
        wait_for("the erasure", 30, lambda: li.call("GET", "/v1/me").status == 401)
        wait_for("the row of it", 10, lambda: any(r["action"] == "account.erase" for r in server.admin("GET", "/v1/audit").json()["records"]))
        assert (server.data / "erased").read_text().startswith(f"{account} ")
        assert PHONE.encode() not in raw(server.data) and "李雷雷雷".encode() not in raw(server.data)
    with case("whoever comes with that phone now is somebody else"):
        answer = li.by_phone(PHONE).said
        assert answer["new"] and answer["account"] != account, answer
    with case("the audit log still verifies"):
        w.tjzw("audit", "verify", "--data", server.data)
    return account


def restore(w, server, account, env):
    server.stop()
    with case("a backup of before brings nobody back, if the file of those who went is there"):
        said = w.tjzw("restore", "--data", w.dir / "restored", "--erased", server.data / "erased", w.dir / "backup").stdout.decode()
        assert "erased again" in said, said
        again = w.serve(w.dir / "restored", env=env)
        answer = App(again).by_phone(PHONE).said
        assert answer["new"] and answer["account"] != account, answer
        again.stop()
    with case("without it a restore says so"):
        said = w.tjzw("restore", "--data", w.dir / "other", w.dir / "backup").stdout.decode()
        assert "--erased" in said, said


def main():
    with World() as w:
        clock = Clock(w)
        env = {"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0", **clock.env}
        server = w.serve(w.dir / "data", env=env)
        restore(w, server, leave(w, clock, server, App(server)), env)
    return done()


sys.exit(main())
