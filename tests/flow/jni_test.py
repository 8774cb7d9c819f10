#!/usr/bin/env python3
"""The Android example (clients/android) builds against a stock JDK's headers, and a Java program follows a live server with it."""
import glob
import json
import os
import subprocess
import sys
from pathlib import Path

from lib import BUILD, ROOT, World, clean_env

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
        made = subprocess.run([home / "bin/javac", "-Xlint:all", "-Werror", "-d", out, SOURCE / "Example.java", SOURCE / "cn/tjzw/Tjzw.java"],
                              capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    with case("the JNI library compiles with the JDK's headers, all warnings being errors"):
        made = subprocess.run(["gcc", "-std=gnu2x", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{ROOT}", f"-I{home}/include",
                               f"-I{home}/include/linux", SOURCE / "tjzw_jni.c", "-o", out / "libtjzw_jni.so", f"-L{BUILD}/clients/c", "-ltjzw",
                               f"-Wl,-rpath,{BUILD}/clients/c"], capture_output=True, text=True)
        assert made.returncode == 0, made.stderr

    w.tjzw("import", "--data", w.data, "--publish", w.articles(300))
    server = w.serve()
    server.settle()

    def java(*args, **env):
        command = [home / "bin/java", "-Xcheck:jni", f"-Djava.library.path={out}", "-cp", out, "Example", *args]
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

    server.stop()

sys.exit(done())
