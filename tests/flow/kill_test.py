#!/usr/bin/env python3
"""kill -9 at any instant loses nothing that was acknowledged.

Two writers send records to the server's admin socket, a few at a time, and remember what was acknowledged with 200. At a random moment the
server is killed, all of it. After it has come back by an ordinary start: every acknowledged record is published; `tjzw verify` finds the
log whole; the changes are numbered 1, 2, 3 ... without a gap; and every change seen before the kill is still the same change.
"""
import json
import random
import sqlite3
import sys
import threading
import time

from lib import World, article

from tap import case, done, note, rounds

ROUNDS = rounds(100)


class Writer(threading.Thread):
    """Sends records until the server is gone."""

    def __init__(self, server, first):
        super().__init__()
        self.server, self.next, self.acknowledged, self.refused = server, first, [], None
        self.start()

    def run(self):
        while self.refused is None:
            batch = [article(self.next + i, size=600) for i in range(random.randrange(1, 12))]
            self.next += len(batch)
            body = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in batch).encode()
            try:
                answer = self.server.admin("POST", "/v1/import?publish=1&create=1", body, {"content-type": "application/x-ndjson"})
            except OSError:     # http.client's exceptions of a cut connection are OSErrors too
                return
            except Exception as why:    # an answer cut in its middle
                note(f"an answer was cut: {why!r}")
                return
            if answer.status != 200:
                self.refused = answer
            else:
                self.acknowledged += [r["title"] for r in batch]


def changes(w):
    """The log as a reader beside the server sees it: {seq: chain}."""
    db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        return dict(db.execute("SELECT seq, chain FROM change WHERE stream = 1"))
    finally:
        db.close()


def look_whole(w, acknowledged, seen):
    log = changes(w)
    assert sorted(log) == list(range(1, len(log) + 1)), "a seq was skipped"
    for seq, chain in seen.items():
        assert log.get(seq) == chain, f"change {seq} is another one than before the kill"
    published = {json.loads(line)["title"] for line in w.export().splitlines()}
    lost = acknowledged - published
    assert not lost, f"{len(lost)} acknowledged records are lost, such as {sorted(lost)[:3]}"
    return log


def one_round(w, server, number, acknowledged, seen):
    """Two writers, a kill, a start. Returns the new server."""
    writers = [Writer(server, 100_000 * (2 * number + i)) for i in range(2)]
    time.sleep(random.uniform(0.01, 0.5))
    seen.update(changes(w))     # committed before the kill, so it must be there after it
    server.kill()
    for writer in writers:
        writer.join()
        acknowledged.update(writer.acknowledged)
        assert writer.refused is None, f"the import was refused: {writer.refused}"
    server = w.serve()
    seen.update(look_whole(w, acknowledged, seen))
    return server


def main(w):
    acknowledged, seen, slowest = set(), {}, 0.0
    w.tjzw("import", "--data", w.data, "--publish", w.articles(5))
    server = w.serve()
    with case(f"{ROUNDS} rounds of kill -9 during imports lose nothing acknowledged, skip and reuse no seq"):
        for number in range(1, ROUNDS + 1):
            start = time.monotonic()
            server = one_round(w, server, number, acknowledged, seen)
            slowest = max(slowest, time.monotonic() - start)
        note(f"{len(acknowledged)} records acknowledged, {len(seen)} changes, slowest round {slowest:.1f} s")
        assert acknowledged, "no record was acknowledged between the kills"

    with case("the log is whole, and it serves again"):
        said = w.tjzw("verify", "--data", w.data).stdout.decode()
        assert "whole" in said and "NOT" not in said, said
        server.settle()
        phone = w.phone()
        phone.sync()
        assert phone.export() == w.export()

    with case("an import that was cut is finished by the same command"):
        path = w.articles(400, name="cut.ndjson", first=9_000_000)
        cut = threading.Timer(random.uniform(0.05, 0.3), server.kill)
        cut.start()
        w.tjzw("import", "--data", w.data, "--publish", path, check=False)
        cut.join()
        server = w.serve()
        w.tjzw("import", "--data", w.data, "--publish", path)
        published = {json.loads(line)["title"] for line in w.export().splitlines()}
        wanted = {article(9_000_000 + i)["title"] for i in range(400)}
        assert wanted <= published, f"{len(wanted - published)} are missing"
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", w.data).stdout.decode()


with World() as world:
    main(world)
sys.exit(done())
