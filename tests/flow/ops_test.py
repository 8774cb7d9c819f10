#!/usr/bin/env python3
"""What an operator does: start, stop, configure, back up, restore, prove, and look after."""
import json
import os
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import time

from lib import BUILD, World, clean_env, free_port, has_ipv6, sync_takes

from tap import Skip, case, done, note


STAFF_RIGHTS = {"import", "edit", "review", "publish", "operate", "secure", "audit", "letters", "push", "push_approve", "notice"}

# Routes that a command asks for among others.
OTHERWISE = {
    ("POST", "/v1/import"): "import", ("PUT", "/v1/blobs/:"): "blob put", ("GET", "/v1/alerts"): "alerts", ("POST", "/v1/invitations"): "admin link",
    ("GET", "/v1/keys/seal/reseal"): "keys reseal", ("POST", "/v1/keys/seal/reseal"): "keys reseal", ("POST", "/v1/keys/:/retire"): "keys retire",
    ("POST", "/v1/keys/:/rotate"): "keys rotate", ("GET", "/v1/push/campaigns/:/live"): "push watch", ("GET", "/v1/push/campaigns/:/report.csv"): "push report", ("POST", "/v1/audit/:"): "backup",
}


def text(done):
    return (done.stdout + done.stderr).decode(errors="replace")


def commands(w):
    with case("every subcommand has a help with an example"):
        listed = text(w.tjzw("--help"))
        names = re.findall(r"^\s+(?:tjzw )?([a-z][a-z-]*(?: [a-z-]+)?)\s{2,}\S", listed, re.MULTILINE)
        assert {"serve", "import", "export", "verify", "backup", "restore", "doctor"} <= set(names), listed
        for name in names:
            said = text(w.tjzw(*name.split(), "--help"))
            assert w.tjzw(*name.split(), "--nothing", check=False).returncode == 64, name     # and its whole table is looked through
            assert f"tjzw {name}" in said and "xample" in said.lower() + "example" * ("例" in said), f"{name}: {said}"

    with case("every route that staff and operators have is a command's"):
        asked = set()
        for name in names:
            said = text(w.tjzw(*name.split(), "--help"))
            asked.update((verb, re.sub(r"/[A-Z|-]+(?=/|$)", "/:", path.split("?")[0]))
                         for verb, path in re.findall(r"^Request.*\n  ([A-Z]+) (\S+)$", said, re.M))
        routes = re.findall(r"^\| `([A-Z]+) (\S+)` \| (\S+) ", text(w.tjzw("print-routes")), re.M)
        staff = {(verb, re.sub(r":\w+", ":", path)) for verb, path, rights in routes if set(rights.split(",")) & STAFF_RIGHTS}
        assert len(staff) > 80 and asked >= staff - set(OTHERWISE), sorted(staff - set(OTHERWISE) - asked)
        assert set(OTHERWISE) <= staff - asked, "no longer so: " + str(set(OTHERWISE) - staff | set(OTHERWISE) & asked)
        assert set(OTHERWISE.values()) <= set(names), set(OTHERWISE.values()) - set(names)

    with case("a command that is none, and an option that is none: status 64 and a way out"):
        for args in (["srve"], ["serve", "--dta", "x"], ["item"], ["import"]):
            done = w.tjzw(*args, check=False)
            assert done.returncode == 64 and text(done).strip(), (args, done)

    with case("a failure says what, why, and how to mend it"):
        done = w.tjzw("export", "--data", w.dir / "nothing-here", check=False)
        assert done.returncode and "nothing-here" in text(done) and not done.stdout, done


def settings(w):
    def refuses(content, *wanted, env=None):
        path = w.dir / "tjzw.conf"
        path.write_text(content)
        done = w.tjzw("print-conf", "--config", path, check=False, env=env)
        assert done.returncode, text(done)
        for word in wanted:
            assert word in text(done), f"{word!r} is not in: {text(done)}"

    with case("an unknown key names its line and the nearest key"):
        refuses("# settings\nworkers: 2\nlisten_: x\n", "3", "listen")
        refuses("wrkers: 2\n", "1", "workers")

    with case("an unknown variable names itself and the nearest"):
        refuses("", "TJZW_WORKRS", "workers", env={"TJZW_WORKRS": "2"})

    with case("a value of the wrong kind names its key"):
        refuses("workers: many\n", "workers")
        refuses("head_lease: 5 minutes or so\n", "head_lease")
        refuses("cache_size: 12x\n", "cache_size")

    with case("environment over file, _FILE for what is secret, and print-conf prints a file that can be read again"):
        (w.dir / "value").write_text("7\n")
        (w.dir / "tjzw.conf").write_text("workers: 3\nloops: 1\n")
        said = text(w.tjzw("print-conf", "--config", w.dir / "tjzw.conf", env={"TJZW_WORKERS_FILE": str(w.dir / "value")}))
        assert re.search(r"^workers: \"?7\b", said, re.MULTILINE) and re.search(r"^loops: \"?1\b", said, re.MULTILINE), said
        (w.dir / "again.conf").write_text(said)
        assert text(w.tjzw("print-conf", "--config", w.dir / "again.conf")) == said


def starting(w):
    with case("a server is ready only when it serves"):
        server = w.start()
        seconds = server.ready()
        assert server.get("/readyz").status == 200 and server.get("/healthz").status == 200
        note(f"ready after {seconds:.2f} s")

    with case("SIGTERM ends it within its deadline, connections open or not"):
        open_ones = [ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", server.port))) for _ in range(3)]
        open_ones[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        open_ones[0].recv(100)
        open_ones[1].sendall(b"POST /v1/import HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf a bo")
        note(f"stopped after {server.stop(deadline=14):.2f} s")
        for s in open_ones:
            s.close()

    with case("--demo serves 9 columns, 200 articles and a warning in under 2 s, and the lines it prints work"):
        for n in range(3):      # a machine that is busy for a moment says nothing of us
            demo = w.dir / f"demo-{n}"
            server = w.start(demo, "--demo")
            seconds, allowed = server.ready(), 2 + 80 * sync_takes(w.dir)      # a new directory is synced some 55 times
            note(f"ready after {seconds:.2f} s, of {allowed:.2f}")
            if seconds < allowed:
                break
            server.stop()
        assert seconds < allowed, f"{seconds:.2f} s"
        assert server.metric("items_published") == 201, server.metric("items_published")
        columns = server.get("/v1/columns").json()
        columns = columns if isinstance(columns, list) else next(v for v in columns.values() if isinstance(v, list))
        assert len(columns) == 9, columns
        said = server.said()
        assert server.url in said, said
        item = next(i["id"] for i in server.get("/v1/items?n=5").json()["items"] if i["kind"] != "warning")
        page = server.get(f"/a/{item}").body.decode()
        printed = re.search(r"服务地址  (\S+)/", said)[1]
        for tag in (f'name="Url" content="{printed}/a/{item}"', f'property="og:url" content="{printed}/a/{item}"',
                    'name="SiteDomain" content="www.shili.example"', 'name="SiteIDCode" content="9900000001"'):
            assert tag in page, tag
        line = re.search(r"curl .*", said)[0]
        answer = subprocess.run(["bash", "-c", line], capture_output=True, env=clean_env(), timeout=20)
        assert answer.returncode == 0 and b"\xe7\xa4\xba\xe4\xbe\x8b" in answer.stdout, (line, answer)
        line = re.search(r"build/(tjzw-phone .*)", said)[1]
        synced = subprocess.run(["bash", "-c", f"{BUILD}/{line}"], cwd=w.dir, capture_output=True, env=clean_env(), timeout=20)
        assert synced.returncode == 0 and b"201" in synced.stdout, (line, synced)
        assert b"html" in server.get("/").body[:200].lower()

    with case("what is published is known from the start, without counting"):
        assert server.admin("POST", f"/v1/items/{item}/withdraw", '{"reason":"测试"}'.encode(), {"content-type": "application/json"}).status == 200
        assert server.metric("items_published") == 200, server.metric("items_published")
        server.stop()
        server = w.serve(demo, "--demo")
        assert server.metric("items_published") == 200, server.metric("items_published")
        server.stop()


def network(w):
    port = free_port()
    server = w.serve(None, urls=[f"https://[::]:{port}"] if has_ipv6() else None, port=port)

    def curl(*args):
        done = subprocess.run(["curl", "-sk", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", *args],
                              capture_output=True, text=True, env=clean_env())
        return done.stdout

    def s_client(*args):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-alpn", "h2,http/1.1", *args], input=b"",
                              capture_output=True, timeout=10).stdout.decode(errors="replace")

    with case("IPv4 and IPv6 on one listener"):
        assert curl(f"https://127.0.0.1:{port}/healthz") == "200 2"
        if not has_ipv6():
            raise Skip("this machine has no IPv6")
        assert curl(f"https://[::1]:{port}/healthz") == "200 2"

    with case("HTTP/2 and HTTP/1.1 by ALPN"):
        assert curl("--http2", server.url + "/healthz") == "200 2"
        assert curl("--http1.1", server.url + "/healthz") == "200 1.1"
        assert curl("--no-alpn", server.url + "/healthz") == "200 1.1"

    with case("TLS 1.2 and 1.3, and nothing older"):
        assert "ALPN protocol: h2" in s_client("-tls1_2") and "ALPN protocol: h2" in s_client("-tls1_3")
        assert "Cipher is (NONE)" in s_client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")

    with case("a session is resumed by its ticket"):
        context = ssl._create_unverified_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def connect(session=None):
            s = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), session=session)
            s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while s.recv(4096):
                pass
            return s.session, s.session_reused
        session, _ = connect()
        assert session.has_ticket and any(connect(session)[1] for _ in range(4))

    with case("the log is JSON lines that name their request"):
        server.get("/v1/import", "POST", b"x", {"content-type": "application/x-ndjson"})
        server.stop()
        lines = [x for x in server.log.read_text().splitlines() if x.startswith("{")]
        assert lines, server.said()
        for x in lines:
            json.loads(x)


def copy_of(w, name):
    """The data directory, to be spoilt. No server runs."""
    to = w.dir / name
    shutil.copytree(w.data, to, ignore=shutil.ignore_patterns("*.sock"))
    return to


# Each spoils the log in one way: a name, statements on a copy of the database.
TAMPERINGS = {
    "a title edited": ["UPDATE change SET title = title || '改' WHERE seq = 5"],
    "a text edited": ["UPDATE record SET bytes = CAST(replace(CAST(bytes AS TEXT), '的', '得') || ' ' AS BLOB) WHERE seq = (SELECT MIN(seq) FROM record WHERE seq >= 7)"],
    "a digest edited": ["UPDATE change SET digest = zeroblob(32) WHERE seq = 9"],
    "a change removed from the middle": ["DELETE FROM change WHERE seq = 11", "DELETE FROM record WHERE seq = 11"],
    "the last change removed": ["DELETE FROM change WHERE seq = (SELECT MAX(seq) FROM change)",
                                "UPDATE stream SET seq = seq - 1, chain = (SELECT chain FROM change ORDER BY seq DESC LIMIT 1)"],
    "two changes exchanged": ["UPDATE change SET seq = -1 WHERE seq = 3", "UPDATE change SET seq = 3 WHERE seq = 4",
                              "UPDATE change SET seq = 4 WHERE seq = -1"],
    "a date edited": ["UPDATE change SET date = date + 86400 WHERE seq = 6"],
    "a withdrawal made to look like none": ["UPDATE change SET op = 1 WHERE op = 2"],
    "the chain's end edited": ["UPDATE stream SET chain = zeroblob(32)"],
    "the count of what is published edited": ["UPDATE stream SET live = live + 1"],
    "a signed head edited": ["UPDATE head SET note = CAST(replace(CAST(note AS TEXT), 'lease 3600', 'lease 9999') AS BLOB)"],
}


def proof(w):
    item = json.loads(w.export().splitlines()[0])["id"]
    w.tjzw("item", "withdraw", "--data", w.data, "--reason", "测试", item)
    with case("verify finds nothing in what is whole"):
        said = text(w.tjzw("verify", "--data", w.data))
        assert "whole" in said and "FAULT" not in said, said
    for what, statements in TAMPERINGS.items():
        with case(f"verify finds {what}"):
            data = copy_of(w, "spoilt")
            try:
                db = sqlite3.connect(data / "tjzw.db")
                changed = sum(db.execute(s).rowcount for s in statements)
                db.commit()
                db.close()
                assert changed, "the tampering touched nothing"
                done = w.tjzw("verify", "--data", data, check=False)
                assert done.returncode and ("FAULT" in text(done) or "NOT WHOLE" in text(done)), text(done)
            finally:
                shutil.rmtree(data)

    with case("doctor finds nothing wrong with a whole directory, and says how to mend a broken one"):
        done = w.tjzw("doctor", "--data", w.data, check=False)
        assert done.returncode == 0 and "days left" in text(done), text(done)
        for what, spoil in AILMENTS.items():
            data = copy_of(w, "sick")
            spoil(data)
            done = w.tjzw("doctor", "--data", data, check=False)
            shutil.rmtree(data)
            assert done.returncode and "→" in text(done), f"{what}: {text(done)}"


def tear_pages(data):
    with open(data / "tjzw.db", "r+b") as f:
        f.seek(40 * 4096)
        f.write(os.urandom(20 * 4096))


def sign_tomorrow(data):
    db = sqlite3.connect(data / "tjzw.db")
    db.execute("UPDATE head SET time = time + 86400")
    db.commit()
    db.close()


AILMENTS = {
    "a directory that all may read": lambda data: data.chmod(0o755),
    "a key that all may read": lambda data: next((data / "keys").glob("*.key")).chmod(0o644),
    "a library that is gone": lambda data: (data / "tjzw.db").unlink(),
    "a library whose pages are torn": tear_pages,
    "a head that was signed with tomorrow's time": sign_tomorrow,
}


def backups(w):
    server = w.serve()
    phone = w.phone("restored")
    phone.sync()
    kept = w.dir / "kept"
    with case("a backup is made while the server runs and is written to"):
        more = w.articles(200, name="while.ndjson", first=50_000)
        writing = subprocess.Popen(w.command("import", "--data", w.data, "--publish", more), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=clean_env())
        w.tjzw("backup", "--data", w.data, kept)
        assert writing.wait(60) == 0
        w.tjzw("import", "--data", w.data, "--publish", w.articles(10, name="after.ndjson", first=60_000))
        server.settle()
        phone.sync()

    with case("a backup does not go over another, a restore not over data"):
        assert w.tjzw("backup", "--data", w.data, kept, check=False).returncode
        assert w.tjzw("restore", "--data", w.data, kept, check=False).returncode
        assert server.get("/healthz").status == 200
    server.stop()
    lost = {json.loads(x)["id"] for x in w.export().splitlines()}

    with case("a restore gives a directory that is whole and serves"):
        again = w.dir / "again"
        w.tjzw("restore", "--data", again, kept)
        said = text(w.tjzw("verify", "--data", again))
        assert "whole" in said and "NOT" not in said, said
        held = {json.loads(x)["id"] for x in w.export(again).splitlines()}
        assert held and held < lost, f"{len(held)} of {len(lost)}"

    with case("a phone that is ahead of the backup follows the restored server in its new epoch"):
        time.sleep(max(0, 1.1))     # an epoch is a second
        server = w.serve(again)
        assert server.get("/v1/sync/main/head").status == 200, "it was ready before it had a head"
        phone.url = w.url
        phone.args = ["--cacert", str(w.certificate(again))]
        assert server.head()["epoch"] > 0
        phone.sync()
        assert phone.export() == w.export(again)
        server.stop()

    with case("a backup that was damaged is not restored"):
        database = max(kept.rglob("*"), key=lambda p: p.stat().st_size if p.is_file() else 0)
        with open(database, "r+b") as f:
            f.seek(database.stat().st_size // 2)
            f.write(os.urandom(20_000))
        done = w.tjzw("restore", "--data", w.dir / "never", kept, check=False)
        assert done.returncode and not (w.dir / "never" / "tjzw.db").exists(), text(done)


with World() as world:
    commands(world)
    settings(world)
    starting(world)
    network(world)
    world.tjzw("import", "--data", world.data, "--publish", world.articles(100))
    proof(world)
    backups(world)
sys.exit(done())
