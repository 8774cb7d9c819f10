"""tap.py - test cases of a script, told in TAP, the one language of all our suites (tests/run.py reads it).

    with case("an unknown key names the nearest"):     # an exception makes it "not ok" and the script goes on
        assert "listen" in answer, answer
    skip("IPv6", "this machine has no ::1")
    sys.exit(done())                                   # prints the plan
"""
import contextlib
import os
import sys
import traceback

FULL = bool(os.environ.get("TJZW_FULL"))
_count = {"run": 0, "failed": 0}


class Skip(Exception):
    """Raised inside a case: it cannot be tried here, and why."""


def _line(good, name, skipped=None):
    _count["run"] += 1
    _count["failed"] += not good
    tail = f" # SKIP {skipped}" if skipped else ""
    print(f"{'ok' if good else 'not ok'} {_count['run']} - {name.replace('#', '.')}{tail}", flush=True)


def note(text):
    """Something for the reader of the log."""
    for line in str(text).splitlines() or [""]:
        print(f"# {line}", flush=True)


def skip(name, reason):
    _line(True, name, skipped=reason)


@contextlib.contextmanager
def case(name):
    try:
        yield
    except Skip as why:
        skip(name, str(why))
    except KeyboardInterrupt:
        raise
    except AssertionError as why:
        at = traceback.extract_tb(why.__traceback__)[1:] or traceback.extract_tb(why.__traceback__)
        _line(False, name)
        note(f"{os.path.basename(at[0].filename)}:{at[0].lineno}: {at[0].line}\n{why}")
    except BaseException:  # SystemExit too: a helper that gives up must not end the script in silence
        _line(False, name)
        note(traceback.format_exc())
    else:
        _line(True, name)


def rounds(full, plain=None):
    """How often: all rounds of --full, otherwise about a tenth."""
    return full if FULL else plain if plain is not None else max(1, full // 10)


def done():
    print(f"1..{_count['run']}")
    sys.stdout.flush()
    return 1 if _count["failed"] else 0
