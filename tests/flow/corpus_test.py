#!/usr/bin/env python3
"""The main job: real texts go in, are published, a phone fetches and verifies them, and reads them with the server gone.

With ../shared/corpus at hand the texts are the 995 real ones, otherwise 500 made ones (said as a skip).
"""
import json
import re
import sys

from lib import CORPUS, World

from tap import case, done, note, skip

REFUSED = 65    # EX_DATAERR: some records were refused, the rest went in


def counts(said):
    """The numbers of import's last line: "995 lines in 1.20 s: 995 created, 0 updated, 0 moved, 0 unchanged, 1 held, 0 refused"."""
    line = said.decode().strip().splitlines()[-1]
    numbers = {word: int(n) for n, word in re.findall(r"(\d+) (created|updated|moved|unchanged|held|refused|lines)", line)}
    assert {"lines", "created", "updated", "moved", "unchanged", "held", "refused"} <= set(numbers), line
    return numbers


def take_in(w, path, *options):
    done = w.tjzw("import", "--data", w.data, "--publish", *options, path, check=False)
    numbers = counts(done.stdout)
    assert done.returncode == (REFUSED if numbers["refused"] else 0), done.stderr.decode()
    assert len([x for x in done.stderr.decode().splitlines() if x.startswith("line ")]) == numbers["refused"] + numbers["held"], done.stderr.decode()
    return numbers


def exported(w):
    return [json.loads(line) for line in w.export().splitlines()]


def changed_records(path, every):
    """The file's records with changed text, with another column, and some left as they are."""
    for i, line in enumerate(open(path)):
        record = json.loads(line)
        if i % every == 0:
            record["body"] += "\n\n本文已经修订。"
        elif i % every == 1:
            record["column"] = "移动之后/新栏目"
        elif i > 60:
            continue
        yield json.dumps(record, ensure_ascii=False)


def main(w):
    corpus = w.corpus()
    lines = sum(1 for line in open(corpus) if line.strip())
    if not CORPUS.exists():
        skip("the real corpus", "../shared/corpus is not there; made texts take its place")

    with case("import takes in every record, and publishes all but those that a rule blocks: the one with a hijacked title"):
        first = take_in(w, corpus)
        assert first["lines"] == lines and first["created"] + first["refused"] == lines, first
        assert first["refused"] <= lines // 100, first
        items = exported(w)
        assert first["held"] == (1 if CORPUS.exists() else 0), first
        assert len(items) == first["created"] - first["held"], f"{len(items)} exported of {first}"
        assert [i["id"] for i in items] == sorted(i["id"] for i in items), "the export is not sorted by id"

    with case("importing the same again changes nothing"):
        before = w.export()
        again = take_in(w, corpus)
        assert again["unchanged"] == first["created"] and not again["created"] + again["updated"] + again["moved"], again
        assert w.export() == before

    server = w.serve()
    phone = w.phone("one")
    with case("the first sync brings everything: both exports are byte-equal"):
        note(phone.sync())
        assert phone.export() == w.export()

    with case("the second sync is one request and under 1 KB"):
        second = phone.sync()
        note(second)
        assert second["requests"] == 1 and second["bytes_down"] < 1024, second

    server.stop()
    with case("with the server stopped, list, show and search answer"):
        item = exported(w)[0]
        assert item["title"] in phone.run("list").stdout.decode(), "list does not name " + item["title"]
        shown = phone.run("show", item["id"]).stdout.decode()
        assert item["title"] in shown and item["body"].split("\n")[0].strip("# ")[:20] in shown, shown[:500]
        found = phone.run("search", "社保").stdout.decode()
        whole = [i for i in exported(w) if "社保" in i["title"] + i["body"]]
        assert not whole or any(i["title"] in found for i in whole), found[:500]
        assert phone.run("search", "绝无此词甲乙丙").stdout.decode().count("\n") <= 1
        phone.run("status")
        phone.run("verify")

    with case("with the server stopped, a sync says so and what is held stays"):
        failed = phone.run("sync", check=False)
        assert failed.returncode != 0 and failed.stderr, failed
        assert phone.export() == w.export()

    with case("a wrong server, key or certificate that no sync proved is not remembered; verify goes by the key given"):
        wrong = ("--trust", "a" * 64, "--cacert", "/dev/null")
        said = phone.run("status").stdout
        for command in ("list", "status", "export", "sync"):
            phone.run(command, *wrong, url="https://127.0.0.1:9", check=False)
        assert phone.run("verify", *wrong, check=False).returncode == 1
        assert phone.run("status").stdout.splitlines()[:2] == said.splitlines()[:2], "what is remembered has changed"
        phone.run("verify")

    with case("sync --json is one line of JSON however it ends; error says the kind"):
        for where, url, status, kind in ((phone, None, 1, "net"), (phone, "ftp://x", 2, "usage"),
                                         (w.phone("no/such/directory"), None, 1, "store")):
            failed = where.run("sync", "--json", url=url, check=False)
            assert failed.returncode == status and failed.stderr, failed
            assert len(failed.stdout.splitlines()) == 1 and json.loads(failed.stdout)["error"] == kind, failed

    server = w.serve()
    with case("the certificate that the help names is the one that helps; a stream that is not there is gone"):
        bare = w.phone("bare")
        bare.args = []
        refused = bare.run("sync", "--json", check=False)
        assert json.loads(refused.stdout)["error"] == "tls" and "DIR/keys/tls-cert.pem" in refused.stderr.decode(), refused
        assert "keys/tls-cert.pem" in bare.run("sync", "--help").stdout.decode()
        other = w.phone("other", "--stream", "other").run("sync", "--json", check=False)
        assert json.loads(other.stdout)["error"] == "gone", other
    phone.url = w.url
    with case("after edits and moves by import: equal again"):
        path = w.dir / "changed.ndjson"
        path.write_text("\n".join(changed_records(corpus, 7)) + "\n")
        numbers = take_in(w, path)
        note(numbers)
        assert numbers["updated"] and numbers["moved"] and numbers["unchanged"], numbers
        server.settle()
        note(phone.sync())
        assert phone.export() == w.export()

    with case("after withdrawals: equal again, and the text is gone from the phone"):
        gone = [i["id"] for i in exported(w)[5:200:13]]
        for item in gone:
            w.tjzw("item", "withdraw", "--data", w.data, "--reason", "测试撤稿", item)
        server.settle()
        phone.sync()
        assert phone.export() == w.export()
        held = {json.loads(line)["id"] for line in phone.export().splitlines()}
        assert not held & set(gone)
        assert phone.run("show", gone[0], check=False).returncode != 0, "a withdrawn item is still shown"

    with case("published, withdrawn and purged in one breath: the next sync holds, and the text is gone"):
        item, other = [i["id"] for i in exported(w)[:2]]
        path = w.articles(1, "breath.ndjson", first=900001)
        w.tjzw("import", "--data", w.data, "--publish", path)
        for args in (["withdraw", "--reason", "测试撤稿", item], ["gone", "--reason", "测试删除", item], ["gone", "--reason", "测试删除", other]):
            w.tjzw("item", *args[:1], "--data", w.data, *args[1:])
        said = phone.sync()
        note(said)
        assert phone.export() == w.export()
        assert not {item, other} & {json.loads(line)["id"] for line in phone.export().splitlines()}

    with case("a phone that comes new holds the same"):
        fresh = w.phone("fresh")
        fresh.sync()
        assert fresh.export() == w.export()

    with case("the log is whole, and the server stops in time"):
        server.stop()
        said = w.tjzw("verify", "--data", w.data).stdout.decode()
        assert "whole" in said and "NOT" not in said, said


with World() as world:
    main(world)
sys.exit(done())
