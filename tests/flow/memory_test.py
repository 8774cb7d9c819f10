#!/usr/bin/env python3
"""What the server needs while it is fed and builds: 64 MB and 200 bytes an item, however many changes there were."""
import random
import sys
import threading
import time

from lib import World
from soak import figures

from tap import case, done, note

ITEMS, CHANGES, BATCH = 2000, 6000, 500
BOUND_KB = 64 << 10


def fed(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS))
    server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
    seen, over = [], threading.Event()

    def watch():
        while not over.is_set():
            seen.append(figures(server.child)["RssAnon KB"])
            time.sleep(0.02)
    watcher = threading.Thread(target=watch)
    watcher.start()
    with case("imports and the builds after them stay below the bound"):
        try:
            for n in range(CHANGES // BATCH):
                w.tjzw("import", "--data", w.data, "--publish", w.articles(BATCH, name="more.ndjson", first=random.randrange(ITEMS - BATCH), mark=str(n)))
            time.sleep(2)   # what is joined at leisure
        finally:
            over.set()
            watcher.join()
        note(f"RssAnon at most {max(seen) >> 10} MB in {len(seen)} looks, {seen[-1] >> 10} MB in the end")
        assert max(seen) < BOUND_KB + ITEMS * 200 // 1024, max(seen)
    server.stop()


with World() as w:
    fed(w)
sys.exit(done())
