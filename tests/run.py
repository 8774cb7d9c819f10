#!/usr/bin/env python3
"""run.py - runs every test there is and counts the cases.

    run.py [--full] [SUITE[/NAME] ...]      ends with the line  N passed, N failed[, N skipped]

A suite is a row of SUITES: programs, all of which speak TAP on their standard output ("1..N", "ok 1 - name", "not ok 2 - name",
"ok 3 - name # SKIP reason"). Programs of a build are those that meson knows under the suite's name (cmocka prints TAP if asked);
scripts are the files NAME_test.py and NAME_test.sh of a folder. A new test needs no entry here.

All suites share one crew of workers, one more than there are cores, for many tests wait more than they work. The other builds are made one after the
other meanwhile, at a low priority. A suite that must have the machine for itself comes last.

What counts: each case is counted once, as passed, failed or skipped. A program that ends badly without saying which case failed, ends
before its plan is fulfilled, or is over its time, counts as one failed case more, so that nothing can be lost in silence. A sanitizer
that reports ends the program badly. No case at all is a failure.

If few programs failed (RACERS), each runs again, alone, until it failed or passed AGAIN times. One that passes them all was beaten by
what else ran: its cases count as passed, and it is named as "raced", with what it said, for that is a defect of the test or of what it
tests. With --full nothing is tried again.

Tests find in their environment: TJZW_FULL=1 for all rounds (else about a tenth), TJZW_BUILD, the directory of the build.
What a program printed is kept in .cache/test-logs/SUITE/NAME.log.
"""
import argparse
import concurrent.futures
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

RACERS, AGAIN = 3, 3
ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "test-logs"


@dataclass
class Suite:
    name: str
    build: str                  # the build of ./dev that must stand first
    meson: tuple = ()           # programs: those of these meson suites ...
    scripts: str = ""           # ... and the scripts of this folder
    slow: int = 1               # times are multiplied by this
    alone: bool = False         # one program at a time, and nothing beside it
    about: str = ""


IN_PROCESS = ("unit", "api", "sql", "vectors")
SUITES = [
    Suite("lint", "gcc", scripts="tests/lint", about="arrows between folders, reference pages, lengths, words"),
    Suite("unit", "gcc", meson=("unit",), about="one test a source file"),
    Suite("api", "gcc", meson=("api",), about="requests over an in-process connection"),
    Suite("sql", "gcc", meson=("sql",), about="every named statement, on both databases"),
    Suite("vectors", "gcc", meson=("vectors",), about="what two languages must agree on"),
    Suite("clang", "clang", meson=IN_PROCESS, about="the same, compiled by clang"),
    Suite("sim", "gcc", scripts="tests/sim", about="server, phones, network and disks from one seed, and mistakes that this finds"),
    Suite("flow", "gcc", scripts="tests/flow", about="the real program, real sockets, kill -9"),
    Suite("attack", "gcc", scripts="tests/attack", alone=True, about="every attack we know, and the same without the guard"),
    Suite("asan", "asan", meson=IN_PROCESS, slow=6, about="the in-process suites under ASan and UBSan, libh2o too"),
    Suite("tsan", "tsan", meson=IN_PROCESS, slow=10, about="the in-process suites under TSan, libh2o too"),
    Suite("fuzz", "fuzz", scripts="tests/fuzz", about="every fuzz target: its corpus, then some seconds of search"),
]

SANITIZER_ENV = {
    "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp:print_suppressions=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp:exitcode=99:second_deadlock_stack=1:history_size=4",
}


@dataclass
class Program:
    suite: str
    name: str
    command: list
    env: dict
    timeout: float
    cwd: Path = ROOT
    tap: bool = True            # False: its end alone may count, as one case


@dataclass
class Result:
    program: Program
    passed: int = 0
    failed: list = field(default_factory=list)      # names
    skipped: list = field(default_factory=list)     # (name, reason)
    seconds: float = 0
    tail: list = field(default_factory=list)


CASE = re.compile(r"^(ok|not ok)\b\s*(\d+)?\s*(?:-\s*)?(.*)$")
SKIP = re.compile(r"^(.*?)\s*#\s*SKIP\b\s*(.*)$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#\s*(?:SKIP)?\s*(.*))?$", re.IGNORECASE)


def count(result, text):
    """Reads TAP; returns how many cases were promised. Several plans (one for each cmocka group) add up."""
    planned, before = 0, ""
    for line in text.splitlines():
        plan, case = PLAN.match(line), CASE.match(line)
        if plan:
            planned += int(plan[1])
            if int(plan[1]) == 0:
                result.skipped.append((result.program.name, plan[2] or "no reason given"))
        elif case:
            skip = SKIP.match(case[3])
            if skip:    # cmocka: "not ok 3 # SKIP name", and no reason but what was printed before
                name, reason = (skip[1], skip[2]) if skip[1] else (skip[2], before.lstrip("# "))
                result.skipped.append((name, reason or "no reason given"))
            elif case[1] == "ok":
                result.passed += 1
            else:
                result.failed.append(case[3] or "unnamed")
        before = "" if plan or case else line
    return planned


def run(program):
    log = LOGS / program.suite / (program.name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    result, start, late = Result(program), time.monotonic(), False
    with open(log, "wb") as out:
        child = subprocess.Popen(program.command, cwd=program.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 env={**os.environ, **program.env}, start_new_session=True)
        try:
            child.wait(program.timeout)
        except subprocess.TimeoutExpired:
            late = True
        end_group(child, late)
    result.seconds = time.monotonic() - start
    text = log.read_text(errors="replace")
    judge(result, count(result, text), child.returncode, late)
    if result.failed:
        result.tail = explained(text.splitlines())
    return result


def explained(lines):
    """What was said of the cases that failed, and the end, where a sanitizer or a crash speaks."""
    shown = set(range(max(0, len(lines) - 20), len(lines)))
    for at in (n for n, line in enumerate(lines) if line.startswith("not ok")):
        after = next((n for n in range(at + 1, len(lines)) if CASE.match(lines[n]) or PLAN.match(lines[n])), len(lines))
        shown |= set(range(at, min(after, at + 30)))
    return [lines[n] for n in sorted(shown)][:200]


def judge(result, planned, status, late):
    """Adds a failed case for an end that the cases themselves do not tell."""
    name = result.program.name
    cases = result.passed + len(result.failed) + len([s for s in result.skipped if s[0] != name])
    if late:
        result.failed.append(f"{name} was not done after {result.program.timeout:.0f} s")
    elif status < 0 or status and not result.failed:
        result.failed.append(f"{name} ended with {describe(status)}")
    elif cases < planned:
        result.failed.append(f"{name} ran {cases} of {planned} cases")
    elif not cases and not status and not result.program.tap:
        result.passed = 1
    elif not planned and not result.skipped:
        result.failed.append(f"{name} ended before it told its plan")


def end_group(child, late):
    """Whatever a test left running would disturb the next one."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if late:
        child.wait()


def describe(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def without_address_randomization():
    """clang 14's sanitizers cannot place their shadow memory where the kernel randomises with more than 28 bits."""
    wrap = ["setarch", platform.machine(), "-R"]
    works = shutil.which("setarch") and subprocess.run([*wrap, "true"], capture_output=True).returncode == 0
    return wrap if works else []


def directory_of(suite):
    return ROOT / ("build" if suite.build == "gcc" else f"build-{suite.build}")


def meson_programs(suite, factor):
    directory = directory_of(suite)
    tests = json.loads(subprocess.run(["meson", "introspect", "--tests", str(directory)], capture_output=True, check=True).stdout)
    wrap = without_address_randomization() if suite.slow > 1 else []
    for test in tests:
        if not {s.split(":")[-1] for s in test["suite"]} & set(suite.meson):
            continue
        env = {**test["env"], "CMOCKA_MESSAGE_OUTPUT": "TAP", "TJZW_BUILD": str(directory), "G_SLICE": "always-malloc"}
        if suite.slow > 1:
            env.update(SANITIZER_ENV)
        yield Program(suite.name, test["name"], wrap + test["cmd"], env, max(120, test["timeout"] or 0) * suite.slow * factor,
                      Path(test["workdir"] or directory), test["protocol"] == "tap")


def script_programs(suite, full):
    for path in sorted((ROOT / suite.scripts).glob("*_test.*")):
        command = [sys.executable, str(path)] if path.suffix == ".py" else ["bash", str(path)]
        yield Program(suite.name, path.stem, command, {"TJZW_BUILD": str(directory_of(suite))}, 4 * 3600 if full else 900)


def build(kind, gently):
    """A build is a case too: it fails on any warning."""
    result = Result(Program("build", kind, [], {}, 0))
    start = time.monotonic()
    done = subprocess.run([*(("nice", "-n", "10") if gently else ()), str(ROOT / "dev"), "build", kind], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        result.passed = 1
    elif "could not be had" in done.stderr and kind == "tsan":
        result.skipped.append((f"{kind} build", done.stderr.strip().splitlines()[0].removeprefix("dev: ")))
    else:
        result.failed.append(f"the {kind} build")
        result.tail = (done.stdout + done.stderr).splitlines()[-60:]
    result.skipped += [(f"{kind} build", line.removeprefix("SKIP ")) for line in done.stderr.splitlines() if line.startswith("SKIP ")]
    result.seconds = time.monotonic() - start
    return result


def report(result):
    words = [f"{result.passed} passed"]
    words += [f"{len(result.failed)} FAILED"] if result.failed else []
    words += [f"{len(result.skipped)} skipped"] if result.skipped else []
    print(f"{result.program.suite:8} {result.program.name:28} {', '.join(words):32} {result.seconds:7.1f} s", flush=True)
    for name in result.failed:
        print(f"         not ok - {name}")
    for line in result.tail:
        print(f"         | {line}")
    for name, reason in result.skipped:
        print(f"         skipped: {name}: {reason}")
    sys.stdout.flush()


def programs_of(suite, full, only):
    found = list(meson_programs(suite, 10 if full else 1)) if suite.meson else []
    found += list(script_programs(suite, full)) if suite.scripts else []
    if lost := only - {""} - {p.name for p in found}:
        sys.exit(f"no program of {suite.name} is called {', '.join(sorted(lost))}: a script has its _test, a program of a build has not")
    return [p for p in found if "" in only or p.name in only]


def run_suites(suites, full, wanted, tell):
    """Tells every result as it comes. A build that does not stand takes its suites with it, and says so once."""
    alone, running = [], []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() + 1) as crew:
        for kind in dict.fromkeys(s.build for s in suites):
            made = build(kind, gently=bool(running))
            tell(made)
            for suite in suites if made.passed else ():
                if suite.build != kind:
                    continue
                programs = programs_of(suite, full, wanted.get(suite.name, {""}))
                if suite.alone:
                    alone += programs
                else:
                    running += [crew.submit(lambda p: tell(run(p)), p) for p in programs]
    for future in running:
        future.result()
    for program in alone:
        tell(run(program))


def again(result):
    """The last result of running it alone: the first that failed, or the one that makes AGAIN. The log of the failure is kept beside."""
    log = LOGS / result.program.suite / (result.program.name + ".log")
    log.rename(log.with_suffix(".raced.log"))
    for _ in range(AGAIN):
        second = run(result.program)
        report(second)
        if second.failed:
            break
    return second


def main():
    args = argparse.ArgumentParser(description="Runs tests; see the top of this file.")
    args.add_argument("--full", action="store_true", help="all rounds, seeds and minutes")
    args.add_argument("--suites", action="store_true", help="print the names of the suites and stop")
    args.add_argument("suite", nargs="*", help="suites, or single programs as SUITE/NAME")
    args = args.parse_args()
    if args.suites:
        print(" ".join(s.name for s in SUITES))
        return 0
    wanted = {}
    for word in args.suite:
        name, _, program = word.partition("/")
        wanted.setdefault(name, set()).add(program)
    unknown = set(wanted) - {s.name for s in SUITES}
    if unknown:
        sys.exit(f"no suite is called {', '.join(sorted(unknown))}; there are: {' '.join(s.name for s in SUITES)}")
    if args.full:
        os.environ["TJZW_FULL"] = "1"
    return run_all([s for s in SUITES if not wanted or s.name in wanted], args.full, wanted)


def run_all(suites, full, wanted):
    start, results, telling = time.monotonic(), [], threading.Lock()
    shutil.rmtree(LOGS, ignore_errors=True)

    def tell(result):
        with telling:
            results.append(result)
            report(result)
    run_suites(suites, full, wanted, tell)
    beaten = [r for r in results if r.failed]
    raced = []
    if not full and len(beaten) <= RACERS and all(r.program.command for r in beaten):
        for result in beaten:
            second = again(result)
            if not second.failed:
                raced.append(result)
            results[results.index(result)] = second
    passed = sum(r.passed for r in results)
    failed = sum(len(r.failed) for r in results)
    skipped = sum(len(r.skipped) for r in results)
    print(f"\n{len(results)} programs in {time.monotonic() - start:.0f} s; what they printed is in {LOGS.relative_to(ROOT)}/")
    for r in raced:
        for name in r.failed:
            print(f"raced: {r.program.suite}/{r.program.name}: {name}: passed {AGAIN} times since; find out why")
    for r in results:
        for name in r.failed:
            print(f"failed: {r.program.suite}/{r.program.name}: {name}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
