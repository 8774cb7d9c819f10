#!/usr/bin/env python3
"""The keys alone: listed, backed up behind a passphrase, lost, and brought back. Without them the server does not start, and says why."""
import json
import os
import re
import shutil
import sqlite3
import stat
import sys
import time

from lib import World, wait_for
from tap import case, done

PASSPHRASE = "一个很长的口令 correct horse"


def addresses(w):
    said = w.tjzw("audit", "list", "--data", w.data, "--n", 500).stdout
    return [r["address"] for r in json.loads(said)["records"]]


def resealed(w, suite):
    data, phone, env = w.dir / f"suite-{suite}", "13900139000", {"TJZW_SEAL_SUITE": suite, "TJZW_SMS_DEVELOPMENT": "true"}
    server = w.serve(data, env=env)

    def post(target, body):
        return server.get(target, "POST", json.dumps(body), {"content-type": "application/json"})

    def me():
        return server.get("/v1/me", headers={"authorization": "Bearer " + token}).json()["identifiers"][0]["hint"]

    assert post("/v1/auth/code", {"phone": phone}).status == 202
    code = re.search(r'"sms_development".*"code":"(\d+)"', server.log.read_text())[1]
    token = post("/v1/auth/sign-in", {"phone": phone, "code": code}).json()["access"]
    w.tjzw("keys", "rotate", "--data", data, "seal")
    listed = w.tjzw("keys", "list", "--data", data).stdout.decode()
    assert re.search(r"seal\.1 .* 2 values, [1-9]", listed) and re.search(r"seal\.2 .* 0 values", listed), listed
    assert "2 values have the newest key now" in w.tjzw("keys", "reseal", "--data", data).stdout.decode()
    listed = w.tjzw("keys", "list", "--data", data).stdout.decode()
    assert re.search(r"seal\.1 .* 0 values, [1-9]", listed) and re.search(r"seal\.2 .* 2 values", listed), listed
    assert me() == "139****9000"
    kept = w.tjzw("keys", "retire", "--data", data, "seal.1", check=False)
    assert kept.returncode and "rows of the audit log need seal.1" in kept.stderr.decode(), kept
    server.stop()
    assert "0 values have the newest key now" in w.tjzw("keys", "reseal", "--data", data, env=env).stdout.decode()     # without a server
    db = sqlite3.connect(data / "tjzw.db")
    db.execute("UPDATE audit SET address = NULL")       # as after a year
    db.commit()
    db.close()
    w.tjzw("keys", "retire", "--data", data, "seal.1", env=env)
    assert not (data / "keys" / "seal.1").exists()
    server = w.serve(data, env=env)
    assert me() == "139****9000"
    server.stop()
    shutil.rmtree(data)


def refused(w, data=None):
    """What a server says that does not start."""
    got = w.tjzw("serve", "--data", data or w.data, "--listen", "http://127.0.0.1:1", check=False, timeout=30)
    assert got.returncode, "it started"
    return got.stderr.decode() + got.stdout.decode()


def main():
    with World() as w:
        secret = w.dir / "passphrase"
        secret.write_text(PASSPHRASE + "\n")
        bag, folder = w.dir / "keys.bag", w.dir / "keys-folder"
        server = w.serve()
        server.get("/v1/parties")                       # refused, with an address to seal
        with case("all keys are listed with what they are for, and are ours alone"):
            said = w.tjzw("keys", "list", "--data", w.data).stdout.decode()
            for name in ("platform.key", "seal.1", "index", "audit", "chain"):
                assert f"\n{name} " in said, said
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (w.data / "keys").iterdir()}
            assert all(modes[n] == 0o600 for n in ("platform.key", "seal.1", "index", "audit")), modes

        with case("another seal key is made while the server runs; what the first sealed still opens"):
            w.tjzw("keys", "rotate", "--data", w.data, "seal")
            assert (w.data / "keys" / "seal.2").exists()
            server.get("/v1/mirrors")
            wait_for("both refusals in the log", 30, lambda: addresses(w).count("127.0.0.1") >= 2, every=0.2)
            db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True)
            used = {row[0] for row in db.execute("SELECT hex(substr(address, 1, 3)) FROM audit WHERE address IS NOT NULL")}
            assert used == {"010001", "010002"}, used
            said = w.tjzw("doctor", "--data", w.data).stdout.decode()
            assert "! 密钥备份  no backup of the keys is known" in said, said

        with case("a backup of the keys is a file that tells nothing, or a directory; neither replaces anything"):
            w.tjzw("keys", "backup", "--data", w.data, "--passphrase-file", secret, bag)
            w.tjzw("keys", "backup", "--data", w.data, folder)
            raw = bag.read_bytes()
            assert stat.S_IMODE(bag.stat().st_mode) == 0o600
            for p in (w.data / "keys").iterdir():
                assert p.read_bytes()[:16] not in raw, p.name
                assert (folder / p.name).read_bytes() == p.read_bytes(), p.name
            assert w.tjzw("keys", "backup", "--data", w.data, folder, check=False).returncode
            said = w.tjzw("doctor", "--data", w.data).stdout.decode()
            assert "✔ 密钥备份  the newest backup of the keys was made 0 days ago" in said, said
            later = time.time() + 60
            os.utime(w.data / "keys" / "seal.2", (later, later))
            said = w.tjzw("doctor", "--data", w.data).stdout.decode()
            assert "! 密钥备份  seal.2 is newer than the newest backup of the keys" in said, said
            short = w.dir / "short"
            short.write_text("1234")
            assert w.tjzw("keys", "backup", "--data", w.data, "--passphrase-file", short, w.dir / "x", check=False).returncode
        before = addresses(w)
        server.stop()

        with case("the drill: without its keys the server does not start, and says what is lost and how to mend it"):
            (w.data / "keys").rename(w.dir / "lost")
            said = refused(w)
            for words in ("seal.1", "seal.2", "audit", "platform.key", "cannot be read", "tjzw keys restore"):
                assert words in said, (words, said)
            made = list((w.data / "keys").glob("*"))
            assert not made, f"it made others in their place: {made}"

        with case("another passphrase, a changed byte, a cut file: nothing is restored"):
            wrong = w.dir / "wrong"
            wrong.write_text(PASSPHRASE + "!")
            assert w.tjzw("keys", "restore", "--data", w.data, "--passphrase-file", wrong, bag, check=False).returncode
            for spoilt in (raw[:-1], raw[:200] + bytes([raw[200] ^ 1]) + raw[201:]):
                bad = w.dir / "bad.bag"
                bad.write_bytes(spoilt)
                assert w.tjzw("keys", "restore", "--data", w.data, "--passphrase-file", secret, bad, check=False).returncode
            assert not list((w.data / "keys").glob("*"))

        with case("restored from the backup, all opens again"):
            w.tjzw("keys", "restore", "--data", w.data, "--passphrase-file", secret, bag)
            server = w.serve()
            assert addresses(w)[-len(before):] == before
            assert w.tjzw("audit", "verify", "--data", w.data).returncode == 0
            server.stop()

        with case("one key lost, or another in its place, is found as well; a directory brings it back"):
            for spoil in (lambda p: p.unlink(), lambda p: p.write_bytes(bytes(32))):
                spoil(w.data / "keys" / "seal.1")
                assert "seal.1" in refused(w)
            assert w.tjzw("keys", "restore", "--data", w.data, folder, check=False).returncode, "a key was replaced"
            (w.data / "keys" / "seal.1").unlink()
            w.tjzw("keys", "restore", "--data", w.data, folder)
            server = w.serve()
            seen = json.loads(w.tjzw("audit", "list", "--data", w.data, "--n", 500).stdout)["records"]
            assert {"key.rotate", "key.backup", "key.restore"} <= {r["action"] for r in seen}
            assert all(r["address"] != "?" for r in seen), [r for r in seen if r["address"] == "?"]
            server.stop()

        for suite in ("1", "2"):
            with case(f"suite {suite}: what older keys sealed is sealed anew while the server runs, and opens; rows of the audit log keep their key"):
                resealed(w, suite)

        with case("with SM4 and SM2 as well"):
            chinese = w.dir / "chinese"
            env = {"TJZW_SEAL_SUITE": "2", "TJZW_SIGN_SM2": "true"}
            server = w.serve(chinese, env=env)
            server.get("/v1/parties")
            server.stop()
            db = sqlite3.connect(f"file:{chinese}/tjzw.db?mode=ro", uri=True)
            assert db.execute("SELECT hex(substr(address, 1, 3)) FROM audit WHERE address IS NOT NULL").fetchone()[0] == "020001"
            assert b"sig sm2" in (chinese / "audit-heads").read_bytes()
            assert w.tjzw("audit", "verify", "--data", chinese).returncode == 0
            shutil.rmtree(chinese)
    return done()


sys.exit(main())
