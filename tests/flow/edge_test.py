#!/usr/bin/env python3
"""District → city → edge: the edge has no keys and shows all that the city shows. A phone that trusts only the city's key reads from it; nothing can be changed there;
it goes on while the city is away, and what is new in the city's list, or gone from it, is so at the edge.
"""
import json
import sqlite3
import sys

from lib import World, article, wait_for

from tap import case, done

QUICK = {"TJZW_HEAD_DEBOUNCE": "20ms", "TJZW_INDEX_CHANGES": "8", "TJZW_RATE_LIMIT": "0", "TJZW_MIRROR_POLL": "1s", "TJZW_HEAD_POLL": "1s"}


def take_in(server, lines):
    body = "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines).encode()
    answer = server.admin("POST", "/v1/import?publish=1&create=1", body, {"content-type": "application/x-ndjson"})
    assert answer.status == 200, answer


def level(a, b, stream):
    def equal():
        note = a.get(f"/v1/sync/{stream}/head").body
        return note.startswith(b"tjzw head 1") and note == b.get(f"/v1/sync/{stream}/head").body
    try:
        wait_for(f"{stream} to be level", 30, equal, 0.1)
    except AssertionError as why:
        raise AssertionError(f"{why}\n{b.said()[-2000:]}") from None


def index_names(server):
    lines = server.get(f"/v1/sync/main/object/{server.head()['index']}").body.decode().splitlines()[2:]
    return {line.split()[1] for line in lines}


def new_index(city, edge, text):
    """The city's own articles are all changed, so that an index with other objects is made; the names of those, level at the edge."""
    before = city.head()["index"]
    take_in(city, [{**article(100 + i), "source": "示例市", "summary": text} for i in range(1, 20)])
    wait_for("another index", 20, lambda: city.head()["index"] != before)
    level(city, edge, "main")
    return index_names(edge)


def forgotten(w, city, edge, serve):
    """Objects that the city named long ago, and objects of what it takes down; the edge as it runs then."""
    secret = "绝密的一段话"
    take_in(city, [{**article(100), "source": "示例市", "body": secret}])
    held = set()
    for i in range(20):
        names = new_index(city, edge, f"第{i}次")
        held |= {n for n in names if secret.encode() in edge.get(f"/v1/sync/main/object/{n}").body}
        if held - names:
            break
    old = held - names
    assert old and held & names, (len(held), len(names))
    edge.stop()
    db = sqlite3.connect(edge.data / "tjzw.db")
    with db:
        db.execute("UPDATE sync_object SET made = made - 8 * 86400 WHERE kind = 'index'")
    db.close()
    edge = serve()
    for i in (21, 22):
        new_index(city, edge, f"第{i}次")
    wait_for("what was superseded a week ago to go", 20, lambda: all(edge.get(f"/v1/sync/main/object/{n}").status in (404, 410) for n in old))
    one = next(x for x in map(json.loads, w.export(edge.data).splitlines()) if secret in x.get("body", ""))
    w.tjzw("item", "withdraw", "--data", city.data, "--reason", "试", one["id"])
    wait_for("the edge to hide it", 20, lambda: edge.get(f"/v1/items/{one['id']}").status == 410)
    said = [n for n in held for e in ("", ".gz", ".zst") if edge.get(f"/v1/sync/main/object/{n}{e}").status == 200]
    assert not said, said
    wait_for("its files to go", 20, lambda: not any(secret.encode() in f.read_bytes() for f in (edge.data / "objects").glob("*/*")))
    take_in(city, [{**article(100), "id": "made-again", "source": "示例市"}])
    level(city, edge, "main")
    return edge


with World() as w:
    at = {who: w.dir / who for who in ("district", "city", "edge")}
    district = w.serve(at["district"], env={**QUICK, "TJZW_STREAMS": "heping"})
    city = w.serve(at["city"], env={**QUICK, "TJZW_STREAMS": "main"})
    take_in(district, [article(i) for i in range(20)])
    take_in(city, [{**article(100 + i), "source": "示例市"} for i in range(20)])
    w.tjzw("mirror", "add", "--data", at["city"], "--stream", "heping", "--ca", w.certificate(at["district"]), district.url)
    level(district, city, "heping")
    trust = city.get("/v1/sync/keys").body.decode().splitlines()[1].split()[4]
    options = ["--mirror", city.url, "--trust", trust, "--cacert", w.certificate(at["city"])]
    edge = w.serve(at["edge"], *options, env=QUICK)
    phones = {}

    def read(stream):
        if stream not in phones:
            phones[stream] = w.phone(f"edge-{stream}", "--stream", stream, "--trust", trust, url=edge.url)
            phones[stream].args[1] = w.certificate(at["edge"])
        phones[stream].sync()
        return phones[stream].export()

    with case("an edge shows every stream of its origin, and has no keys"):
        for stream in ("main", "heping"):
            level(city, edge, stream)
        assert edge.get("/v1/sync/keys").body == city.get("/v1/sync/keys").body
        wait_for("the edge's list", 20, lambda: edge.get("/v1/sync/heads").body == city.get("/v1/sync/heads").body, 0.1)
        assert not (at["edge"] / "keys" / "platform.key").exists()
        assert len(edge.get("/v1/items?n=100").json()["items"]) == 40
        assert edge.get("/").status == 200 and edge.get("/docs").status == 200
    with case("a phone that trusts only the origin's key reads from it"):
        assert read("main").count(b"\n") == 20 and read("heping").count(b"\n") == 20
    with case("nothing can be changed there"):
        for method, path in (("POST", "/v1/import?publish=1"), ("POST", "/v1/sites"), ("POST", "/v1/mirrors"), ("DELETE", "/v1/mirrors/main"),
                             ("POST", "/v1/parties")):
            answer = edge.admin(method, path, b"{}", {"content-type": "application/json"})
            assert answer.status == 403 and "only shows" in answer.json()["detail"], answer
            assert answer.json()["type"] == "/problems/read-only", answer.json()
    with case("a command that would change something is told where that is done"):
        for words in (("site", "list"), ("mirror", "list")):
            w.tjzw(*words, "--data", at["edge"])
        ran = w.tjzw("mirror", "remove", "--data", at["edge"], "heping", check=False)
        assert ran.returncode == 77 and b"only shows" in ran.stderr and b"at the server that publishes" in ran.stderr, ran
        assert b"token" not in ran.stderr, ran.stderr
    with case("what the origin withholds is hidden at the edge, for phones too"):
        one = city.get("/v1/items?stream=heping&n=1").json()["items"][0]
        w.tjzw("item", "withhold", "--data", at["city"], "--reason", "试", one["id"])
        wait_for("the edge to hide it", 20, lambda: edge.get(f"/v1/items/{one['id']}").status == 410, 0.1)
        wait_for("the edge's list", 20, lambda: edge.get("/v1/sync/heads").body == city.get("/v1/sync/heads").body, 0.1)
        read("heping")
        assert one["id"].encode() not in phones["heping"].run("list").stdout
        w.tjzw("item", "unwithhold", "--data", at["city"], one["id"])
        wait_for("the edge to show it", 20, lambda: edge.get(f"/v1/items/{one['id']}").status == 200, 0.1)
    with case("objects that were superseded long ago, or taken down, are no files of the edge's, and no URL of them answers"):
        edge = forgotten(w, city, edge, lambda: w.serve(at["edge"], *options, port=edge.port, env=QUICK))
    with case("an object that was gone, and that the origin names and answers again as after a restore, is answered here again"):
        new_index(city, edge, "再来")
        city.rest()     # what was made in a hurry is joined
        level(city, edge, "main")
        names = index_names(edge)
        edge.stop()
        db = sqlite3.connect(at["edge"] / "tjzw.db")
        with db:
            db.executemany("INSERT INTO gone_object (hash, stream, at) SELECT ?, no, 1 FROM stream WHERE name = 'main'", [(bytes.fromhex(n),) for n in names])
        db.close()
        for file in (at["edge"] / "objects").glob("*/*"):
            file.unlink()
        edge = w.serve(at["edge"], *options, port=edge.port, env=QUICK)
        assert all(edge.get(f"/v1/sync/main/object/{n}").status == 410 for n in names)
        before = city.head()["seq"]
        take_in(city, [{**article(101), "source": "示例市"}])
        wait_for("a head", 20, lambda: city.head()["seq"] > before)
        level(city, edge, "main")
        assert index_names(city) & names, "another index: the test asks nothing"
        said = {(edge.get(f"/v1/sync/main/object/{n}{e}").status, city.get(f"/v1/sync/main/object/{n}{e}").status) for n in names & index_names(city) for e in ("", ".gz", ".zst")}
        assert said == {(200, 200)}, said
    with case("it goes on while the origin is away, also after a restart"):
        city.stop()
        edge.kill()
        edge = w.serve(at["edge"], *options, port=edge.port, env=QUICK)
        assert read("main").count(b"\n") == 20
        assert edge.get("/v1/sync/heads").status == 200
    with case("a new stream of the origin is followed, one that is gone is dropped"):
        city = w.serve(at["city"], port=city.port, env={**QUICK, "TJZW_STREAMS": "main,second"})
        w.tjzw("mirror", "remove", "--data", at["city"], "heping")
        wait_for("the second stream", 40, lambda: edge.get("/v1/sync/second/head").status == 200, 0.2)
        wait_for("the first to go", 20, lambda: edge.get("/v1/sync/heping/head").status == 404, 0.2)
        assert len(edge.get("/v1/items?n=100").json()["items"]) == 20
    with case("an origin of another key is not believed"):
        other = w.start(w.dir / "other", "--mirror", city.url, "--trust", "0" * 64, "--cacert", w.certificate(at["city"]), env=QUICK)
        other.ready()
        wait_for("the refusal", 10, lambda: "edge_failed" in other.said(), 0.1)
        assert other.get("/v1/sync/heads").status == 503
        edge_of = json.loads(w.tjzw("mirror", "list", "--data", w.dir / "other").stdout)["edge"]
        assert edge_of["failures"] > 0 and city.url in edge_of["error"] and edge_of["since"] and "checked" not in edge_of, edge_of
        told = w.tjzw("doctor", "--data", w.dir / "other", env={"TJZW_EDGE_OF": city.url}, check=False).stdout.decode()
        assert f"! 镜像  the list of streams: failing since {edge_of['since']}" in told and "tjzw serve --mirror URL" in told, told
    with case("an origin that is no address, and a key that is none, are refused before anything is made"):
        good, taken = "https://127.0.0.1:9", ["--listen", edge.url]
        wrong = [([url], b"not the address of a server") for url in ("nonsense", "https://", "ftp://127.0.0.1", "https://127.0.0.1/v1")]
        for words, why in [*wrong, ([good, "--trust", "nonsense"], b"64 lower-case hex digits")]:
            ran = w.tjzw("serve", "--data", w.dir / "lost", *taken, "--mirror", *words, check=False)
            assert ran.returncode == 65 and why in ran.stderr and b"print-conf" in ran.stderr, (words, ran.returncode, ran.stderr)
            assert not (w.dir / "lost").exists(), words
    with case("no command makes a stopped edge anything else; verify and doctor know it"):
        edge.stop()
        for words in (("mirror", "list"), ("serve", "--listen", edge.url)):
            ran = w.tjzw(*words, "--data", at["edge"], check=False)
            assert ran.returncode == 65 and city.url.encode() in ran.stderr and b"serve --mirror" in ran.stderr, ran
        listed = w.tjzw("mirror", "list", "--data", at["edge"], env={"TJZW_EDGE_OF": city.url}).stdout
        assert [m["stream"] for m in json.loads(listed)["mirrors"]] == ["main", "second"], listed
        assert not (at["edge"] / "keys" / "platform.key").exists()
        w.tjzw("verify", "--data", at["edge"])
        told = w.tjzw("doctor", "--data", at["edge"], check=False)
        assert told.returncode == 0, told.stdout.decode()
        assert "公钥链  an edge has no keys" in told.stdout.decode(), told.stdout.decode()
sys.exit(done())
