"""speed.py - requests a second and CPU a request of what phones ask for, each beside the least it could cost.

The floor is a bare libh2o with one answer of 700 bytes (floor.c); nginx serves the same bytes as each row from a file. A row whose URL
answers 404 or 400 is named and left out.
"""
from measure import (ALONE, Row, apply_edits, certificate, corpus, library, measure, origin_ids, say, start_floor, start_nginx)

ITEMS, SIZE = 10_000, 3000
GOAL_HEAD = 0.85

# What is measured. {names} are those of the head, and: start, the cursor of a phone 200 changes behind; object, a base; item, an item.
LOG = "/v1/sync/main/log/{epoch}/{cut}/{start}-{seq}"
ROWS = (
    ("signed head", "/v1/sync/main/head"),
    ("catch-up of 200 changes", LOG),
    ("catch-up, gzip", LOG + ".gz"),
    ("catch-up, zstd", LOG + ".zst"),
    ("catch-up, dz", LOG + ".dz"),
    ("cover", "/v1/sync/main/cover/{epoch}.{seq}"),
    ("heads, as polled", "/v1/sync/heads/main"),
    ("heads of all streams", "/v1/sync/heads"),
    ("object, zstd", "/v1/sync/main/object/{object}.zst"),
    ("item by id", "/v1/items/{item}"),
    ("item list, 20 items", "/v1/items?n=20"),
)


def log_start(cursor, seq):
    """Section 6 of the protocol's page."""
    k = 0
    while seq - cursor >= 16 << k:
        k += 1
    return cursor >> k << k


def first_base(server, head):
    text = server.get(f"/v1/sync/main/object/{head['index']}").body.decode()
    return next(line.split()[1] for line in text.splitlines() if line.startswith("base "))


def names_of(server, data, behind=200):
    """What the URLs in ROWS name."""
    head = server.settle()
    return {**head, "start": log_start(head["seq"] - behind, head["seq"]), "object": first_base(server, head),
            "item": origin_ids(data, ["made-1"])["made-1"]}


def answers(server, rows, names):
    """[(name, path, bytes, headers)] of those that are there, and the names of those that are not."""
    there, missing = [], []
    for name, path in rows:
        answer = server.get(path.format(**names))
        if answer.status in (400, 404):
            missing.append(name)
        else:
            assert answer.status == 200, (name, answer)
            there.append((name, path.format(**names), answer.body, answer.headers))
    return there, missing


def speeds(w, rounds, requests):
    """(rows, names of what is not there); the first row is the floor, the second the head."""
    data = library(w, ITEMS, SIZE, "speed")
    cert, key = certificate(w)
    server = w.serve(data, env={**ALONE, "TJZW_TLS_CERT": str(cert), "TJZW_TLS_KEY": str(key)})
    apply_edits(w, server, data, corpus.edits(ITEMS))
    there, missing = answers(server, ROWS, names_of(server, data))
    floor, floor_url = start_floor(w, cert, key)
    nginx, port = start_nginx(w, cert, key, {f"{i}": body for i, (_, _, body, _) in enumerate(there)})
    pid = server.process.pid
    rows = [Row("bare libh2o, 700 bytes (the floor)", floor.pid, floor_url)]
    for i, (name, path, body, headers) in enumerate(there):
        rows.append(Row(f"{name}, {len(body):,} bytes", pid, server.url + path, size=len(body)))
        rows.append(Row("nginx, the same bytes", nginx.pid, f"https://127.0.0.1:{port}/{i}", size=len(body)))
        if name == "item by id":
            rows.append(Row("item by id, not modified (304)", pid, server.url + path, f"if-none-match: {headers['etag']}"))
    say("requests a second")
    try:
        measure(rows, rounds, requests)
    finally:
        floor.kill()
        nginx.terminate()
        floor.wait()
        nginx.wait()
    server.stop(60)
    return rows, missing


def report(w, args, goals):
    rows, missing = speeds(w, args.rounds, args.requests)
    floor, head = rows[0], rows[1]
    lines = ["| what | requests/s | CPU µs/request | of the floor's speed | of the floor's CPU |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        lines.append(f"| {row.name} | {row.rate:,.0f} | {row.cost:.1f} | {100 * row.rate / floor.rate:.0f} % | {row.cost / floor.cost:.2f} |")
    lines += [f"| {name} | not there | | | |" for name in missing]
    goals.at_least("signed head, part of the floor's speed, %", 100 * head.rate / floor.rate, 100 * GOAL_HEAD)
    return lines
