"""liar.py - somebody between a server and its reader, who changes the answers.

A proxy (plain HTTP on loopback, as behind a balancer that ends TLS) that lies in one way at a time, or not at all:

    flip       a bit of a random byte                   cut        the body ends early, at a random byte
    short      the same, with a fitting Content-Length  long       more bytes than there are, also cut in the midst of them
    old        an older head, a right one in its time   frozen     all answers as they were rounds ago
    swap       another answer of the same kind          tombstone  a withdrawal is missing in the catch-up
"""
import http.client
import http.server
import re
import struct
import subprocess
import threading
from collections import Counter, defaultdict

HEAD = re.compile(r"/v1/sync/(heads(/main)?|main/head)$")


def kind(path):
    """What is asked for, without what changes from one time to the next."""
    return re.sub(r"/v1/(sync/)?(main/)?", "", path).split("/")[0] + (path[path.rindex("."):] if re.search(r"\.(dz|zst|gz)$", path) else "")


def zstd(data, *how):
    return subprocess.run(["zstd", "-qc", *how], input=data, capture_output=True, check=True).stdout


def without_tombstones(path, body):
    """The catch-up without its tombstones, otherwise right; the same if it has none."""
    if path.endswith(".dz"):
        magic, records, size = struct.unpack(">8sII", body[:16])
        section, deltas = zstd(body[16:16 + size], "-d"), body[16 + size:]
    elif path.endswith(".zst"):
        whole = zstd(body, "-d")
        magic, records, section, deltas = whole[:8], struct.unpack(">I", whole[8:12])[0], whole[12:], None
    else:
        return body
    kept, n, at = [], 0, 0
    while at < len(section):
        first = at if deltas is None else at + 1    # in a .dz a byte `how` stands before each
        if first > at and section[at]:
            op, end = 1, first + 28                 # a difference; the server makes none of a tombstone as short as ours
        else:
            op, _, title, length = struct.unpack(">BBHI", section[first:first + 8])
            end = first + 56 + title + length
        if op == 1:
            kept.append(section[at:end])
            n += 1
        at = end
    if n == records:
        return body
    section = b"".join(kept)
    if deltas is None:
        return zstd(magic + struct.pack(">I", n) + section)
    section = zstd(section)
    return struct.pack(">8sII", magic, n, len(section)) + section + deltas


class Liar(http.server.ThreadingHTTPServer):
    """Carries what is asked to the server, and what is answered back, not always as it was."""
    daemon_threads = True

    def __init__(self, upstream):
        self.upstream, self.lie, self.lock = upstream, None, threading.Lock()
        self.seen = defaultdict(dict)       # kind: {path: answer}
        self.old = []                       # [{path: answer}] of past rounds: what was honest then
        self.truth = defaultdict(set)       # path: every body that the server answered, whatever was made of it
        self.now, self.lied, self.refuse_logs = {}, Counter(), False
        self.only = ""                      # it lies about paths that begin so, and about no others
        super().__init__(("127.0.0.1", 0), Carrier)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def begin(self, lie, chance):
        """From now on it lies so; `lie` None: it is honest. An answer that is being made is made as it was begun."""
        with self.lock:
            if self.now:
                self.old.append(self.now)
            self.now, self.lie, self.chance, self.told = {}, lie, chance, 0

    def handle_error(self, *_):
        """A reader that has heard enough hangs up."""

    def fetch(self, path, headers):
        http_ = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            http_.request("GET", path, headers=headers)
            answer = http_.getresponse()
            return answer.status, [(k, v) for k, v in answer.getheaders()
                                   if k.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server")], answer.read()
        finally:
            http_.close()

    def answer(self, path, headers):
        """(status, headers, body, how many bytes of it are sent)"""
        with self.lock:
            if self.refuse_logs and "/log/" in path:
                # As if it were too large: the reader takes the index's objects, and asks for the rest of the log.
                self.refuse_logs = False
                return 413, [("content-type", "application/problem+json")], b'{"type":"/problems/too-large"}', None
            status, fields, body = self.fetch(path, headers)
            if status == 200:
                self.truth[path].add(body)
            if self.lie is None or not path.startswith(self.only):
                if status == 200:
                    self.now[path] = self.seen[kind(path)][path] = (status, fields, body)
                return status, fields, body, None
            return self.twisted(path, status, fields, body)

    def twisted(self, path, status, fields, body):
        before, sent = body, None
        if self.lie == "old" and HEAD.match(path):
            status, fields, body = self.past(path, self.chance.randrange(1, 6)) or (status, fields, body)
        elif self.lie == "frozen":
            status, fields, body = self.past(path, 4) or (status, fields, body)
        elif status not in (200, 206) or not body:
            pass
        elif self.lie == "swap" and len(self.seen[kind(path)]) > 1 and not HEAD.match(path):
            other = self.chance.choice([p for p in self.seen[kind(path)] if p != path] or [path])
            _, fields, body = self.seen[kind(path)][other]
        elif self.lie == "tombstone" and "/log/" in path and status == 200:
            body = without_tombstones(path, body)
        elif self.lie == "long" and self.chance.random() < 0.6:
            body += self.chance.randbytes(self.chance.randrange(1, 2 * len(body) + 2))
            sent = self.chance.choice([None, self.chance.randrange(len(before), len(body))])
        elif self.lie in ("flip", "cut", "short") and self.chance.random() < 0.6:
            at = self.chance.randrange(len(body))
            if self.lie == "flip":
                body = body[:at] + bytes([body[at] ^ 1 << self.chance.randrange(8)]) + body[at + 1:]
            elif self.lie == "short":
                body = body[:at]
            else:
                sent = at
        if body != before or sent is not None:
            self.told += 1
            self.lied[f"{self.lie} {kind(path)}"] += 1
        return status, fields, body, sent

    def past(self, path, ago):
        for seen in self.old[:-ago][::-1] or self.old[:1]:
            if path in seen:
                return seen[path]
        return None


class Carrier(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = ("range", "if-range", "if-none-match", "cache-control")
        status, fields, body, sent = self.server.answer(self.path, {k: v for k, v in self.headers.items() if k.lower() in wanted})
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body[:sent])
        self.close_connection = sent is not None

    def log_message(self, *_):
        pass
