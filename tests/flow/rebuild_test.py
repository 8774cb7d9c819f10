#!/usr/bin/env python3
"""Objects are a projection of the log: whatever happens to their files, `tjzw rebuild` or the server makes the same bytes again.

The files of a stopped server are removed, cut and damaged; the log is left alone. The same is done under a running one.
"""
import hashlib
import json
import random
import sqlite3
import sys

from lib import World, article, wait_for

from tap import case, done

EX_DATAERR, EX_CANTCREAT = 65, 73


def files(w):
    return {p.relative_to(w.data): p for p in sorted((w.data / "objects").glob("*/*"))}


def named(w):
    """What the newest index names."""
    db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        text = db.execute("SELECT bytes FROM sync_object WHERE hash = (SELECT index_hash FROM stream)").fetchone()[0].decode()
        return [line.split()[1] for line in text.splitlines()[2:]]
    finally:
        db.close()


def kept(w):
    """What may be served: that, and what was superseded lately."""
    db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        return [row[0].hex() for row in db.execute("SELECT hash FROM index_object WHERE hash NOT IN (SELECT hash FROM gone_object)")]
    finally:
        db.close()


def digests(w, names=None):
    """Of the files that stand under these names, by default all that may be served."""
    names = names or [f"{h[:2]}/{h}{e}" for h in kept(w) for e in ("", ".gz", ".zst")]
    found = {str(p.relative_to(w.data / "objects")): p for p in files(w).values()}
    return {name: hashlib.sha256(found[name].read_bytes()).hexdigest() for name in sorted(names) if name in found}


def rebuild(w, *args, status=0):
    ran = w.tjzw("rebuild", "--data", w.data, *args, check=False)
    assert ran.returncode == status, (ran.returncode, ran.stdout, ran.stderr)
    return ran.stdout.decode(), ran.stderr.decode()


def harm(w):
    """A third of the files removed, a third cut, in a third one byte is another. How many."""
    paths = [w.data / "objects" / name for name in digests(w)]
    random.shuffle(paths)
    for i, path in enumerate(paths):
        data = bytearray(path.read_bytes())
        if i % 3 == 0:
            path.unlink()
        elif i % 3 == 1:
            path.write_bytes(data[:random.randrange(len(data))])
        else:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            path.write_bytes(data)
    return len(paths)


def edit(w, server, items, mark):
    for i in items:
        body = json.dumps(article(i, mark=mark), ensure_ascii=False).encode() + b"\n"
        answer = server.admin("POST", "/v1/import?publish=1", body, {"content-type": "application/x-ndjson"})
        assert answer.status == 200, answer


def withdraw(w, server, number):
    db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True)
    uuid = db.execute("SELECT id FROM item WHERE title LIKE ?", (f"示例文章第{number}号%",)).fetchone()[0].hex()
    db.close()
    uuid = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    answer = server.admin("POST", f"/v1/items/{uuid}/withdraw", json.dumps({"reason": "测试"}).encode(), {"content-type": "application/json"})
    assert answer.status in (200, 204), answer


def index(server):
    """The lines of the newest index."""
    return server.get(f"/v1/sync/main/object/{server.head()['index']}").body.decode().splitlines()


def first_object(server):
    return index(server)[2].split()[1]


def comes_back(server, name):
    answer = wait_for("the object", 120, lambda: (a := server.get(f"/v1/sync/main/object/{name}")).status == 200 and a, every=0.1)
    assert hashlib.sha256(answer.body).hexdigest() == name


def main(w):
    w.tjzw("import", "--data", w.data, "--publish", w.articles(1800))
    server = w.serve(env={"TJZW_INDEX_CHANGES": "40"})
    edit(w, server, range(0, 1800, 40), "再版")
    seq = server.settle()["seq"]
    withdraw(w, server, 777)   # its object is made anew, and an index that has the edits
    wait_for("the index", 240, lambda: int(index(server)[1].split()[1]) > seq, every=0.3)
    for round in range(20):
        if set(kept(w)) - set(named(w)):
            break   # a layer, or a base, has superseded another
        edit(w, server, range(round, 1800, 20), f"第{round}次")
        seq = server.settle()["seq"]
        wait_for("the index", 240, lambda: int(index(server)[1].split()[1]) + 40 > seq, every=0.1)
    server.stop()
    right = digests(w)
    current = {f"{h[:2]}/{h}{e}" for h in named(w) for e in ("", ".gz", ".zst")}
    superseded = sorted(name for name in right if name not in current and "." not in name)
    assert len(current) >= 6, "more than one object was to be expected"
    assert superseded, "a superseded one was to be expected"

    with case("what is right is right, and nothing is written"):
        said, _ = rebuild(w, "--check")
        assert f"{len(right)} right, 0 missing, 0 damaged" in said, said
        said, _ = rebuild(w)
        assert "0 mended" in said, said

    with case("a superseded object is compared too, and made again"):
        path = w.data / "objects" / superseded[0]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        said, _ = rebuild(w, "--check", status=EX_DATAERR)
        assert f"{len(right) - 1} right, 0 missing, 1 damaged" in said, said
        said, _ = rebuild(w)
        assert "1 mended" in said, said
        assert digests(w) == right

    with case("without any file: a check says so, a rebuild makes every byte again"):
        for path in files(w).values():
            path.unlink()
        said, why = rebuild(w, "--check", status=EX_DATAERR)
        assert f"{len(right)} missing" in said and "without --check" in why, (said, why)
        said, _ = rebuild(w)
        assert f"{len(right)} mended" in said, said
        assert digests(w) == right

    with case("missing, cut and damaged files are told apart and mended"):
        n = harm(w)
        said, _ = rebuild(w, "--check", status=EX_DATAERR)
        assert f"0 right, {(n + 2) // 3} missing, {n - (n + 2) // 3} damaged" in said, said
        rebuild(w)
        assert digests(w) == right

    with case("a log that gives other bytes is not papered over"):
        db = sqlite3.connect(w.data / "tjzw.db")
        db.execute("UPDATE index_object SET as_of_seq = as_of_seq - 1, upto_seq = upto_seq - 1 WHERE kind = 1")
        db.commit()
        _, why = rebuild(w, status=EX_DATAERR)
        assert "not what the index says" in why, why
        db.execute("UPDATE index_object SET as_of_seq = as_of_seq + 1, upto_seq = upto_seq + 1 WHERE kind = 1")
        db.commit()
        db.close()
        assert digests(w) == right
        rebuild(w, "--check")

    with case("a server makes what it misses at its start, and phones follow"):
        for path in files(w).values():
            path.unlink()
        server = w.serve()
        _, why = rebuild(w, status=EX_CANTCREAT)
        assert "stop the server" in why, why
        wait_for("the files", 240, lambda: digests(w, current) == {name: right[name] for name in current})
        phone = w.phone("new")
        phone.sync()
        assert phone.export() == w.export()

    with case("what goes missing under a running server is 503, and soon the same again"):
        name = first_object(server)
        for path in files(w).values():
            if name in path.name:
                path.unlink()
        answer = server.get(f"/v1/sync/main/object/{name}.gz")
        assert answer.status in (200, 503), answer   # 200: a phone had asked for it, and the answer cache has it
        comes_back(server, name)

    with case("so is what was superseded, though no index that is made names it"):
        hidden = superseded[0].split("/")[1]
        for path in files(w).values():
            if hidden in path.name:
                path.unlink()
        assert server.get(f"/v1/sync/main/object/{hidden}").status == 503
        comes_back(server, hidden)

    with case("an object that was purged is not made again"):
        name = first_object(server)
        text = server.get(f"/v1/sync/main/object/{name}").body.decode(errors="replace")
        withdraw(w, server, next(i for i in range(1800) if f"示例文章第{i}号" in text))
        assert server.get(f"/v1/sync/main/object/{name}").status == 410
        wait_for("its file to go", 240, lambda: not any(name in p.name for p in files(w).values()))
        server.stop()
        rebuild(w)
        assert not any(name in p.name for p in files(w).values())
        server = w.serve()
        assert server.get(f"/v1/sync/main/object/{name}").status == 410
        phone.url = server.url
        phone.sync()
        assert phone.export() == w.export()
        fresh = w.phone("late")
        fresh.sync()
        assert fresh.export() == w.export()
    server.stop()


with World() as world:
    main(world)
sys.exit(done())
