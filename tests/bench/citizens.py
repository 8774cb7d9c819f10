"""citizens.py - one citizen among many: the same exchanges on a server with a thousand citizens of ROWS rows each, and on one with --citizens of them.

Made in the database of a server at rest: of each citizen the account, ROWS favourites, how many there are, the phone that wrote them, and what is kept of its mutations (ROWS hashes). Those who ask
(ASKERS of them, by chance) have a session. They come in an order of chance, CLIENTS side by side, each asking once a turn: first whether there is anything new, of which the server's memory knows
nothing yet, then for all that is theirs, then with one mutation, then with 50. So the pages that one exchange reads are hardly ever those of the one before; the file is in the system's memory where that is large enough.
"""
import random
import sqlite3
import time

import who
from exchange import Phone, side_by_side, spent
from lib import free_port
from measure import ALONE, CLIENTS, cpu, rss_anon, say

ROWS, ASKERS, FEW = 50, 4000, 1000

MAKE = """
WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < :citizens)
INSERT INTO account (id, kind, state, state_at, level, subject, created) SELECT n, 0, 0, :now, 1, randomblob(16), :now FROM k;
INSERT INTO citizen (account, seq, floor) SELECT id, :rows, 0 FROM account ORDER BY id;
INSERT INTO entry_tally (account, type, n) SELECT id, 'fav', :rows FROM account ORDER BY id;
INSERT INTO device (account, device, n, acked, seq, heard) SELECT id, substr(hex(randomblob(11)), 1, 21) || 'A', :rows, :rows, :rows, :now FROM account ORDER BY id;
CREATE TEMP TABLE row (n INTEGER PRIMARY KEY);
WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < :rows) INSERT INTO row SELECT n FROM k;
INSERT INTO entry (account, type, key, seq, at, gone, value)
SELECT id, 'fav', printf('main/0190b1c2-0000-7000-8000-%012d', n), n, :now, 0, '{"at":' || n || '}' FROM account CROSS JOIN row;
INSERT INTO device_result (account, device, n, hash, body) SELECT account, device, row.n, randomblob(16), NULL FROM device CROSS JOIN row;
"""


def make(data, citizens):
    """[(account, device, token)] of those who ask."""
    db, tokens = sqlite3.connect(data / "tjzw.db", isolation_level=None), []
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = DELETE", "journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}")
    values = {"citizens": citizens, "rows": ROWS, "now": int(time.time())}
    for statement in MAKE.split(";\n")[:-1]:
        db.execute(statement, values if ":" in statement else {})
    accounts = random.sample(range(1, citizens + 1), min(ASKERS, citizens))
    db.execute("BEGIN")
    who.put(db, "session", [who.session(n, account, tokens) for n, account in enumerate(accounts, 1)])
    db.execute("COMMIT")
    askers = [(a, db.execute("SELECT device FROM device WHERE account = ?", (a,)).fetchone()[0], t[0]) for a, t in zip(accounts, tokens)]
    db.close()
    return askers


def turns(phones, requests):
    """A list of requests for each of CLIENTS connections; each phone asks once."""
    ready = [(p, r) for p, r in zip(phones, map(requests, phones))]
    random.shuffle(ready)
    return [[r for _, r in ready[at::CLIENTS]] for at in range(CLIENTS)]


def ask_all(server, port, phones, requests, check):
    """(a second, microseconds of the CPU each)"""
    queues, before = turns(phones, requests), cpu(server.process.pid)
    rate = side_by_side(port, queues, check)
    return rate, (cpu(server.process.pid) - before) / 1000 / len(phones)


def measured(w, citizens, rounds):
    """{what: figure} of a server with so many."""
    data = w.dir / f"citizens-{citizens}"
    w.serve(data, env=ALONE).stop(60)
    say(f"{citizens:,} citizens with {ROWS} rows")
    began = time.perf_counter()
    askers = make(data, citizens)
    say(f"made in {time.perf_counter() - began:.0f} s")
    found = {"database, MB": (data / "tjzw.db").stat().st_size / 1e6}
    port = free_port()
    server = w.start(data, env=ALONE, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"], port=port)
    found["start to READY=1, s"] = server.ready(600)
    found["RssAnon at rest, MB"] = rss_anon(server.child)
    phones = [Phone(token, device, ROWS) for _, device, token in askers]
    Phone.meet(port + 1, phones)
    _, found["anything new? not in memory yet, CPU µs"] = ask_all(server, port + 1, phones, Phone.pull, lambda body: b'"entries":[]' in body)
    _, found["anything new? CPU µs"] = ask_all(server, port + 1, phones, Phone.pull, lambda body: b'"entries":[]' in body)
    _, found[f"all {ROWS} rows, CPU µs"] = ask_all(server, port + 1, phones, lambda p: p.pull(True), lambda body: body.count(b'"key"') == ROWS)
    rates = [ask_all(server, port + 1, phones, lambda p: p.request(1), lambda body: body.count(b'"done"') == 1) for _ in range(rounds)]
    found["durable exchanges a second, 1 mutation each"] = sorted(r for r, _ in rates)[rounds // 2]
    found["their CPU µs each"] = sorted(c for _, c in rates)[rounds // 2]
    before = spent(server)
    side_by_side(port + 1, [[p.request(50) for p in phones[:400]]], lambda body: body.count(b'"done"') == 50)
    found["50 mutations in 1 request, ms of the server's time"] = spent(server, before)
    found["RssAnon after that, MB"] = rss_anon(server.child)
    server.stop(60)
    return found


def report(w, args, goals):
    sizes = sorted({FEW, args.citizens})
    found = [measured(w, citizens, args.rounds) for citizens in sizes]
    lines = [f"| citizens of {ROWS} rows | " + " | ".join(f"{n:,}" for n in sizes) + " | of the first |", "|---" + "|---:" * (len(sizes) + 1) + "|"]
    for what in found[0]:
        few, many = found[0][what], found[-1][what]
        lines.append(f"| {what} | " + " | ".join(f"{f[what]:,.2f}" if f[what] < 100 else f"{f[what]:,.0f}" for f in found) + f" | {many / few:,.2f} |")
    goals.at_most(f"50 mutations in 1 request of one of {sizes[-1]:,} citizens, ms of the server's time", found[-1]["50 mutations in 1 request, ms of the server's time"], 5)
    goals.at_least(f"durable exchanges a second of {sizes[-1]:,} citizens", found[-1]["durable exchanges a second, 1 mutation each"], 2000)
    return lines
