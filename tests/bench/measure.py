"""measure.py - what all parts of the benchmark share: figures of a process, load, things to hold a server against, made libraries.

A made library is kept in .cache/bench/ITEMS-SIZE-KEY, where KEY changes with the schema and with the articles; whoever measures gets
a copy. It is at rest: every object that is made at leisure is made.
"""
import atexit
import hashlib
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import uuid
from pathlib import Path

import corpus
from lib import BUILD, ROOT, TJZW, children, clean_env, free_port, wait_for

CLIENTS = 64
CACHE = ROOT / ".cache" / "bench"
# One loop, so that the client has a core of its own; nothing that works by the clock (the log verified anew, round after round), so that a server rests.
ALONE = {"TJZW_LOOPS": "1", "TJZW_RATE_LIMIT": "0", "TJZW_CREDITS_PER_CLIENT": "0", "TJZW_VERIFY_PACE": "0"}
FEW_BYTES = 1_500_000_000    # that one measurement may move


def say(what):
    print(f"  {time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {what}", file=sys.stderr, flush=True)


# ---- figures of a process ----

def cpu(pid):
    """Nanoseconds that its threads, and those of its children, have run."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
            total += sum(cpu(int(child)) for child in (task / "children").read_text().split())
        except FileNotFoundError:    # it ended just now
            continue
    return total


def rss_anon(pid):
    """Megabytes."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def _busy(pid):
    """Whether one of its threads runs, or would if it got a core."""
    states = []
    for process in (pid, *children(pid)):
        for task in Path(f"/proc/{process}/task").iterdir():
            try:
                states.append((task / "stat").read_text().rsplit(")", 1)[1].split()[0])
            except FileNotFoundError:
                continue
    return any(state in "RD" for state in states)


def rest(server, deadline):
    """Waits until nothing is made at leisure any more; False if it is still busy after the deadline (seconds)."""
    pid = server.process.pid
    end, quiet, before = time.monotonic() + deadline, 0, cpu(pid)
    while time.monotonic() < end:
        time.sleep(0.1)
        now = cpu(pid)
        quiet = quiet + 1 if now - before < 5e6 and not _busy(pid) else 0
        before = now
        if quiet == 20:
            return True
    return False


# ---- load ----

def load(url, requests, *headers, clients=CLIENTS, streams=1, data=None):
    """h2load; requests a second. With `data` (a file) it is a POST. Every answer must be 2xx or 3xx. A list of URLs is asked in turn, by each client from its first."""
    requests = max(requests, clients)
    command = ["h2load", "-n", str(requests), "-c", str(clients), "-m", str(streams), "-t", "1"]
    for header in headers:
        command += ["-H", header]
    if data:
        command += ["-d", str(data)]
    said = subprocess.run([*command, *([url] if isinstance(url, str) else url)], capture_output=True, text=True, env=clean_env(),
                          check=True).stdout
    good = sum(int(n) for n in re.findall(r"(\d+) [23]xx", said))
    assert good == requests, said
    return float(re.search(r"finished in .*?, ([\d.]+) req/s", said)[1])


class Row:
    """One URL of one server, measured in rounds. Of many URLs clients side by side ask the same at the same time: those need clients=1."""

    def __init__(self, name, pid, url, *headers, size=0, requests=None, clients=CLIENTS, streams=1, data=None):
        self.data = data
        self.name, self.pid, self.url, self.headers, self.size, self.streams = name, pid, url, headers, size, streams
        self.most = requests or (FEW_BYTES // size if size else 10 ** 9)
        self.clients, self.rates, self.costs = clients, [], []

    def _number(self, requests):
        """Of many URLs whole turns, so that the next round does not begin with those that were asked last."""
        turn = len(self.url) if isinstance(self.url, list) and self.clients == 1 else 1
        return -(-max(self.clients, min(requests, self.most)) // turn) * turn

    def measure(self, requests):
        requests = self._number(requests)
        before = cpu(self.pid)
        self.rates.append(load(self.url, requests, *self.headers, clients=self.clients, streams=self.streams, data=self.data))
        self.costs.append((cpu(self.pid) - before) / requests / 1000)

    def warm(self, requests):
        load(self.url, self._number(requests), *self.headers, clients=self.clients, streams=self.streams, data=self.data)

    @property
    def rate(self):
        return statistics.median(self.rates)

    @property
    def cost(self):
        return statistics.median(self.costs)


def measure(rows, rounds, requests):
    """Every round measures every row, so that what drifts drifts for all."""
    for row in rows:
        row.warm(requests // 10)
    for _ in range(rounds):
        for row in rows:
            row.measure(requests)


_spawned = []


def spawn(command, **how):
    """A process that ends with us at the latest."""
    process = subprocess.Popen([*map(str, command)], env=clean_env(), stdin=subprocess.DEVNULL, **how)
    _spawned.append(process)
    return process


@atexit.register
def _end_all():
    for process in _spawned:
        if process.poll() is None:
            process.terminate()
            process.wait(10)


def curl(url):
    return subprocess.run(["curl", "-skf", url], capture_output=True, env=clean_env()).stdout


# ---- what a server is held against ----

def start_floor(w, cert, key):
    port = free_port()
    floor = spawn([BUILD / "tests" / "bench" / "floor", port, cert, key])
    wait_for("the floor", 5, lambda: curl(f"https://127.0.0.1:{port}/"))
    return floor, f"https://127.0.0.1:{port}/"


NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 10000000; open_file_cache max=100; default_type application/octet-stream;
    client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
    server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key}; root {dir}/www; }}
}}
"""


def start_nginx(w, cert, key, files, port=None):
    """Serves {path: bytes}, paths without the first slash. The process and its port."""
    port, www = port or free_port(), w.dir / "www"
    shutil.rmtree(www, ignore_errors=True)
    for path in (w.dir, w.dir.parent):
        path.chmod(path.stat().st_mode | 0o055)   # its worker may be another user
    for name, body in files.items():
        (www / name).parent.mkdir(parents=True, exist_ok=True)
        (www / name).write_bytes(body)
    (w.dir / "nginx.conf").write_text(NGINX.format(dir=w.dir, port=port, cert=cert, key=key))
    nginx = spawn([shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", w.dir / "nginx.conf"])
    wait_for("nginx", 5, lambda: curl(f"https://127.0.0.1:{port}/{next(iter(files))}"))
    return nginx, port


class Distance:
    """A proxy that is a round trip away from the server; see slow.c. On .close() `up` and `down` are the bytes it carried."""

    def __init__(self, port, round_trip_ms, own_port=None):
        self.port = own_port or free_port()
        self.process = spawn([BUILD / "tests" / "bench" / "slow", self.port, port, round_trip_ms], stdout=subprocess.PIPE)
        time.sleep(0.1)

    def close(self):
        self.process.terminate()
        said = self.process.communicate(timeout=10)[0].split()
        self.up, self.down = int(said[1]), int(said[3])


def certificate(w):
    cert, key = w.dir / "cert.pem", w.dir / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


# ---- libraries ----

def import_file(w, path, data=None, timeout=3600):
    """(lines, seconds) of `tjzw import --publish` until the last was durable, as it reports."""
    said = w.tjzw("import", "--data", data or w.data, "--publish", path, timeout=timeout).stdout.decode()
    lines, seconds = re.match(r"(\d+) lines in ([\d.]+) s", said).groups()
    return int(lines), max(float(seconds), 0.01)


def _key():
    schema = b"".join(p.read_bytes() for p in sorted((ROOT / "server" / "store" / "schema" / "sqlite").glob("*.sql")))
    return hashlib.sha256(schema + corpus.line(corpus.article(12345)).encode()).hexdigest()[:12]


def made(items, size):
    return CACHE / f"{items}-{size}-{_key()}"


def library(w, items, size, name="data"):
    """A copy of the made library of so many articles of `size` bytes; made now if need be, about 6,000 a second and as long again."""
    at, to = made(items, size), w.dir / name
    if not at.exists():
        for old in CACHE.glob(f"{items}-{size}-*"):
            shutil.rmtree(old)
        say(f"making a library of {items:,} articles of {size} bytes")
        new = CACHE / f"new-{os.getpid()}"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        corpus.write(new / "articles.ndjson", 0, items, size)
        import_file(w, new / "articles.ndjson", new / "data")
        (new / "articles.ndjson").unlink()
        server = w.serve(new / "data", env=ALONE)
        assert rest(server, 3600), "the new library does not come to rest"
        server.stop(60)
        (new / "data").rename(at)
        new.rmdir()
    subprocess.run(["cp", "-a", "--reflink=auto", at, to], check=True)
    return to


def origin_ids(data, names):
    """{name in corpus.py: id of the item}"""
    db = sqlite3.connect(f"file:{data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        rows = [db.execute("SELECT origin_id, id FROM item WHERE authority = 'main' AND origin_id = ?", (name,)).fetchone() for name in names]
        return {name: str(uuid.UUID(bytes=item)) for name, item in rows}
    finally:
        db.close()


def apply_edits(w, server, data, edits):
    """corpus.edits() on a running server: first what is new and changed, then the withdrawals. The head, when the objects are made anew."""
    changed, new, gone = edits
    ids = origin_ids(data, gone)
    path = w.dir / "edits.ndjson"
    path.write_text("".join(corpus.line(a) for a in [*changed, *new]))
    import_file(w, path, data)
    for one in gone:
        answer = server.admin("POST", f"/v1/items/{ids[one]}/withdraw", body='{"reason":"内容有误"}'.encode(),
                              headers={"content-type": "application/json"})
        assert answer.status == 200, answer
    server.settle()
    rest(server, 120)
    return server.head()


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory_kb = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])
    return f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}), {memory_kb / 1e6:.0f} GB, Linux {os.uname().release}"


__all__ = ["ALONE", "BUILD", "CACHE", "CLIENTS", "Distance", "ROOT", "Row", "TJZW", "apply_edits", "certificate", "corpus", "cpu", "import_file",
           "library", "load", "machine", "made", "measure", "origin_ids", "rest", "rss_anon", "say", "spawn", "start_floor", "start_nginx"]
