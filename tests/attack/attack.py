#!/usr/bin/env python3
"""attack.py - every attack we know, against a server of ours, while somebody else is served.

    attack.py [--short] [--only WORD ...]       ./dev attack: a line a case, and whether all hold, the p99 of those who are served included
    attack.py --control                         the same program with its guard off: what libh2o alone fails must FAIL, or we prove nothing
    attack.py --write                           both, and the table goes into docs/security/http2.md
    attack.py --seed N                          one conversation of random frames again (noise.py), until it shows or 20 times
    attack.py --minutes N                       random frames only, minute by minute; ./dev soak has them beside a load
    attack.py --against FILE                    another executable than build/tjzw

--short is what ./dev test runs: without the cases that wait for a minute, and with few random frames.

Cases stand in tables: h2_cases.py, h1_cases.py, tls_cases.py, proxy_cases.py, hoard_cases.py, slow_cases.py. What must hold beside each of them is in arena.py. A path of small packets
is made twice: by the client's own segment size, and in a network of its own (a namespace with an MTU of 1500) where the machine allows one.
"""
import argparse
import dataclasses
import fcntl
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import h1_cases
import h2_cases
import hoard_cases
import noise
import proxy_cases
import slow_cases
import tls_cases
from arena import P99_MAX, Arena, Case, Row, lib
from report import tell, write

ARTICLES = 60
NOISE = {"short": 4, "full": 60}    # seconds
MTU = 1500


def random_frames(seconds):
    def act(stage):
        first = random.getrandbits(30)
        tried, bad = noise.search(stage.arena, first, seconds)
        stage.note(f"{tried} conversations from seed {first}")
        assert bad is None, f"the server ended; ./dev attack --seed {bad} tries it again ({stage.arena.last_words()})"
    return Case("random frames", f"{seconds} s of conversations that are nearly right", "M20", "the server lives",
                act, libh2o_fails=True)


def in_a_network_of_its_own(seconds):
    """What needs small packets, without our client's help."""
    exact = [h2_cases.exact_window(opening, None) for opening in (h2_cases.by_window_update, h2_cases.by_settings)]
    noisy = random_frames(seconds)
    return [Case("exact window, MTU 1500", "as above, in a network of its own", "M1", "no assertion, answers whole",
                 exact[0], libh2o_fails=True),
            Case("exact window by SETTINGS, MTU 1500", "as above, in a network of its own", "M1",
                 "no assertion, answers whole", exact[1], libh2o_fails=True),
            dataclasses.replace(noisy, name="random frames, MTU 1500")]


def groups(length):
    return {
        "HTTP/2": h2_cases.CASES + [random_frames(NOISE[length])],
        "HTTP/1 and TLS": h1_cases.CASES + tls_cases.CASES,
        "Who asks": proxy_cases.CASES,
        "Answers that nobody reads": hoard_cases.CASES,
        "Small packets": in_a_network_of_its_own(NOISE[length]),
        "Slow ones, and many": [c for c in slow_cases.CASES if length == "full" or not c.full] + slow_cases.CROWDS,
    }


# ---- running ----
class Run:
    """All cases against one executable."""

    def __init__(self, length, only, executable=None):
        self.length, self.only = length, only
        self.executable = Path(executable or lib.BUILD / "tjzw").resolve()
        self.settings = ""

    def wanted(self, cases):
        return [c for c in cases if not self.only or any(word in c.name for word in self.only)]

    def all(self):
        """{group: rows}"""
        lib.TJZW = self.executable
        tables, rows = groups(self.length), {}
        with lib.World() as world:
            self.settings = world.tjzw("print-conf").stdout.decode()
            world.tjzw("import", "--data", world.data, "--publish", world.articles(ARTICLES))
            *quick, small, slow = tables
            crawl = threading.Thread(target=lambda: rows.__setitem__(slow, self.slow(world)))
            if self.length == "short":      # they mostly wait
                crawl.start()
            for i, name in enumerate(quick):
                rows[name] = self.quick(world, self.wanted(tables[name]), 100 * i)
            rows[small] = self.small_packets(self.wanted(tables[small]))
            if self.length == "full":
                crawl.start()
            crawl.join()
        return {name: rows.get(name, []) for name in tables}

    def quick(self, world, cases, number):
        """One after the other on one server; who needs settings or ends the server has another."""
        rows, shared = [], None
        for case in cases:
            number += 1
            if case.needs and f"\n{case.needs}:" not in self.settings:
                rows.append(Row(case, skipped=f"this program has no setting {case.needs}"))
            elif case.ends or case.env:
                place = Arena(world, case.env).open()
                rows.append(place.judge(case, number))
                place.close()
            else:
                shared = shared or Arena(world).open()
                rows.append(shared.judge(case, number))
            tell(rows[-1])
        if shared:
            shared.close()
        return rows

    def slow(self, first):
        """In a directory of its own, for it may run beside the quick ones."""
        with lib.World() as world:
            shutil.copytree(first.data, world.data)
            return self.slow_in(world)

    def slow_in(self, world):
        crowds = self.wanted(slow_cases.CROWDS)
        cases = self.wanted([c for c in groups(self.length)["Slow ones, and many"] if c not in slow_cases.CROWDS])
        rows = []
        if cases:
            arena = Arena(world).open()
            rows = arena.together(cases, "all the slow ones")
            arena.close()
            for row in rows:
                tell(row)
        return rows + self.quick(world, crowds, 400)

    def small_packets(self, cases):
        """This script again, in a namespace."""
        if not cases:
            return []
        for enter in (["unshare", "-n"], ["unshare", "-r", "-n"]):
            if not_there(enter):
                continue
            done = subprocess.run([*enter, sys.executable, __file__, "--small-packets", "--against", str(self.executable), "--only",
                                   *[c.name for c in cases], *(["--short"] if self.length == "short" else [])],
                                  capture_output=True, text=True, env=dict(os.environ, TJZW_BUILD=str(lib.BUILD)))
            found = {r["name"]: r for r in (json.loads(x[4:]) for x in done.stdout.splitlines() if x.startswith("ROW "))}
            rows = [Row(c, **{k: v for k, v in found[c.name].items() if k != "name"}) if c.name in found
                    else Row(c, failures=[f"it was not tried: {done.stderr[-300:]}"]) for c in cases]
            break
        else:
            rows = [Row(c, skipped="this machine allows no network namespace") for c in cases]
        for row in rows:
            tell(row)
        return rows

    def inside(self):
        """In the namespace: loopback up, with the MTU of the street."""
        name = struct.pack("16si", b"lo", MTU)
        with socket.socket() as s:
            fcntl.ioctl(s, 0x8922, name)                                    # SIOCSIFMTU
            fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up, running
        lib.TJZW = self.executable
        with lib.World() as world:
            world.tjzw("import", "--data", world.data, "--publish", world.articles(ARTICLES))
            for row in self.quick(world, self.wanted(in_a_network_of_its_own(NOISE[self.length])), 300):
                told = {f.name: getattr(row, f.name) for f in dataclasses.fields(row) if f.name != "case"}
                print("ROW " + json.dumps({"name": row.case.name, **told}), flush=True)


def not_there(enter):
    try:
        return subprocess.run([*enter, "true"], capture_output=True).returncode != 0
    except OSError:
        return True


def bare():
    """The same program with its guard off, which only the tests have."""
    for path in (lib.BUILD / "tests" / "attack" / "tjzw-bare", lib.BUILD / "tjzw-bare"):
        if path.exists():
            return path
    sys.exit("there is no tjzw-bare in the build: the control cannot be run (--against FILE --control names another)")


# ---- verdicts ----
def verdict(rows):
    """The number of the wrong."""
    every = [r for group in rows.values() for r in group]
    bad, late = [r for r in every if r.failures], [r for r in every if r.p99 is not None and r.p99 > P99_MAX]
    print(f"{sum(r.good for r in every)} attacks withstood, {len(bad)} not, {sum(bool(r.skipped) for r in every)} not tried")
    if late:
        print(f"the honest client's p99 was above {P99_MAX} ms beside " + ", ".join(f"{r.case.name} ({r.p99:.0f} ms)" for r in late) +
              f"; the machine has {os.cpu_count()} cores, and its load was {os.getloadavg()[0]:.0f}")
    return len(bad) + len(late)


def control_verdict(rows):
    every = [r for group in rows.values() for r in group if r.case.libh2o_fails and not r.skipped]
    held = [r.case.name for r in every if not r.fell]       # an answer that came late to somebody else proves nothing
    print(f"without the guard {len(every) - len(held)} of the {len(every)} that must fail do" +
          (f"; these do not: {', '.join(held)}" if held else ""))
    return len(held)


def replay(executable, seed, rounds=20):
    lib.TJZW = Path(executable or lib.BUILD / "tjzw").resolve()
    with lib.World() as world:
        world.tjzw("import", "--data", world.data, "--publish", world.articles(ARTICLES))
        arena = Arena(world).open()
        for n in range(rounds):
            noise.converse(arena.port, seed)
            if not arena.alive():
                print(f"seed {seed} ended the server at try {n + 1}: {arena.last_words()}")
                arena.close()
                return 1
        arena.close()
    print(f"seed {seed}: the server lives after {rounds} tries")
    return 0


def long_noise(executable, minutes):
    lib.TJZW = Path(executable or lib.BUILD / "tjzw").resolve()
    with lib.World() as world:
        world.tjzw("import", "--data", world.data, "--publish", world.articles(ARTICLES))
        arena, wrong, left = Arena(world).open(), 0, 60 * minutes
        while left > 0:     # minute by minute: others are served in each, and what it took is given back
            row = arena.judge(random_frames(round(min(60, left))), 1)
            tell(row)
            wrong += bool(row.failures)
            left -= 60
        arena.close()
    return wrong > 0


def main():
    args = argparse.ArgumentParser(description="Attacks a server; see the top of this file.")
    for word in ("short", "write", "control", "small-packets"):
        args.add_argument(f"--{word}", action="store_true")
    args.add_argument("--against")
    args.add_argument("--only", nargs="*", default=[])
    args.add_argument("--seed", type=int)
    args.add_argument("--minutes", type=float)
    args = args.parse_args()
    length = "short" if args.short else "full"
    if args.seed is not None:
        return replay(args.against, args.seed)
    if args.minutes:
        return long_noise(args.against, args.minutes)
    if args.small_packets:
        return Run(length, args.only, args.against).inside()
    if args.control:
        return control_verdict(Run(length, args.only, args.against or bare()).all()) > 0
    rows = Run(length, args.only, args.against).all()
    wrong = verdict(rows)
    if args.write:
        print("the same without the guard:")
        alone = Run(length, args.only, bare()).all()
        wrong += control_verdict(alone)
        write(rows, alone)
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
