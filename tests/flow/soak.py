#!/usr/bin/env python3
"""soak.py - two servers under mixed load for a while: one is watched for growth, the other is killed.

    soak.py [MINUTES]       ./dev soak; 10 minutes, or hours
    TJZW_SEED=N soak.py     the same choices again; the seed is printed at the start

Both are under mixed_load.py at a slow pace: editors, imports, takedowns, uploads, phones, open streams. The first has besides: imports
that revise what there is, phones that sync anew, readers that ask as fast as they can, and random frames that no client sends
(tests/attack/noise.py, each conversation from a seed of its own). Once every few seconds the memory, the threads and the open files of its
child are noted. Load makes them rise and fall; a leak raises the least of them: the least of the last third may not be more than a
third above that of the second, when caches are full. The other's child is killed with -9 every few seconds, and its supervisor watched in
the same way. Beside them refresh tokens are exchanged, 100,000 a minute asked for and a million by default, by eight racing clients
whose server is killed all the time (tests/unit/session_race_test.c, which the full test runs with 100,000); and campaigns go out while their server is killed (push_kill_test.py), 500 of
them, however long that takes, fewer only if it is to last less than ten minutes. At the end nothing that was acknowledged is lost, logs are whole, and the phones hold what the servers publish.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import BUILD, ROOT, World, children, clean_env, wait_for
from mixed_load import SETTINGS, Load

sys.path.insert(0, str(ROOT / "tests" / "attack"))
import noise  # noqa: E402

GROWTH, PACE = 4 / 3, 20
LIVES = (2, 20)     # seconds between two kills
ROTATIONS = 100_000     # a minute


def figures(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {"RssAnon KB": int(status["RssAnon"].split()[0]), "threads": int(status["Threads"]), "files": len(os.listdir(f"/proc/{pid}/fd"))}


def forever(until, act):
    def run():
        number = 0
        while time.monotonic() < until:
            act(number)
            number += 1
    thread = threading.Thread(target=run)
    thread.start()
    return thread


class Steady:
    """The one that nothing may end."""

    def __init__(self, w, until):
        self.w, self.server, self.ended_by = w, w.serve(env=SETTINGS), []
        self.pid, self.first = self.server.child, random.getrandbits(30)
        self.load = Load(w, self.server, "steady", PACE).start()
        print(f"random frames from seed {self.first} on", flush=True)
        self.talks = 0
        self.threads = [forever(until, act) for act in (self.write, self.sync_anew, self.read, self.frames)]

    def write(self, n):    # the same 2,000 items again and again, so that nothing but the log grows
        self.w.tjzw("import", "--data", self.w.data, "--publish",
                    self.w.articles(40, name="soak.ndjson", first=random.randrange(1960), mark=str(n)))
        time.sleep(0.5)

    def sync_anew(self, n):
        new = self.w.phone("new", url=self.server.url)
        for _ in range(10):     # a takedown renames objects while they are fetched: the phone says so, and is asked again
            if (said := new.run("sync", "--json", check=False)).returncode == 0:
                break
            assert "内容正在更换".encode() in said.stderr, said.stderr.decode(errors="replace")
        else:
            raise AssertionError("stale ten times")
        new.forget()
        time.sleep(1)

    def read(self, n):
        for target in ("/v1/items?n=50", "/v1/sync/main/head", "/"):
            subprocess.run(["h2load", "-n", "2000", "-c", "20", self.server.url + target], capture_output=True, env=clean_env())
        time.sleep(1)

    def frames(self, n):
        noise.converse(self.server.port, self.first + n)
        self.talks += 1
        if not self.ended_by and (self.server.process.poll() is not None or self.server.child != self.pid):
            self.ended_by.append(self.first + n)
            print(f"random frames ended the server; ./dev attack --seed {self.first + n} tries it again", flush=True)


class Killed:
    """The one that is ended all the time."""

    def __init__(self, w, until):
        self.data, self.kills = w.dir / "killed", 0
        shutil.copytree(w.data, self.data)
        self.server = w.serve(self.data, env=SETTINGS)
        self.load = Load(w, self.server, "killed", PACE).start()
        self.until = until
        self.threads = [forever(until, self.kill)]

    def kill(self, n):
        time.sleep(max(0, min(random.uniform(*LIVES), self.until - time.monotonic())))
        child = wait_for("a child", 30, lambda: (c := children(self.server.process.pid)) and c[-1])
        os.kill(child, signal.SIGKILL)
        self.kills += 1
        wait_for("another child", 60, lambda: children(self.server.process.pid) not in ([], [child]))


def rotations(minutes):
    return subprocess.Popen([BUILD / "tests/unit/session_race_test"], env=clean_env({"TJZW_ROTATIONS": str(int(ROTATIONS * minutes))}))


def pushes(minutes):
    """Each to 2,000 phones, at a pace that lets a kill fall into it."""
    how = {"ROUNDS": int(min(500, 50 * minutes)), "PHONES": 2000, "KILLS": 2, "NEIGHBOURS": 200, "PACE": 1000}
    return subprocess.Popen([sys.executable, ROOT / "tests/flow/push_kill_test.py"],
                            env=clean_env({"TJZW_BUILD": str(BUILD), **{f"TJZW_PUSH_{name}": str(n) for name, n in how.items()}}))


def grown(notes):
    third = len(notes) // 3
    return [name for name in notes[0] if min(n[name] for n in notes[-third:]) > GROWTH * min(n[name] for n in notes[third:2 * third])]


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with World() as w:
        w.tjzw("import", "--data", w.data, "--publish", w.articles(2000))
        until = time.monotonic() + 60 * minutes
        rotating, pushing = rotations(minutes), pushes(minutes)
        killed, steady = Killed(w, until), Steady(w, until)
        notes = {"steady, the server": [], "killed, its supervisor": []}
        while time.monotonic() < until:
            time.sleep(min(5, 60 * minutes / 30))
            for (name, kept), pid in zip(notes.items(), (steady.server.child, killed.server.process.pid)):
                kept.append(figures(pid))
                print(name, kept[-1], flush=True)
        for thread in steady.threads + killed.threads:
            thread.join()
        for town in (steady, killed):
            town.load.stop()
            print(f"{town.load.name}: {town.load.told()}", flush=True)
            town.load.check(town.server)
            town.server.stop()
            assert "NOT" not in w.tjzw("verify", "--data", town.load.data).stdout.decode()
        assert not steady.load.refused and not killed.load.refused, "connections were refused"
    if rotating.poll() is None:
        print("refresh tokens are still exchanged", flush=True)
    rotated = rotating.wait() == 0
    if pushing.poll() is None:
        print("campaigns still go out", flush=True)
    pushed = pushing.wait() == 0
    print(f"{steady.talks} conversations of random frames, {killed.kills} kills")
    bad = [f"{name}: {what}" for name, kept in notes.items() for what in grown(kept)]
    print(f"grew by more than a third: {', '.join(bad)}" if bad else "nothing grew; what was acknowledged is there; phones and servers agree; the logs are whole")
    return 1 if bad or steady.ended_by or not rotated or not pushed else 0


if __name__ == "__main__":
    sys.exit(main())
