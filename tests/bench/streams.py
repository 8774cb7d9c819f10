"""streams.py - what it costs to tell everybody at once: server-sent events over TLS and HTTP/2, beside nginx with nchan.

Both hold as many streams at the same time, each over a connection of its own (listen.c); each round publishes MESSAGES to the one and to the other, one after the other is heard by all. The
messages of both have as many bytes: ours are heads (GET /v1/events), made by publishing an article, and told within SPREAD. "CPU" is what the server's threads ran over the deliveries,
without what a message costs them that nobody hears, which is measured before and stands beside it: ours stores an article and signs a head, nginx takes a POST. Memory is what is not a file's (RssAnon and RssShmem: nchan keeps messages in shared memory) over what it was before the first came. At the
end ours tells MANY messages more, and its memory is looked at again.
"""
import http.client
import json
import re
import resource
import shutil
import ssl
import statistics
import subprocess
import time
from pathlib import Path

from lib import free_port, wait_for
from measure import ALONE, BUILD, certificate, cpu, curl, say, spawn

STREAMS, MESSAGES, MANY = 9000, 10, 1000
SPREAD = "64ms"     # the least that lets each loop tell its streams one part after the other; usually it is 2 s
MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
NGINX = """
load_module {module}; daemon off; worker_processes 1; worker_rlimit_nofile {files}; pid {dir}/nchan.pid; error_log stderr error;
events {{ worker_connections {files}; }}
http {{
    access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
    keepalive_requests 1000000; keepalive_timeout 1h; nchan_shared_memory_size 256m;
    server {{
        listen 127.0.0.1:{port} ssl http2; listen 127.0.0.1:{inside}; ssl_certificate {cert}; ssl_certificate_key {key};
        location = /here {{ return 200; }}
        location = /sub {{ nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 25; }}
        location = /pub {{ nchan_publisher http; nchan_channel_id all; nchan_message_buffer_length 10; }}
    }}
}}
"""
SETTINGS = {**ALONE, "TJZW_HINT_SUBSCRIBERS": "100000", "TJZW_HINT_PER_ADDRESS": "0", "TJZW_HINT_SPREAD": SPREAD, "TJZW_CONNECTIONS_PER_CLIENT": "0",
            "TJZW_HEAD_DEBOUNCE": "1ms"}


def memory(pid):
    """Kilobytes that are no file's."""
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("RssAnon", "RssShmem"))


class Crowd:
    def __init__(self, name, pid, port, path, publish):
        self.name, self.pid, self.publish, self.costs, self.waits, self.told = name, pid, publish, [], [], 0
        self.alone = self.unheard()
        self.empty = memory(pid)
        self.process = subprocess.Popen([BUILD / "tests" / "bench" / "listen", str(port), path, str(STREAMS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        began = time.monotonic()
        assert self.process.stdout.readline() == "open\n", "they are not let in"
        say(f"{name}: {STREAMS:,} streams after {time.monotonic() - began:.1f} s")

    def unheard(self):
        """Microseconds of a message to nobody."""
        before = cpu(self.pid)
        for _ in range(MESSAGES):
            self.publish()
            time.sleep(0.1)
        return (cpu(self.pid) - before) / 1000 / MESSAGES

    def heard(self, number):
        """When all of them had so many, in seconds of time.monotonic()."""
        while self.told < number:
            line = self.process.stdout.readline().split()
            assert line, "a listener ended"
            self.told, at = int(line[0]), int(line[1]) / 1e9
        return at

    def tell(self, messages):
        for _ in range(messages):
            number, began = self.told + 1, time.monotonic()
            self.publish()
            self.waits.append((self.heard(number) - began) * 1000)

    def measured(self, messages):
        before = cpu(self.pid)
        self.tell(messages)
        self.costs.append(((cpu(self.pid) - before) / 1000 / messages - self.alone) / STREAMS)

    @property
    def each(self):
        """Kilobytes a stream."""
        return (memory(self.pid) - self.empty) / STREAMS

    def stop(self):
        self.process.stdin.close()
        said = self.process.stdout.read().split()
        self.process.wait(30)
        assert said[-3] == said[-1], f"{self.name}: not all had as many: {said}"


class Ours:
    def __init__(self, w):
        self.w, self.data, self.n = w, w.dir / "streams", 0
        w.serve(self.data, "--demo", env=SETTINGS).stop(60)    # what a first start leaves behind is none of a stream's memory
        self.server = w.serve(self.data, env=SETTINGS)
        self.publish()
        self.server.settle()

    def ask(self, target, body):
        said = self.server.admin("POST", target, json.dumps(body), {"content-type": "application/json"})
        assert said.status in (200, 201), said
        return said.json()

    def publish(self):
        self.n += 1
        item = self.ask("/v1/items", {"site": "9900000001", "column": 2, "title": f"示例：{self.n}", "body": "正文。"})["id"]
        for step in ("submit", "approve", "publish"):
            self.ask(f"/v1/items/{item}/{step}", {})

    def event(self):
        """The bytes of one."""
        line = http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=10, context=ssl._create_unverified_context())
        line.request("GET", "/v1/events")
        said = line.getresponse()
        lines = [said.readline() for _ in range(6)]    # retry and an empty one, then three and an empty one
        line.close()
        assert lines[4].startswith(b"data: ") and lines[5] == b"\n", lines
        return sum(map(len, lines[2:]))


def nchan(w, size):
    """The worker, its port, and how it is told a message of so many bytes on the wire."""
    cert, key = certificate(w)
    port, inside, files = free_port(), free_port(), resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    (w.dir / "nchan.conf").write_text(NGINX.format(module=MODULE, dir=w.dir, port=port, inside=inside, cert=cert, key=key, files=files))
    for path in (w.dir, w.dir.parent):
        path.chmod(path.stat().st_mode | 0o055)
    master = spawn([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-c", w.dir / "nchan.conf"])
    wait_for("nginx", 10, lambda: master.poll() is None and curl(f"https://127.0.0.1:{port}/here") is not None and Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text())
    line = http.client.HTTPConnection("127.0.0.1", inside)
    text = "x" * (size - len("id: 1800000000:0\ndata: \n\n"))

    def publish():
        line.request("POST", "/pub", text)
        assert line.getresponse().read() is not None
    worker = int(Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()[0])
    return worker, port, publish


def rows(crowds):
    lines = [f"| {STREAMS:,} streams, TLS and HTTP/2 | kB each | after {MESSAGES * len(crowds[0].costs)} messages | CPU µs a delivery | of a message that nobody hears | until the last has it, ms |", "|---|---:|---:|---:|---:|---:|"]
    for c in crowds:
        lines.append(f"| {c.name} | {c.at_first:.1f} | {c.later:.1f} | {statistics.median(c.costs):.2f} | {c.alone:,.0f} | {statistics.median(c.waits):.0f} |")
    return lines


def report(w, args, goals):
    if not MODULE.exists():
        return ["Streams: skipped, nginx has no nchan here (Debian: libnginx-mod-nchan)"]
    say("streams")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ours = Ours(w)
    worker, port, publish = nchan(w, ours.event())
    crowds = [Crowd("this server", ours.server.child, ours.server.port, "/v1/events", ours.publish), Crowd("nginx 1.22 and nchan 1.3.6", worker, port, "/sub", publish)]
    crowds[0].heard(1)     # the newest head, which a stream begins with; nchan's begin with what comes
    for c in crowds:
        c.at_first = c.each
        c.tell(1)          # the first is dearer
    for _ in range(args.rounds):
        for c in crowds:
            c.measured(MESSAGES)
    for c in crowds:
        c.later = c.each
    mine, theirs = crowds
    lines = rows(crowds)
    theirs.stop()
    say(f"{MANY:,} messages")
    mine.tell(MANY)
    grown = 100 * (mine.each / mine.later - 1)
    lines += ["", f"After {MANY:,} messages more a stream of this server takes {mine.each:.1f} kB ({grown:+.1f} %), and all have had every one of them."]
    mine.stop()
    ours.server.stop(60)
    goals.at_most("a stream of events, kB", mine.later, 24)
    goals.at_most("a delivery, part of nchan's CPU, %", 100 * statistics.median(a / b for a, b in zip(mine.costs, theirs.costs)), 100)
    goals.at_most(f"a stream after {MANY:,} messages more, % of its memory", 100 + grown, 105)
    return lines
