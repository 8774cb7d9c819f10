"""behind.py - what a phone pays that is 1, 100, 10,000 or 300,000 changes behind, and one from before a restore.

Articles of 600 bytes, 10,000 of them and with --items 1000000 a million; the changes are updates of articles by chance. Each phone is a
copy of one that has all; after each step the server rests (at most two minutes), then the phone goes on and, from 10,000 on, a new phone
makes a first sync of the same state. "of a first sync" is bytes over bytes.

Before a restore: a backup was made, 100 changes came, a phone took them, the backup was restored, 10 other changes came.
"""
import shutil

from measure import ALONE, corpus, import_file, library, rest, say

SIZE, STEPS, NEW_FROM, REST = 600, (1, 100, 10_000, 300_000), 10_000, 120
GOAL = 1.25


def update(w, data, items, first, n, name):
    """n updates of articles by chance; `first` names them."""
    chance = corpus.random.Random(f"behind {first}")
    path = w.dir / "updates.ndjson"
    with open(path, "w") as out:
        for i in range(n):
            out.write(corpus.line(corpus.article(chance.randrange(items), SIZE, mark=f"{name}{first + i}")))
    import_file(w, path, data)
    path.unlink()


def first_sync(w, name):
    phone = w.phone(name)
    said = phone.sync(timeout=1800)
    return phone, said


def row(items, what, said, first):
    ratio = said["bytes_down"] / first["bytes_down"]
    return f"| {items:,} | {what} | {said['requests']} | {said['bytes_down'] / 1000:,.1f} | {said['ms']:,} | {ratio:.2f} |", ratio


def behind(w, items, goals):
    data = w.data = library(w, items, SIZE, f"behind-{items}")
    server = w.serve(data, env=ALONE)
    rest(server, REST)
    base, first = first_sync(w, f"base-{items}")
    lines, done, phones = [row(items, "first sync", first, first)[0]], 0, []
    for step in STEPS:
        say(f"{step:,} behind, {items:,} items")
        update(w, data, items, done, step - done, "u")
        done = step
        server.settle(1800)    # heads wait for objects
        rest(server, REST)
        said = base.copy(f"{items}-{step}").sync(timeout=1800)
        if step >= NEW_FROM:
            first = first_sync(w, f"new-{items}-{step}")[1]
            lines.append(row(items, f"first sync after {step:,} changes", first, first)[0])
        line, ratio = row(items, f"{step:,} changes behind", said, first)
        lines.append(line)
        goals.at_most(f"{step:,} changes behind at {items:,} items, of a first sync's bytes", ratio, GOAL)
        phones.append(f"{items}-{step}")
    assert w.phone(phones[-1]).export() == w.export(data), "the phone does not hold what the server publishes"
    server.stop(60)
    shutil.rmtree(data)
    return lines


def before_restore(w, items, goals):
    data, again = library(w, items, SIZE, f"lost-{items}"), w.dir / f"restored-{items}"
    w.data = data
    server = w.serve(data, env=ALONE)
    rest(server, REST)
    w.tjzw("backup", "--data", data, w.dir / f"backup-{items}")
    update(w, data, items, 0, 100, "lost")
    server.settle(1800)    # after a restore objects are made first
    phone, first = first_sync(w, f"restored-{items}")
    server.stop(60)
    shutil.rmtree(data)
    w.tjzw("restore", "--data", again, w.dir / f"backup-{items}", timeout=1800)
    server = w.serve(again, env=ALONE)
    update(w, again, items, 0, 10, "new")
    server.settle(1800)    # after a restore objects are made first
    rest(server, REST)
    phone.url, phone.args = server.url, ["--cacert", w.certificate(again)]
    said = phone.sync(timeout=1800)
    assert phone.export() == w.export(again), "the phone does not hold what the restored server publishes"
    server.stop(60)
    line, ratio = row(items, "100 changes that a restore took back, 10 others since", said, first)
    goals.at_most(f"a phone from before a restore at {items:,} items, of a first sync's bytes", ratio, GOAL)
    return [line]


def report(w, args, goals):
    lines = ["| items | phone | requests | KB down | ms | of a first sync |", "|---:|---|---:|---:|---:|---:|"]
    for items in sorted({10_000, *([args.items] if args.items >= 1_000_000 else [])}):
        lines += behind(w, items, goals)
        lines += before_restore(w, items, goals)
    return lines
