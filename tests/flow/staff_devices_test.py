#!/usr/bin/env python3
"""Staff who may work at listed devices alone: a browser that keeps what makes it known, a command line that does, an administrator who lists them from
his own, and the console that mends what he shut.
"""
import json
import sys

from app import App
from desk import Desk, Person, accounts, totp
from lib import World, wait_for

from tap import case, done


class Browser(Person):
    """What it keeps makes it known, whoever signs in."""

    def __init__(self, server):
        super().__init__(server)
        self.known = None

    def sign_in(self, login, password, secret, later=0):
        more = {"known": self.known} if self.known else {}
        first = self.call("POST", "/v1/auth/sign-in", {"login": login, "password": password, **more}).json()
        last = self.call("POST", "/v1/auth/sign-in", {"ticket": first["ticket"], "totp": totp(secret, later), **more})
        self.known = self.keep(last)["known"]

    def machine(self):
        return next(s["machine"] for s in self.call("GET", "/v1/me/sessions").json()["sessions"] if s["current"])

    def works(self):
        return self.call("GET", "/v1/staff/items").status


def lists(chief, editor):
    with case("as long as no list is set, staff work at any device"):
        assert editor.works() == 200
    with case("a list begins with the device of whoever begins it, so that nobody locks himself out"):
        refused = chief.call("POST", "/v1/devices", {"device": editor.machine(), "name": "编辑的电脑"})
        assert refused.status == 409, refused
        assert chief.call("POST", "/v1/devices", {"device": chief.machine(), "name": "机房电脑"}).status == 201
        assert chief.call("DELETE", f"/v1/devices/{chief.machine()}").status == 204
        assert chief.call("POST", "/v1/devices", {"device": chief.machine(), "name": "机房电脑"}).status == 201
    with case("a device that is not listed is refused: why, its number, whom to ask; one's own account stays open"):
        problem = editor.call("GET", "/v1/staff/items")
        told = problem.json()
        assert problem.status == 403 and told["type"] == "/problems/device", problem
        assert "系统管理员" in told["title"] and editor.machine() in told["detail"], told
        assert editor.call("GET", "/v1/me").status == 200
    with case("the administrator sees who waits, lists him, and he works on without signing in again"):
        waiting = chief.call("GET", "/v1/devices").json()["waiting"]
        his = next(x for x in waiting if x["device"] == editor.machine())
        assert his["person"] == "示例编辑", waiting
        assert chief.call("POST", "/v1/devices", {"device": his["device"], "name": "编辑的电脑"}).status == 201
        assert editor.works() == 200


def again(server, chief, editor, password, secrets):
    with case("the same browser is known at the next sign-in, also to who signs in there next; another one is not"):
        before = editor.machine()
        editor.sign_in("demo.editor", password, secrets["demo.editor"], later=30)
        assert editor.machine() == before and editor.works() == 200
        editor.sign_in("demo.publisher", password, secrets["demo.publisher"])
        assert editor.machine() == before and editor.works() == 200
        other = Browser(server)
        other.sign_in("demo.review1", password, secrets["demo.review1"])
        assert other.machine() != before and other.works() == 403
    with case("what was made up makes no device known"):
        other.known = editor.known[:-4] + ("AAAA" if editor.known[-4:] != "AAAA" else "BBBB")
        other.sign_in("demo.review2", password, secrets["demo.review2"])
        assert other.works() == 403
    with case("the log has the list, and who was refused where"):
        rows = server.admin("GET", "/v1/audit?action=staff_device.add").json()["records"]
        assert {r["object"] for r in rows} == {f"devices/{chief.machine()}", f"devices/{editor.machine()}"}, rows
        wait_for("the refusal in the log", 20, lambda: any(r["result"] == "unlisted" for r in server.admin("GET", "/v1/audit?action=right.refused").json()["records"]))


def command_line(w, server, site):
    desk = Desk(w, server, {})
    with case("a command line is a device too: refused with its number, listed on the console, then it works"):
        process, letters, _ = desk.login("work")
        assert site.answer(letters, True).status == 204 and process.wait(60) == 0
        refused = desk.run("item", "list", "--profile", "work", "--state", "published", check=False)
        said = refused.stderr.decode()
        assert refused.returncode and "系统管理员" in said, said
        waiting = json.loads(desk.run("devices", "list", "--data", server.data).stdout)["waiting"]
        number = next(x["device"] for x in waiting if x["device"] in said)
        desk.run("devices", "add", "--data", server.data, "--name", "站点管理员的终端", number)
        desk.run("item", "list", "--profile", "work", "--state", "published")
    with case("and it is known when it signs in again"):
        desk.run("logout", "--profile", "work")
        process, letters, _ = desk.login("work")
        assert site.answer(letters, True).status == 204 and process.wait(60) == 0
        desk.run("item", "list", "--profile", "work", "--state", "published")


def mend(w, server, chief, editor):
    with case("who lost his device is let in again on the machine, and the last one off ends the list"):
        stranger = chief.machine()
        w.tjzw("devices", "remove", "--data", server.data, stranger)
        assert chief.call("GET", "/v1/devices").status == 403
        w.tjzw("devices", "add", "--data", server.data, "--name", "机房电脑", stranger)
        assert chief.call("GET", "/v1/devices").status == 200
        assert chief.call("DELETE", f"/v1/devices/{stranger}").status == 409
        for d in chief.call("GET", "/v1/devices").json()["devices"]:
            w.tjzw("devices", "remove", "--data", server.data, d["device"])
        assert editor.works() == 200 and json.loads(w.tjzw("devices", "list", "--data", server.data).stdout)["devices"] == []


def main():
    with World() as w:
        server = w.serve(w.dir / "data", "--demo")
        password, secrets = accounts(server)
        chief, editor, site = Browser(server), Browser(server), Browser(server)
        chief.sign_in("demo.system", password, secrets["demo.system"])
        editor.sign_in("demo.editor", password, secrets["demo.editor"])
        site.sign_in("demo.site", password, secrets["demo.site"])
        lists(chief, editor)
        again(server, chief, editor, password, secrets)
        command_line(w, server, site)
        with case("a restart forgets no list"):
            server.stop()
            server = w.serve(server.data, port=server.port)
            chief.server = editor.server = site.server = server
            assert editor.works() == 200 and site.works() == 403
        mend(w, server, chief, editor)
    return done()


sys.exit(main())
