#!/usr/bin/env python3
"""The Android example (clients/android) builds against a stock JDK's headers, and a Java program follows a live server with it."""
import glob
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from lib import BUILD, ROOT, World, clean_env, wait_for
from person import GOOD, NUMBER, Gateway, say, token_of

from tap import case, done, skip

SOURCE = ROOT / "clients" / "android"


def jdk():
    """The home of a JDK that has headers and a compiler, or None."""
    homes = [os.environ.get("JAVA_HOME", ""), *sorted(glob.glob("/usr/lib/jvm/java-*-openjdk-*"))]
    return next((Path(h) for h in homes if h and (Path(h) / "include/jni.h").exists() and (Path(h) / "bin/javac").exists()), None)


home = jdk()
if not home:
    skip("the Android example builds and follows a server", "no JDK: apt-get install openjdk-17-jdk-headless")
    sys.exit(done())

with World() as w:
    out = w.dir / "java"
    out.mkdir()

    with case("the Java class compiles without a warning"):
        made = subprocess.run([home / "bin/javac", "-Xlint:all", "-Werror", "-d", out, SOURCE / "Example.java", SOURCE / "Person.java",
                               *sorted(SOURCE.glob("cn/tjzw/*.java"))],
                              capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    with case("the JNI library compiles with the JDK's headers, all warnings being errors"):
        made = subprocess.run(["gcc", "-std=gnu2x", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{ROOT}", f"-I{home}/include",
                               f"-I{home}/include/linux", *sorted(SOURCE.glob("*.c")), "-o", out / "libtjzw_jni.so", f"-L{BUILD}/clients/c", "-ltjzw",
                               f"-Wl,-rpath,{BUILD}/clients/c"], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    w.tjzw("import", "--data", w.data, "--publish", w.articles(300))
    gateway = Gateway()
    server = w.serve(env=gateway.settings)
    server.settle()

    def java(*args, program="Example", **env):
        command = [home / "bin/java", "-Xcheck:jni", f"-Djava.library.path={out}", "-cp", out, program, *args]
        return subprocess.run([str(c) for c in command], capture_output=True, env=clean_env(env), text=True, timeout=120)

    with case("a Java program syncs and lists what the server exports"):
        ran = java(w.dir / "java.db", server.url, w.certificate())
        assert ran.returncode == 0, ran.stderr
        lines = ran.stdout.splitlines()
        assert lines[0].startswith("synced "), lines[0]
        assert len(lines) == 301 and any("示例文章第299号" in line for line in lines), lines[:3]
        assert "WARNING" not in ran.stdout + ran.stderr, ran.stderr    # what -Xcheck:jni found

    with case("it searches Chinese words"):
        ran = java(w.dir / "java.db", server.url, w.certificate(), "示例文章第7号")
        assert ran.returncode == 0 and len(ran.stdout.splitlines()) == 2, ran.stdout + ran.stderr

    with case("a failure is an exception with a Chinese sentence"):
        ran = java(w.dir / "other.db", "https://127.0.0.1:1")
        assert ran.returncode == 1 and any("一" <= c <= "鿿" for c in ran.stderr), ran.stdout + ran.stderr

    with case("with a horizon it holds the newest, fetches an older one, and does nothing in a slot before its time"):
        w.tjzw("import", "--data", w.data, "--publish", w.articles(2500, name="more.ndjson", first=1000, size=300))
        server.settle()
        ran = java(w.dir / "few.db", server.url, w.certificate(), HORIZON="300")
        few = {line.split()[0] for line in ran.stdout.splitlines()[1:]}
        assert ran.returncode == 0 and 300 <= len(few) < 1324, ran.stdout[:300] + ran.stderr
        older = next(i for i in (json.loads(line)["id"] for line in w.export().splitlines()) if i not in few)
        ran = java(w.dir / "few.db", server.url, w.certificate(), FETCH=older)
        assert ran.returncode == 0 and older in ran.stdout, ran.stdout[:300] + ran.stderr
        ran = java(w.dir / "few.db", server.url, w.certificate(), BACKGROUND="20")
        assert ran.returncode == 0 and ran.stdout.startswith("not before "), ran.stdout[:300] + ran.stderr
        assert "WARNING" not in ran.stdout + ran.stderr, ran.stderr

    with case("somebody makes a favourite and writes a letter before he has signed in; then it is his account's, with number and receipt, and his messages are there"):
        assert server.admin("POST", "/v1/orgs", json.dumps({"code": "heping", "name": "和平区"}), {"content-type": "application/json"}).status == 201
        twin = w.phone("twin")
        say(twin, "sync")
        say(twin, "sign-in", NUMBER)
        say(twin, "sign-in", NUMBER, wait_for("a code", 10, lambda: gateway.got.get(NUMBER)))
        headers = {"authorization": "Bearer " + token_of(twin), "content-type": "application/json"}
        assert server.get("/v1/me/password", "PUT", json.dumps({"password": GOOD}), headers).status == 204
        account = re.search(r"账号 (\d+)", say(twin, "me"))[1]
        w.tjzw("inbox", "send", "--data", w.data, "--account", account, "--group", "outage-3", "--title", "今晚升级😀", "--text", "二十二点到二十三点。")
        ran = java(w.dir / "person.db", server.url, w.certificate(), "heping", NUMBER, GOOD, program="Person")
        assert ran.returncode == 0 and "WARNING" not in ran.stdout + ran.stderr, ran.stdout + ran.stderr
        said = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in ran.stdout.splitlines()}
        assert said["waiting"] == "3" and said["step"] == "0", ran.stdout
        assert said["account"] == f"{account} guest false waiting 0 attention 0 unread 1", ran.stdout
        assert said["fav"].startswith("main/" + said["newest"]) and said["set"] == "font 24" and "今晚升级😀" in said["message"], ran.stdout
        assert said["letter"].startswith(said["wrote"] + " ") and "-000001 receipt 2 " in said["letter"] and "错字😀" in said["letter"], ran.stdout
        say(twin, "sync")
        assert said["newest"] in say(twin, "fav") and said["wrote"] in say(twin, "letter", "list")

    with case("what cannot be is an exception with a Chinese sentence"):
        ran = java(w.dir / "wrong.db", server.url, w.certificate(), "heping", NUMBER, "wrong", program="Person")
        assert ran.returncode == 1 and "登录" in ran.stderr and "WARNING" not in ran.stdout + ran.stderr, ran.stdout + ran.stderr

    server.stop()

sys.exit(done())
