"""arena.py - one server under attack: what is measured beside each case, and the verdict.

    arena = Arena(world); arena.open()
    row = arena.judge(case)         # runs case.act(stage): an AssertionError is a failure, a Skip is none
    arena.close()

For every case, whatever it does itself, four things must hold:
    alive       the process that serves is the one that served before
    memory      its own memory (RssAnon) grew by less than 64 MB at any moment
    others      a witness (witness.py, a process of its own) got every answer, none later than a second; its 99th percentile is noted
    given back  soon after, connections and open files are what they were, and memory is not 32 MB above (the allocator keeps some)

The server runs with one loop, so that whoever attacks and whoever is served share the same thread.
"""
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "flow"))
import lib  # noqa: E402
from tap import Skip  # noqa: E402
from wire import Peer  # noqa: E402

MB = 1 << 20
GROWTH_MAX, KEPT_MAX, LATE_MS, AIM_MS = 64, 32, 1000, 50
P99_MAX = 2 * AIM_MS    # ./dev attack says no above it; a test of a busy machine's suite does not
SETTLE = 6          # seconds for everything to be given back
FILES_SPARE = 4     # a database that a worker has opened meanwhile, the admin socket's own connection
ENV = {"TJZW_RATE_LIMIT": "0", "TJZW_LOOPS": "1", "TJZW_LOG_LEVEL": "warn", "TJZW_HINT_HEARTBEAT": "10s"}


@dataclass
class Case:
    name: str
    does: str
    source: str         # CVE, row of the matrix, RFC, or chapter of docs/shield.md
    expect: str
    act: object         # called with a Stage
    libh2o_fails: bool = False      # without the guard this one must fail, or it proves nothing
    ends: bool = False              # it ends its server, so it has one for itself and nobody else is served
    others: bool = True             # False: what it fills up is full for the others too
    needs: str = ""                 # a setting that the program must have
    full: bool = False              # too long for the short form
    settle: float = SETTLE
    env: dict = field(default_factory=dict)


@dataclass
class Row:
    case: Case
    failures: list = field(default_factory=list)
    fell: str = ""          # the failure that is the attack's success: what the case itself asserts, or the process's death
    skipped: str = ""
    notes: list = field(default_factory=list)
    guard: str = ""         # its counters that moved
    grown: float = 0        # MB, at most
    p99: float = None       # ms, of the witness
    asked: int = 0
    seconds: float = 0

    @property
    def good(self):
        return not self.failures and not self.skipped


class Stage:
    """What a case acts with."""

    def __init__(self, arena, number):
        self.arena, self.port, self.clear_port = arena, arena.port, arena.clear_port
        self.address = f"127.{1 + number // 250}.{1 + number % 250}.1"
        self.peers, self.notes = [], []

    def peer(self, tls=True, **how):
        peer = Peer(self.port if tls else self.clear_port, tls=tls, **{"source": self.address, **how})
        self.peers.append(peer)
        return peer

    def held(self, peers):
        """Those of which the server still has the other end, even if it cannot tell us so because we do not read."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        theirs = {words[2] for words in rows if words[9] != "0"}     # remote addresses; a socket without inode is nobody's any more
        return [p for p in peers if not p.over and hex_address(p) in theirs]

    def note(self, text):
        self.notes.append(text)

    def metric(self, name):
        return self.arena.metric(name)

    def done(self):
        for peer in self.peers:
            peer.close()


def hex_address(peer):
    """As /proc/net/tcp writes it."""
    host, port = peer.s.getsockname()
    return "%02X%02X%02X%02X:%04X" % (*reversed([int(x) for x in host.split(".")]), port)


class Watch(threading.Thread):
    """The highest RssAnon of a process."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.go = pid, 0, True
        self.start()

    def run(self):
        while self.go:
            self.most = max(self.most, memory(self.pid))
            time.sleep(0.02)

    def end(self):
        self.go = False
        self.join()
        return max(self.most, memory(self.pid))


def memory(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return 0


def files(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


class Arena:
    def __init__(self, world, env=None):
        """`world.data` is what a server serves; each has a copy of it."""
        self.world, self.env = world, {**ENV, **(env or {})}
        self.port, self.clear_port = lib.free_port(), lib.free_port()
        self.log = world.dir / f"witness-{self.port}"
        self.log.touch()
        self.server = self.witness = None

    # ---- the server and its witness ----
    def open(self):
        urls = [f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.clear_port}"]
        data = self.world.dir / f"data-{self.port}"
        if not data.exists():
            shutil.copytree(self.world.data, data)
        self.server = self.world.serve(data, port=self.port, urls=urls, env=self.env)
        self.pid = self.server.child
        self.warm()
        self.witness = subprocess.Popen([sys.executable, str(Path(__file__).parent / "witness.py"), str(self.port), str(self.log)],
                                        stdin=subprocess.DEVNULL, env=lib.clean_env())
        lib.wait_for("the witness to be served", 20, lambda: len(self.answers(0)) > 50)
        return self

    def warm(self):
        """So that what a first request builds is not taken for growth."""
        for target in ("/", "/v1/items?n=50", "/docs", "/v1/sync/main/head", "/openapi.json", "/v1/nothing"):
            for _ in range(4):
                self.server.get(target)

    def close(self):
        if self.witness:
            self.witness.kill()
            self.witness.wait()
        if self.server and self.server.process.poll() is None:
            self.server.kill()
        self.witness = self.server = None

    def alive(self):
        return bool(self.server) and self.server.process.poll() is None and lib.alive(self.pid) and self.server.child == self.pid

    def metrics(self):
        """Over the admin socket: an attack on the ports is none on it."""
        said = self.server.admin("GET", "/metrics", timeout=5).body.decode()
        return {k.removeprefix("tjzw_"): float(v) for k, v in (line.split() for line in said.splitlines() if not line.startswith("#"))}

    def metric(self, name):
        return self.metrics().get(name)

    def guarded(self, before):
        """What the guard counted meanwhile, in words."""
        now = self.metrics()
        grown = {k.removeprefix("guard_").removeprefix("ended_"): n - before.get(k, 0) for k, n in now.items()
                 if k.startswith("guard_") and k != "guard_frames"}
        return ", ".join(f"{k} {n:.0f}" for k, n in grown.items() if n)

    # ---- what the witness saw ----
    def answers(self, since, till=float("inf")):
        """Of what was asked or answered in between: (when it was there, ms)."""
        rows = [line.split() for line in self.log.read_text().splitlines() if line.count(" ") == 1]
        return [(float(at), float(ms)) for at, ms in rows if float(at) >= since and float(at) - float(ms) / 1000 <= till]

    def others(self, row, since, till):
        """An answer that is late belongs to the time it was awaited, so we wait for the first one that was asked afterwards."""
        end = time.monotonic() + LATE_MS / 1000 + 5
        while time.monotonic() < end and not self.answers(till + 0.001):
            time.sleep(0.02)
        took = [ms for _, ms in self.answers(since, till)]
        row.asked = len(took)
        missing = sum(1 for ms in took if ms < 0)
        served = sorted(ms for ms in took if ms >= 0)
        if served:
            row.p99 = served[min(len(served) - 1, int(len(served) * 0.99))]
        if missing:
            row.failures.append(f"others: {missing} of {len(took)} requests got no answer")
        elif not served:
            row.failures.append(f"others: no answer in {till - since:.1f} s")
        elif served[-1] > LATE_MS:
            row.failures.append(f"others: an answer took {served[-1]:.0f} ms")

    # ---- many at once ----
    def together(self, cases, name):
        """Cases that mostly wait, side by side. Each has its own verdict and its own stretch of the witness; what belongs to the
        process as a whole stands in one more row."""
        rows = [Row(c) for c in cases]
        all_of_them = Row(Case(name, f"{len(cases)} cases at once", "", "no memory, all given back", None))
        before, stage, watch, since = self.state(), Stage(self, 0), Watch(self.pid), time.monotonic()
        threads = [threading.Thread(target=self._one_of, args=(row, number, since)) for number, row in enumerate(rows)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        all_of_them.seconds = time.monotonic() - since
        all_of_them.grown = max(0, watch.end() - before["memory"]) / MB
        self.verdict(all_of_them, stage, before, since, time.monotonic())
        for row in rows:
            row.grown = all_of_them.grown
        return [*rows, all_of_them]

    def _one_of(self, row, number, since):
        stage = Stage(self, 500 + number)
        self._act(row, stage)
        if row.case.others and not row.skipped and self.alive():
            self.others(row, since, time.monotonic())
        stage.done()

    # ---- one case ----
    def _act(self, row, stage):
        since = time.monotonic()
        try:
            row.case.act(stage)
        except Skip as why:
            row.skipped = str(why)
        except AssertionError as why:
            row.fell = str(why) or "an assertion of the case"
            row.failures.append(row.fell)
        except OSError as why:
            row.failures.append(f"{type(why).__name__}: {why}")
        row.seconds = time.monotonic() - since
        row.notes = stage.notes

    def judge(self, case, number):
        row, stage = Row(case), Stage(self, number)
        before = self.state()
        watch, since = Watch(self.pid), time.monotonic()
        self._act(row, stage)
        till = max(time.monotonic(), since + 0.2)
        time.sleep(max(0, till - time.monotonic()))
        row.grown = max(0, watch.end() - before["memory"]) / MB
        if not row.skipped:
            self.verdict(row, stage, before, since, till)
        stage.done()
        if not case.ends and not row.skipped and (row.failures or not self.alive()) and not self.usable():
            self.close()
            self.open()
        return row

    def verdict(self, row, stage, before, since, till):
        if row.grown >= GROWTH_MAX:
            row.failures.append(f"memory: {row.grown:.0f} MB more")
        if row.case.ends:
            return
        if not self.alive():
            row.fell = f"alive: the process ended ({self.last_words()})"
            row.failures.insert(0, row.fell)
            return
        if row.case.others:
            self.others(row, since, till)
        stage.done()
        self.given_back(row, before)
        try:
            row.guard = self.guarded(before["metrics"])
        except OSError:
            pass

    def last_words(self):
        said = [line for line in self.server.said().splitlines() if "ssert" in line or "signal" in line]
        return said[-1][-160:] if said else f"status {self.server.process.poll()}"

    def state(self):
        """What must be given back; and the metrics, connections among them."""
        metrics = self.metrics()
        return {"memory": memory(self.pid), "files": files(self.pid), "connections": metrics["connections"], "metrics": metrics}

    def given_back(self, row, before):
        end, wrong = time.monotonic() + row.case.settle, ["nothing was asked"]
        while wrong and time.monotonic() < end:
            try:
                now = self.state()
                wrong = [f"{what}: {before[what]:.0f} before, {now[what]:.0f} after"
                         for what, spare in (("connections", 1), ("files", FILES_SPARE)) if now[what] > before[what] + spare]
                if now["memory"] > before["memory"] + KEPT_MAX * MB:
                    wrong.append(f"memory: {(now['memory'] - before['memory']) / MB:.0f} MB kept")
            except OSError:
                wrong = ["the admin socket does not answer"]
            if wrong:
                time.sleep(0.1)
        row.failures += [f"given back: {w}" for w in wrong]

    def usable(self):
        """After a failure: fit for the next case, or to be replaced."""
        try:
            return self.alive() and self.server.get("/healthz", timeout=3).status == 200 and memory(self.pid) < 200 * MB \
                and self.metric("connections") < 50
        except OSError:
            return False
