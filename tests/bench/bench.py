#!/usr/bin/env python3
"""bench.py - one table: what the server costs, beside the least it could cost and beside nginx.

    bench.py [--write] [--rounds N] [--requests N] [--items N]          ./dev bench

Speeds of a shared machine drift by a factor of two within minutes, so every round measures every row, one after the other, and the table
shows medians. Each server runs one event loop, so that the client has a core of its own. "CPU" is what the server's threads ran
(/proc/PID/task/*/schedstat) over the requests done, which is steadier than requests a second. The client is phone-like: h2load with 64
connections, one stream each, TLS and HTTP/2, handshakes included, for the floor as for all.

--write puts the table, the command, the machine and the date into docs/performance.md.
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "flow")]
from lib import BUILD, World, clean_env, free_port, wait_for  # noqa: E402

CLIENTS = 64
GOAL_HEAD, GOAL_IMPORT = 0.85, 3000
PAGE = ROOT / "docs" / "performance.md"


def cpu(pid):
    """Nanoseconds that its threads, and those of its children, have run."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
        total += sum(cpu(int(child)) for child in (task / "children").read_text().split())
    return total


def rss_anon(pid):
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def load(url, requests, *headers):
    """h2load; requests a second. Every answer must be 2xx or 3xx."""
    command = ["h2load", "-n", str(requests), "-c", str(CLIENTS), "-m", "1", "-t", "1"]
    for header in headers:
        command += ["-H", header]
    said = subprocess.run([*command, url], capture_output=True, text=True, env=clean_env(), check=True).stdout
    good = sum(int(n) for n in re.findall(r"(\d+) [23]xx", said))
    assert good == requests, said
    return float(re.search(r"finished in .*?, ([\d.]+) req/s", said)[1])


class Row:
    def __init__(self, name, pid, url, *headers):
        self.name, self.pid, self.url, self.headers = name, pid, url, headers
        self.rates, self.costs = [], []

    def measure(self, requests):
        before = cpu(self.pid)
        self.rates.append(load(self.url, requests, *self.headers))
        self.costs.append((cpu(self.pid) - before) / requests / 1000)

    @property
    def rate(self):
        return statistics.median(self.rates)

    @property
    def cost(self):
        return statistics.median(self.costs)


def start_floor(w, cert, key):
    port = free_port()
    floor = subprocess.Popen([BUILD / "tests" / "bench" / "floor", str(port), cert, key], env=clean_env())
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


def start_nginx(w, cert, key, files):
    """Serves the same bytes as files."""
    port, www = free_port(), w.dir / "www"
    www.mkdir()
    w.dir.chmod(0o755)   # its worker may be another user
    for name, body in files.items():
        (www / name).write_bytes(body)
    (w.dir / "nginx.conf").write_text(NGINX.format(dir=w.dir, port=port, cert=cert, key=key))
    nginx = subprocess.Popen(["nginx", "-c", w.dir / "nginx.conf"], env={**clean_env(), "PATH": os.environ["PATH"] + ":/usr/sbin"})
    wait_for("nginx", 5, lambda: curl(f"https://127.0.0.1:{port}/{next(iter(files))}"))
    return nginx, f"https://127.0.0.1:{port}/"


def curl(url):
    return subprocess.run(["curl", "-skf", url], capture_output=True, env=clean_env()).stdout


def certificate(w):
    cert, key = w.dir / "cert.pem", w.dir / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def import_rate(w, first, n):
    """Items a second of `tjzw import --publish` into w.data until the last was durable, as it reports; synthetic articles of 3 KB."""
    path = w.articles(n, name="bench.ndjson", first=first, size=3000)
    said = w.tjzw("import", "--data", w.data, "--publish", path, timeout=1800).stdout.decode()
    path.unlink()
    lines, seconds = re.match(r"(\d+) lines in ([\d.]+) s", said).groups()
    assert int(lines) == n, said
    return n / float(seconds)


def memory(w, env):
    """RssAnon in MB of a server that has answered a while."""
    server = w.serve(env=env)
    load(server.url + "/v1/sync/main/head", 2000)
    load(server.url + "/v1/items?n=50", 500)
    size = rss_anon(server.child) / 1024
    server.stop()
    return size


def speeds(w, env, rounds, requests):
    cert, key = certificate(w)
    server = w.serve(env={**env, "TJZW_TLS_CERT": str(cert), "TJZW_TLS_KEY": str(key)})
    server.settle()
    item = json.loads(w.export().splitlines()[0])["id"]
    paths = {"head": "/v1/sync/main/head", "item": f"/v1/items/{item}", "list": "/v1/items?n=20"}
    answers = {name: server.get(path) for name, path in paths.items()}
    for name, answer in answers.items():
        assert answer.status == 200, (name, answer)
    floor, floor_url = start_floor(w, cert, key)
    nginx, nginx_url = start_nginx(w, cert, key, {name: answer.body for name, answer in answers.items()})
    pid = server.process.pid
    rows = [Row("bare libh2o, 700 bytes (the floor)", floor.pid, floor_url)]
    names = {"head": "signed head", "item": "item by id", "list": "item list, 20 items"}
    for name, path in paths.items():
        rows.append(Row(f"{names[name]}, {len(answers[name].body)} bytes", pid, server.url + path))
        rows.append(Row("nginx, the same bytes", nginx.pid, nginx_url + name))
    rows.append(Row("item by id, not modified (304)", pid, server.url + paths["item"], f"if-none-match: {answers['item'].headers['etag']}"))
    try:
        for row in rows:
            load(row.url, requests // 10, *row.headers)     # warm
        for _ in range(rounds):
            for row in rows:
                row.measure(requests)
    finally:
        floor.kill()
        nginx.terminate()
        floor.wait()
        nginx.wait()
    server.stop()
    return rows


def table(rows, rates, sizes):
    floor, head = rows[0], rows[1]
    lines = ["| what | requests/s | CPU µs/request | of the floor's speed | of the floor's CPU |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        lines.append(f"| {row.name} | {row.rate:,.0f} | {row.cost:.1f} | {100 * row.rate / floor.rate:.0f} % | {row.cost / floor.cost:.2f} |")
    lines += ["", "| what | measured | goal |", "|---|---:|---:|"]
    lines.append(f"| signed head, part of the floor's speed | {100 * head.rate / floor.rate:.0f} % | {100 * GOAL_HEAD:.0f} % |")
    for items, rate in rates.items():
        lines.append(f"| import and publish, durable items/s, {items} | {rate:,.0f} | {GOAL_IMPORT:,} |")
    for items, size in sizes.items():
        lines.append(f"| RssAnon at {items:,} items, MB | {size:.0f} | |")
    return "\n".join(lines)


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory_kb = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1])
    return f"{os.cpu_count()} cores ({model[1] if model else os.uname().machine}), {memory_kb / 1e6:.0f} GB, Linux {os.uname().release}"


def main():
    args = argparse.ArgumentParser(description="Measures the server; see the top of this file.")
    args.add_argument("--write", action="store_true", help="into docs/performance.md")
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--requests", type=int, default=40_000, help="of each row in each round")
    args.add_argument("--items", type=int, default=100_000, help="for the last memory figure")
    args = args.parse_args()
    load_before = os.getloadavg()[0]
    env = {"TJZW_LOOPS": "1", "TJZW_RATE_LIMIT": "0"}
    rates, sizes = {}, {}
    with World() as w:
        rates["an empty library, 1,000 items"] = import_rate(w, 0, 1000)
        sizes[1000] = memory(w, env)
        rows = speeds(w, env, args.rounds, args.requests)
        rates[f"on from 1,000 to {args.items:,} items"] = import_rate(w, 1000, args.items - 1000)
        sizes[args.items] = memory(w, env)
    text = table(rows, rates, sizes)
    print(text)
    if args.write:
        command = f"./dev bench --rounds {args.rounds} --requests {args.requests} --items {args.items}"
        PAGE.write_text(f"# Performance\n\nWritten by `{command} --write` on {datetime.date.today()}, {machine()},\n"
                        f"where other work made a load of {load_before:.1f} before it began.\n"
                        "What each row is and how it is measured stands at the top of `tests/bench/bench.py`.\n\n" + text + "\n")
        print(f"written to {PAGE.relative_to(ROOT)}")
    met = rows[1].rate >= GOAL_HEAD * rows[0].rate and min(rates.values()) >= GOAL_IMPORT
    print("all goals are met" if met else "NOT all goals are met")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
