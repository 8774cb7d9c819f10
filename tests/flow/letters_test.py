#!/usr/bin/env python3
"""Letters from outside: taken in with real lengths, worked on by commands and by a unit's own system, to their end; and what bad ones meet."""
import calendar
import gzip
import hashlib
import json
import random
import sys
import threading
import time
import uuid
from pathlib import Path

from citizen import Citizen, png, sync, texts
from lib import World, wait_for

from tap import case, done, note, rounds

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors" / "sync"))
from ed25519 import holds  # noqa: E402

CATEGORIES = ["consult", "help", "suggest", "complain", "report", "fault", "disclose"]
NDJSON = {"content-type": "application/x-ndjson"}


DEVICE = "q83vEjRWeJCrze8SNFZ4kA"


def guest(server):
    """A phone on which nobody has signed in."""
    one = Citizen.__new__(Citizen)
    one.server, one.access = server, None
    one.access = one.call("POST", "/v1/guest", {"device": "手机"}).json()["access"]
    return one


class Observer:
    """Somebody else, who writes one thing after the other while something goes on; how long he had to wait."""

    def __init__(self, server):
        self.phone, self.stop, self.n, self.slowest = guest(server), threading.Event(), 0, 0.0
        self.failed = None
        self.thread = threading.Thread(target=self.write)

    def write(self):
        while not self.stop.is_set():
            started, self.n = time.monotonic(), self.n + 1
            results, _ = sync(self.phone, DEVICE, {"n": self.n, "type": "set", "key": "font", "value": 16 if self.n % 2 else 18})
            self.failed = self.failed or (results[self.n]["result"] != "done" and results)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.stop.wait(0.02)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        assert self.n and not self.failed, (self.n, self.failed)


def resident(server):
    """MB of the process that answers."""
    status = Path(f"/proc/{server.child}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def files(server):
    li, han = Citizen(server, "13800138001"), Citizen(server, "13800138002")
    picture = png(1000, 1000, 1500000, "天津市和平区某路 1 号".encode())
    name = hashlib.sha256(picture).hexdigest()

    with case("a picture is sent in pieces, goes on where it was cut, and is kept without its notes"):
        assert li.put(picture[:600000], name, len(picture)).json()["have"] == 600000
        cut = li.put(picture, name, first=256 * 1024 * 4)      # a piece was lost
        assert cut.status == 409 and cut.headers["upload-offset"] == "600000", cut
        done = li.put(picture, name, first=600000)
        assert done.status == 201 and done.json() == {"have": len(picture), "size": len(picture)}, done
        kept = li.call("GET", f"/v1/me/blobs/{name}")
        assert kept.status == 200 and kept.headers["content-type"] == "image/png" and "attachment" in kept.headers["content-disposition"], kept.headers
        assert "某路".encode() not in kept.body and len(picture) - 100 < len(kept.body) < len(picture), len(kept.body)
        assert kept.headers["cache-control"] == "no-store", kept.headers

    with case("nobody else reads it, neither there nor among the library's files"):
        assert han.call("GET", f"/v1/me/blobs/{name}").status == 404
        assert server.get(f"/v1/me/blobs/{name}").status == 401
        assert server.get(f"/v1/blobs/{name}").status == 404 and server.admin("GET", f"/v1/blobs/{name}").status == 404

    with case("files that lie about hash, size or type, archives and bombs are refused, each for itself"):
        zip42 = b"PK\x03\x04" + b"\0" * 1000
        bomb = png(65535, 65535, 1000, b"")
        for content, how in ((zip42, {}), (b"MZ" + b"\0" * 100, {}), (b"<svg onload=alert(1)>", {}), (bomb, {}), (picture[:-20], {}),
                             (b"%PDF-1.7", {"name": "0" * 64})):
            answer = li.put(content, **how)
            assert answer.status in (400, 422), (content[:8], answer)
        assert li.put(b"%PDF-1.7", size=21 * 1024 * 1024).status == 413
        assert li.call("GET", "/v1/me/blobs/" + hashlib.sha256(zip42).hexdigest()).status == 404
        assert li.put(b"%PDF-1.7 good").status == 201


def runs_of(content, data):
    """Which files of the data directory hold 12 bytes in a row of it, wherever."""
    runs = [content[at:at + 12] for at in range(0, len(content) - 12, 5000)]
    return [p for p in data.rglob("*") if p.is_file() and (held := p.read_bytes()) and any(run in held for run in runs)]


def at_rest(server):
    """Files of letters are sealed, also while they are coming."""
    li = Citizen(server, "13800138004")
    secret = b"%PDF-1.7 " + random.randbytes(700000)
    name = hashlib.sha256(secret).hexdigest()

    with case("no byte run of a file stands in the data directory, neither half there nor whole, nor its hash; its writer reads it as it was"):
        assert li.put(secret[:300000], name, len(secret)).json()["have"] == 300000
        assert runs_of(secret, server.data) == [] and any(p.suffix == ".part" for p in server.data.rglob("*"))
        assert li.put(secret, name, first=300000).status == 201
        assert runs_of(secret, server.data) == [] and not any(p.suffix == ".part" for p in server.data.rglob("*"))
        assert not any(name in str(p) or name.encode() in p.read_bytes() or bytes.fromhex(name) in p.read_bytes() for p in server.data.rglob("*") if p.is_file())
        assert li.call("GET", f"/v1/me/blobs/{name}").body == secret
        (server.data / "planted").write_bytes(b"x" * 77 + secret[:20000])       # the search finds what is there
        assert [p.name for p in runs_of(secret, server.data)] == ["planted"]
        (server.data / "planted").unlink()

    with case("the key of the files is exchanged with that of all personal fields, and the file is read as before"):
        for act in ("rotate", "reseal"):
            assert (answer := server.admin("POST", f"/v1/keys/seal/{act}", b"")).status < 300, answer
        state = wait_for("the keys to be exchanged", 60, lambda: not (s := server.admin("GET", "/v1/keys/seal/reseal").json())["running"] and s)
        assert state["failed"] == 0, state
        assert li.call("GET", f"/v1/me/blobs/{name}").body == secret


def writers(server, staff):
    """Letters as phones send them, and what comes back."""
    li = Citizen(server, "13800138003")
    picture = png(100, 100, 3000, b"home")
    name = hashlib.sha256(picture).hexdigest()
    device, letter = "q83vEjRWeJCrze8SNFZ4kA", str(uuid.uuid4())
    value = {"category": "complain", "contact": {"name": "李雷", "phone": "13800138003"}, "files": [{"hash": name, "name": "路灯.png"}], "hidden": True,
             "place": "和平区某路", "public": True, "text": "我是李雷，路灯不亮。", "title": "路灯", "unit": "heping"}
    send = {"n": 1, "type": "letter.send", "key": letter, "value": value}

    with case("a letter is refused until its picture is there, then taken, and a second time under another device is the same letter"):
        results, _ = sync(li, device, send)
        assert results[1]["code"] == "missing" and "文件" in results[1]["detail"], results
        assert li.put(picture).status == 201
        results, letters = sync(li, device, {**send, "n": 2})
        assert results[2]["result"] == "done" and letters[letter]["state"] == "submitted", (results, letters)
        again, _ = sync(li, "r83vEjRWeJCrze8SNFZ4kA", send)
        assert (again[1]["number"], again[1]["receipt"]) == (results[2]["number"], results[2]["receipt"]), again

    with case("its receipt holds under the published key, for the bytes that were sent, and for no others"):
        receipt = results[2]["receipt"]
        said, _, signature = receipt.partition("signature ")
        sent = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        assert f"hash {hashlib.sha256(sent.encode()).hexdigest()}\n" in said and f"number {results[2]['number']}\n" in said, receipt
        key = bytes.fromhex(server.get("/v1/receipts/key").json()["key"])
        assert holds(key, said.encode(), bytes.fromhex(signature.strip())) and not holds(key, said.replace("time 1", "time 2").encode(),
                                                                                         bytes.fromhex(signature.strip()))

    number = results[2]["number"]
    with case("the unit does not see who wrote, the office does; the picture is there for who handles it"):
        assert staff("letters", "show", number)["contact"]["name"] == "李雷"
        staff("parties", "add", "--id", "unit", "--name", "unit", "--kind", "live", "--rights", "letters", "--site", "1201010001")
        unit = {"authorization": "Bearer " + staff("parties", "key", "unit")["key"]}
        shown = server.get(f"/v1/letters/{number}", headers=unit).json()
        assert "contact" not in shown and shown["files"] == value["files"], shown
        file = server.get(f"/v1/letters/{number}/files/{name}", headers=unit)
        assert file.status == 200 and b"home" not in file.body, file

    with case("who opened a letter and its file is in the audit log, each time"):
        seen = [(r["action"], r["actor"], r["object"]) for r in server.admin("GET", "/v1/audit?n=50").json()["records"]
                if r["action"] in ("letter.read", "letter.file")]
        assert seen == [("letter.file", "party:unit", f"letters/{number}/files/{name}"), ("letter.read", "party:unit", f"letters/{number}"),
                        ("letter.read", "operator", f"letters/{number}")], seen

    with case("nothing that its key can get says who a hidden writer is, to the end of the letter"):
        secret, mei = str(uuid.uuid4()), Citizen(server, "13800138009")
        who = {"name": "韩梅梅", "phone": "13912345678", "email": "hmm@example.cn", "address": "某里三号楼"}
        _, _ = sync(mei, device, {"n": 1, "type": "letter.send", "key": secret, "value": {"category": "complain", "contact": who, "hidden": True, "public": True,
                                                                                         "text": "噪声太大。", "title": "噪声", "unit": "heping"}})

        def no_name(answer):
            assert answer.status in (200, 201), answer
            assert not any(word in answer.body.decode() for word in (*who.values(), "13800138009")), answer

        def handled(verb, **body):
            headers = {**unit, "content-type": "application/json"}
            no_name(server.get(f"/v1/letters/{secret}/{verb}", "POST", json.dumps(body).encode(), headers))

        handled("accept")
        handled("ask", text="请写明地址")
        def is_told(target):
            """Somewhere in the list, of all its pages."""
            page = server.get("/v1/letters" + target, headers=unit)
            no_name(page)
            said = page.json()
            return secret in page.body.decode() or bool(said.get("letters")) and is_told(f"{target.partition('&cursor')[0]}&cursor={said['next']}")

        for target in ("?n=200", "?state=asked", "?changed=1&n=200", f"/{secret}"):
            assert is_told(target), target
        handled("resume")
        handled("answer", text="已劝止。")
        room = staff("column", "create", "--site", "1201010001", "--path", "来信")["no"]
        published = staff("letters", "publish", "--column", room, secret)
        no_name(server.admin("GET", f"/v1/drafts/{published['id']}"))
        assert staff("letters", "show", secret)["contact"] == who       # the search finds what is there

    with case("asked, added, answered, rated poorly, followed up: each step reaches the phone"):
        staff("letters", "ask", "--text", "请写明门牌号", number)
        _, letters = sync(li, device)
        assert letters[letter]["state"] == "asked" and "due" not in letters[letter], letters
        more = png(50, 50, 2000, b"home again")
        more_name = hashlib.sha256(more).hexdigest()
        add = {"type": "letter.add", "key": str(uuid.uuid4()), "value": {"files": [{"hash": more_name, "name": "门牌.png"}], "letter": letter, "text": "1 号门前"}}
        results, _ = sync(li, device, {**add, "n": 3})
        assert results[3]["code"] == "missing" and "文件" in results[3]["detail"], results
        assert li.put(more).status == 201
        results, letters = sync(li, device, {**add, "n": 4}, {**add, "n": 5})
        assert results[4]["result"] == results[5]["result"] == "done" and letters[letter]["state"] == "in_progress", results
        added = [s for s in server.get(f"/v1/letters/{number}", headers=unit).json()["steps"] if s["verb"] == "add"]
        assert len(added) == 1 and added[0]["files"] == add["value"]["files"] and added[0]["text"] == "1 号门前", added
        file = server.get(f"/v1/letters/{number}/files/{more_name}", headers=unit)
        assert file.status == 200 and b"home" not in file.body, file
        assert server.get(f"/v1/letters/{number}/files/{'0' * 64}", headers=unit).status == 404
        first = staff("letters", "draft", "--text", "李雷您好，没修好。", number)["draft"]
        second = staff("letters", "draft", "--text", "李雷您好，已修好。", number)["draft"]
        unread = staff("letters", "review", "--draft", first, number, check=False)
        assert unread.returncode and "请先看最新的一稿" in unread.stderr.decode(), unread
        assert staff("letters", "review", number, check=False).returncode, "a review of no draft"
        staff("letters", "review", "--draft", second, number)
        staff("letters", "answer", number)
        _, letters = sync(li, device)
        assert letters[letter]["answer"] == "李雷您好，已修好。", letters
        results, letters = sync(li, device, {"n": 6, "type": "letter.rate", "key": str(uuid.uuid4()), "value": {"letter": letter, "rating": 1}})
        assert letters[letter]["state"] == "follow_up" and letters[letter]["due"], letters
        staff("letters", "follow", "--text", "已上门查看", number)
        _, letters = sync(li, device)
        assert letters[letter]["state"] == "closed", letters

    with case("and is told in his inbox, once each, though the unit never learned who he is"):
        told = [e["value"]["title"] for e in li.call("POST", "/v1/me/sync", {}).json()["entries"] if e["type"] == "message"]
        assert told == ["请补充您的信件", "您的信件已答复", "我们会回访您", "您的评价有了回音"], told
        seen = server.get(f"/v1/letters/{number}", headers=unit).body.decode()
        assert "contact" not in seen and not any(title in seen for title in told), seen

    with case("its answer becomes a draft without personal data"):
        column = staff("column", "create", "--site", "1201010001", "--path", "来信选登")["no"]
        item = staff("letters", "publish", "--column", column, number)
        draft = json.dumps(staff("item", "show", item["id"]), ensure_ascii=False)
        assert "李某您好，已修好。" in draft and "李雷" not in draft and item["state"] == "draft", draft

    with case("a guest may report and find faults, and nothing else"):
        plain = {"text": "有人占道经营", "title": "占道", "unit": "heping"}
        results, _ = sync(guest(server), device, *({"n": n, "type": "letter.send", "key": str(uuid.uuid4()), "value": {**plain, "category": c}}
                                           for n, c in enumerate(("consult", "report", "fault", "disclose"), 1)))
        assert [results[n].get("code", "done") for n in range(1, 5)] == ["rights", "done", "done", "rights"], results


def main(w):
    server = w.serve(env={"TJZW_RATE_LIMIT": "0", "TJZW_SMS_DEVELOPMENT": "true", "TJZW_ALERT_EVERY": "1s"})
    at = ["--data", w.data]
    prose = texts()

    def staff(*words, check=True, input=None):
        done = w.tjzw(*words[:2], *at, *words[2:], check=check, input=input)
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else done

    def letter(n, **more):
        return {"category": CATEGORIES[n % 7], "origin": str(n), "received": "2026-11-02 09:00", "text": next(prose), "title": f"来信 {n}",
                "unit": "heping" if n % 2 else "nankai", **more}

    def take_in(lines, origin="12345"):
        body = "\n".join(json.dumps(one, ensure_ascii=False) for one in lines).encode()
        return server.admin("POST", f"/v1/letters?from={origin}", body, NDJSON)

    for code, name, site in (("heping", "和平区", "1201010001"), ("nankai", "南开区", "1201040001")):
        staff("org", "create", "--code", code, "--name", name)
        staff("site", "create", "--code", site, "--name", name + "政务网", "--org", code)

    many = rounds(5000, 100)
    with case(f"{many} letters of real lengths are taken in, each once, with numbers that have no gap"):
        started, numbers = time.monotonic(), []
        for first in range(0, many, 100):
            batch = [letter(n) for n in range(first, min(many, first + 100))]
            answer = take_in(batch)
            assert answer.status == 200, answer
            lines = answer.json()["lines"]
            assert all(one["result"] == "created" for one in lines), [one for one in lines if one["result"] != "created"][:3]
            numbers += [one["number"] for one in lines]
        note(f"{many / (time.monotonic() - started):.0f} letters a second")
        for prefix in ("ZX", "QZ", "JY", "TS", "JB", "ZC", "YSQ"):
            mine = sorted(int(n.split("-")[1]) for n in numbers if n.startswith(f"{prefix}2026-"))
            assert mine == list(range(1, len(mine) + 1)), (prefix, mine[:5])
        again = take_in([batch[-1]]).json()["lines"][0]
        assert again["result"] == "unchanged" and again["number"] == numbers[-1], again

    with case("a letter that came open takes the answer with which it comes again; other content is refused with the reason"):
        def comes(**more):
            line = {"category": "help", "origin": "twice", "received": "2026-11-18 09:00", "title": "路灯", "text": "坏了", "unit": "heping", **more}
            return server.admin("POST", "/v1/letters?from=old", json.dumps(line).encode(), {"content-type": "application/x-ndjson"}).json()["lines"][0]

        first, answer = comes(), {"answer": "已修好", "answered": "2026-11-19 10:00", "rating": 4}
        assert first["result"] == "created" and comes()["result"] == "unchanged"
        assert comes(text="别的")["result"] == "refused" and "不同" in comes(text="别的")["reason"]
        assert comes(received="2026-11-17 09:00")["result"] == "refused"
        took = comes(**answer)
        assert took["result"] == "updated" and took["number"] == first["number"], took
        seen = staff("letters", "show", first["number"])
        assert seen["state"] == "closed" and seen["rating"] == 4 and seen["steps"][-1]["text"] == "已修好" and "due" not in seen, seen
        assert comes(**answer)["result"] == "unchanged" and comes()["result"] == "unchanged"
        assert comes(**{**answer, "answer": "没修好"})["result"] == "refused"

    with case("an answered letter comes in with its answer, and closed"):
        old = letter(1, origin="old", received="2023-05-04 10:00", answer="请到街道办理。", answered="2023-05-08", rating=5)
        number = take_in([old]).json()["lines"][0]["number"]
        assert number == "QZ2023-000001", number
        shown = staff("letters", "show", number)
        assert shown["state"] == "closed" and shown["steps"][-1]["text"] == "请到街道办理。" and "due" not in shown, shown

    # Units' own systems: each a party whose key is good for its unit's site alone.
    keys = {}
    for code, site in (("heping", "1201010001"), ("nankai", "1201040001")):
        staff("parties", "add", "--id", f"{code}-oa", "--name", code, "--kind", "live", "--rights", "letters", "--site", site)
        keys[code] = staff("parties", "key", "--perMinute", "1000000", "--perDay", "1000000", f"{code}-oa")["key"]

    def system(code, method, target, body=None):
        headers = {"authorization": "Bearer " + keys[code], "content-type": "application/json"}
        return server.get(target, method, json.dumps(body).encode() if body is not None else None, headers)

    with case("a unit's system sees its own letters and nobody else's"):
        page = system("heping", "GET", "/v1/letters?n=200").json()["letters"]
        assert page and all(one["unit"] == "heping" for one in page), page[:2]
        other = next(n for i, n in enumerate(numbers) if i % 2 == 0)
        assert system("heping", "GET", f"/v1/letters/{other}").status == 403
        assert system("heping", "POST", f"/v1/letters/{other}/accept", {}).status == 403
        assert system("heping", "GET", "/v1/letters?unit=nankai").status == 403
        assert server.get("/v1/letters").status == 401

    with case("a system that keeps up by `changed` sees every letter once, and every change after it"):
        cursor, seen = None, []
        while True:
            page = system("nankai", "GET", "/v1/letters?changed=1&n=200" + (f"&cursor={cursor}" if cursor else "")).json()
            cursor = page["next"]
            if not page["letters"]:
                break
            seen += [one["number"] for one in page["letters"]]
        expected = [n for i, n in enumerate(numbers) if i % 2 == 0]
        assert sorted(seen) == sorted(expected), (len(seen), len(expected))
        assert system("nankai", "POST", f"/v1/letters/{expected[0]}/accept", {}).status == 200
        page = system("nankai", "GET", f"/v1/letters?changed=1&cursor={cursor}").json()
        assert [one["number"] for one in page["letters"]] == [expected[0]], page

    with case("every letter of a unit is accepted, begun and answered by its system"):
        started, n = time.monotonic(), 0
        for number in [x for i, x in enumerate(numbers) if i % 2]:
            for verb, body in (("accept", {}), ("begin", {}), ("answer", {"text": next(prose)})):
                answer = system("heping", "POST", f"/v1/letters/{number}/{verb}", body)
                assert answer.status == 200, (number, verb, answer)
            assert answer.json()["state"] == "answered" and answer.json()["steps"][-1]["actor"] == "party:heping-oa", answer
            n += 1
        note(f"{3 * n / (time.monotonic() - started):.0f} steps a second, one after the other")
        assert not system("heping", "GET", "/v1/letters").json()["letters"], "its queue is not empty"

    mine = next(x for i, x in enumerate(numbers) if i % 2 == 0 and x.startswith("ZX") and i)
    with case("staff works on one by commands: transfer, template, draft, review, answer"):
        staff("letters", "template", "--unit", "heping", "--text", "您好，来信收悉。", "问候")
        assert staff("letters", "templates", "--unit", "heping")["templates"] == [{"name": "问候", "text": "您好，来信收悉。"}]
        staff("letters", "transfer", "--unit", "heping", "--text", "属和平区", mine)
        staff("letters", "accept", mine)
        fresh = take_in([letter(0, origin="fresh", received=time.strftime("%Y-%m-%d"))]).json()["lines"][0]["number"]
        assert staff("letters", "accept", "--complex", fresh)["complex"]
        assert staff("letters", "answer", mine, check=False).returncode, "an answer without a draft"
        drafted = staff("letters", "draft", "--text", "您好，来信收悉。请到街道办理。", mine)
        staff("letters", "review", "--draft", drafted["draft"], mine)
        shown = staff("letters", "answer", mine)
        assert shown["state"] == "answered" and shown["unit"] == "heping" and "due" not in shown, shown
        staff("letters", "drop-template", "--unit", "heping", "问候")
        acts = server.admin("GET", "/v1/audit?n=50").body.decode()
        assert all(f'"letter.{act}"' in acts for act in ("transfer", "accept", "draft", "review", "answer", "template")), acts[:500]

    with case("what is late is in the queue, in the metrics and an alert"):
        late = take_in([letter(0, origin="late", received="2026-01-05 09:00")]).json()["lines"][0]["number"]
        page = staff("letters", "list", "--late", "1", "--unit", "nankai")["letters"]
        assert page[0]["number"] == late and page[0]["urgency"] == "late", page[:1]
        since = calendar.timegm((2026, 1, 5, 1, 0, 0)) + 7 * 86400     # no deadline of that day was over sooner
        wait_for("the metrics", 20, lambda: server.metric("letters_late") >= 1 and 0 < server.metric("letters_late_seconds") <= time.time() - since)
        row = wait_for("the alert", 20, lambda: next((a for a in server.admin("GET", "/v1/alerts").json()["alerts"] if a["name"] == "letters" and a["state"] == "firing"), None))
        assert "有信件超期未答复" in json.dumps(row, ensure_ascii=False), row

    with case("bad lines are refused each with its reason, and hinder no other"):
        bad = [letter(1, origin="zero", text="\u200b\u200c\ufeff"), letter(1, origin="unit", unit="nowhere"), letter(1, origin="future", received="2100-01-01"),
               letter(1, origin="long", text="长" * 10001), letter(1, origin="kind", category="gossip"), letter(1, origin="more", color="red"), letter(1, origin="good")]
        answer = take_in(bad)
        results = [(one["result"], one.get("origin")) for one in answer.json()["lines"]]
        assert [r for r, _ in results] == ["refused"] * 6 + ["created"], answer
        assert all(one["reason"] for one in answer.json()["lines"][:6])
        odd = server.admin("POST", "/v1/letters?from=12345", b'{"origin":\n\xff\xfe\n[1,2]\n\n"x"\n', NDJSON)
        assert odd.status == 200 and all(one["result"] == "refused" for one in odd.json()["lines"]), odd

    with case("a letter of 10 MB is refused, by a phone and by a system, and who writes meanwhile does not wait"):
        phone, observer = guest(server), Observer(server)
        huge = {"n": 1, "type": "letter.send", "key": str(uuid.uuid4()), "value": {"category": "report", "text": "长" * 3500000, "title": "长", "unit": "heping"}}
        with observer:
            for _ in range(3):
                packed = gzip.compress(json.dumps({"device": DEVICE, "mutations": [huge]}).encode())
                assert server.get("/v1/me/sync", "POST", packed, {"authorization": "Bearer " + phone.access, "content-encoding": "gzip", "content-type": "application/json"}).status == 413
                assert take_in([letter(1, origin="huge", text="长" * 3500000)]).status == 413
            assert system("heping", "POST", f"/v1/letters/{mine}/follow", {"text": "长" * 30000}).status in (409, 413, 422, 400)
        assert observer.slowest < 5, f"one waited {observer.slowest:.1f} s"

    with case("a phone that sends the same addition 500 times in 75 KB stops nobody who writes, and takes no memory"):
        observer, key = Observer(server), str(uuid.uuid4())
        sync(phone, DEVICE, {**huge, "value": {**huge["value"], "text": "长" * 9990}})
        keys = [str(uuid.uuid4()) for _ in range(20)]
        for i, one in enumerate(keys):
            results, _ = sync(phone, DEVICE, {"n": 2 + i, "type": "letter.add", "key": one, "value": {"letter": huge["key"], "text": "长" * 9990}})
            assert results[2 + i]["result"] == "done", results
        before = resident(server)
        with observer:
            results, _ = sync(phone, DEVICE, *({"n": 22 + i, "type": "letter.add", "key": keys[-1], "value": {"letter": huge["key"], "text": "再说"}} for i in range(500)))
        assert [r["result"] for r in results.values()] == ["done"] * 500, results
        assert observer.slowest < 5, f"one waited {observer.slowest:.1f} s"
        assert resident(server) - before < 64, f"{resident(server) - before} MB more"
        results, _ = sync(phone, DEVICE, {"n": 522, "type": "letter.add", "key": key, "value": {"letter": huge["key"], "text": "还有"}})
        assert results[522]["code"] == "limit" and "明天可以再补充" in results[522]["detail"], results

    files(server)
    at_rest(server)
    writers(server, staff)

    with case("the key of receipts is published and stays over a restart"):
        key = server.get("/v1/receipts/key").json()
        assert key["algorithm"] == "ed25519" and len(key["key"]) == 64, key
        server.stop()
        assert w.serve().get("/v1/receipts/key").json() == key

    with case("what was written does not stand in the database"):
        raw = b"".join(p.read_bytes() for p in w.data.glob("tjzw.db*"))
        assert "您好，来信收悉。请到街道办理。".encode() not in raw and "来信 7".encode() not in raw


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
