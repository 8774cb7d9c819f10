#!/usr/bin/env python3
"""Another program takes over under everything at once (mixed_load.py), on the same sockets, and nobody is refused.

Nobody: no connection is refused, none that was taken in ends without a byte for its first request, and no request that
had begun is cut. What was acknowledged before and after is there in the end.
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

from lib import TJZW, World, children, wait_for
from mixed_load import SETTINGS, Load

from tap import case, done, note, rounds

UPGRADES = rounds(200, 20)


def serving_child(server):
    return wait_for("a child", 10, lambda: (c := children(server.process.pid)) and c[-1])


def upgrade(w, server, place):
    """Puts a copy of the program in its place; milliseconds until that serves."""
    child, pid, newer = serving_child(server), server.process.pid, w.dir / "newer"
    # by another process: a phone that is just being forked would hold our file open for writing, and nobody may execute it then
    subprocess.run(["cp", place, newer], check=True)
    os.replace(newer, place)
    inode, again = place.stat().st_ino, server.log.read_text(errors="replace").count('"event":"serves_again"')
    start = time.monotonic()
    server.process.send_signal(signal.SIGUSR2)
    wait_for("the new program", 60, lambda: server.log.read_text(errors="replace").count('"event":"serves_again"') > again, 0.005)
    took = 1000 * (time.monotonic() - start)
    assert serving_child(server) != child and os.stat(f"/proc/{serving_child(server)}/exe").st_ino == inode
    assert server.process.poll() is None and os.stat(f"/proc/{pid}/exe").st_ino == inode
    return took


with World() as w:
    place = w.dir / "program"
    shutil.copy(TJZW, place)
    w.tjzw("import", "--data", w.data, "--publish", w.articles(500))
    server = w.serve(env={**SETTINGS, "TJZW_LOG_LEVEL": "info"}, program=place)

    with case("a program that does not run is not taken for ours"):
        child = serving_child(server)
        good = w.dir / "good"
        shutil.copy(place, good)
        (w.dir / "bad").write_text("#!/bin/false\n")
        (w.dir / "bad").chmod(0o755)
        os.replace(w.dir / "bad", place)
        server.process.send_signal(signal.SIGUSR2)
        wait_for("the refusal", 10, lambda: '"event":"not_upgraded"' in server.said())
        assert serving_child(server) == child and server.get("/v1/sync/main/head").status == 200
        os.replace(good, place)

    load = Load(w, server).start()
    with case(f"{UPGRADES} upgrades under mixed load: the program on the disk takes over, and nobody is refused"):
        took = []
        for _ in range(UPGRADES):
            time.sleep(0.3)
            took.append(upgrade(w, server, place))
            load.look()
        note(f"the next program served after {statistics.median(took):.0f} ms (median), {max(took):.0f} ms (worst)")
        assert not load.refused, f"{len(load.refused)} connections were refused"
        assert not load.sent_away, f"{len(load.sent_away)} of {load.answers} were sent away: {load.sent_away[:5]}"

    with case("what was acknowledged before, between and after is there, once"):
        load.stop()
        note(load.told())
        load.check(server)
        server.stop()

sys.exit(done())
