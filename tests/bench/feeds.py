"""feeds.py - what it costs when everybody's reader polls: a feed that has nothing new (304), whole (200), and only what is new (226), over TLS and HTTP/2.

nginx serves the same bytes from a file, under its own entity tag. A round measures the 304 of both one after the other; the goals are medians of the rounds'
ratios, so that a machine that is slow for a while is slow for both. That of CPU is the same goal where other work runs, which takes from who answers as it likes.
"""
import statistics
import subprocess

from lib import clean_env, wait_for
from measure import ALONE, Row, certificate, corpus, import_file, library, measure, say, start_nginx

ITEMS, SIZE = 10_000, 3000
FEED, GOAL = "/feeds/all.atom", 80     # percent of nginx


def settled(server):
    """The newest document, when the feeds have all that is published."""
    wait_for("the feeds to catch up", 300, lambda: server.metric("derived_changes") == server.metric("changes"))
    return server.get(FEED)


def asked(url, *headers):
    """The status and the entity tag of a GET."""
    said = subprocess.run(["curl", "-sko", "/dev/null", "-w", "%{http_code} %header{etag}", *(x for h in headers for x in ("-H", h)), url],
                          capture_output=True, text=True, check=True, env=clean_env()).stdout.split(" ", 1)
    return int(said[0]), said[1]


def rows_of(w, server, data, cert, key):
    """Ours and nginx's in turn; nginx's process."""
    before = settled(server)
    path = w.dir / "newer.ndjson"
    path.write_text("".join(corpus.line(corpus.article(ITEMS + 100 + i)) for i in range(3)))
    import_file(w, path, data)
    now = settled(server)
    nginx, port = start_nginx(w, cert, key, {"all.atom": now.body})
    ours, theirs = server.url + FEED, f"https://127.0.0.1:{port}/all.atom"
    pid, rows = server.process.pid, []

    def row(name, process, url, status, *headers, size=0):
        got = asked(url, *headers)[0]
        assert got == status, (name, got)
        rows.append(Row(name, process, url, *headers, size=size))

    size = len(now.body)
    row("nothing new (304)", pid, ours, 304, f"if-none-match: {now.headers['etag']}")
    row("nginx, the same document (304)", nginx.pid, theirs, 304, f"if-none-match: {asked(theirs)[1]}")
    row(f"whole, {size:,} bytes", pid, ours, 200, size=size)
    row("nginx, the same bytes", nginx.pid, theirs, 200, size=size)
    row("what 3 changes brought (226)", pid, ours, 226, "a-im: feed", f"if-none-match: {before.headers['etag']}")
    row("nothing new, asked as a delta (304)", pid, ours, 304, "a-im: feed", f"if-none-match: {now.headers['etag']}")
    return rows, nginx


def report(w, args, goals):
    data = library(w, ITEMS, SIZE, "feeds")
    cert, key = certificate(w)
    server = w.serve(data, env={**ALONE, "TJZW_TLS_CERT": str(cert), "TJZW_TLS_KEY": str(key)})
    rows, nginx = rows_of(w, server, data, cert, key)
    say("requests a second")
    try:
        measure(rows, args.rounds, args.requests)
    finally:
        nginx.terminate()
        nginx.wait()
    server.stop(60)
    ours, theirs = rows[:2]
    lines = [f"| {FEED} of {ITEMS:,} items | requests/s | CPU µs/request |", "|---|---:|---:|", *(f"| {row.name} | {row.rate:,.0f} | {row.cost:.1f} |" for row in rows)]
    goals.at_least("304s a second, part of nginx's, %", statistics.median(100 * a / b for a, b in zip(ours.rates, theirs.rates)), GOAL)
    goals.at_most("a 304, part of nginx's CPU, %", statistics.median(100 * a / b for a, b in zip(ours.costs, theirs.costs)), 10_000 / GOAL)
    return lines
