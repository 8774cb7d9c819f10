#!/usr/bin/env python3
"""A campaign to thousands of phones while the server is killed again and again: of every device it is known what became of it, and the vendor's own count agrees.

    skip      nobody gets it twice, and nobody is lost but in doubt
    resend    everybody gets it; twice only who is noted as sent again
"""
import json
import random
import shutil
import sqlite3
import sys
import time

from lib import World, wait_for
from push_city import City, publish

from tap import case, done, note, rounds, skip

PHONES, ROUNDS, KILLS = rounds(100000, 8000), rounds(50, 2), 6
ACCEPTED, DOUBT = 1, 6


def sent(city):
    return city.farm.ask("/_sums").get("apns", 0)


def kill_and_restart(city):
    """Seconds from being ready to the next message that leaves, or None if none is left."""
    city.restart(city.server.kill)
    before, ready = sent(city), time.monotonic()
    while time.monotonic() < ready + 10:
        if sent(city) > before:
            return time.monotonic() - ready
        time.sleep(0.02)
    return None


def judge(city, no, before, doubt):
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
    note(f"{doubt}: {len(became)} devices, {doubtful} in doubt, {len(resent)} sent again, report {json.dumps(report)[:160]}")
    return doubtful


def one_round(city, item, doubt, first):
    before = city.delivered()
    no = city.scheduled(item, doubt)
    for _ in range(KILLS):
        if city.see(no)["state"] != "running":
            wait_for("it runs or is through", 20, lambda: city.see(no)["state"] in ("running", "done"))
        time.sleep(random.uniform(0, 0.4))
        took = kill_and_restart(city)
        if took is not None:
            first.append(took)
    wait_for("all of it", 600, lambda: city.see(no)["state"] == "done", every=0.1)
    return judge(city, no, before, doubt)


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


def main():
    with World() as w:
        city = City(w, PHONES)
        try:
            said = city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"})
            assert said.status == 201, said
            city.column, first = said.json()["no"], []
            for doubt in ("skip", "resend"):
                with case(f"{PHONES} phones, killed {KILLS} times in each of {ROUNDS // 2 or 1} rounds, {doubt}: nobody is lost, twice only who is noted"):
                    doubtful = 0
                    for _ in range(ROUNDS // 2 or 1):
                        doubtful += one_round(city, publish(city), doubt, first)
                        city.restart(city.server.stop)
                        tomorrow_noon(city)
                    assert doubtful < PHONES * (ROUNDS // 2 or 1), "all are in doubt: then nothing is shown of the others"
            with case("a recall in the middle: nobody gets it later than a second after, and who has it is asked to give it back"):
                recalled_in_the_middle(city, publish(city))
            with case("the first message leaves within two seconds of being ready again"):
                assert first
                note(f"{len(first)} restarts with something left: median {sorted(first)[len(first) // 2]:.2f} s, worst {max(first):.2f} s")
                assert max(first) < 2
        finally:
            city.farm.stop()


if shutil.which("node"):
    main()
else:
    skip("a push while the server is killed", "node is not here")
sys.exit(done())
