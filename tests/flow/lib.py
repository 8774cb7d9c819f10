"""lib.py - what a flow test needs: the real programs, in a directory of their own, on loopback.

    with World() as w:                      # a temporary directory that goes away with everything that still runs in it
        w.tjzw("import", "--data", w.data, "--publish", w.corpus())
        server = w.serve()                  # returns when the server says READY=1
        phone = w.phone("one")
        phone.sync()                        # {"requests": .., "bytes_down": .., ..}
        assert phone.export() == w.export()
        server.stop()                       # or .kill(): kill -9 of the supervisor and its child

Ports are below 32768, where the kernel takes none for outgoing connections. Chance comes from `random`, seeded with TJZW_SEED or a new
seed that is printed, so that a failure can be tried again. Settings of the caller's environment (TJZW_*) do not reach the programs.
"""
import atexit
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))
from tap import note  # noqa: E402

BUILD = Path(os.environ.get("TJZW_BUILD", ROOT / "build"))
TJZW, PHONE = BUILD / "tjzw", BUILD / "tjzw-phone"
CORPUS = ROOT.parent / "shared" / "corpus" / "articles.ndjson"

# Who is not root may not look into /proc of a process that has no core dumps, and tests count its files.
INSIDE = {} if os.geteuid() == 0 else {"TJZW_CONFINE": "false"}

_seed = int(os.environ.get("TJZW_SEED") or int.from_bytes(os.urandom(4), "big"))
random.seed(_seed)
note(f"TJZW_SEED={_seed} repeats this run's choices")


def clean_env(extra=None):
    """The environment without settings for tjzw, and without a proxy between us and loopback."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TJZW_") and not k.lower().endswith("_proxy") and k != "NOTIFY_SOCKET"}
    env.update(extra or {})
    return env


def wait_for(what, deadline, condition, every=0.02):
    """Until condition() is true; its last answer, or an AssertionError that says what was awaited."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < end, f"{what}: not within {deadline} s"
        time.sleep(every)


def sync_takes(where):
    """The seconds that a write's way onto the disk takes now, on average: what is promised for a disk is promised on top of that."""
    with tempfile.NamedTemporaryFile(dir=where, buffering=0) as file:
        start = time.monotonic()
        for _ in range(20):
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
        return (time.monotonic() - start) / 20


def free_port():
    """Nobody listens on it now, by IPv4 or IPv6. Spread by process, so that tests side by side rarely choose the same."""
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket(socket.AF_INET) as four:
            try:
                four.bind(("0.0.0.0", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as six:
            six.bind(("::1", 0))
        return True
    except OSError:
        return False


def children(pid):
    """The processes it started, oldest first."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (OSError, ValueError):
        return []


def alive(pid):
    """Also while its first thread has ended and others have not: they hold its files and locks."""
    try:
        ended = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        return not ended or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


class Answer:
    """Of one HTTP request."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the admin socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def request(connection, method, target, body=None, headers=None):
    try:
        try:
            connection.request(method, target, body=body, headers=headers or {})
        except BrokenPipeError:
            pass    # it has answered, and closed, before it had been told all
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


class Server:
    """One `tjzw serve`: the supervisor we started, and the child that serves."""

    def __init__(self, world, data, port, args, env, urls, program):
        self.world, self.data, self.port = world, Path(data), port
        self.url = f"https://127.0.0.1:{port}"
        self.log = world.dir / f"serve-{len(world.servers)}.log"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify = world.dir / f"notify-{len(world.servers)}"
        self._notify.bind(str(notify))
        notify.chmod(0o777)     # as systemd's, for a server that gave up root
        command = [program, "serve", "--data", data]
        for url in urls:
            command += ["--listen", url]
        self.started = time.monotonic()
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([*map(str, command), *map(str, args)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=clean_env({"NOTIFY_SOCKET": str(notify), **INSIDE, **(env or {})}), cwd=world.dir)

    def ready(self, deadline=30):
        """Waits for READY=1; how long it took since the start, in seconds."""
        end = time.monotonic() + deadline
        self._notify.settimeout(0.05)
        while time.monotonic() < end:
            try:
                if b"READY=1" in self._notify.recv(4096):
                    return time.monotonic() - self.started
            except TimeoutError:
                assert self.process.poll() is None, f"tjzw serve ended with {self.process.returncode}:\n{self.said()}"
        raise AssertionError(f"tjzw serve did not say READY=1 within {deadline} s:\n{self.said()}")

    def said(self):
        return self.log.read_text(errors="replace")[-4000:]

    @property
    def child(self):
        """The process that serves."""
        started = children(self.process.pid)
        return started[-1] if started else self.process.pid

    def stop(self, deadline=15):
        """SIGTERM; the seconds it took. Its exit status must be 0."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"tjzw serve did not stop within {deadline} s of SIGTERM:\n{self.said()}") from None
        assert status == 0, f"tjzw serve ended with {status} after SIGTERM:\n{self.said()}"
        refused = [line for line in self.log.read_text(errors="replace").splitlines() if '"call_refused"' in line]
        assert not refused, f"the filter refused what the server needs (server/confine.c): {refused[:5]}"
        return time.monotonic() - start

    def kill(self):
        """kill -9 of all of it at once, as when the power fails."""
        pids = [*children(self.process.pid), self.process.pid]
        for pid in reversed(pids):     # the supervisor first, or it would start another child
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        wait_for("the killed server to be gone", 10, lambda: not any(alive(p) for p in pids))

    def get(self, target, method="GET", body=None, headers=None, timeout=30):
        context = ssl._create_unverified_context()
        return request(http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context), method, target, body, headers)

    def admin(self, method, target, body=None, headers=None, timeout=30):
        """Over the admin socket, with the rights of who may open it."""
        return request(UnixConnection(self.data / "admin.sock", timeout), method, target, body, headers)

    def program(self, name, rights):
        """A program of others that may do this; its key."""
        made = self.admin("POST", "/v1/parties", json.dumps({"id": name, "name": name, "kind": "live", "rights": rights}), {"content-type": "application/json"})
        assert made.status == 201, made
        key = self.admin("POST", f"/v1/parties/{name}/keys", '{"perMinute": 1000000, "perDay": 1000000000}', {"content-type": "application/json"})
        assert key.status == 201, key
        return key.json()["key"]

    def put_file(self, bytes_, piece=262144):
        """A picture or an attachment, in pieces; its name."""
        name = hashlib.sha256(bytes_).hexdigest()
        for at in range(0, len(bytes_), piece):
            part = bytes_[at:at + piece]
            answer = self.admin("PUT", f"/v1/blobs/{name}", part, {"content-type": "application/octet-stream",
                                "content-range": f"bytes {at}-{at + len(part) - 1}/{len(bytes_)}"})
            assert answer.status < 300, answer
        return name

    def settle(self, deadline=60):
        """Until the signed head stands at the last change (heads wait a little, so that many changes share one). Its fields."""
        db = sqlite3.connect(f"file:{self.data}/tjzw.db?mode=ro", uri=True, timeout=10)
        try:
            last = db.execute("SELECT COALESCE(MAX(seq), 0) FROM change").fetchone()[0]
        finally:
            db.close()
        return wait_for(f"a head of seq {last}", deadline, lambda: (h := self.head()).get("seq", -1) >= last and h)

    def rest(self, deadline=60):
        """Until the head and its index stay as they are for two seconds: objects are still made, and joined, after much was published."""
        since, last = time.monotonic(), None

        def same():
            nonlocal since, last
            head = self.head()
            if (now := (head.get("seq"), head.get("index"))) != last:
                since, last = time.monotonic(), now
            return time.monotonic() - since >= 2

        wait_for("the index to stay as it is", deadline, same, every=0.1)

    def head(self):
        """The fields of the head as it is served now."""
        lines = self.get("/v1/sync/main/head").body.decode().split("\n\n")[0].splitlines()
        return {k: int(v) if v.isdigit() else v for k, _, v in (line.partition(" ") for line in lines)}

    def metric(self, name):
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(f"tjzw_{name} "):
                return float(line.split()[1])
        raise AssertionError(f"/metrics has no tjzw_{name}")


class Phone:
    """A tjzw-phone with a store of its own."""

    def __init__(self, world, name, url, args):
        self.world, self.store, self.url, self.args = world, world.dir / f"phone-{name}.db", url, list(args)

    def command(self, *args, url=None):
        return [str(a) for a in (PHONE, "--store", self.store, "--server", url or self.url, *self.args, *args)]

    def run(self, *args, url=None, check=True, timeout=120):
        done = subprocess.run(self.command(*args, url=url), capture_output=True, env=clean_env(), timeout=timeout, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, \
            f"tjzw-phone {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')}"
        return done

    def start(self, *args, url=None):
        return subprocess.Popen(self.command(*args, url=url), env=clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def sync(self, **how):
        return json.loads(self.run("sync", "--json", **how).stdout)

    def sync_with(self, *options, **how):
        """A sync with options of its own."""
        return json.loads(self.run(*options, "sync", "--json", **how).stdout)

    def export(self):
        return self.run("export").stdout

    def files(self):
        """The store, and what lies beside it: logs, folders."""
        return list(self.store.parent.glob(self.store.name + "*"))

    def copy(self, name):
        """A phone that holds the same."""
        twin = self.world.phone(name)
        for at in self.files():
            to = twin.store.parent / at.name.replace(self.store.name, twin.store.name)
            shutil.copytree(at, to) if at.is_dir() else shutil.copy(at, to)
        return twin

    def forget(self):
        for at in self.files():
            shutil.rmtree(at) if at.is_dir() else at.unlink()


class World:
    """A directory, and what runs in it."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="tjzw-flow-"))
        self.data = self.dir / "data"
        self.servers = []
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
        atexit.unregister(self.close)

    @staticmethod
    def command(*args):
        return [str(TJZW), *map(str, args)]

    def tjzw(self, *args, check=True, timeout=300, input=None, env=None):
        """A command to its end. `check`: it must succeed."""
        how = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        done = subprocess.run(self.command(*args), capture_output=True, env=clean_env(env), timeout=timeout, cwd=self.dir, **how)
        assert not check or done.returncode == 0, \
            f"tjzw {' '.join(map(str, args))} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')}"
        return done

    def start(self, data=None, *args, port=None, env=None, urls=None, program=None):
        """A server that may not be ready yet."""
        port = port or free_port()
        server = Server(self, data or self.data, port, args, env, [f"https://127.0.0.1:{port}"] if urls is None else urls,
                        program or TJZW)
        self.servers.append(server)
        return server

    def serve(self, data=None, *args, **how):
        server = self.start(data, *args, **how)
        server.ready()
        self.url = server.url
        return server

    def phone(self, name="phone", *args, url=None):
        return Phone(self, name, url or self.url, ["--cacert", self.certificate(), *args])

    def certificate(self, data=None):
        """The self-signed one that a first start leaves in the data directory."""
        return Path(data or self.data) / "keys" / "tls-cert.pem"

    def export(self, data=None):
        return self.tjzw("export", "--data", data or self.data).stdout

    def corpus(self):
        """The real texts if they are at hand, otherwise made ones."""
        return CORPUS if CORPUS.exists() else self.articles(500)

    def articles(self, n, name="articles.ndjson", first=0, size=3000, mark=""):
        """A file of n made articles, about `size` bytes each."""
        path = self.dir / name
        with open(path, "w") as out:
            for i in range(first, first + n):
                out.write(json.dumps(article(i, size, mark), ensure_ascii=False) + "\n")
        return path


WORDS = "天津市人民政府关于进一步做好社会保险公积金住房教育医疗交通环境保护工作的通知各区县有关部门单位办理申请材料流程时限标准"


def article(i, size=3000, mark=""):
    """A made article; the same for the same arguments. Its text is as varied as a real one's is to a compressor."""
    chance = random.Random(f"{i}/{mark}")
    body = "".join(chance.choice(WORDS) + ("。\n\n" if chance.random() < 0.02 else "") for _ in range(size // 3))
    return {"id": f"made-{i}", "title": f"示例文章第{i}号{mark}", "pubDate": f"20{10 + i % 15:02}-{1 + i % 12:02}-{1 + i % 28:02}",
            "source": "示例网站", "column": f"示例/栏目{i % 8}", "body": body}


def corrected(record, chance):
    """The record with a few words of one place replaced by others."""
    body = record["body"]
    at = chance.randrange(len(body) + 1)
    words = "".join(chance.choice(WORDS) for _ in range(chance.randrange(1, 10)))
    return {**record, "body": body[:at] + words + body[at + chance.randrange(6):]}


class CuttingProxy(threading.Thread):
    """A TCP proxy that cuts a connection after as many bytes downwards as `budget()` says (None: never), and can let those there are die without a word."""

    def __init__(self, port, budget):
        super().__init__(daemon=True)
        self.target, self.budget, self.cuts = port, budget, 0
        self.carried, self.dead = set(), set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.start()

    def run(self):
        while True:
            try:
                down, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(down,), daemon=True).start()

    def freeze(self):
        """Who is connected now hears nothing any more, and is not told; whoever comes next is carried."""
        self.dead = set(self.carried)

    def _carry(self, down):
        try:
            up = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            down.close()
            return
        up.settimeout(None)
        self.carried.update((down, up))
        threading.Thread(target=self._pump, args=(down, up, None), daemon=True).start()
        self._pump(up, down, self.budget())

    def _pump(self, source, sink, left):
        try:
            while data := source.recv(16384 if left is None else max(1, min(16384, left))):
                if source in self.dead:
                    continue
                sink.sendall(data)
                if left is not None and (left := left - len(data)) <= 0:
                    self.cuts += 1
                    break
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
