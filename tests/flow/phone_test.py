#!/usr/bin/env python3
"""tjzw-phone as people use it: a horizon that moves, favourites, older content on demand, pictures, hints, the background slot, and
what goes wrong on a phone: a full disk, a wrong clock."""
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import CuttingProxy, World, clean_env, wait_for
from twin import Twin

from tap import Skip, case, done, note, rounds

ITEMS = 6000
MEMORY = 32 << 20


def ids_of(phone, *args):
    """What `list` shows, newest first."""
    return [line.split()[1] for line in phone.run("list", *args).stdout.decode().splitlines()]


def records(text):
    return {json.loads(line)["id"]: line for line in text.splitlines()}


def born_of(world, ids):
    """The places of items in the order of publication, from the server's database."""
    db = sqlite3.connect(f"file:{world.data}/tjzw.db?mode=ro", uri=True)
    rows = {row[0].hex(): row[1] for row in db.execute("SELECT id, born FROM item")}
    db.close()
    return {i: rows[i.replace("-", "")] for i in ids}


def horizon_cases(w, server, everything):
    phone = w.phone("horizon")

    with case("a phone with a horizon holds the newest items only, and every one of them is verified"):
        first = phone.sync_with("--horizon", 1500)
        held = records(phone.export())
        assert 1500 <= len(held) < 1500 + 1024, len(held)
        assert all(everything[i] == text for i, text in held.items())
        phone.run("verify")
        note(f"{len(held)} of {len(everything)} items: {first['bytes_down']} bytes in {first['requests']} requests")
        status = phone.run("status").stdout.decode()
        assert "最新的 1500 条" in status and "起的全部内容" in status, status

    with case("offline it says that older content is to be fetched; fetched, it is kept and verified"):
        older = next(i for i in sorted(everything) if i not in held)
        missing = phone.run("show", older, check=False)
        assert missing.returncode == 1
        phone.run("fetch", older)
        assert "hold" not in phone.run("show", older).stderr.decode()
        assert records(phone.export())[older] == everything[older]
        phone.run("verify")
        assert older in ids_of(phone, "--kept")

    with case("a favourite stays when the horizon narrows, and goes when it is a favourite no more"):
        favourite = sorted(held)[10]
        phone.run("keep", favourite)
        phone.sync_with("--horizon", 200)
        now = records(phone.export())
        assert favourite in now and older in now and len(now) < 1500, len(now)
        phone.run("verify")
        phone.run("unkeep", favourite)
        born = born_of(w, [favourite, *now])
        if born[favourite] < min(born[i] for i in now if i not in (favourite, older)):
            assert favourite not in records(phone.export())
        phone.run("keep", older)

    with case("an older favourite that is changed on the server is shown in its new version, and never in one that is not proved"):
        name = json.loads(everything[older])["title"]
        number = int(re.search(r"第(\d+)号", name)[1])
        w.tjzw("import", "--data", w.data, "--publish", w.articles(1, name="edit.ndjson", first=number, mark="（修订）"))
        server.settle()
        phone.sync()
        fresh = records(w.export())
        assert records(phone.export())[older] == fresh[older] != everything[older]
        phone.run("verify")

    with case("wider again: all of it, equal to the server's export"):
        phone.sync_with("--horizon", "all")
        assert phone.export() == w.export()
        phone.run("verify")
        assert "全部内容" in phone.run("status").stdout.decode()

    with case("damage is mended by fetching what differs only"):
        db = sqlite3.connect(phone.store)
        db.execute("UPDATE item SET title = '改过' WHERE born IN (5, 700)")
        db.commit()
        db.close()
        assert phone.run("verify", check=False).returncode == 1
        mended = phone.sync()
        assert mended["repaired"] and mended["bytes_down"] < 60_000, mended
        assert phone.export() == w.export()


def publish_with(server, file):
    """An item that has this file; its id."""
    def tell(method, path, body=None, kind="application/json"):
        body = json.dumps(body, ensure_ascii=False).encode() if isinstance(body, dict) else body
        answer = server.admin(method, path, body, {"content-type": kind})
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.json() if answer.body else {}

    name = hashlib.sha256(file).hexdigest()
    tell("POST", "/v1/sites", {"code": "1200000000", "name": "示例市人民政府"})
    tell("POST", "/v1/columns", {"site": "1200000000", "path": "公示"})
    for at in range(0, len(file), 262144):
        piece = file[at:at + 262144]
        answer = server.admin("PUT", f"/v1/blobs/{name}", piece,
                              {"content-type": "application/octet-stream", "content-range": f"bytes {at}-{at + len(piece) - 1}/{len(file)}"})
        assert answer.status < 300, answer
    item = tell("POST", "/v1/items", {"site": "1200000000", "column": "公示", "title": "有附件的公示", "body": "见附件。",
                                      "attachments": [{"hash": name, "name": "附件.bin", "size": len(file), "type": "application/octet-stream"}]})["id"]
    for verb in ("submit", "approve", "publish"):
        tell("POST", f"/v1/items/{item}/{verb}")
    return item


def blob_cases(w, server):
    picture = random.Random(7).randbytes(1_500_000)
    name = hashlib.sha256(picture).hexdigest()
    holder = publish_with(server, picture)
    server.settle()
    phone = w.phone("blob")
    phone.sync()
    proxy = CuttingProxy(server.port, lambda: 400_000)
    out = w.dir / "picture"

    with case("a picture comes whole through a connection that is cut again and again, by Range"):
        tries = 0
        while phone.run("blob", name, out, url=proxy.url, check=False).returncode:
            tries += 1
            assert tries < 40
        assert out.read_bytes() == picture and proxy.cuts >= 3, proxy.cuts

    with case("it is read offline, and a changed byte in its file is found and fetched anew"):
        shown = phone.run("show", holder).stdout.decode()
        assert name in shown and "附件.bin" in shown, shown
        held = next(phone.store.parent.glob(f"{phone.store.name}-blobs/*/{name}"))
        phone.run("blob", name, out, url="https://127.0.0.1:1")
        assert out.read_bytes() == picture
        held.write_bytes(b"x" + picture[1:])
        phone.run("blob", name, out)
        assert out.read_bytes() == picture == held.read_bytes()

    with case("what no item names is refused without asking"):
        assert phone.run("blob", "0" * 64, check=False, url="https://127.0.0.1:1").returncode == 1

    with case("with the item its picture goes"):
        w.tjzw("item", "withdraw", "--data", w.data, "--reason", "测试", holder)
        server.settle()
        phone.sync()
        assert not held.exists()
        assert phone.run("blob", name, check=False).returncode == 1
    proxy.close()


def hint_cases(w, server):
    phone = w.phone("listen")
    phone.sync()

    with case("a new item is on a listening phone within 2 s of its head"):
        listening = subprocess.Popen(phone.command("--json", "listen", 60), stdout=subprocess.PIPE, env=clean_env(), stdin=subprocess.DEVNULL)
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(listening.stdout.readline, b"")), daemon=True).start()
        wait_for("the first sync", 10, lambda: lines)
        time.sleep(1)
        w.tjzw("import", "--data", w.data, "--publish", w.articles(1, name="hint.ndjson", first=90_000))
        server.settle()
        began, late = time.monotonic(), twin.seconds()
        wait_for("a sync after the hint", 30, lambda: any(json.loads(line)["changed"] for line in lines[1:]))
        took = time.monotonic() - began
        late = 2 * (twin.seconds() - late)
        note(f"{took:.2f} s after the head; the load's: {late:.2f} s")
        listening.terminate()
        assert listening.wait(5) == 0
        assert phone.export() == w.export()
        assert took < 2 + late, took

    with case("a server that goes away and comes back is found again"):
        listening = subprocess.Popen(phone.command("--json", "listen", 60), stdout=subprocess.PIPE, env=clean_env(), stdin=subprocess.DEVNULL)
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(listening.stdout.readline, b"")), daemon=True).start()
        wait_for("the first sync", 10, lambda: lines)
        server.stop()
        w.tjzw("import", "--data", w.data, "--publish", w.articles(1, name="hint.ndjson", first=90_001))
        again = w.serve(port=server.port, env=SETTINGS)
        wait_for("what was published meanwhile", 40, lambda: any(json.loads(line)["changed"] for line in lines[1:]))
        listening.terminate()
        assert listening.wait(5) == 0
        assert phone.export() == w.export()
    return again


def own_memory(pid):
    """Bytes: RssAnon of a process, 0 when it is gone."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def background_cases(w):
    """10,000 articles of 3 KB, on a server of their own."""
    data = w.dir / "large"
    w.tjzw("import", "--data", data, "--publish", w.articles(10_000, name="large.ndjson"))
    server = w.serve(data)
    server.settle()
    phone = w.phone("background")
    phone.args = ["--cacert", w.certificate(data)]

    with case("one call for the background brings 10,000 articles in at most 32 MB of memory"):
        command = subprocess.Popen(phone.command("--json", "background", 120), stdout=subprocess.PIPE, env=clean_env(), stdin=subprocess.DEVNULL)
        most = 0
        while command.poll() is None:
            most = max(most, own_memory(command.pid))
            time.sleep(0.002)
        said = json.loads(command.stdout.read())
        assert command.returncode == 0 and said["records"] == 10_000 and not said["unfinished"], said
        assert phone.export() == w.export(data)
        note(f"{most / 2**20:.1f} MB at most, {said['ms']} ms, {said['requests']} requests, {said['bytes_down']} bytes")
        assert most <= MEMORY, most

    with case("called again before its time it asks nothing, and says when to come"):
        said = json.loads(phone.run("background", "--json").stdout)
        assert said["skipped"] and said["requests"] == 0 and 0 < said["wait"] <= 60, said

    with case("a slot that is too short shows what is whole by then, and the next goes on from there"):
        small = w.phone("slots")
        small.args = phone.args
        slow = CuttingProxy(server.port, lambda: None)
        pump = slow._pump
        slots, seen = 0, []

        def trickle(source, sink, left):
            return pump(Slow(source) if left is None and source.getpeername()[1] == server.port else source, sink, left)
        slow._pump = trickle
        while True:
            said = json.loads(small.run("background", 1, "--json", url=slow.url).stdout)
            slots += 1
            seen.append(len(ids_of(small)))
            if not said["unfinished"]:
                break
            assert slots < 200, said
        note(f"{slots} slots of 1 s; items shown after each: {seen}")
        assert slots > 2 and seen == sorted(seen) and 0 < seen[len(seen) // 2] < 10_000 and seen[-1] == 10_000, seen
        assert small.export() == w.export(data)
        slow.close()
    server.stop()


class Slow:
    """A socket that gives 1 MB a second."""

    def __init__(self, sock):
        self.sock = sock

    def recv(self, n):
        time.sleep(0.016)
        return self.sock.recv(n)

    def __getattr__(self, name):
        return getattr(self.sock, name)


def trouble_cases(w, server):
    phone = w.phone("trouble")

    with case("a full disk is told as such, harms nothing that is held, and the sync goes on when there is room"):
        small = w.dir / "small"
        small.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "none", small], capture_output=True).returncode:
            raise Skip("a small file system cannot be mounted here")
        try:
            phone.store = small / "phone.db"
            phone.sync_with("--horizon", 200)
            held = phone.export()
            full = phone.run("--horizon", "all", "sync", "--json", check=False)
            assert full.returncode == 1 and json.loads(full.stdout)["error"] == "full", full
            assert "存储空间已满" in full.stderr.decode()
            assert set(held.splitlines()) <= set(phone.export().splitlines())
            phone.run("verify")
            subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
            phone.sync()
            assert phone.export() == w.export()
            phone.run("verify")
        finally:
            subprocess.run(["umount", "-l", small], check=True)

    with case("with a clock that is years wrong it syncs, and does not call old content fresh because its clock is slow"):
        fake = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
        if not fake:
            raise Skip("no libfaketime: apt-get install libfaketime")
        wrong = w.phone("clock", "--cacert", w.certificate())
        plain = subprocess.run(wrong.command("sync", "--json"), capture_output=True, env=clean_env(), stdin=subprocess.DEVNULL)
        assert plain.returncode == 0, plain.stderr

        def at(shift, *args):
            env = clean_env({"LD_PRELOAD": str(fake), "FAKETIME": shift, "DONT_FAKE_MONOTONIC": "1"})
            return subprocess.run(wrong.command(*args), capture_output=True, env=env, stdin=subprocess.DEVNULL)
        assert "是最新的" in at("-3650d", "status").stdout.decode()      # by what was signed, not by the clock
        assert "已过期" in at("+3650d", "status").stdout.decode()
        for shift in ("-1h", "+1h"):        # more and TLS itself refuses
            done_ = at(shift, "sync")
            assert done_.returncode == 0, done_.stderr.decode()
        assert json.loads(at("-400d", "--json", "background", "5").stdout).get("error") in (None, "tls")


def sharing_cases(w):
    with case("several processes sync one store at once: one does, the others are told so, and who reads meanwhile sees nothing that is not published"):
        want = set(w.export().splitlines())
        for _ in range(rounds(20, 3)):
            phone = w.phone("shared")
            for file in phone.store.parent.glob(phone.store.name + "*"):
                file.unlink() if file.is_file() else shutil.rmtree(file)
            syncs = [subprocess.Popen(phone.command("--json", "sync"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_env(),
                                      stdin=subprocess.DEVNULL) for _ in range(3)]
            while any(s.poll() is None for s in syncs):
                assert set(phone.run("export", check=False).stdout.splitlines()) <= want
            said = [(s.returncode, json.loads(s.stdout.read()).get("error")) for s in syncs]
            assert (0, None) in said and set(said) <= {(0, None), (1, "locked")}, said
            phone.run("verify")
            assert phone.export() == w.export()


def to_version_1(path):
    """The store as the program of version 1 would have left it."""
    old = (Path(__file__).parent / "../unit/store_v1.sql").resolve().read_text()
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    new = sqlite3.connect(f"{path}.v1")
    new.executescript(old)
    new.execute("PRAGMA user_version=1")
    new.execute(f"PRAGMA application_id={0x746a7a77}")
    for table in ("stream", "value", "item", "tile", "site", "site_column", "wanted"):
        columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
        rows = db.execute(f"SELECT {','.join(columns)} FROM {table}{' WHERE which < 6' if table == 'value' else ''}").fetchall()
        new.executemany(f"INSERT INTO {table} ({','.join(columns)}) VALUES ({','.join('?' * len(columns))})", rows)
    new.commit()
    new.close()
    db.close()
    for name in (f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    os.replace(f"{path}.v1", path)


def migration_cases(w, server):
    with case("a store of version 1 opens, is whole, and syncs what came since"):
        phone = w.phone("old")
        phone.sync()
        to_version_1(phone.store)
        before = phone.export()
        assert before == w.export()
        phone.run("verify")
        w.tjzw("import", "--data", w.data, "--publish", w.articles(3, name="since.ndjson", first=95_000))
        server.settle()
        caught = phone.sync()
        assert caught["bytes_down"] < 30_000 and caught["records"] == 3, caught
        assert phone.export() == w.export()
        phone.sync_with("--horizon", 100)
        phone.run("verify")


SETTINGS = {"TJZW_HINT_SPREAD": "0s"}


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=600))
    server = w.serve(env=SETTINGS)
    server.settle()
    server.rest()
    horizon_cases(w, server, records(w.export()))
    migration_cases(w, server)
    trouble_cases(w, server)
    sharing_cases(w)
    blob_cases(w, server)
    server = hint_cases(w, server)
    server.stop()
    background_cases(w)


if __name__ == "__main__":
    twin = Twin()
    with World() as world:
        main(world)
    sys.exit(done())
