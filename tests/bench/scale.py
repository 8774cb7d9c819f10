"""scale.py - whether a request costs the same, and how much memory and starting cost, with a thousand items and with a million.

The servers of all sizes run side by side and every round measures each, so that the comparison is of the same minutes. Articles have 600
bytes (800 with their fields), to keep a million of them on a common disk; 200 edits were made to each library. Twice: answers from
memory, and, with the smallest cache and more different answers in turn than it holds, every answer made anew from the database.
"""
import random
import statistics
import time

from measure import ALONE, Row, apply_edits, corpus, import_file, library, measure, origin_ids, rest, rss_anon, say
from speed import LOG, answers, names_of

SIZE = 600
GOAL_FLAT, GOAL_IMPORT, GOAL_START, GOAL_MB, GOAL_BYTES = 10, 3000, 2.0, 64, 200
FROM_MEMORY = (("signed head", "/v1/sync/main/head"), ("catch-up of 200, zstd", LOG + ".zst"), ("item by id", "/v1/items/{item}"),
               ("item list, 20 items", "/v1/items?n=20"))
MADE_ANEW = (("catch-up of 200", LOG), ("item by id", "/v1/items/{item}"), ("item list, 20 items", "/v1/items?n=20"))
ITEMS_ASKED, LISTS_ASKED = 900, 400    # by chance, all over the library


def start_times(w, data, rounds=3):
    times = []
    for _ in range(rounds):
        server = w.start(data, env=ALONE)
        times.append(server.ready(120))
        server.stop(60)
    return statistics.median(times)


def variants(server, data, items, name, path, names):
    """Paths like this one, more than fit into the smallest cache."""
    chance = random.Random(1)
    if name.startswith("catch-up"):    # of 129 to 255 changes: `from` is a multiple of 16
        first = (names["seq"] - 129) // 16 * 16
        return [LOG.format(**{**names, "start": start}) for start in range(first, names["seq"] - 256, -16)]
    if name.startswith("item list"):
        return [f"{path}&until=20{chance.randrange(11, 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}" for _ in range(LISTS_ASKED)]
    some = chance.sample(range(items), min(items, ITEMS_ASKED + 20))
    paths = [f"/v1/items/{one}" for one in origin_ids(data, [f"made-{i}" for i in some]).values()]
    return [p for p in paths if server.get(p).status == 200][:ITEMS_ASKED]    # some were withdrawn


def rows_of(server, data, items, table, anew):
    names = names_of(server, data)
    there, _ = answers(server, table, names)
    rows = []
    for name, path, body, _ in there:
        paths = variants(server, data, items, name, path, names) if anew else [path]
        rows.append(Row(name, server.process.pid, [server.url + p for p in paths], size=len(body)))
    return rows


def side_by_side(w, libraries, table, rounds, requests, env):
    """({items: server}, {items: rows})"""
    servers = {items: w.serve(data, env={**ALONE, **env}) for items, data in libraries.items()}
    for server in servers.values():
        rest(server, 120)
    rows = {items: rows_of(server, libraries[items], items, table, bool(env)) for items, server in servers.items()}
    measure([row for same in zip(*rows.values()) for row in same], rounds, requests)
    return servers, rows


def cost_lines(rows, how, goals):
    lines = []
    for same in zip(*rows.values()):
        costs = [row.cost for row in same]
        spread = 100 * (max(costs) / min(costs) - 1)
        goals.at_most(f"{same[0].name}, {how}: dearest over cheapest size, %", spread, GOAL_FLAT)
        lines.append(f"| {same[0].name}, {how}, CPU µs/request | " + " | ".join(f"{cost:,.1f}" for cost in costs) + " |")
    return lines


def report(w, args, goals):
    sizes = [n for n in (1000, 100_000) if n < args.items] + [args.items]
    libraries = {items: library(w, items, SIZE, f"scale-{items}") for items in sizes}
    lines = ["| items | " + " | ".join(f"{items:,}" for items in sizes) + " |", "|---|" + "---:|" * len(sizes)]
    say("starting")
    starts = {items: start_times(w, data) for items, data in libraries.items()}
    goals.at_most(f"seconds until READY=1 with {sizes[-1]:,} items", starts[sizes[-1]], GOAL_START)
    lines.append("| start to READY=1, s | " + " | ".join(f"{s:.2f}" for s in starts.values()) + " |")
    rates = {}
    for items, data in libraries.items():
        path = corpus.write(w.dir / "more.ndjson", 10_000_000, 5000, 3000)
        n, seconds = import_file(w, path, data)
        rates[items] = n / seconds
        goals.at_least(f"durable items/s imported and published into {items:,}", rates[items], GOAL_IMPORT)
        server = w.serve(data, env=ALONE)
        apply_edits(w, server, data, corpus.edits(items, SIZE))
        server.stop(60)
    lines.append("| import and publish 5,000 more of 3 KB, durable items/s | " + " | ".join(f"{r:,.0f}" for r in rates.values()) + " |")
    say("cost a request, from memory")
    servers, rows = side_by_side(w, libraries, FROM_MEMORY, args.rounds, args.requests, {})
    lines += cost_lines(rows, "from memory", goals)
    time.sleep(2)
    memory = {items: rss_anon(server.child) for items, server in servers.items()}
    for items, mb in memory.items():
        goals.at_most(f"RssAnon at {items:,} items, MB", mb, GOAL_MB + GOAL_BYTES * items / 2 ** 20)
        servers[items].stop(60)
    lines.append("| RssAnon after that, MB | " + " | ".join(f"{mb:.0f}" for mb in memory.values()) + " |")
    say("cost a request, made anew")
    servers, rows = side_by_side(w, libraries, MADE_ANEW, args.rounds, args.requests // 10, {"TJZW_CACHE_SIZE": "1m"})
    lines += cost_lines(rows, "made anew", goals)
    for server in servers.values():
        server.stop(60)
    return lines
