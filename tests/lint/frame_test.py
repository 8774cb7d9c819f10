#!/usr/bin/env python3
"""The frame keeps its promise: no case and no failure is lost in silence."""
import sys
import tempfile
import time
from pathlib import Path

from tree import ROOT

from tap import case, done

sys.path.insert(0, str(ROOT / "tests"))
import run  # noqa: E402


def result_of(script, timeout=20):
    """What is counted of a program that is this shell script."""
    with tempfile.TemporaryDirectory() as logs:
        run.LOGS = Path(logs)
        return run.run(run.Program("frame", "program", ["bash", "-c", script], {}, timeout))


def counted(script, **how):
    r = result_of(script, **how)
    return r.passed, len(r.failed), len(r.skipped)


with case("cases are counted, with what cmocka makes of TAP"):
    assert counted("echo 1..2; echo ok 1 - a; echo ok 2 - b") == (2, 0, 0)
    assert counted("echo 1..3; echo ok 1 - a; echo '# 1 != 2'; echo not ok 2 - b; echo 'not ok 3 # SKIP c'; exit 1") == (1, 1, 1)
    assert counted("echo 1..1; echo ok 1 - a; echo 1..1; echo ok 1 - b") == (2, 0, 0)

with case("a skipped case keeps its reason"):
    r = result_of("echo 'ok 1 - IPv6 # SKIP this machine has none'; echo 1..1")
    assert r.skipped == [("IPv6", "this machine has none")] and not r.failed, r
    r = result_of("echo 1..2; echo ok 1 - a; echo '# no corpus here'; echo 'not ok 2 # SKIP b'")
    assert r.skipped == [("b", "no corpus here")], r
    assert counted("echo '1..0 # SKIP no database'") == (0, 0, 1)

with case("a program that ends badly, early, late, or without a word is a failed case"):
    assert counted("echo 1..1; echo ok 1 - a; exit 3") == (1, 1, 0)
    assert counted("echo 1..1; echo ok 1 - a; kill -SEGV $$") == (1, 1, 0)
    assert counted("echo 1..3; echo ok 1 - a") == (1, 1, 0)
    assert counted("echo ok 1 - a; echo not ok 2 - b; exit 1") == (1, 2, 0)
    assert counted("echo hello") == (0, 1, 0)
    assert counted("echo ok 1 - a; sleep 20", timeout=0.5) == (1, 1, 0)

with case("what a program leaves running is ended"):
    with tempfile.TemporaryDirectory() as d:
        result_of(f"(sleep 1; touch {d}/left) & echo ok 1 - a")
        time.sleep(1.3)
        assert not (Path(d) / "left").exists()

sys.exit(done())
