"""state.py - a citizen's own state: what phones wrote offline arrives, and "is there anything new?" costs next to nothing.

Mutations: favourites, each on the disk with its number and its result before the answer leaves; the answer brings them down again, as it does to every phone. 50 in one
request, one request after the other: by the server's own clock (tjzw_request_us), and by the client's from the request's first byte to the answer's last. Like for like:
tjzw-phone that brings 50 follows, written offline, from its store (the whole program, from its start to its end, over a new TLS connection, public content asked for
too), beside PouchDB that brings 50 documents to express-pouchdb (replicate.to, both with stores on the disk, over a connection that is open, from the call to its end).
Batches: 16 citizens side by side, 500 a request. Exchanges: 64 citizens side by side, one mutation a request. Beside each of these bare SQLite that writes the same rows
into the same tables with the same settings, as many exchanges a transaction as the server's writer found waiting (rows.c): the floor. The same again for one citizen who
has 10,000 favourites. Idle: POST /v1/me/sync that brings nothing when nothing changed, beside GET /healthz with the same token, which is the least that a request costs
of which the token is checked; both over TLS and HTTP/2 by h2load. Plain HTTP elsewhere. One citizen among many: citizens.py.
"""
import base64
import json
import os
import shutil
import statistics
import subprocess
import time

import citizens
import lib
import peers
import who
from exchange import MANY, Phone, grouped, mutate, one_by_one, spent
from lib import free_port
from measure import ALONE, BUILD, Row, cpu, measure, say

CITIZENS, ROWS = 2000, 50
GROUP, BATCH = 64, 16    # citizens side by side, of exchanges and of batches


def bare(w, empty, citizens, mutations, exchanges, transaction):
    """Seconds that SQLite alone takes for the rows of that."""
    at = w.dir / "rows.db"
    for old in w.dir.glob("rows.db*"):
        old.unlink()
    shutil.copy(empty, at)
    done = subprocess.run([str(x) for x in (BUILD / "tests" / "bench" / "rows", at, citizens, mutations, exchanges, max(1, round(transaction)))],
                          capture_output=True, check=True)
    return json.loads(done.stdout)["seconds"]


def fill(port, tokens):
    """A citizen a token, with ROWS favourites; the last one has MANY."""
    phones = [Phone(t) for t in tokens]
    Phone.meet(port, phones)
    for at in range(0, len(phones), 100):
        mutate(port, phones[at:at + 100], ROWS, 1)
    mutate(port, phones[-1:], 500, MANY // 500)
    return phones


def peer(w, rounds):
    """(milliseconds, requests) of 50 documents by PouchDB, or why not."""
    why = peers.missing(peers.HERE, peers.THERE)
    if why:
        return None, f"PouchDB: {why}"
    pouch = peers.Peer(w, "PouchDB", "pouch", batch=100)
    took = [pouch.push(f"push{i}", 50) for i in range(rounds)]
    pouch.stop()
    return (statistics.median(t["ms"] for t in took), took[-1]["requests"]), None


def phone(w, server, data, rounds):
    """The same of our whole client."""
    took = []
    for i in range(rounds):
        p = lib.Phone(w, f"push{i}", server.url, ["--cacert", data / "keys" / "tls-cert.pem"])
        p.run("follow", "tag/示例")
        p.sync()    # it has its session now, as PouchDB has met its server
        for n in range(50):
            p.run("follow", f"tag/词{n}")
        start = time.perf_counter()
        requests = p.sync()["requests"]
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took), requests


def idle(server, token):
    device = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
    headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
    ask = {"device": device, "most": 1000}
    while (first := server.get("/v1/me/sync", "POST", json.dumps(ask), headers).json())["more"]:
        ask["cursor"] = first["cursor"]
    body = server.world.dir / "idle.json"
    body.write_text(json.dumps({"acked": 0, "cursor": first["cursor"], "device": device}, separators=(",", ":")))     # as libtjzw sends it
    return Row("POST /v1/me/sync, nothing new", server.process.pid, server.url + "/v1/me/sync", f"authorization: Bearer {token}", "content-type: application/json",
               data=body)


def touch(w, times=50):
    """Milliseconds of one write of 4 KB and its fdatasync, in a file that need not grow: the least that anything durable takes."""
    took, block = [], os.urandom(4096)
    with open(w.dir / "touch", "wb", buffering=0) as f:
        for _ in range(times + 1):
            start = time.perf_counter()
            os.pwrite(f.fileno(), block, 0)
            os.fdatasync(f.fileno())
            took.append(1000 * (time.perf_counter() - start))
    return statistics.mean(took[1:])


class Figures:
    """Of each round; medians."""

    def __init__(self):
        self.of = {}

    def add(self, **figures):
        for name, figure in figures.items():
            self.of.setdefault(name, []).append(figure)

    def __getitem__(self, name):
        return statistics.median(self.of[name])


def a_round(w, server, port, phones, empty, f):
    for name, phone in (("few", phones[0]), ("many", phones[-1])):
        before = spent(server)
        client = one_by_one(port, phone, 50, 20)
        f.add(**{f"{name}_server": spent(server, before), f"{name}_client": statistics.median(client)})
    f.add(fifty=1000 * bare(w, empty, 1, 50, 20, 1) / 20, touch=touch(w))
    ran, began = cpu(server.process.pid), time.perf_counter()
    batches, group = grouped(server, lambda: mutate(port, phones[100:100 + BATCH], 500, 8))
    f.add(batches=500 * batches, cores=(cpu(server.process.pid) - ran) / 1e9 / (time.perf_counter() - began), batches_group=group,
          batches_floor=500 * 8 * BATCH / bare(w, empty, BATCH, 500, 8 * BATCH, group))
    single, group = grouped(server, lambda: mutate(port, phones[200:200 + GROUP], 1, 60))
    f.add(single=single, single_group=group, single_floor=60 * GROUP / bare(w, empty, GROUP, 1, 60 * GROUP, group))


def written(w, server, data, port, phones, empty, args, goals):
    """The table of what is written."""
    f = Figures()
    for _ in range(args.rounds):
        a_round(w, server, port, phones, empty, f)
    say("PouchDB")
    found, why = peer(w, args.rounds)
    ours, requests = phone(w, server, data, args.rounds)
    goals.at_most("50 mutations in 1 request, ms of the server's time", f["few_server"], 5)
    goals.at_most(f"… of a citizen with {MANY:,} favourites, ms", f["many_server"], 5)
    goals.at_least("durable mutations a second in batches", f["batches"], 20_000)
    goals.at_least("durable exchanges a second", f["single"], 2_000)
    row = "| {} | {:,.2f} | {:,.2f} | {:.1f} |".format
    rate = "| {} | {:,.0f} | {:,.0f} | {:.1f} |".format
    lines = ["| what | server | bare SQLite, the same rows | times the floor |", "|---|---:|---:|---:|",
             row("50 mutations in 1 request, ms of the server's time", f["few_server"], f["fifty"], f["few_server"] / f["fifty"]),
             row("… of a citizen with 10,000 favourites", f["many_server"], f["fifty"], f["many_server"] / f["fifty"]),
             row("… ms by the client's clock", f["few_client"], f["fifty"], f["few_client"] / f["fifty"]),
             rate(f"durable mutations a second, {BATCH} citizens, 500 a request, {f['batches_group']:.0f} requests a transaction, {f['cores']:.1f} cores", f["batches"],
                  f["batches_floor"], f["batches_floor"] / f["batches"]),
             rate(f"durable exchanges a second, {GROUP} citizens, 1 mutation each, {f['single_group']:.0f} a transaction", f["single"], f["single_floor"],
                  f["single_floor"] / f["single"])]
    lines += ["", f"One write of 4 KB and its fdatasync took {f['touch']:.2f} ms."]
    if found:
        return lines + ["", f"50 changes that were written offline: tjzw-phone {ours:.0f} ms and {requests} requests, its start, TLS and a look for new content included; "
                            f"PouchDB to express-pouchdb {found[0]:.0f} ms and {found[1]} requests, over an open connection without TLS: {found[0] / ours:.1f} times as long."]
    return lines + ["", f"{why}: skipped."]


def report(w, args, goals):
    data, empty = w.dir / "state", w.dir / "empty.db"
    w.serve(data, env=ALONE).stop(60)
    shutil.copy(data / "tjzw.db", empty)
    pairs = []
    with who.database(data) as db:
        who.put(db, "session", [who.session(4711 + n, n, pairs) for n in range(1, CITIZENS + 1)])
    port = free_port()
    server = w.serve(data, env=ALONE, urls=[f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"], port=port)
    say(f"{CITIZENS} citizens with {ROWS} rows, one with {MANY}")
    start = time.perf_counter()
    phones = fill(port + 1, [access for access, _ in pairs])
    say(f"made in {time.perf_counter() - start:.0f} s")
    lines = written(w, server, data, port + 1, phones, empty, args, goals)
    say("idle")
    token = phones[-1].token
    rows = [Row("GET /healthz, the token checked", server.process.pid, server.url + "/healthz", f"authorization: Bearer {token}"), idle(server, token)]
    measure(rows, args.rounds, args.requests)
    lines += ["", "| idle | requests/s | CPU µs/request |", "|---|---:|---:|", *(f"| {r.name} | {r.rate:,.0f} | {r.cost:.2f} |" for r in rows)]
    goals.at_most("idle pull, % of the CPU more than the floor", 100 * (statistics.median(a / b for a, b in zip(rows[1].costs, rows[0].costs)) - 1), 30)
    server.stop(60)
    return [*lines, "", *citizens.report(w, args, goals)]
