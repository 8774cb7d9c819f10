#!/usr/bin/env python3
"""Two streams on one server, phones of each, and keys that change under them.

One phone syncs after each exchange, another is off meanwhile and meets all of them at once; the server restarts in between, and one key is
exchanged while it is stopped. Heads are signed with SM2 as well from the middle on. In the end every phone holds what the server
publishes, whether it trusted the first key, the newest, or whatever it met.
"""
import json
import sys

from lib import World, article, wait_for

from tap import case, done, note

SETTINGS = {"TJZW_STREAMS": "main,heping", "TJZW_HEAD_DEBOUNCE": "20ms", "TJZW_RATE_LIMIT": "0"}


def written(world, name, source, first, n):
    path = world.dir / name
    with open(path, "w") as out:
        for i in range(first, first + n):
            out.write(json.dumps({**article(i, 1200, name), "id": f"{source}-{i}", "source": source}, ensure_ascii=False) + "\n")
    return path


def note_of(server, stream):
    """The list, and the fields of the stream's head behind it."""
    answer = server.get(f"/v1/sync/heads/{stream}")
    assert answer.status == 200, answer
    text, _, head = answer.body.decode().partition("\n\ntjzw head 1\n")
    return text, {k: v for k, _, v in (line.partition(" ") for line in head.splitlines())}


def shown(server, stream, seq):
    wait_for(f"a head of {stream} at {seq}", 10, lambda: int(note_of(server, stream)[1]["seq"]) >= seq)


def lines(text):
    return set(text.splitlines())


with World() as w:
    def tjzw(*args):
        return w.tjzw(*args, "--data", w.data, env=SETTINGS)

    def fill(stream, source, first, n):
        return tjzw("import", "--publish", "--stream", stream, written(w, f"{source}-{first}", source, first, n))

    def trust():
        return tjzw("keys").stdout.decode().split()[2]

    with case("each phone has the stream it asks for, and together they have all"):
        fill("main", "市政府", 0, 40)
        fill("heping", "和平区", 0, 25)
        server = w.serve(env=SETTINGS)
        shown(server, "main", 40)
        shown(server, "heping", 25)
        old = trust()
        city, district = w.phone("city"), w.phone("district", "--stream", "heping")
        off, told = w.phone("off", "--stream", "heping"), w.phone("told", "--stream", "heping", "--trust", old)
        for phone in (city, district, off, told):
            phone.sync()
        assert len(lines(city.export())) == 40 and len(lines(district.export())) == 25
        assert not lines(city.export()) & lines(district.export())
        assert lines(city.export()) | lines(district.export()) == lines(w.export())
        names = [line.split()[1] for line in note_of(server, "main")[0].splitlines() if line.startswith("stream ")]
        assert names == ["heping", "main"], names

    with case("a stream's key is exchanged while the server runs"):
        before = note_of(server, "heping")[1]
        tjzw("keys", "rotate", "heping")
        after = note_of(server, "heping")[1]
        assert before["seq"] == after["seq"] and int(after["sign"]) > int(before["sign"])
        assert before["sig"].split()[1] != after["sig"].split()[1]
        district.sync()
        city.sync()
        fill("heping", "和平区", 100, 10)
        shown(server, "heping", 35)
        district.sync()
        assert len(lines(district.export())) == 35

    with case("the platform's key is exchanged, and the list is signed by it at once"):
        counter = note_of(server, "main")[0].splitlines()[1]
        tjzw("keys", "rotate", "platform")
        assert note_of(server, "main")[0].splitlines()[1] != counter
        assert trust() != old
        district.sync()
        fill("main", "市政府", 100, 5)
        shown(server, "main", 45)
        city.sync()

    with case("after a restart, with SM2, and an exchange on the stopped server"):
        server.stop()
        SETTINGS["TJZW_SIGN_SM2"] = "true"
        tjzw("keys", "rotate", "heping")
        tjzw("keys", "rotate", "main")
        server = w.serve(env=SETTINGS)
        fill("heping", "和平区", 200, 10)
        shown(server, "heping", 45)
        assert b"\nsig sm2 " in server.get("/v1/sync/heping/head").body
        tjzw("keys", "rotate", "platform")
        tjzw("keys", "rotate", "main")
        city.url = district.url = off.url = told.url = server.url

    with case("a phone that was off meanwhile follows the chain, and all hold the same"):
        newest = w.phone("newest", "--stream", "heping", "--trust", trust())
        first = w.phone("first", "--stream", "heping", "--trust", old)
        for phone in (city, district, off, told, newest, first):
            phone.sync()
            phone.run("verify")
        held = district.export()
        for phone in (off, told, newest, first):
            assert phone.export() == held
        assert lines(city.export()) | lines(held) == lines(w.export())
        assert len(lines(held)) == 45

    with case("the log, the heads and the keys hold"):
        said = tjzw("verify").stdout.decode()
        assert said.count(": whole") == 2, said
        listed = tjzw("keys", "list").stdout.decode()
        assert listed.count("signs now") == 5, listed      # the platform, two streams with two keys each
        note(f"{len(listed.splitlines())} keys, the chain has {len(server.get('/v1/sync/keys').body)} bytes")
        found = w.tjzw("doctor", "--data", w.data, check=False, env=SETTINGS).stdout.decode()
        assert "✔ 公钥链" in found, found

    with case("what is unknown, or is nobody's here, is refused"):
        assert w.tjzw("keys", "rotate", "--data", w.data, "hexi", check=False, env=SETTINGS).returncode != 0
        assert server.get("/v1/keys/main/rotate", method="POST").status == 401
        assert server.get("/v1/sync/heads/hexi").status == 404
        server.stop()

sys.exit(done())
