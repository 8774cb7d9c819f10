#!/usr/bin/env python3
"""
postgres_test.py STATEMENTS SCHEMA.sql... - every named statement prepares on PostgreSQL.

A throwaway server in a temporary directory: one Unix socket, no network, gone at the end. TAP on standard output; where PostgreSQL 15 is
not installed, or cannot be started, the suite says that it is skipped.
"""
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

BIN = os.environ.get("TJZW_PG_BIN", "/usr/lib/postgresql/15/bin")


def skip(why):
    print("1..0 # SKIP " + why)
    sys.exit(0)


class Server:
    """PostgreSQL refuses to run as root: then it runs as its own user."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tjzw-pg-", dir="/tmp")  # a socket's path is short
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.prefix = []
        if os.getuid() == 0:
            self.user = "postgres"
            self.prefix = ["runuser", "-u", self.user, "--"]
            shutil.chown(self.dir, self.user)
        self.data = os.path.join(self.dir, "data")

    def run(self, *command, **options):
        return subprocess.run([*self.prefix, *command], cwd=self.dir, text=True, capture_output=True, timeout=120, **options)

    def start(self):
        made = self.run(BIN + "/initdb", "-D", self.data, "-A", "trust", "-U", self.user, "-E", "UTF8", "--locale=C", "--no-sync")
        if made.returncode:
            return made.stderr
        options = "-c listen_addresses='' -c fsync=off -k " + self.dir
        # pg_ctl's output goes to a file: the server would inherit a pipe and keep it open.
        return self.run(BIN + "/pg_ctl", "-D", self.data, "-w", "-o", options, "-l", self.dir + "/log", "start").stderr

    def sql(self, text):
        """Runs a script whose every statement is one line; what went wrong comes as {line: message}."""
        ran = self.run(BIN + "/psql", "-X", "-q", "-h", self.dir, "-U", self.user, "-d", "postgres", "-f", "-", input=text)
        errors = {}
        for line in ran.stderr.splitlines():
            found = re.match(r"psql:<stdin>:(\d+): ERROR:\s*(.*)", line)
            if found:
                errors[int(found[1])] = found[2]
        if ran.returncode and not errors:
            errors[0] = ran.stderr.strip().replace("\n", " ")
        return errors

    def stop(self):
        self.run(BIN + "/pg_ctl", "-D", self.data, "-m", "immediate", "stop")
        shutil.rmtree(self.dir, ignore_errors=True)


def main(statements, schemas):
    if not os.path.exists(BIN + "/initdb"):
        skip("PostgreSQL 15 is not installed (%s/initdb)" % BIN)
    lines = subprocess.run([statements, "--pg"], check=True, text=True, capture_output=True).stdout.splitlines()
    server = Server()
    try:
        why = server.start()
        if why:
            skip("PostgreSQL does not start: " + why.strip().replace("\n", " "))
        failed = False
        print("1..%d" % (len(schemas) + len(lines)))
        for number, path in enumerate(schemas, 1):
            with open(path, encoding="utf-8") as file:
                errors = server.sql(file.read())
            failed |= report(number, os.path.basename(path), next(iter(errors.values()), None))
        errors = server.sql("\n".join(lines) + "\n")
        for number, line in enumerate(lines, 1):
            failed |= report(len(schemas) + number, line.split()[1], errors.get(number, errors.get(0)))
        return 1 if failed else 0
    finally:
        server.stop()


def report(number, name, error):
    print("%s %d - %s%s" % ("not ok" if error else "ok", number, name, ": " + error if error else ""))
    return bool(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
