#!/usr/bin/env python3
"""A whole day of a newsroom from scripts alone: everybody signs in by `tjzw login`, and each step is one command with that person's rights.

The server is the demo as `tjzw serve --demo` makes it; nothing here uses the machine's own socket.
"""
import json
import sys
import uuid

from app import App
from lib import World
from newsroom import Newsroom

from tap import case, done

SITE = "9900000001"
STAFF = ("system", "security", "auditor", "site", "editor", "review1", "review2", "review3", "publisher", "letters")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2400    # 600 KB: three pieces


def morning(room):
    with case("ten people sign in, each at his own profile; none is in the other's place"):
        room.come(*STAFF)
        listed = room.desk.run("profiles").stdout.decode()
        assert all(name in listed for name in STAFF), listed
        for who, words in (("editor", ("roles", "list")), ("security", ("audit", "list")), ("auditor", ("alerts",)), ("letters", ("item", "list"))):
            room.may_not(who, *words)


def news(room):
    with case("a site administrator opens a column, an editor brings a picture and a draft"):
        column = room.does("site", "column", "create", "--site", SITE, "--path", "要闻/今日")["no"]
        picture = room.w.dir / "现场.png"
        picture.write_bytes(PICTURE)
        put = room.does("editor", "blob", "put", picture)
        assert put == {"hash": put["hash"], "name": "现场.png", "size": len(PICTURE)} and room.does("editor", "blob", "put", picture) == put
        text = json.dumps({"kind": "article", "column": column, "title": "示例：便民服务中心周末开放", "body": "本周六起开放。",
                           "image": put["hash"], "attachments": [{"hash": put["hash"], "name": "现场.png", "type": "image/png", "size": put["size"]}]}).encode()
        item = room.does("editor", "item", "create", "-", input=text)["id"]
        room.may_not("publisher", "item", "create", "-", input=text)
    with case("a reviewer hands it back, then lets it pass; its author cannot, and before that nobody publishes it"):
        room.does("editor", "item", "submit", item)
        room.may_not("publisher", "item", "publish", item)
        room.may_not("editor", "item", "approve", item)
        assert item in json.dumps(room.does("review1", "item", "list", "--state", "in_review"))
        room.does("review1", "item", "return", "--reason", "请写明开放时间", item)
        rev = room.does("editor", "item", "show", item)["item"]["revision"]
        room.does("editor", "item", "edit", "--rev", rev, item, "-", input=text.replace(b"body", b"summary").replace(b'"attach', b'"body": "\\u4e0a\\u53489\\u70b9", "attach'))
        room.does("editor", "item", "submit", item)
        room.does("review1", "item", "approve", item)
        link = room.does("review2", "item", "preview", item)
        assert "url" in json.dumps(link)
        room.does("publisher", "item", "publish", item)
    with case("it is public, with its picture; read, counted, and withdrawn with a reason"):
        page = room.server.get(f"/a/{item}", headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/128.0"})
        assert page.status == 200 and "周末开放" in page.body.decode(), page
        assert room.server.get(f"/v1/blobs/{json.loads(room.server.get(f'/v1/items/{item}').body)['image']}").body == PICTURE
        room.does("publisher", "counts", "list", "--site", SITE)
        room.may_not("editor", "item", "withdraw", "--reason", "写错了", item)
        room.does("publisher", "item", "withdraw", "--reason", "时间有误", item)
        assert room.server.get(f"/a/{item}").status in (404, 410)
    return column


def opinion(room, column):
    with case("an editor asks the public, a publisher opens and closes it, the result becomes a draft"):
        asked = json.dumps({"column": column, "kind": "survey", "title": "示例：开放时间征求意见", "body": "请选一项。", "opens": "2026-01-01", "closes": "2099-01-01",
                            "audience": "所有人", "questions": [{"kind": "single", "title": "几点开放合适？", "choices": ["八点", "九点"]}]}, ensure_ascii=False).encode()
        survey = room.does("editor", "surveys", "create", "-", input=asked)["id"]
        room.does("editor", "surveys", "submit", survey)
        room.does("review1", "surveys", "approve", survey)
        room.does("publisher", "surveys", "open", survey)
        assert survey in json.dumps(room.does("editor", "surveys", "list"))
        assert room.does("editor", "surveys", "results", survey)["answers"] == 0
        room.does("publisher", "surveys", "close", survey)
        assert room.does("editor", "surveys", "draft", survey)["state"] == "draft"


def letters(room):
    with case("a citizen writes, the clerk accepts, drafts; another reviews; the citizen has the answer"):
        li = App(room.server).by_phone("13800000001")
        org = room.does("site", "org", "list")["orgs"][0]["code"]
        name = "示例.png"
        letter, device = str(uuid.uuid4()), "q83vEjRWeJCrze8SNFZ4kA"
        sent = li.call("POST", "/v1/me/sync", {"device": device, "mutations": [{"n": 1, "type": "letter.send", "key": letter, "value": {
            "category": "consult", "contact": {"name": "示例市民", "phone": "13800000001"}, "text": f"周末几点开门？{name}", "title": "咨询", "unit": org}}]}).json()
        number = sent["results"][0]["number"]
        assert number in json.dumps(room.does("letters", "letters", "list"))
        room.may_not("editor", "letters", "show", number)
        room.does("letters", "letters", "accept", number)
        draft = room.does("letters", "letters", "draft", "--text", "您好，九点开门。", number)["draft"]
        room.may_not("letters", "letters", "review", "--draft", draft, number)
        room.does("site", "letters", "review", "--draft", draft, number)
        room.does("letters", "letters", "answer", number)
        entries = li.call("POST", "/v1/me/sync", {"device": device, "mutations": []}).json()["entries"]
        assert any(e["type"] == "letter" and e["value"].get("answer") == "您好，九点开门。" for e in entries), entries


def office(room):
    with case("the administrators: roles, programs and organisations by one, the log by another, the machine by the third"):
        listed = {a["name"]: a for a in room.does("security", "accounts", "list")["accounts"]}
        editor = str(next(a for n, a in listed.items() if "编辑" in n)["account"])
        room.does("security", "roles", "grant", "--role", "push_operator", "--site", SITE, "--account", editor)
        assert "push_operator" in json.dumps(room.does("security", "roles", "show", editor))
        room.does("security", "roles", "revoke", "--role", "push_operator", "--site", SITE, editor)
        room.does("security", "parties", "add", "--id", "heping", "--name", "示例区融媒体", "--kind", "test", "--rights", "import", "--site", SITE)
        room.may_not("security", "parties", "key", "heping")    # its owner makes it, or the machine: nobody may both let a program in and be it
        room.does("security", "parties", "edit", "--open", "false", "heping")
        assert not room.does("security", "parties", "show", "heping")["open"]
        room.does("system", "mirror", "list")
        room.may_not("system", "accounts", "list")
        rows = room.does("auditor", "audit", "list", "--n", "100")["records"]
        actors = {(r["actor"], r["action"]) for r in rows}
        assert len({a for a, _ in actors}) >= 8 and {"item.publish", "letter.answer", "role.grant", "party.key.create"} & {x for _, x in actors}, actors
    with case("they sign out, and their profiles open nothing"):
        kept = room.desk.kept("publisher")
        for name in STAFF:
            room.desk.run("logout", "--profile", name)
        (room.desk.profiles / "publisher.json").write_text(json.dumps(kept))
        room.may_not("publisher", "item", "list")


def main():
    with World() as w:
        room = Newsroom(w, w.serve(w.dir / "data", "--demo", env={"TJZW_SMS_DEVELOPMENT": "true", "TJZW_RATE_LIMIT": "0"}))
        morning(room)
        opinion(room, news(room))
        letters(room)
        office(room)
    return done()


sys.exit(main())
