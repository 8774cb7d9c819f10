#!/usr/bin/env python3
"""Strangers ask for codes to somebody's number until it gets no more that day: the phone that he signed in with before gets one, and signs in; a new one
is told when to come again, and what else there is.
"""
import sys

from fault import Clock
from lib import World, wait_for
from person import NUMBER, Gateway, say

from tap import case, done


def main(w):
    gateway, clock, now = Gateway(), Clock(w), 0
    server = w.serve(env={**gateway.settings, **clock.env, "TJZW_TRUSTED_PROXIES": "127.0.0.1"})

    def later(seconds):
        nonlocal now
        now += seconds
        clock.ahead(now)

    def stranger(at):
        later(61)
        return server.get("/v1/auth/code", "POST", f'{{"phone":"{NUMBER}"}}'.encode(), {"content-type": "application/json", "forwarded": f"for=198.51.100.{at}"}).status

    def code():
        return wait_for("a message", 10, lambda: gateway.got.pop(NUMBER, None))

    his, new = w.phone("his"), w.phone("new")
    with case("he signs in, and out again"):
        say(his, "sign-in", NUMBER)
        say(his, "sign-in", NUMBER, code())
        say(his, "sign-out")
    with case("two strangers use up what his number gets in a day"):
        assert [stranger(i % 2) for i in range(9)] == [202] * 9
        assert stranger(7) == 429
    with case("a phone that is new is told how long, and of the password"):
        later(61)
        said = new.run("sign-in", NUMBER, check=False).stderr.decode()
        assert "小时" in said and "--password" in said, said
    with case("his own gets a code all the same, and it opens"):
        gateway.got.clear()
        say(his, "sign-in", NUMBER)
        assert "已登录" in say(his, "sign-in", NUMBER, code())
    with case("… five times a day, and one a minute"):
        assert say(his, "sign-in", NUMBER, check=False) == ""
        for _ in range(4):
            later(61)
            say(his, "sign-in", NUMBER)
        later(61)
        assert say(his, "sign-in", NUMBER, check=False) == ""


with World() as world:
    main(world)
sys.exit(done())
