#!/usr/bin/env python3
"""soak.py - a server under mixed load for a while, watched for growth.

    soak.py [MINUTES]       ./dev soak; 10 minutes

All the time: imports that revise and add, phones that sync anew and go on, readers over HTTP/2, and random frames that no client sends
(tests/attack/noise.py). Once every few seconds the memory, the
threads and the open files of the server are noted. Load makes them rise and fall; a leak raises the least of them: the least of the last
third may not be more than a third above that of the second, when caches are full. At the end the log is whole and a phone holds what the
server publishes.
"""
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import ROOT, World, clean_env

sys.path.insert(0, str(ROOT / "tests" / "attack"))
import noise  # noqa: E402

GROWTH = 4 / 3


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


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    until = time.monotonic() + 60 * minutes
    with World() as w:
        w.tjzw("import", "--data", w.data, "--publish", w.articles(2000))
        server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
        going_on = w.phone("on")

        def write(n):    # the same 2,000 items again and again, so that nothing but the log grows
            w.tjzw("import", "--data", w.data, "--publish", w.articles(40, name="soak.ndjson", first=random.randrange(1960), mark=str(n)))
            time.sleep(0.5)

        def phones(n):
            going_on.sync()
            new = w.phone("new")
            new.sync()
            new.forget()

        def read(n):
            for target in ("/v1/items?n=50", "/v1/sync/main/head", "/"):
                subprocess.run(["h2load", "-n", "2000", "-c", "20", server.url + target], capture_output=True, env=clean_env())
            time.sleep(1)

        first, pid, ended_by = random.getrandbits(30), server.child, []

        def frames(n):
            noise.converse(server.port, first + n)
            if not ended_by and (server.process.poll() is not None or server.child != pid):
                ended_by.append(first + n)
                print(f"random frames ended the server; ./dev attack --seed {first + n} tries it again", flush=True)

        threads = [forever(until, act) for act in (write, phones, read, frames)]
        notes = []
        while time.monotonic() < until:
            time.sleep(min(5, 60 * minutes / 30))
            notes.append(figures(server.child))
            print(notes[-1], flush=True)
        for thread in threads:
            thread.join()
        server.settle()
        going_on.sync()
        assert going_on.export() == w.export(), "phone and server differ"
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", w.data).stdout.decode()
    third = len(notes) // 3
    grown = [name for name in notes[0] if min(n[name] for n in notes[-third:]) > GROWTH * min(n[name] for n in notes[third:2 * third])]
    print(f"grew by more than a third: {', '.join(grown)}" if grown else "nothing grew; phone and server agree; the log is whole")
    return 1 if grown or ended_by else 0


if __name__ == "__main__":
    sys.exit(main())
