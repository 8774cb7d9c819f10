#!/usr/bin/env python3
"""A phone whose account was erased while it was away: what it says, what it keeps, and that the next person on it finds nothing of it, nor its old owner, who comes
with the same number and is somebody else now.
"""
import sys

from app import App
from fault import Clock
from lib import World, wait_for
from person import NUMBER, Gateway, say, token_of

from tap import case, done

DAY = 86400
SENT, WAITING = "tag/只有李雷知道", "tag/还没送出的"


def held(phone):
    """All bytes of its store."""
    return b"".join(f.read_bytes() for f in phone.files() if f.is_file())


def by_code(phone, gateway, number):
    gateway.got.pop(number, None)
    say(phone, "sign-in", number)
    code = wait_for("a code", 10, lambda: gateway.got.get(number))
    return say(phone, "sign-in", number, code)


def main(w):
    gateway, clock = Gateway(), Clock(w)
    server = w.serve(env={**gateway.settings, **clock.env})
    away, here = w.phone("away"), w.phone("here")

    for phone in (away, here):
        clock.ahead(70 if phone is here else 0)         # a code a minute
        by_code(phone, gateway, NUMBER)
    say(away, "follow", SENT)
    say(away, "sync")
    say(here, "sync")
    account = server.get("/v1/me", headers={"authorization": "Bearer " + token_of(here)}).json()["account"]

    with case("he leaves, on another phone; this one is told nothing, for it is away, and goes on writing"):
        assert SENT in say(here, "follow") and "已申请注销" in say(here, "account", "delete")
        say(away, "follow", WAITING)
        assert all(word.encode() in held(away) for word in (SENT, WAITING))     # the search below finds what is there
        clock.ahead(15 * DAY + 3800)
        wait_for("the erasure", 60, lambda: (server.data / "erased").exists() and (server.data / "erased").read_text().startswith(f"{account} "))

    with case("with the next sync it says that the session has ended, and shows nothing more"):
        say(away, "sync", check=False)
        me = say(away, "me")
        assert "登录已在别处结束" in me and "没有登录" in me, me
        assert say(away, "follow") == "" and say(away, "inbox") == "" and say(away, "letter", "list") == ""

    with case("no file of its store has what he wrote: neither what was sent nor what was not, which is kept sealed"):
        raw = held(away)
        assert SENT.encode() not in raw and WAITING.encode() not in raw
        assert say(away, "outbox") == ""

    with case("the next person on it begins with nothing, and the server has nothing of the other"):
        said = by_code(away, gateway, "13800138077")
        assert "已登录" in said, said
        say(away, "sync")
        assert say(away, "follow") == "" and say(away, "fav") == ""
        mine = server.get("/v1/me/sync", "POST", b"{}", {"authorization": "Bearer " + token_of(away), "content-type": "application/json"})
        assert "只有李雷".encode() not in mine.body and "还没送出".encode() not in mine.body, mine
        say(away, "sign-out")

    with case("who comes with his number now is somebody else, and what waited sealed is not his"):
        clock.ahead(15 * DAY + 3800 + 120)
        assert "已登录" in by_code(away, gateway, NUMBER)
        say(away, "sync")
        now = server.get("/v1/me", headers={"authorization": "Bearer " + token_of(away)}).json()["account"]
        assert now != account and say(away, "follow") == "" and say(away, "outbox") == "", (now, account)

    with case("a guest signs out too, and the phone goes on as another"):
        say(away, "sign-out")
        say(away, "fav", "main/0190b1c2-0000-7000-8000-000000000001", check=False)
        say(away, "follow", "tag/访客的")
        say(away, "sync")
        token = token_of(away)
        assert "已退出" in say(away, "sign-out") and "访客的".encode() not in held(away)
        say(away, "sync")
        assert App(server).call("POST", "/v1/me/sync", {}).status == 401
        old = server.get("/v1/me/sync", "POST", b"{}", {"authorization": "Bearer " + token, "content-type": "application/json"})
        assert old.status == 401 and say(away, "follow") == "", old
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
