#!/usr/bin/env python3
"""A campaign to thousands of phones while the server is killed again and again: of every device it is known what became of it, and the vendor's own count agrees.

    skip      nobody gets it twice, and nobody is lost but in doubt
    resend    everybody gets it; twice only who is noted as sent again

Whatever the policy, it is once in every inbox of those on its list, once on the screen of a phone that watches, and who listens to server-sent events is told no head twice.

    TJZW_PUSH_ROUNDS, _PHONES, _KILLS, _NEIGHBOURS, _PACE     another number of each (./dev soak); pace: devices a second, 0 as many as the vendor takes
"""
import json
import os
import random
import shutil
import sqlite3
import statistics
import sys
import time

from lib import World, wait_for
from push_city import City, publish
from push_watch import Listener, Screen

from tap import Skip, case, done, note, rounds, skip

PHONES, ROUNDS, KILLS, NEIGHBOURS, PACE = (int(os.environ.get(f"TJZW_PUSH_{name}", usual)) for name, usual in
                                           (("PHONES", rounds(100000, 8000)), ("ROUNDS", rounds(50, 2)), ("KILLS", 6), ("NEIGHBOURS", 2000), ("PACE", 0)))
LASTS = PHONES / (PACE or 5000)     # seconds; push/limit.def: of Apple's 5,000 a second
ACCEPTED, DOUBT = 1, 6
CALM = 4.0                  # processes a core that want to run
AT_ONCE = 2 * 4 * 100       # devices that one blow may leave in doubt: four batches on their way, and as many whose answers are not written yet


def sent(city):
    return city.farm.ask("/_sums").get("apns", 0)


def kill_and_restart(city, no):
    """Seconds until the next message leaves, since it was ready and since its start, and how busy the machine is; None if nothing was left to send."""
    city.restart(city.server.kill)
    before, ready = sent(city), time.monotonic()
    while city.see(no)["state"] == "running":
        if sent(city) > before:
            now = time.monotonic()
            return now - ready, now - city.server.started, os.getloadavg()[0] / os.cpu_count()
        assert time.monotonic() < ready + 60, "a minute after a restart nothing has left"
        time.sleep(0.02)
    return None


def judge(city, no, before, doubt, blows=KILLS):
    became, resent = city.outcomes(no)
    after = city.delivered()
    assert set(became) == set(city.device), f"{len(became)} of {len(city.device)} have an outcome"
    report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    for device, token in city.device.items():
        got = after.get(token, 0) - before.get(token, 0)
        if became[device] == ACCEPTED:
            assert got >= 1, f"accepted and never delivered: {device}"
        if got > 1:
            assert doubt == "resend" and device in resent, f"{device} got it {got} times and is not noted"
        assert got or became[device] == DOUBT, f"{device}: {became[device]}"
        assert not got and device not in resent or became[device] in (ACCEPTED, DOUBT), f"{device} may have it, and nobody would ask for it back: {became[device]}"
        assert doubt == "skip" or became[device] != DOUBT or device in resent, f"{device} is in doubt and was not sent again"
    doubtful = sum(1 for what in became.values() if what == DOUBT)
    assert doubtful <= blows * AT_ONCE and len(resent) <= blows * AT_ONCE, (doubtful, len(resent))
    note(f"{doubt}: {len(became)} devices, {doubtful} in doubt, {len(resent)} sent again, report {json.dumps(report)[:160]}")
    return doubtful


class Watched:
    """What those have who are not reached by a vendor, and how often the server was slow to go on."""

    def __init__(self, w, city):
        self.city, self.screen, self.listener, self.titles = city, Screen(w, city.server, "13800000003"), Listener(city.server.port), []
        city.people_of_the_list.append(self.screen.account)
        self.before = city.inboxes()
        self.first, self.nothing_left = [], 0

    def took(self, seconds):
        if seconds:
            self.first.append(seconds)
        else:
            self.nothing_left += 1

    def title(self):
        self.titles.append(f"示例：第{len(self.titles) + 1}次停水")
        return self.titles[-1]

    def once_in_each_inbox(self):
        now = self.city.inboxes()
        wrong = {account: n - self.before[account] for account, n in now.items() if n - self.before[account] != len(self.titles)}
        assert not wrong, (len(self.titles), len(wrong), list(wrong.items())[:5])

    def once_on_the_screen(self):
        wait_for(f"the last is on the screen, at the second poll at the latest: {self.screen.lines[-5:]}", 150, lambda: self.screen.shown(self.titles[-1]), every=0.2)
        wrong = {title: n for title in self.titles if (n := self.screen.shown(title)) != 1}
        assert not wrong, wrong

    def no_head_twice(self):
        seq = self.city.server.settle()["seq"]
        wait_for("it is told the newest head", 30, lambda: self.listener.heads[-1][0] >= seq)
        heard = [name for _, name in self.listener.heads]
        assert len(set(heard)) == len(heard) > len(self.titles), (len(set(heard)), len(heard))
        assert [s for s, _ in self.listener.heads] == sorted(s for s, _ in self.listener.heads)

    def stop(self):
        self.listener.stop()
        self.screen.stop()


def one_round(city, item, doubt, watched):
    before = city.delivered()
    no = city.scheduled(item, doubt, watched.title(), pace=PACE)
    for _ in range(KILLS):
        if city.see(no)["state"] != "running":
            wait_for("it runs or is through", 20, lambda: city.see(no)["state"] in ("running", "done"))
        if city.see(no)["state"] == "done":
            break
        time.sleep(random.uniform(0, max(0.4, 1.5 * LASTS / KILLS)))
        watched.took(kill_and_restart(city, no))
    wait_for("all of it", 600, lambda: city.see(no)["state"] == "done", every=0.1)
    wait_for("the inboxes", 120, lambda: city.inbox_over(no), every=0.1)
    return judge(city, no, before, doubt)


def session_killed(city, doubt, watched):
    """The vendor ends the connection after every 2,000 requests; the server lives."""
    before = city.delivered()
    city.farm.set("apns", kill_every=2000, how="destroy")
    no = city.scheduled(publish(city), doubt, watched.title())
    wait_for("all of it", 600, lambda: city.see(no)["state"] == "done", every=0.1)
    city.farm.set("apns")
    wait_for("the inboxes", 120, lambda: city.inbox_over(no), every=0.1)
    return judge(city, no, before, doubt, -(-PHONES // 2000))


def recalled_in_the_middle(city, item):
    """Who has it a second after the recall is all who ever gets it; and they are asked to give it back."""
    before = city.delivered()

    def reached():
        now = city.delivered()    # the tester's is none of them
        return {t for t in city.tokens if now.get(t, 0) > before.get(t, 0)}
    no = city.scheduled(item, "skip", pace=400)
    wait_for("some of it", 60, lambda: len(reached()) >= 100)
    city.does("approver1", f"/{no}/recall", text="写错了")
    time.sleep(1)
    within = reached()
    wait_for("the recall", 120, lambda: city.see(no)["state"] == "recalled", every=0.1)
    after = reached()
    assert after == within and len(after) < len(city.tokens), (len(within), len(after))
    report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    recall = report["recall"]
    assert recall["overwritten"] == recall["of"] == len(after) and not recall["waiting"], (recall, len(after))
    assert sum(t["devices"] for t in report["transports"]) == report["audience"] == len(city.tokens), report
    note(f"recalled after {len(after)} of {len(city.tokens)}")


def tomorrow_noon(city):
    """A device gets three of the class a day: each round is another campaign day."""
    with sqlite3.connect(f"{city.data}/tjzw.db") as db:
        db.execute("UPDATE push_outcome SET day = day - 1")


def killed(city, watched):
    for doubt in ("skip", "resend"):
        with case(f"{PHONES} phones, killed {KILLS} times in each of {ROUNDS // 2 or 1} rounds, {doubt}: nobody is lost, twice only who is noted"):
            doubtful = 0
            for _ in range(ROUNDS // 2 or 1):
                doubtful += one_round(city, publish(city), doubt, watched)
                city.restart(city.server.stop)
                tomorrow_noon(city)
            assert doubtful < PHONES * (ROUNDS // 2 or 1), "all are in doubt: then nothing is shown of the others"
    for doubt in ("skip", "resend"):
        with case(f"Apple ends the connection every 2,000 requests, {doubt}: nobody is lost, twice only who is noted"):
            session_killed(city, doubt, watched)
            city.restart(city.server.stop)
            tomorrow_noon(city)
    with case(f"each of them is once in each of {len(city.people_of_the_list)} inboxes"):
        watched.once_in_each_inbox()
    with case("each is once on the screen of a phone that watched all the time"):
        watched.once_on_the_screen()
    with case("who listens is told no head twice, and the newest"):
        watched.no_head_twice()
        note(f"{len(watched.listener.heads)} heads")


def goes_on_at_once(watched):
    """On a machine that has nothing better to do: of one that has, it is noted and no more."""
    ready, start, busy = zip(*watched.first)
    calm = [took for took, load in zip(ready, busy) if load <= CALM]
    note(f"{len(ready)} restarts with something left, {watched.nothing_left} with nothing: median {statistics.median(ready):.2f} s, worst {max(ready):.2f} s;"
         f" from the start of the process median {statistics.median(start):.2f} s, worst {max(start):.2f} s; a load of up to {max(busy):.1f} a core")
    with case(f"the first message leaves within two seconds of being ready again, each of {len(calm)} times"):
        if not calm:
            raise Skip(f"the machine is busy, by {min(busy):.1f} processes a core and more")
        assert max(calm) < 2


def main():
    with World() as w:
        city = City(w, PHONES, NEIGHBOURS)
        try:
            said = city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"})
            assert said.status == 201, said
            city.column, watched = said.json()["no"], Watched(w, city)
            try:
                killed(city, watched)
            finally:
                watched.stop()
            with case("a recall in the middle: nobody gets it later than a second after, and who has it is asked to give it back"):
                recalled_in_the_middle(city, publish(city))
            goes_on_at_once(watched)
        finally:
            city.farm.stop()


if shutil.which("node"):
    main()
else:
    skip("a push while the server is killed", "node is not here")
sys.exit(done())
