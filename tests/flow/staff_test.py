#!/usr/bin/env python3
"""What staff and their programs do by command: sites, columns, drafts, review, publication, tokens; and what phones then hold."""
import json
import sys

from lib import World, article, wait_for

from tap import case, done


def main(w):
    server = w.serve()
    at = ["--data", w.data]

    def staff(*words, check=True, input=None):
        """A command through the running server's admin socket; its JSON answer."""
        words = list(words)
        verb = words[:2]
        done = w.tjzw(*verb, *at, *words[2:], check=check, input=input)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else done

    def draft(**fields):
        return json.dumps({"kind": "article", "title": "关于测试的通知", "body": "第一段。\n\n第二段。", **fields}, ensure_ascii=False).encode()

    def phone_holds(title):
        server.settle()
        phone.sync()
        return title in phone.export().decode()

    with case("a site and a column are made, found again, and refused twice"):
        site = staff("site", "create", "--code", "1201030001", "--name", "示例区人民政府")
        column = staff("column", "create", "--site", site["no"], "--path", "政策文件/区政府文件")
        assert column["path"] == "政策文件/区政府文件", column
        assert "示例区人民政府" in json.dumps(staff("site", "list"), ensure_ascii=False)
        assert staff("site", "create", "--code", "1201030001", "--name", "又一个", check=False).returncode

    phone = w.phone()
    phone.sync()
    place = {"site": site["no"], "column": column["no"]}
    with case("a draft goes through review and is public only when it is published"):
        made = staff("item", "create", "-", input=draft(**place))
        item = made["id"]
        assert server.get(f"/v1/items/{item}").status == 404 and not phone_holds("关于测试的通知")
        for verb in ("submit", "approve", "publish"):
            staff("item", verb, item)
        assert server.get(f"/v1/items/{item}").status == 200 and server.get(f"/a/{item}").status == 200
        assert phone_holds("关于测试的通知")

    with case("an edit that saw an older revision is refused; one that saw the newest becomes the next"):
        revision = staff("item", "show", item)["item"]["revision"]
        edited = draft(title="关于测试的补充通知", **place)
        assert staff("item", "edit", "--rev", revision + 7, item, "-", input=edited, check=False).returncode
        staff("item", "edit", "--rev", revision, item, "-", input=edited)
        assert not phone_holds("关于测试的补充通知"), "a draft left the library"
        for verb in ("submit", "approve", "publish"):
            staff("item", verb, item)
        assert phone_holds("关于测试的补充通知")

    with case("a preview link shows a draft to who has it, and to nobody else"):
        hidden = staff("item", "create", "-", input=draft(title="尚未公开的草稿", **place))["id"]
        link = staff("item", "preview", "--hours", "1", hidden)
        target = link.get("path") or link["url"].split("//", 1)[1].split("/", 1)[1]
        target = "/" + target.lstrip("/")
        assert "尚未公开的草稿" in server.get(target).body.decode()
        assert server.get(target[:-3] + ("AAA" if target[-3:] != "AAA" else "BBB")).status in (400, 401, 403, 404, 410)

    with case("a withdrawal needs a reason, and takes the item from every channel"):
        assert staff("item", "withdraw", item, check=False).returncode
        staff("item", "withdraw", "--reason", "内容有误", item)
        assert server.get(f"/v1/items/{item}").status == 410 and not phone_holds("关于测试的补充通知")

    with case("a program elsewhere imports with a key, within its rights, until it is revoked"):
        token = w.dir / "token"
        staff("parties", "add", "--id", "cms", "--name", "采编系统", "--kind", "live", "--rights", "import,edit,publish")
        token.write_text(staff("parties", "key", "cms")["key"] + "\n")
        narrow = w.dir / "narrow"
        staff("parties", "add", "--id", "reader", "--name", "另一系统", "--kind", "test", "--rights", "import")
        narrow.write_text(staff("parties", "key", "--days", "30", "reader")["key"] + "\n")
        remote = ["import", "--server", w.url, "--cacert", w.certificate()]
        path = w.articles(5, name="remote.ndjson")
        assert w.tjzw(*remote, "--token-file", narrow, "--publish", path, check=False).returncode, "it published without the right"
        assert w.tjzw(*remote, "--publish", path, check=False).returncode, "it imported without a token"
        tried = w.tjzw(*remote, "--token-file", narrow, path, check=False)
        assert "only tried" in tried.stderr.decode(), tried
        for own in (["--data", w.data, "--party", "reader"], ["--server", w.url, "--cacert", w.certificate(), "--token-file", narrow]):
            (entry,) = json.loads(w.tjzw("sandbox", *own).stdout)["entries"]
            assert entry["route"] == "/v1/import" and entry["kind"] == "answer" and entry["shown"]["refused"], entry
        w.tjzw(*remote, "--token-file", token, "--publish", path)
        assert phone_holds(article(0)["title"])
        (key,) = staff("parties", "keys", "cms")["keys"]
        assert token.read_text().strip() not in json.dumps([staff("parties", "show", "cms"), key]), "a key was shown twice"
        wait_for("what it asked to be written down", 20, lambda: staff("parties", "requests", "--n", "5", "cms")["requests"])
        asked = staff("parties", "requests", "cms")["requests"]
        assert any(r["route"] == "/v1/import" and r["status"] == 200 for r in asked) and "publish" not in json.dumps(asked), asked
        next_ = w.dir / "next"
        next_.write_text(staff("parties", "rotate", "--overlapHours", "1", "cms", str(key["no"]))["key"] + "\n")
        for good in (token, next_):
            w.tjzw(*remote, "--token-file", good, "--publish", path)
        staff("parties", "revoke", "cms", str(key["no"]))
        assert w.tjzw(*remote, "--token-file", token, "--publish", path, check=False).returncode
        staff("parties", "edit", "--open", "false", "cms")
        assert w.tjzw(*remote, "--token-file", next_, "--publish", path, check=False).returncode

    with case("--cacert without --server is refused, and where --ca is meant, that is said"):
        mirror = ["mirror", "add", "--data", w.data, "--stream", "heping", "--cacert", w.certificate(), "https://127.0.0.1:1"]
        refused = w.tjzw(*mirror, check=False)
        said = refused.stderr.decode().splitlines()
        assert refused.returncode and len(said) == 1 and "--cacert is for --server" in said[0] and "--ca FILE" in said[0], said
        assert "heping" not in json.dumps(staff("mirror", "list"))
        refused = w.tjzw("import", "--data", w.data, "--cacert", w.certificate(), path, check=False)
        assert refused.returncode and b"--cacert is for --server\n" in refused.stderr, refused.stderr

    with case("phone and server hold the same, and the log is whole"):
        phone.sync()
        assert phone.export() == w.export()
        server.stop()
        assert "NOT" not in w.tjzw("verify", "--data", w.data).stdout.decode()


with World() as world:
    main(world)
sys.exit(done())
