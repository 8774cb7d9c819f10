"""phones.py - what a phone waits for: a first sync of 10,000 articles of 3 KB, "is there anything new?", a catch-up of 200 changes.

The 200 changes are 140 small updates, 40 new articles and 20 withdrawals. Everybody's phone is near (a proxy on loopback) and 100 ms
away (the proxy holds every byte for 50 ms, and the first of a connection for the handshake of TCP as well; slow.c). Times are the
client's own: from its first request until all is stored, for tjzw verified as well; the start of its process is left out, which is
30 ms for tjzw-phone and 300 ms for node. Bytes are those of HTTP with headers, for tjzw without TLS, which the peers do not use.

The floor is the same tjzw-phone, against nginx with the same answers as files. The peers are in peers.py.
"""
import re
import statistics

import peers
from lib import Phone, free_port
from measure import ALONE, Distance, apply_edits, corpus, library, rss_anon, say, start_nginx

ITEMS, SIZE = 10_000, 3000
TRIPS = (0, 100)
GOALS = {("first", 0): (700, 12.5e6, 14), ("first", 100): (1000, 12.5e6, 14), ("catch-up", 0): (10, 80e3, 2), ("catch-up", 100): (None, 80e3, 2),
         ("idle", 0): (None, 2e3, 1), ("idle", 100): (None, 2e3, 1)}
WORK = {"first": "first sync of 10,000", "idle": "nothing new", "catch-up": "catch-up of 200 changes"}


class Ours:
    """A tjzw server and its phones."""

    def __init__(self, w, name, port, cacert, memory):
        self.w, self.name, self.port, self.cacert, self.memory = w, name, port, cacert, memory

    def phone(self, store, port):
        return Phone(self.w, f"{self.name}-{store}", f"https://127.0.0.1:{port}", ["--cacert", self.cacert])

    def sync(self, store, port):
        return self.phone(store, port).sync()

    def asked(self, store):
        """The paths that a phone asks for, by its own telling."""
        return re.findall(r"(/v1/\S+)", self.phone(store, self.port).run("sync", "-v").stdout.decode())


class Static(Ours):
    """nginx with what the server answers to a phone of this age."""

    def __init__(self, w, source, server):
        self.source, self.server, self.keys = source, server, server.data / "keys"
        super().__init__(w, "nginx", free_port(), source.cacert, lambda: 0.0)
        self.nginx = None

    def load(self, store):
        """The answers are those of the paths that `store`, a phone of the server, would ask for."""
        self.stop()
        files = {path[1:]: self.server.get(path).body for path in self.source.asked(store)}
        self.nginx, _ = start_nginx(self.w, self.keys / "tls-cert.pem", self.keys / "tls-key.pem", files, self.port)

    def stop(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait()


class Figures:
    """{(subject, work, trip): [(ms, bytes, requests)]}"""

    def __init__(self):
        self.all = {}

    def take(self, subject, work, trip, own_port, store):
        distance = Distance(subject.port, trip, own_port)
        try:
            said = subject.sync(store, distance.port)
        finally:
            distance.close()
        got = said.get("bytes_down", distance.down)
        self.all.setdefault((subject.name, work, trip), []).append((said["ms"], got, said["requests"]))

    def median(self, *key):
        rows = self.all.get(key)
        return rows and [statistics.median(column) for column in zip(*rows)]


def run_rounds(figures, subjects, work, rounds):
    """The ports of the proxies stay, because PouchDB knows a server by its address."""
    for n in range(rounds):
        for trip in TRIPS:
            for subject in subjects:
                if not n or getattr(subject, "batch", None) != 100:    # slow: once
                    port = subject.ports.setdefault(trip, free_port())
                    figures.take(subject, work, trip, port, f"{trip}-{n}")


def all_work(w, server, data, rounds):
    ours = Ours(w, "tjzw", server.port, w.certificate(data), lambda: rss_anon(server.child))
    static = Static(w, ours, server)
    others, skipped = peers.start(w, ITEMS, SIZE)
    subjects, figures, edits = [ours, static, *others], Figures(), corpus.edits(ITEMS, SIZE)
    for subject in subjects:
        subject.ports = {}
    static.load("asks-first")
    for work in ("first", "idle"):
        say(WORK[work])
        run_rounds(figures, subjects, work, rounds)
    apply_edits(w, server, data, edits)
    path = peers.seed_file(w.dir / "edits-seed.ndjson", [*edits[0], *edits[1]], edits[2])
    for peer in others:
        if peer.batch != 100:
            peer.seed(path)
    static.load("asks-first")
    say(WORK["catch-up"])
    run_rounds(figures, subjects, "catch-up", rounds)
    memory = {subject.name: subject.memory() for subject in subjects}
    same = ours.phone("0-0", server.port).export() == w.export(data)
    assert same, "the phone does not hold what the server publishes"
    static.stop()
    for peer in others:
        peer.stop()
    return subjects, figures, memory, skipped


def lines_of(subjects, figures, memory, skipped):
    lines = ["| who | work | near, ms | 100 ms away, ms | requests | KB down | server RssAnon, MB |", "|---|---|---:|---:|---:|---:|---:|"]
    for work, what in WORK.items():
        for subject in subjects:
            near, far = (figures.median(subject.name, work, trip) for trip in TRIPS)
            size = f"{memory[subject.name]:.0f}" if memory[subject.name] else ""
            lines.append(f"| {subject.name} | {what} | {near[0]:,.0f} | {far[0]:,.0f} | {near[2]:.0f} | {near[1] / 1000:,.1f} | {size} |")
    return lines + [f"| {why} | skipped | | | | | |" for why in skipped]


def judge(figures, goals):
    for (work, trip), (ms, size, requests) in GOALS.items():
        got, where = figures.median("tjzw", work, trip), f"{WORK[work]}, {'100 ms away' if trip else 'near'}"
        if ms:
            goals.at_most(f"{where}: ms", got[0], ms)
        if not trip:
            goals.at_most(f"{WORK[work]}: KB down", got[1] / 1000, size / 1000)
            goals.at_most(f"{WORK[work]}: requests", got[2], requests)


def report(w, args, goals):
    data = library(w, ITEMS, SIZE, "phones")
    server = w.serve(data, env=ALONE)
    subjects, figures, memory, skipped = all_work(w, server, data, args.rounds)
    server.stop(60)
    judge(figures, goals)
    return lines_of(subjects, figures, memory, skipped)

