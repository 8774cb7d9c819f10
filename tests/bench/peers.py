"""peers.py - others that carry articles to phones, installed from npm into .cache/bench-npm at the versions of peers/package.json.

Their servers and clients are those of peers/*.mjs. What cannot be installed (no node, no registry) is reported as skipped.
"""
import json
import subprocess
from pathlib import Path

from lib import clean_env, free_port, wait_for
from measure import ROOT, corpus, rss_anon, spawn
from npm import missing

HERE, THERE = Path(__file__).with_name("peers"), ROOT / ".cache" / "bench-npm"


def seed_file(path, articles, gone=()):
    with open(path, "w") as out:
        for article in articles:
            out.write(json.dumps({"op": "put", **article}, ensure_ascii=False) + "\n")
        for one in gone:
            out.write(json.dumps({"op": "delete", "id": one}) + "\n")
    return path


class Peer:
    """A server and its clients. `batch` is PouchDB's."""

    def __init__(self, w, name, script, batch=None, of=None):
        self.w, self.name, self.script, self.batch = w, name, script, batch
        if of:    # another client of that one's server
            self.port, self.process = of.port, of.process
            return
        self.port = free_port()
        with open(w.dir / f"{script}.log", "ab") as log:
            self.process = spawn([*self.command("serve"), self._store("server")], cwd=THERE, stdout=subprocess.PIPE, stderr=log)
        wait_for(f"{name} to serve", 20, lambda: b"ready" in self.process.stdout.readline())

    def _store(self, name):
        path = self.w.dir / f"{self.script}-{self.batch}-{name}"
        if name == "server":
            path.mkdir()
        return path

    def command(self, verb, port=None):
        return ["node", f"{self.script}.mjs", verb, str(port or self.port)]

    def seed(self, path):
        subprocess.run([*self.command("seed"), path], cwd=THERE, env=clean_env(), check=True, timeout=600, stdout=subprocess.DEVNULL)

    def sync(self, store, port):
        """{"ms", "requests", "documents"}; the store goes on where it ended."""
        command = [*self.command("sync", port), self._store(store), *([str(self.batch)] if self.batch else [])]
        return json.loads(subprocess.run(command, cwd=THERE, env=clean_env(), check=True, timeout=600, capture_output=True).stdout)

    def push(self, store, documents):
        """{"ms", "requests", "documents"}: so many documents, written offline before."""
        command = [*self.command("push"), self._store(store), str(documents)]
        return json.loads(subprocess.run(command, cwd=THERE, env=clean_env(), check=True, timeout=600, capture_output=True).stdout)

    def memory(self):
        return rss_anon(self.process.pid)

    def stop(self):
        self.process.kill()
        self.process.wait()


def start(w, items, size):
    """([peers with the articles], [why others are skipped])"""
    why = missing(HERE, THERE)
    if why:
        return [], [f"PouchDB, Durable Streams: {why}"]
    path = seed_file(w.dir / "seed.ndjson", (corpus.article(i, size) for i in range(items)))
    pouch = Peer(w, "PouchDB 9, express-pouchdb 4.2, batches of 1,000", "pouch", batch=1000)
    durable = Peer(w, "Durable Streams 0.3, node server, no store at the client", "durable")
    for peer in (pouch, durable):
        peer.seed(path)
    return [pouch, durable, Peer(w, "the same, its own batches of 100", "pouch", batch=100, of=pouch)], []
