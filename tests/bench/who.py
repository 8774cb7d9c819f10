"""who.py - what it costs to know who asks: a cheap route that no ready-made answer serves (/healthz), asked by nobody, with an access token
of a session, and with a party's key (which is counted, and whose answers say what is left). The figure is the median over the rounds of CPU
with over without, each pair measured one after the other.

And what memory it takes when there are many: a million accounts, each with a phone, 100,000 sessions; at the default settings, before and after ASKERS of
them have looked at their devices (read from the database) and exchanged their refresh tokens.
"""
import base64
import contextlib
import hashlib
import json
import os
import sqlite3
import statistics
import time

from measure import ALONE, Row, measure, rss_anon, say

ROUTE, GOAL = "/healthz", 30      # percent of the CPU
ACCOUNTS, SESSIONS, ASKERS, MEMORY = 1_000_000, 100_000, 5_000, 120     # megabytes


@contextlib.contextmanager
def database(data):
    """Of a server that is at rest, behind its back."""
    db = sqlite3.connect(data / "tjzw.db")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    yield db
    db.commit()
    db.close()


def put(db, table, rows):
    """Rows as dicts of one shape; what they do not name is 0 or empty."""
    columns = db.execute("SELECT name, type, \"notnull\" FROM pragma_table_info(?)", (table,)).fetchall()
    empty = {name: None if not needed else b"" if kind == "BLOB" else 0 for name, kind, needed in columns}
    db.executemany(f"INSERT INTO {table} ({', '.join(empty)}) VALUES ({', '.join('?' * len(empty))})", (list({**empty, **row}.values()) for row in rows))


def text(prefix, *parts):
    return prefix + base64.urlsafe_b64encode(b"".join(parts)).decode().rstrip("=")


def hashed(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def session(number, account, tokens):
    """A session that lasts, as a row; its access and refresh token go to `tokens`."""
    access, refresh, tag, now = os.urandom(32), os.urandom(32), os.urandom(16), int(time.time())
    tokens.append((text("tja_", number.to_bytes(8, "big"), access), text("tjr_", number.to_bytes(8, "big"), (1).to_bytes(8, "big"), refresh, tag)))
    return {"id": number, "account": account, "level": 1, "device": "bench", "created": now, "authenticated": now, "used": now, "over": now + 86400,
            "ends": now + 86400, "generation": 1, "seed": bytes(16), "refresh": hashed(refresh, tag), "before": bytes(32), "access": hashed(access),
            "access_ends": now + 86400, "access_before": bytes(32)}


def multitude(data):
    """All those people; tokens of their sessions."""
    tokens, now = [], int(time.time())
    with database(data) as db:
        put(db, "account", ({"id": n, "level": 1, "subject": os.urandom(16), "created": now, "state_at": now} for n in range(1, ACCOUNTS + 1)))
        found = sorted(os.urandom(32) for _ in range(ACCOUNTS))
        put(db, "identifier", ({"kind": "phone", "find": find, "account": n, "value": os.urandom(60), "proved": now} for n, find in enumerate(found, 1)))
        put(db, "session", (session(int.from_bytes(os.urandom(8), "big") >> 1 | 1, n, tokens) for n in range(1, SESSIONS + 1)))
    return tokens


def ask_all(server, tokens):
    for access, refresh in tokens:
        answer = server.get("/v1/me/sessions", headers={"authorization": "Bearer " + access})
        assert answer.status == 200 and len(answer.json()["sessions"]) == 1, answer
        answer = server.get("/v1/auth/refresh", "POST", json.dumps({"refresh": refresh}), {"content-type": "application/json"})
        assert answer.status == 200, answer


def memory(w, goals):
    data = w.dir / "many"
    w.serve(data, env={"TJZW_RATE_LIMIT": "0"}).stop(60)
    say(f"{ACCOUNTS:,} accounts")
    tokens = multitude(data)
    server = w.start(data, env={"TJZW_RATE_LIMIT": "0"})
    took = server.ready(60)
    assert (server.metric("accounts"), server.metric("sessions")) == (ACCOUNTS, SESSIONS)
    before = rss_anon(server.child)
    say(f"{ASKERS:,} of them ask")
    ask_all(server, tokens[:ASKERS])
    after = rss_anon(server.child)
    goals.at_most(f"{ACCOUNTS:,} accounts, {SESSIONS:,} sessions: RssAnon, MB", after, MEMORY)
    server.stop(60)
    return [f"| {ACCOUNTS:,} accounts, {SESSIONS:,} sessions | |", "|---|---:|", f"| start to READY=1, s | {took:.2f} |",
            f"| RssAnon at rest, MB | {before:.0f} |", f"| RssAnon after {2 * ASKERS:,} requests of {ASKERS:,} of them, MB | {after:.0f} |"]


def report(w, args, goals):
    data = w.dir / "who"
    w.serve(data, env=ALONE).stop(60)
    tokens = []
    with database(data) as db:
        put(db, "session", [session(4711, 1, tokens)])
    token = tokens[0][0]
    server = w.serve(data, env=ALONE)
    key = server.program("bench", "import")
    bare = {"content-type": "application/json"}
    assert server.get("/v1/parties", headers={"authorization": f"Bearer {token}", **bare}).status == 200, "the session is not known"
    rows = [Row(name, server.process.pid, server.url + ROUTE, *header)
            for name, header in (("nobody", ()), ("an access token", (f"authorization: Bearer {token}",)), ("a party's key", (f"authorization: Bearer {key}",)))]
    say("who asks")
    measure(rows, args.rounds, args.requests)
    nobody = rows[0]
    lines = [f"`GET {ROUTE}`, answered on the loop.", "", "| token check: who asks | requests/s | CPU µs/request | more than nobody |", "|---|---:|---:|---:|"]
    for row in rows:
        more = 100 * statistics.median(a / b - 1 for a, b in zip(row.costs, nobody.costs))
        lines.append(f"| {row.name} | {row.rate:,.0f} | {row.cost:.2f} | {f'{more:+.1f} %' if row is not nobody else ''} |")
        if row is not nobody:
            goals.at_most(f"token check, {row.name}, % of the CPU", more, GOAL)
    server.stop(60)
    return [*lines, "", *memory(w, goals)]
