#!/usr/bin/env python3
"""The audit log of a real server: what is done and refused is in it, across restarts and restores; what is taken out of it is missed."""
import json
import shutil
import sqlite3
import sys

from lib import World, note, wait_for
from tap import case, done, rounds


def records(w, *options):
    return json.loads(w.tjzw("audit", "list", "--data", w.data, "--n", 500, *options).stdout)["records"]


def actions(w, *options):
    return [r["action"] for r in records(w, *options)]


def verify(w, data=None, *options, check=True):
    done_ = w.tjzw("audit", "verify", "--data", data or w.data, *options, check=check)
    return done_.returncode, done_.stdout.decode() + done_.stderr.decode()


def token(w, label, rights):
    w.tjzw("parties", "add", "--data", w.data, "--id", label, "--name", label, "--kind", "live", "--rights", rights)
    return json.loads(w.tjzw("parties", "key", "--data", w.data, label).stdout)["key"]


def bearer(text):
    return {"authorization": f"Bearer {text}"}


def what_is_done(w, server):
    child = server.child
    with case("what is done is in the log, with who, what, to what, from where, and no text that somebody entered"):
        w.tjzw("site", "create", "--data", w.data, "--code", "1201030001", "--name", "示例区人民政府")
        w.tjzw("import", "--data", w.data, "--publish", w.articles(20))
        item = json.loads(w.export().splitlines()[0])["id"]
        w.tjzw("item", "withdraw", "--data", w.data, "--reason", "含张三的电话13800138000", item)
        editor = token(w, "editor", "edit")
        made = server.get("/v1/columns", "POST", json.dumps({"site": "1201030001", "path": "通知"}).encode(),
                          {**bearer(editor), "content-type": "application/json"})
        assert made.status == 201, made
        w.tjzw("parties", "revoke", "--data", w.data, "editor", "1")
        seen = {r["action"]: r for r in records(w)}
        for action in ("server.start", "site.create", "import", "item.withdraw", "party.create", "party.key", "column.create", "party.revoke"):
            assert action in seen, (action, sorted(seen))
        assert seen["item.withdraw"]["object"] == f"items/{item}" and seen["item.withdraw"]["actor"] == "operator", seen["item.withdraw"]
        assert seen["party.create"]["details"]["rights"] == "edit" and seen["party.create"]["object"] == "parties/editor", seen["party.create"]
        assert seen["party.revoke"]["object"] == "parties/editor/keys/1", seen["party.revoke"]
        assert seen["column.create"]["actor"] == "party:editor" and seen["column.create"]["address"] == "127.0.0.1", seen["column.create"]
        assert seen["import"]["details"]["records"] == 20 and seen["import"]["what"] == "批量入库", seen["import"]
        assert seen["site.create"]["object"].startswith("sites/"), seen["site.create"]
        rows = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True).execute("SELECT * FROM audit").fetchall()
        assert "13800138000" not in str(rows) and "张三" not in str(rows) and "127.0.0.1" not in str(rows)

    with case("rights that are said a hundred times over stand there once"):
        token(w, "stutter", ",".join(["edit"] * 20 + ["publish"]))
        assert [r for r in records(w) if r.get("object") == "parties/stutter" and r["action"] == "party.create"][0]["details"]["rights"] == "edit,publish"
        assert server.child == child, "the server died of it"

    with case("reading the log is in it as well, and needs the right"):
        reader, other = token(w, "auditor", "audit"), token(w, "cms", "edit,publish,operate")
        assert server.get("/v1/audit", headers=bearer(other)).status == 403
        page = server.get("/v1/audit?n=3", headers=bearer(reader)).json()
        assert len(page["records"]) == 3 and page["next"], page
        second = server.get(f"/v1/audit?n=3&cursor={page['next']}", headers=bearer(reader)).json()
        assert second["records"][0]["no"] == page["records"][-1]["no"] - 1, second
        assert "audit.read" in actions(w, "--actor", "party:auditor")

    with case("nobody can write to it"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert server.get("/v1/audit", method, headers=bearer(reader)).status in (404, 405), method
        assert server.get("/v1/audit/item.publish", "POST", headers=bearer(other)).status == 400


def refusals(w, server):
    with case("a refusal is there at once; a flood of them is one row more, and hides no other"):
        before = len(records(w))
        cms = token(w, "narrow", "edit")
        flood = rounds(3000, 300)
        for _ in range(flood):
            assert server.get("/v1/parties").status == 401
        assert server.get("/v1/parties", headers=bearer("tjp_live_" + "x" * 43)).status == 401
        assert server.get("/v1/parties", headers=bearer(cms)).status == 403
        refused = wait_for("the refusal by right", 10, lambda: [r for r in records(w) if r["action"] == "right.refused" and
                                                                  r["actor"] == "party:narrow"])
        assert refused[0]["object"] == "/v1/parties" and refused[0]["details"]["method"] == "GET", refused
        assert refused[0]["result"] == "forbidden" and refused[0]["address"] == "127.0.0.1", refused
        rows = [r for r in records(w) if r["action"] == "credential.refused" and r["object"] == "/v1/parties"]
        assert len(rows) == 1, rows
        assert len(records(w)) < before + 20, "a flood filled the log"
    return flood


def cut_short(w):
    with case("a flood's count is written when the server ends"):
        counted = [r["details"]["count"] for r in records(w) if r["action"] == "credential.refused" and r["object"] == "/v1/parties"]
        note(f"counts of refusals: {counted}")
    return sum(counted)


def backups(w):
    with case("a backup and a restore are in the log; what came after the backup is told to be lost"):
        w.tjzw("backup", "--data", w.data, w.dir / "backup")
        w.tjzw("org", "create", "--data", w.data, "--code", "after-backup", "--name", "示例机构")
        server = w.serve()
        w.tjzw("org", "create", "--data", w.data, "--code", "after-too", "--name", "示例机构二")
        server.stop()
        assert verify(w)[0] == 0
        old = w.dir / "old"
        w.data.rename(old)
        w.data.mkdir(mode=0o700)
        for name in ("audit-heads", "takedowns", "epoch"):
            shutil.copy(old / name, w.data)
        w.tjzw("restore", "--data", w.data, w.dir / "backup")
        server = w.serve()
        seen = records(w)
        assert {"restore", "audit.cut", "backup"} <= {r["action"] for r in seen}, [r["action"] for r in seen][:10]
        code, said = verify(w)
        assert code == 0 and "lost" in said, said
        server.stop()
        shutil.rmtree(old)

    with case("an old database put in the place of the new one is found, beside the server's own directory"):
        spoilt = w.dir / "spoilt"
        shutil.copytree(w.data, spoilt, ignore=shutil.ignore_patterns("*.sock"))
        shutil.copy(w.dir / "backup" / "tjzw.db", spoilt / "tjzw.db")
        for name in ("tjzw.db-wal", "tjzw.db-shm"):
            (spoilt / name).unlink(missing_ok=True)
        code, said = verify(w, spoilt, check=False)
        assert code and "FAULT" in said and "not there" in said, said
        shutil.rmtree(spoilt)


VANDALS = {
    "a row edited": ["UPDATE audit SET actor = 'nobody' WHERE no = 4"],
    "a row removed": ["DELETE FROM audit WHERE no = 5"],
    "the end cut": ["DELETE FROM audit WHERE no >= (SELECT MAX(no) - 1 FROM audit)"],
    "two rows exchanged": ["UPDATE audit SET no = -1 WHERE no = 3", "UPDATE audit SET no = 3 WHERE no = 6", "UPDATE audit SET no = 6 WHERE no = -1"],
    "a refusal made a success": ["UPDATE audit SET result = 'ok' WHERE result = 'forbidden'"],
    "an address moved": ["UPDATE audit SET address = (SELECT address FROM audit WHERE address IS NOT NULL ORDER BY no LIMIT 1) "
                         "WHERE no = (SELECT MAX(no) FROM audit WHERE address IS NOT NULL)"],
}


def vandals(w):
    for what, statements in VANDALS.items():
        with case(f"verify finds {what}"):
            spoilt = w.dir / "spoilt"
            shutil.copytree(w.data, spoilt, ignore=shutil.ignore_patterns("*.sock"))
            db = sqlite3.connect(spoilt / "tjzw.db")
            assert sum(db.execute(s).rowcount for s in statements), "nothing was changed"
            db.commit()
            db.close()
            code, said = verify(w, spoilt, check=False)
            shutil.rmtree(spoilt)
            assert code and "FAULT" in said, said


def main():
    with World() as w:
        server = w.serve(env={"TJZW_RATE_LIMIT": "0"})
        what_is_done(w, server)
        flood = refusals(w, server)
        with case("verify passes beside the running server"):
            assert verify(w)[0] == 0
        server.stop()
        assert verify(w)[0] == 0
        server = w.serve()
        counted = cut_short(w)
        with case("no refusal was lost"):
            assert counted == flood + 1, (counted, flood + 1)
        server.kill()
        with case("after kill -9 the log is whole"):
            server = w.serve()
            code, said = verify(w)
            assert code == 0, said
            server.stop()
        with case("what a crash left of a head in the file is taken out at the next start, and the head written again"):
            file = w.data / "audit-heads"
            whole = file.read_bytes()
            file.write_bytes(whole[:-40])
            w.serve().stop()
            assert file.read_bytes().startswith(whole) and verify(w)[0] == 0
        backups(w)
        vandals(w)
        with case("the export has every row and signature, and says that it was made"):
            lines = [json.loads(x) for x in w.tjzw("audit", "export", "--data", w.data).stdout.splitlines()]
            assert any("signed" in x for x in lines) and any(x.get("action") == "audit.export" for x in lines), lines[-3:]
    return done()


sys.exit(main())
