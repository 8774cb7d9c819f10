#!/usr/bin/env python3
"""A member of staff at his own desk: `tjzw login` by a browser elsewhere, commands with his rights, tokens that renew themselves while two commands race,
and the end of it.
"""
import json
import stat
import sys
import threading

from app import App
from desk import Desk, Person, accounts
from fault import Clock
from lib import World

from tap import case, done


def sign_in(desk, person):
    with case("the command shows an address and eight letters, and waits"):
        process, letters, said = desk.login("work")
        assert desk.server.url + "/device" in said, said
        assert process.poll() is None
    with case("he allows it in his browser, and it is signed in; what it keeps only he can read"):
        assert (a := person.answer(letters.lower().replace("-", " "), True)).status == 204, a
        assert process.wait(60) == 0, process.stderr.read().decode()
        file = desk.profiles / "work.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(desk.profiles.stat().st_mode) == 0o700
        assert "work" in desk.run("profiles").stdout.decode()
    with case("commands do with it what he may do, and no more; the log has his name"):
        assert json.loads(desk.run("item", "list", "--profile", "work", "--state", "published").stdout)["items"]
        desk.run("column", "create", "--profile", "work", "--site", "9900000001", "--path", "命令行新建")
        refused = desk.run("audit", "list", "--profile", "work", check=False)
        assert refused.returncode, "a site's administrator read the audit log"
        rows = desk.server.admin("GET", "/v1/audit?action=column.create").json()["records"]
        assert rows[0]["actor"].startswith("account:"), rows[0]
    with case("--profile is one way to a server, and excludes the others"):
        assert desk.run("site", "list", "--profile", "work", "--data", desk.server.data, check=False).returncode
        assert b"no profile" in desk.run("site", "list", "--profile", "nobody", check=False).stderr
        assert desk.run("site", "list", "--profile", "../work", check=False).returncode


def renew(desk, later):
    with case("an access token that is over is renewed, once, though eight commands want it at the same time"):
        before = desk.kept("work")
        later(15 * 60)
        results = []

        def one():
            results.append(desk.run("item", "list", "--profile", "work", check=False).returncode)
        threads = [threading.Thread(target=one) for _ in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        after = desk.kept("work")
        assert results == [0] * 8 and after["refresh"] != before["refresh"], (results, before, after)
        assert desk.run("item", "list", "--profile", "work").returncode == 0
        reused = desk.server.admin("GET", "/v1/audit?action=grant.reused").json()["records"]
        assert not reused, reused


def refuse(desk, person, citizen):
    with case("who refuses, refuses; and no citizen lets a command line in"):
        process, letters, _ = desk.login("other")
        assert citizen.call("POST", "/v1/me/device", {"code": letters, "allow": True}).status == 403
        assert person.answer(letters, False).status == 204
        assert process.wait(60) and b"refused" in process.stderr.read()
        assert not (desk.profiles / "other.json").exists()


def end(desk, later):
    with case("a session that was ended elsewhere says: sign in again"):
        work = desk.kept("work")
        desk.run("logout", "--profile", "work")
        assert not (desk.profiles / "work.json").exists()
        (desk.profiles / "work.json").write_text(json.dumps(work))
        said = desk.run("item", "list", "--profile", "work", check=False)
        assert said.returncode and b"tjzw login" in said.stderr, said
        later(15 * 60)
        said = desk.run("item", "list", "--profile", "work", check=False)
        assert said.returncode and b"tjzw login" in said.stderr, said.stderr


def main():
    with World() as w:
        clock, ahead = Clock(w), [0]

        def later(seconds):
            ahead[0] += seconds
            clock.ahead(ahead[0])

        env = {"TJZW_SMS_DEVELOPMENT": "true", **clock.env}
        server = w.serve(w.dir / "data", "--demo", env=env)
        password, secrets = accounts(server)
        person, citizen, desk = Person(server), App(server).by_phone("13800000001"), Desk(w, server, clock.env)
        person.sign_in("demo.site", password, secrets["demo.site"])
        sign_in(desk, person)
        refuse(desk, person, citizen)
        renew(desk, later)
        end(desk, later)
    return done()


sys.exit(main())
