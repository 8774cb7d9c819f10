#!/usr/bin/env python3
"""A recall while the vendor is slow: nothing leaves later than a second after it, however long its answers take; who may have it is asked to give it back, and who was not sent to is counted as stopped."""
import json
import shutil
import sys
import time

from lib import World, wait_for
from push_city import City, publish

from tap import case, done, note, skip

PHONES = 4000


def begun(city, least):
    """A campaign on its way, its number, and a function that says whose phones its message has come to: what takes it back is another."""
    def had():
        counts = city.farm.counts("apns")
        return {t: n - counts["backs"].get(t, 0) for t, n in counts["tokens"].items()}
    before = had()

    def reached():
        now = had()
        return {t for t in city.tokens if now.get(t, 0) > before.get(t, 0)}
    no = city.scheduled(publish(city), "skip")
    wait_for("some of it", 60, lambda: len(reached()) >= least, every=0.05)
    return no, reached


def recalled(city, no, reached, deadline):
    """How many had it when the recall was answered, and a second later; nobody has it after that."""
    at = time.monotonic()
    city.does("approver1", f"/{no}/recall", text="写错了")
    answered = time.monotonic() - at
    first = reached()
    time.sleep(max(0, 1 - (time.monotonic() - at)))
    within = reached()
    wait_for("the recall", deadline, lambda: city.see(no)["state"] == "recalled", every=0.2)
    after = reached()
    note(f"answered in {answered:.2f} s; {len(first)} had it then, {len(within)} a second after, {len(after)} at the end, of {len(city.tokens)}")
    assert answered < 1, answered
    assert after == within and len(after) < len(city.tokens), (len(within), len(after))
    return after


def adds_up(city, no, after):
    """Who may have it is asked to give it back: those in doubt too, some of whom never had it."""
    report = city.people["push"].call("GET", f"/v1/push/campaigns/{no}/report").json()
    recall, lines = report["recall"], report["transports"]
    became = {what: sum(line["outcomes"].get(what, 0) for line in lines) for what in ("accepted", "doubt", "stopped")}
    assert sum(line["devices"] for line in lines) == report["audience"] == len(city.tokens) == sum(became.values()), report
    assert became["accepted"] <= len(after) <= became["accepted"] + became["doubt"] == recall["of"] == recall["overwritten"] and not recall["waiting"], report


def main():
    with World() as w:
        city = City(w, PHONES)
        try:
            said = city.server.admin("POST", "/v1/columns", json.dumps({"site": "9900000001", "path": "通知公告/推送"}), {"content-type": "application/json"})
            assert said.status == 201, said
            city.column = said.json()["no"]
            for slow_ms, least in ((4000, 300), (500, 1000)):    # between two answers of the same connection's hundreds; and while they come and go all the time
                with case(f"answers take {slow_ms / 1000} seconds: nothing leaves a second after the recall, and all who may have it are asked for it"):
                    city.farm.set("apns", slow_ms=slow_ms)
                    no, reached = begun(city, least)
                    after = recalled(city, no, reached, 240)
                    adds_up(city, no, after)
        finally:
            city.farm.stop()


if shutil.which("node"):
    main()
else:
    skip("a recall while the vendor is slow", "node is not here")
sys.exit(done())
