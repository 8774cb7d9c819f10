#!/usr/bin/env python3
"""tjzw-phone as people use it: a horizon that moves, favourites, older content on demand, pictures, hints, the background slot, and
what goes wrong on a phone: a full disk, a wrong clock."""
import hashlib
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import PHONE, CuttingProxy, World, clean_env, wait_for

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


def blob_cases(w, server, picture, holder):
    name = hashlib.sha256(picture).hexdigest()
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
        began = time.monotonic()
        wait_for("a sync after the hint", 10, lambda: any(json.loads(line)["changed"] for line in lines[1:]))
        took = time.monotonic() - began
        note(f"{took:.2f} s after the head")
        listening.terminate()
        assert listening.wait(5) == 0
        assert phone.export() == w.export()
        assert took < 4, took


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(ITEMS, size=600))
    server = w.serve()
    server.settle()
    time.sleep(3)
    horizon_cases(w, server, records(w.export()))
    hint_cases(w, server)
    server.stop()


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
