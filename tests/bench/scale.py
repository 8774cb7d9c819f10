"""scale.py - whether a request costs the same, and how much memory and starting cost, with a thousand items and with a million.

The servers of all sizes run side by side and every round measures each, so that the comparison is of the same minutes. Articles have 600
bytes (800 with their fields), to keep a million of them on a common disk; 5,000 of 3 KB were imported into each library (a few more where the
last 200 changes would not begin at a multiple of 16, as catch-ups do), and 200 edits made, before anything is asked. Twice: answers from memory, and, with the smallest cache and more different answers in turn than it holds, every
answer made anew from the database: by one client, because many would share what is being made, and how many were made is counted. Of
tiles and of .dz a small library has fewer than that, so catch-ups are asked between them, as many for every size. A cover is always in
memory. Objects cost by their bytes: of each library that base is asked which is most like the others in length, and its cost is of 100 KB.
A cover has more bytes the more items there are, up to some KB, and is asked twice: whole, beside its bytes, and as many bytes of each, which
is what has the goal.

What comes from memory is what phones and readers cost, and has a goal. What is made anew has none: a library of a thousand items lies in
SQLite's own pages, and of a million five reads a record go to the system's.
"""
import random
import statistics
import time

from measure import ALONE, CLIENTS, Row, apply_edits, corpus, import_file, library, measure, origin_ids, rest, rss_anon, say
from speed import LOG, answers, names_of

SIZE = 600
GOAL_FLAT, GOAL_IMPORT, GOAL_START, GOAL_MB, GOAL_BYTES = 10, 3000, 2.0, 64, 200
MORE = 5000            # imported into each, and published
OBJECT, COVER, TILE = "/v1/sync/main/object/{object}.zst", "/v1/sync/main/cover/{epoch}.{seq}", "/v1/sync/main/tile/{tile}"
RECORD = "/v1/sync/main/item/{epoch}/{place}"
WHOLE_COVER, PART_OF_COVER, PART = "cover", "cover, its first 1,024 bytes", "range: bytes=0-1023"
FROM_MEMORY = (("signed head", "/v1/sync/main/head"), ("heads, as polled", "/v1/sync/heads/main"), ("catch-up of 200, zstd", LOG + ".zst"),
               ("catch-up of 200, dz", LOG + ".dz"), (WHOLE_COVER, COVER), (PART_OF_COVER, COVER), ("object, 100 KB of a base, zstd", OBJECT),
               ("tile", TILE), ("one record", RECORD), ("item by id", "/v1/items/{item}"), ("item list, 20 items", "/v1/items?n=20"))
MADE_ANEW = (("catch-up of 200", LOG), ("catch-up of 200, dz", LOG + ".dz"), ("object, 100 KB of a base, zstd", OBJECT), ("tile", TILE),
             ("one record", RECORD), ("item by id", "/v1/items/{item}"), ("item list, 20 items", "/v1/items?n=20"))
DZ_ASKED = 400         # in a round: one takes some milliseconds to make
TILES_ASKED = 80       # every size has so many of 64 items
ITEMS_ASKED, LISTS_ASKED = 900, 400    # by chance, all over the library


def start_times(w, data, rounds=3):
    times = []
    for _ in range(rounds):
        server = w.start(data, env=ALONE)
        times.append(server.ready(120))
        server.stop(60)
    return statistics.median(times)


def bases(server):
    """[(hash, bytes of its .zst)]"""
    lines = server.get(f"/v1/sync/main/object/{server.head()['index']}").body.decode().splitlines()
    return [(part[1], int(part[8])) for part in map(str.split, lines) if part[0] == "base"]


def alike(servers):
    """{items: a base}: those that differ least in length."""
    there = {items: bases(server) for items, server in servers.items()}
    choices = [{items: min(some, key=lambda base: abs(base[1] - length)) for items, some in there.items()}
               for _, length in min(there.values(), key=len)]
    best = min(choices, key=lambda choice: max(n for _, n in choice.values()) / min(n for _, n in choice.values()))
    return {items: name for items, (name, _) in best.items()}


def tiles(server, head, n):
    """Names of n tiles of 64 items each, all over the tree: sections Cover and Tile of the protocol's page."""
    chance, found = random.Random(1), set()
    cover = server.get(COVER.format(**head)).body
    size, first = int.from_bytes(cover[8:16], "big"), int.from_bytes(cover[16:24], "big")
    places = [(16, i) for i in range(first >> 16)] + [(10, i) for i in range(first >> 10, size >> 10)]
    places += [(6, i) for i in range(size >> 10 << 4, size >> 6)]
    nodes = [(*place, cover[24 + 32 * at:56 + 32 * at].hex()) for at, place in enumerate(places)]
    while len(found) < n:
        height, index, name = chance.choices(nodes, [1 << height for height, _, _ in nodes])[0]
        while height > 6:
            below = server.get(f"/v1/sync/main/tile/{height}.{index}.{name}").body
            child, per = chance.randrange(len(below) // 32), len(below) // 32
            height, index, name = (10 if height == 16 else 6), index * per + child, below[32 * child:32 * child + 32].hex()
        found.add(f"6.{index}.{name}")
    return sorted(found)


def some_items(server, data, items):
    """Ids by chance."""
    some = random.Random(1).sample(range(items), min(items, ITEMS_ASKED + 20))
    ids = origin_ids(data, [f"made-{i}" for i in some]).values()
    return [one for one in ids if server.get(f"/v1/items/{one}").status == 200][:ITEMS_ASKED]    # some were withdrawn


def place_of(server, item):
    """born.seq"""
    return ".".join(server.get(f"/v1/sync/main/place/{item}").body.decode().split())


def variants(server, data, items, name, path, names):
    """Paths like this one, more than fit into the smallest cache."""
    chance = random.Random(1)
    first = (names["seq"] - 129) // 16 * 16
    logs = [LOG.format(**{**names, "start": start}) for start in range(first, names["seq"] - 256, -16)]    # of 129 to 255 changes
    if name.startswith("catch-up"):
        return [log + ".dz" for log in logs] + logs if path.endswith(".dz") else logs
    if name.startswith("object"):
        return [path]    # larger than what the smallest cache keeps
    if name == "tile":
        return [TILE.format(tile=tile) for tile in tiles(server, names, TILES_ASKED)] + logs
    if name.startswith("item list"):
        return [f"{path}&until=20{chance.randrange(11, 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}" for _ in range(LISTS_ASKED)]
    asked = some_items(server, data, items)
    if name == "one record":
        return [RECORD.format(**{**names, "place": place_of(server, one)}) for one in asked]
    return [f"/v1/items/{one}" for one in asked]


def rows_of(server, data, items, table, anew, base):
    names = names_of(server, data)
    names |= {"object": base, "tile": tiles(server, names, 1)[0], "place": place_of(server, names["item"])}
    there, _ = answers(server, table, names)
    rows = []
    for name, path, body, _ in there:
        paths = variants(server, data, items, name, path, names) if anew else [path]
        few = DZ_ASKED if anew and path.endswith(".dz") else None
        headers = [PART] if name == PART_OF_COVER else []
        rows.append(Row(name, server.process.pid, [server.url + p for p in paths], *headers, size=len(body), requests=few,
                        clients=1 if anew else CLIENTS))
    return rows


def side_by_side(w, libraries, table, rounds, requests, env):
    """({items: server}, {items: rows}, {items: % of the answers that were made for the question})"""
    servers = {items: w.serve(data, env={**ALONE, **env}) for items, data in libraries.items()}
    for server in servers.values():
        assert rest(server, 900), "an index of this size is long done"
    base = alike(servers)
    rows = {items: rows_of(server, libraries[items], items, table, bool(env), base[items]) for items, server in servers.items()}
    before = {items: counts(server) for items, server in servers.items()}
    measure([row for same in zip(*rows.values()) for row in same], rounds, requests)
    now = {items: counts(server) for items, server in servers.items()}
    made = {items: 100 * (now[items][0] - before[items][0]) / (sum(now[items]) - sum(before[items])) for items in servers}
    return servers, rows, made


def counts(server):
    return server.metric("cache_misses"), server.metric("cache_hits")


def cost_lines(rows, how, goals=None):
    lines = []
    for same in zip(*rows.values()):
        costs = [row.cost * (1e5 / row.size if row.name.startswith("object") else 1) for row in same]
        if goals and same[0].name != WHOLE_COVER:
            goals.at_most(f"{same[0].name}, {how}: dearest over cheapest size, %", 100 * (max(costs) / min(costs) - 1), GOAL_FLAT)
        lines.append(f"| {same[0].name}, {how}, CPU µs/request | " + " | ".join(f"{cost:,.1f}" for cost in costs) + " |")
        if same[0].name == WHOLE_COVER:
            lines.append("| its bytes | " + " | ".join(f"{row.size:,}" for row in same) + " |")
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
        path = corpus.write(w.dir / "more.ndjson", 10_000_000, MORE + -(items + MORE) % 16, 3000)
        n, seconds = import_file(w, path, data)
        rates[items] = n / seconds
        goals.at_least(f"durable items/s imported and published into {items:,}", rates[items], GOAL_IMPORT)
        server = w.serve(data, env=ALONE)
        apply_edits(w, server, data, corpus.edits(items, SIZE))
        server.stop(60)
    lines.append("| import and publish 5,000 more of 3 KB, durable items/s | " + " | ".join(f"{r:,.0f}" for r in rates.values()) + " |")
    say("cost a request, from memory")
    servers, rows, _ = side_by_side(w, libraries, FROM_MEMORY, args.rounds, args.requests, {})
    lines += cost_lines(rows, "from memory", goals)
    time.sleep(2)
    memory = {items: rss_anon(server.child) for items, server in servers.items()}
    for items, mb in memory.items():
        goals.at_most(f"RssAnon at {items:,} items, MB", mb, GOAL_MB + GOAL_BYTES * items / 2 ** 20)
        servers[items].stop(60)
    lines.append("| RssAnon after that, MB | " + " | ".join(f"{mb:.0f}" for mb in memory.values()) + " |")
    say("cost a request, made anew")
    servers, rows, made = side_by_side(w, libraries, MADE_ANEW, args.rounds, args.requests // 10, {"TJZW_CACHE_SIZE": "1m"})
    lines += cost_lines(rows, "made anew")
    lines.append("| of these, made anew indeed, % | " + " | ".join(f"{share:.0f}" for share in made.values()) + " |")
    for server in servers.values():
        server.stop(60)
    return lines
