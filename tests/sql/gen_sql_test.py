#!/usr/bin/env python3
"""gen_sql_test.py GENERATOR - what the generator of statements makes of good files, and how it refuses bad ones. TAP."""
import os
import subprocess
import sys
import tempfile

GOOD = """-- What this file is about.
-- name: first
-- scan: a handful
SELECT a, 'it''s ?1 -- text', "b?" -- why; and ?
  FROM t WHERE c = ?1 AND d = ?2 OR c = ?1;

-- A note between two.
-- name: second
DELETE FROM t;
"""

# name of the case, file, what the error says behind "FILE:"
BAD = [
    ("a name that stands twice", GOOD + "-- name: first\nSELECT 1;\n", "10: first stands already at "),
    ("a name of other characters", "-- name: First\nSELECT 1;\n", "1: 'First' is no name"),
    ("a '?' without a number", "-- name: a\nSELECT '?',\n?;\n", "3: a '?' without a number"),
    ("a gap in the parameters", "-- name: a\nSELECT ?1, ?3;\n", "1: the parameters of a are not ?1, ?2"),
    ("no semicolon", "-- name: a\nSELECT 1\n\n-- name: b\nSELECT 2;\n", "1: a does not end with ';'"),
    ("two statements under a name", "-- name: a\nSELECT 1; SELECT 2;\n", "2: text behind the ';' of a"),
    ("a statement without a name", "\nSELECT 1;\n", "2: a statement without '-- name:'"),
    ("a name without a statement", "-- name: a\n", "1: a has no text"),
    ("a literal over two lines", "-- name: a\nSELECT 'x\ny';\n", "2: a literal must end on its line"),
    ("a comment in C's way", "-- name: a\nSELECT /* x */ 1;\n", "2: write comments with '--'"),
    ("a reason at the wrong place", "-- name: a\nSELECT 1;\n-- scan: late\n", "3: '-- scan:' stands between"),
    ("a schema that is none", "-- schema: other\n-- name: a\nSELECT 1;\n", "1: '-- schema: library|derived' stands"),
    ("a schema in the middle", "-- name: a\nSELECT 1;\n-- schema: derived\n", "3: '-- schema: library|derived' stands"),
    ("an empty reason", "-- name: a\n-- scan:\nSELECT 1;\n", "2: '-- scan:' wants a reason"),
]


def generate(generator, directory, text):
    path = os.path.join(directory, "noun.sql")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    made = [os.path.join(directory, "out.h"), os.path.join(directory, "out.c")]
    ran = subprocess.run([sys.executable, generator, *made, path], text=True, capture_output=True)
    return ran, path, made


def main(generator):
    failed = False
    print("1..%d" % (1 + len(BAD)))
    with tempfile.TemporaryDirectory() as directory:
        ran, path, made = generate(generator, directory, GOOD)
        source = open(made[1], encoding="ascii").read() if ran.returncode == 0 else ran.stderr
        wanted = [
            "\"SELECT a, 'it''s \\?1 -- text', \\\"b\\?\\\" FROM t WHERE c = \\?1 AND d = \\?2 OR c = \\?1\"",
            "FROM t WHERE c = $1 AND d = $2 OR c = $1\"", "\"a handful\", 2, DB_LIBRARY }", "\"DELETE FROM t\"",
        ]
        missing = [w for w in wanted if w not in source]
        failed |= report(1, "a good file", missing and "lacks %s in %s" % (missing[0], source))
        for number, (name, text, error) in enumerate(BAD, 2):
            ran, path, made = generate(generator, directory, text)
            right = ran.returncode != 0 and ran.stderr.startswith(path + ":" + error)
            failed |= report(number, name, None if right else "said: " + ran.stderr.strip())
    return 1 if failed else 0


def report(number, name, error):
    print("%s %d - %s%s" % ("not ok" if error else "ok", number, name, ": " + error if error else ""))
    return bool(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
