#!/usr/bin/env python3
"""What is taken down is in no answer of the origin, by any URL ever named.

Everything that names a text is asked for while it is public: items, revisions, pages, previews, lists, files, head twins, catch-ups of
many ranges, objects of every index, an item alone, in every encoding. Those answers must hold it (or the test could not fail). Then it is
withdrawn, or removed for good, or purged by a corrected revision, and the same URLs are asked again. Also: kill -9 around takedowns, an
older backup, and the caches' purge hook.
"""
import gzip
import hashlib
import http.server
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

from lib import World, wait_for

from tap import case, done, note, rounds

KILLS = rounds(20, 3)
SETTINGS = {"TJZW_INDEX_CHANGES": "8", "TJZW_HEAD_DEBOUNCE": "10ms", "TJZW_RATE_LIMIT": "0"}
ENCODINGS = ("", ".gz", ".zst")
DIFFERENCES = ".dz"     # of catch-ups: looked at by its status alone


def decoded(target, answer):
    """The body's identity. What cannot be decoded is looked at as it came."""
    name, body = target.split("?")[0], answer.body
    if answer.status == 200 and name.endswith(".gz"):
        return gzip.decompress(body)
    if answer.status == 200 and name.endswith(".zst"):
        return subprocess.run(["zstd", "-dc"], input=body, capture_output=True, check=True).stdout
    return body


class Library:
    """A running server and what its staff do."""

    def __init__(self, w, **how):
        self.w, self.server = w, w.serve(env={**SETTINGS, **how})
        self.previews, self.heads = {}, set()

    def tell(self, method, path, body=None, headers=None):
        if isinstance(body, dict):
            body = json.dumps(body, ensure_ascii=False).encode()
        answer = self.server.admin(method, path, body, {"content-type": "application/json", **(headers or {})})
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.json() if answer.body else {}

    def found(self):
        self.tell("POST", "/v1/sites", {"code": "1200000000", "name": "示例市人民政府"})
        self.column = self.tell("POST", "/v1/columns", {"site": "1200000000", "path": "公示"})["no"]

    def content(self, text, file=None):
        c = {"site": "1200000000", "column": "公示", "title": f"题{text}", "summary": f"摘{text}", "body": f"第一段。\n\n{text}，第二段。"}
        if file:
            name = hashlib.sha256(file).hexdigest()
            self.tell("PUT", f"/v1/blobs/{name}", file, {"content-type": "application/octet-stream"})
            c["attachments"] = [{"hash": name, "name": "附件.txt", "size": len(file), "type": "text/plain"}]
        return c

    def release(self, item, **how):
        """The steps from a draft to the public; also remembers a preview link of the draft."""
        self.previews.setdefault(item, []).append(self.tell("POST", f"/v1/items/{item}/preview")["path"])
        for verb in ("submit", "approve"):
            self.tell("POST", f"/v1/items/{item}/{verb}")
        return self.tell("POST", f"/v1/items/{item}/publish", how or None)

    def publish(self, text, file=None):
        item = self.tell("POST", "/v1/items", self.content(text, file))["id"]
        self.release(item)
        return item

    def edit(self, item, text, file=None):
        rev = self.tell("GET", f"/v1/drafts/{item}")["item"]["revision"]
        c = self.content(text, file)
        del c["site"], c["column"]
        self.tell("PUT", f"/v1/items/{item}", c, {"if-match": f'"{rev}"'})

    def end(self, item, verb):
        return self.tell("POST", f"/v1/items/{item}/{verb}", {"reason": "含个人信息"})

    # -- every URL

    def look(self, target):
        answer = self.server.get(target)
        return answer.status, decoded(target, answer)

    def see_head(self):
        """The head now, once its index is as near as it will come."""
        h = self.server.settle()
        self.heads.add((h["epoch"], h["seq"], h["sign"], h["cut"]))
        return h

    def tree_urls(self):
        """Covers of all heads, and the tile of the first 64 items: hashes, and never a text."""
        for epoch, seq, _, _ in sorted(self.heads):
            cover = f"/v1/sync/main/cover/{epoch}.{seq}"
            yield cover
            status, body = self.look(cover)
            if status == 200 and int.from_bytes(body[8:16], "big") >= 64:
                small = 24 + 32 * (int.from_bytes(body[16:24], "big") >> 16)
                yield f"/v1/sync/main/tile/6.0.{body[small:small + 32].hex()}"

    def index_urls(self, h):
        if h["index"] == "-":
            return
        yield f"/v1/sync/main/object/{h['index']}"
        for line in self.look(f"/v1/sync/main/object/{h['index']}")[1].decode().splitlines()[2:]:
            for e in ENCODINGS:
                yield f"/v1/sync/main/object/{line.split()[1]}{e}"

    def log_urls(self):
        for epoch, seq, _, cut in self.heads:
            for start in range(seq):
                if self.server.get(f"/v1/sync/main/log/{epoch}/{cut}/{start}-{seq}").status == 200:
                    for e in (*ENCODINGS, DIFFERENCES):
                        yield f"/v1/sync/main/log/{epoch}/{cut}/{start}-{seq}{e}"

    def sync_urls(self, item, h):
        yield from ("/v1/sync/main/head", "/v1/sync/heads", "/v1/sync/heads/main", f"/v1/sync/main/place/{item}")
        for epoch, seq, sign, _ in self.heads:
            yield f"/v1/sync/main/head/{epoch}.{seq}.{sign}"
        for name in ("directory", "ancestry"):
            yield f"/v1/sync/main/object/{h[name]}"
        place = self.server.get(f"/v1/sync/main/place/{item}")
        if place.status == 200:
            born, seq = place.body.split()
            for e in ENCODINGS:
                yield f"/v1/sync/main/item/{h['epoch']}/{born.decode()}.{seq.decode()}{e}"
        yield from self.tree_urls()
        yield from self.index_urls(h)
        yield from self.log_urls()

    def item_urls(self, item, files):
        yield from (f"/a/{item}", f"/a/{item}/large", f"/a/{item}/text", f"/v1/items/{item}", f"/v1/items/{item}/revisions")
        yield from (f"/v1/items/{item}/revisions/{rev}" for rev in range(1, 5))
        yield from ("/", "/large", "/v1/items", "/v1/items?n=500", f"/v1/columns/{self.column}/items", f"/columns/{self.column}")
        yield from (f"/feeds/{of}.{form}" for of in ("all", "sites/1200000000", f"columns/{self.column}") for form in ("atom", "rss", "json"))
        yield from self.previews[item]
        for file in files:
            name = hashlib.sha256(file).hexdigest()
            yield f"/v1/blobs/{name}"
            yield from (f"/v1/blobs/{name}?preview={p.rsplit('/', 1)[1]}" for p in self.previews[item])

    def is_indexed(self, item, h):
        """Whether the head's index has the item's last change."""
        if h["index"] == "-":
            return False
        index = dict(line.split(" ", 1) for line in self.look(f"/v1/sync/main/object/{h['index']}")[1].decode().splitlines())
        return int(index["seq"]) >= int(self.look(f"/v1/sync/main/place/{item}")[1].split()[1])

    def name_all(self, item, secret, files=(), indexed=False):
        """Every URL there is now: {url: whether its answer holds the secret}."""
        h = wait_for("an index with the item", 10, lambda: (h := self.see_head()) and (not indexed or self.is_indexed(item, h)) and h)
        if indexed:
            wait_for("feeds with the item", 10, lambda: secret in self.look("/feeds/all.atom")[1])
        urls = dict.fromkeys([*self.item_urls(item, files), *self.sync_urls(item, h)])
        held = {url: secret in self.look(url)[1] for url in urls}
        return {url: held.get(url.removesuffix(DIFFERENCES)) for url in held}


def kind(url):
    parts = url.split("?")[0].strip("/").split("/")
    what = "/".join(parts[:1] if parts[0] in ("a", "preview", "columns", "feeds") else parts[1:4:2] if parts[:2] == ["v1", "sync"] else parts[:2])
    return what + ("?preview" if "?preview" in url else "") + next((e for e in (*ENCODINGS[1:], DIFFERENCES) if url.endswith(e)), "")


MUST_HOLD = {"a", "preview", "feeds", "v1/items", "v1/blobs", "v1/blobs?preview", "sync/log", "sync/log.gz", "sync/log.zst", "sync/log.dz",
             "sync/object", "sync/object.gz", "sync/object.zst", "sync/item", "sync/item.gz", "sync/item.zst"}

ASKED = {"sync", "sync/main", "sync/head", "sync/place", "sync/cover", "sync/tile"}    # the first two: heads, and those of a stream


def check_held(held):
    kinds = {kind(url) for url, yes in held.items() if yes}
    assert MUST_HOLD <= kinds, f"nothing of {sorted(MUST_HOLD - kinds)} held it: the test looks at the wrong URLs"
    asked = {kind(url) for url in held}
    assert ASKED <= asked, f"no URL of {sorted(ASKED - asked)}"
    note(f"{len(held)} URLs, {sum(held.values())} of them held it: {' '.join(sorted(kinds))}")


def check_silent(lib, held, secret):
    """No answer says it, by whichever URL, from now on."""
    catchups = [url for url, yes in held.items() if yes and "/log/" in url and lib.look(url)[0] != 410]
    assert not catchups, f"{len(catchups)} catch-ups that held it are not 410: {catchups[:8]}"
    guilty = [url for url in held if secret in lib.look(url)[1]]
    assert not guilty, f"{len(guilty)} URLs still say it: {guilty[:8]}"


def in_files(data, secret):
    """The files below the data directory that hold it as it stands in a record."""
    return [f for f in data.rglob("*") if f.is_file() and secret in f.read_bytes()]


def fillers(lib, n, mark):
    for i in range(n):
        lib.publish(f"{mark}{i}")


def taken_down(w):
    lib = Library(w)
    lib.found()
    fillers(lib, 64, "填充")    # as many as a tile has

    for verb in ("withdraw", "gone"):
        with case(f"after {verb} no URL ever named says it"):
            secret, file = f"绝密之语-{verb}".encode(), f"SECRET-FILE {verb} 绝密之语-{verb}".encode()
            item = lib.publish(f"绝密之语-{verb}·初稿", file)
            lib.see_head()
            lib.edit(item, f"绝密之语-{verb}", file)
            lib.release(item)
            lib.see_head()
            fillers(lib, 10, f"后来{verb}")
            held = lib.name_all(item, secret, [file], indexed=True)
            check_held(held)
            assert in_files(w.data, f"第一段。\\n\\n绝密之语-{verb}".encode())
            lib.end(item, verb)
            check_silent(lib, held, secret)
            later = lib.name_all(item, secret, [file])
            assert not any(later.values()), [url for url, yes in later.items() if yes]
            path = w.data / "blobs" / hashlib.sha256(file).hexdigest()[:2] / hashlib.sha256(file).hexdigest()
            draft = lib.server.admin("GET", f"/v1/drafts/{item}")
            if verb == "withdraw":
                assert secret in draft.body and path.exists(), "those who edit lost it"
                lib.tell("POST", f"/v1/items/{item}/restore")
                lib.edit(item, "更正后的文字")
                lib.release(item)
                assert "更正后的文字".encode() in lib.look(f"/v1/items/{item}")[1]
                lib.see_head()
                check_silent(lib, {**held, **lib.name_all(item, secret, [file])}, secret)
            else:
                assert secret not in draft.body and not path.exists(), "it is still there"
                wait_for("the files to forget it", 10, lambda: not in_files(w.data, f"第一段。\\n\\n绝密之语-{verb}".encode()))

    with case("after a purge only the corrected text is there, by no URL the one before"):
        secret, file = "身份证号甲乙丙丁".encode(), "SECRET 身份证号甲乙丙丁".encode()
        item = lib.publish("身份证号甲乙丙丁", file)
        lib.see_head()
        fillers(lib, 10, "再后来")
        held = lib.name_all(item, secret, [file], indexed=True)
        check_held(held)
        lib.edit(item, "号码已删")
        assert lib.server.admin("POST", f"/v1/items/{item}/publish", b'{"purge":true}', {"content-type": "application/json"}).status >= 400
        for verb in (("submit",), ("approve",), ("publish", "--purge", "--reason", "误发证件号")):
            w.tjzw("item", verb[0], "--data", w.data, *verb[1:], item)
        check_silent(lib, held, secret)
        assert "号码已删".encode() in lib.look(f"/v1/items/{item}")[1]
        assert lib.look(f"/v1/items/{item}/revisions/1")[0] == 410
        assert not any(lib.name_all(item, secret, [file]).values())
        draft = lib.tell("GET", f"/v1/drafts/{item}")
        assert draft["events"][-1]["verb"] == "purge" and draft["events"][-1]["reason"] == "误发证件号", draft["events"][-1]
    with case("the log is whole after all of it"):
        w.tjzw("verify", "--data", w.data)
    lib.server.stop()


class Edge(Library):
    """The same URLs, asked of a server that mirrors the library's."""

    def __init__(self, w, lib):
        self.w, self.lib = w, lib
        self.server = w.serve(w.dir / "edge", "--mirror", lib.server.url, "--cacert", w.certificate(),
                              env={**SETTINGS, "TJZW_MIRROR_POLL": "1s"})
        self.server.data = w.dir / "edge"

    def level(self):
        head = self.lib.see_head()
        wait_for("the edge to be level", 20, lambda: self.server.get("/v1/sync/main/head").body == self.lib.server.get("/v1/sync/main/head").body)
        return head

    def hold(self, urls):
        """{url: whether the edge's answer holds the secret}"""
        held = {url: self.secret in self.look(url)[1] for url in urls}
        return {url: held.get(url.removesuffix(DIFFERENCES)) for url in held}


def mirrored(w):
    lib = Library(w)
    lib.found()
    fillers(lib, 64, "填充")
    edge = Edge(w, lib)
    for verb in ("gone", "withdraw"):
        with case(f"after {verb} no URL of a mirror says it, once it has the head"):
            edge.secret, file = f"镜像里的绝密之语-{verb}".encode(), f"SECRET-FILE {verb} 镜像里的绝密之语-{verb}".encode()
            item = lib.publish(edge.secret.decode(), file)
            fillers(lib, 10, f"镜像后来{verb}")
            urls = lib.name_all(item, edge.secret, [file], indexed=True)
            edge.level()
            wait_for("the edge to have the file", 30, lambda: edge.look(f"/v1/blobs/{hashlib.sha256(file).hexdigest()}")[0] == 200)
            held = edge.hold(urls)
            kinds = {kind(url) for url, yes in held.items() if yes}
            missing = {k for k in MUST_HOLD if "preview" not in k} - kinds
            assert not missing, f"nothing of {sorted(missing)} at the edge held it"
            note(f"{len(held)} URLs, {sum(held.values())} of them held it at the edge")
            lib.end(item, verb)
            edge.level()
            check_silent(edge, held, edge.secret)
            later = lib.name_all(item, edge.secret, [file])
            edge.level()
            guilty = [url for url, yes in edge.hold(later).items() if yes]
            assert not guilty, guilty
    edge.server.stop()
    lib.server.stop()


def answers_of_staff(w):
    """What a mutation was answered is kept for a day, and is a place where a text can stay."""
    lib = Library(w)
    lib.found()

    def kept():
        # Bodies that are kept. They are sealed: what they say is nowhere.
        db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
        try:
            return [bytes(body) for body, in db.execute("SELECT body FROM idempotency WHERE body IS NOT NULL")]
        finally:
            db.close()

    for verb in ("withdraw", "gone", "purge"):
        with case(f"answers kept for an Idempotency-Key: {verb}"):
            text, key = f"重放之语-{verb}", {"idempotency-key": f"make-{len(verb)}"}
            made = lib.server.admin("POST", "/v1/items", json.dumps(lib.content(text)).encode(), {"content-type": "application/json", **key})
            item = made.json()["id"]
            assert kept(), "no answer was kept: the test could not fail"
            assert not any(text.encode() in body for body in kept()), "an answer is kept unsealed"
            lib.release(item)
            if verb == "purge":
                lib.edit(item, "改过的")
                lib.release(item, purge=True, reason="误发")
            else:
                lib.end(item, verb)
            assert bool(kept()) == (verb == "withdraw"), f"after {verb} {len(kept())} answers are kept"
            again = lib.server.admin("POST", "/v1/items", json.dumps(lib.content(text)).encode(), {"content-type": "application/json", **key})
            assert again.status == made.status == 201 and again.headers["idempotency-replayed"] == "true", (again, again.headers)
            assert again.headers["location"] == made.headers["location"], "it was made a second time"
            assert (again.body == made.body) if verb == "withdraw" else not again.body, again.body
    lib.server.stop()


def journal(data):
    """The lines that are not void: [(seq, verb, item)]."""
    live = []
    for line in (data / "takedowns").read_text().splitlines():
        _, epoch, seq, verb, item, *_ = line.split(" ")
        if verb == "void":
            at = max(i for i, x in enumerate(live) if x[:2] == (epoch, seq))
            del live[at]
        elif verb != "replayed":
            live.append((epoch, seq, verb, item))
    return [(int(seq), verb, item) for _, seq, verb, item in live]


class Taker(threading.Thread):
    """Takes items down, one after the other, until the server is gone."""

    def __init__(self, lib, items):
        super().__init__()
        self.lib, self.items, self.done = lib, items, {}
        self.start()

    def run(self):
        for item in self.items:
            verb = random.choice(("withdraw", "gone"))
            try:
                self.lib.end(item, verb)
            except OSError:
                return
            except Exception as why:    # an answer cut in its middle
                note(f"an answer was cut: {why!r}")
                return
            self.done[item] = verb


def killed(w):
    with case(f"killed at any instant around takedowns, {KILLS} times: what was answered stays down, and the journal agrees with the log"):
        lib = Library(w)
        lib.found()
        down = 0
        for n in range(KILLS):
            items = {lib.publish(f"第{n}轮{i}-机密"): f"第{n}轮{i}-机密".encode() for i in range(12)}
            lib.server.settle()
            taker = Taker(lib, list(items))
            time.sleep(random.random() * 0.2)
            lib.server.kill()
            taker.join()
            lib = Library(w)
            head = lib.server.settle()
            export = w.export()
            pack = lib.look(f"/v1/sync/main/log/{head['epoch']}/{head['cut']}/0-{head['seq']}")
            for item, verb in taker.done.items():
                assert lib.server.get(f"/v1/items/{item}").status == 410, f"{verb} of {item} was answered and is undone"
                assert items[item] not in export and items[item] not in pack[1], f"its text is still there after {verb}"
            down += len(taker.done)
            db = sqlite3.connect(f"file:{w.data}/tjzw.db?mode=ro", uri=True, timeout=10)
            log = {(seq, bytes(item).hex()) for seq, item in db.execute("SELECT seq, item FROM change WHERE flags = 1")}
            db.close()
            lines = {(seq, item.replace("-", "")) for seq, _, item in journal(w.data)}
            assert lines == log, f"journal and log disagree: {lines ^ log}"
        w.tjzw("verify", "--data", w.data)
        note(f"{down} takedowns answered in {KILLS} rounds")
        lib.server.stop()


def first_head(data):
    """Of the newest epoch: what was signed first."""
    db = sqlite3.connect(f"file:{data}/tjzw.db?mode=ro", uri=True, timeout=10)
    try:
        return db.execute("SELECT seq, cut FROM head WHERE epoch = (SELECT MAX(epoch) FROM stream) ORDER BY seq, sign LIMIT 1").fetchone()
    finally:
        db.close()


def restored(w):
    lib = Library(w)
    lib.found()
    texts = {verb: f"备份里的{verb}机密" for verb in ("withdraw", "gone", "purge")}
    items = {verb: lib.publish(text, text.encode()) for verb, text in texts.items()}
    lib.publish("一直在的")
    backup = w.dir / "backup"
    w.tjzw("backup", "--data", w.data, backup)
    for verb in ("withdraw", "gone"):
        lib.end(items[verb], verb)
    lib.edit(items["purge"], "更正稿")
    lib.release(items["purge"], purge=True, reason="误发")
    lib.publish("备份之后的")
    previews = lib.previews
    lib.server.stop()
    assert not (backup / "takedowns").exists()

    def check(data, words):
        lib.server = w.serve(data, env=SETTINGS)
        try:
            seq, cut = first_head(data)
            assert cut == 3, f"the first head of the restored log says cut {cut}"
            h = lib.server.settle()
            bodies = {"export": w.export(data), "log": lib.look(f"/v1/sync/main/log/{h['epoch']}/{h['cut']}/0-{h['seq']}")[1]}
            for verb, item in items.items():
                name = hashlib.sha256(texts[verb].encode()).hexdigest()
                for url in (f"/a/{item}", f"/v1/items/{item}", f"/v1/items/{item}/revisions/1", f"/v1/blobs/{name}", "/", *previews[item]):
                    bodies[url] = lib.look(url)[1]
            for where, body in bodies.items():
                guilty = [text for text in texts.values() if text.encode() in body]
                assert not guilty, f"{where} says {guilty} again"
            assert "一直在的".encode() in bodies["export"]
            assert not (data / "blobs" / hashlib.sha256(texts["gone"].encode()).hexdigest()[:2]
                        / hashlib.sha256(texts["gone"].encode()).hexdigest()).exists()
            doctor = w.tjzw("doctor", "--data", data, check=False).stdout.decode()
            assert "1 items stay withdrawn" in doctor, doctor
        finally:
            lib.server.stop()
        w.tjzw("verify", "--data", data)
        assert words in said, said

    with case("an older backup in the same place brings nothing back, not in its first head"):
        lost = w.data.rename(w.dir / "lost")
        w.data.mkdir(mode=0o700)
        for name in ("epoch", "takedowns"):
            (w.data / name).write_bytes((lost / name).read_bytes())
        said = w.tjzw("restore", "--data", w.data, backup).stdout.decode()
        export = w.export()
        guilty = [text for text in texts.values() if text.encode() in export]
        assert not guilty, f"before its first start the restored directory exports {guilty}"
        assert "一直在的".encode() in export
        w.tjzw("verify", "--data", w.data)
        check(w.data, "taken down again")

    with case("nor does an older database that was put in the place of the newer one by hand"):
        lib.server = w.serve(env=SETTINGS)      # the new epoch's heads, and an item that is only in it
        late = lib.publish("恢复之后的")
        lib.end(late, "withdraw")
        lib.server.stop()
        for old in w.data.glob("tjzw.db*"):
            old.unlink()
        shutil.copy(backup / "tjzw.db", w.data / "tjzw.db")
        said = ""
        check(w.data, "")

    with case("a second start repeats nothing; what editors publish then stays"):
        lib.server = w.serve(env=SETTINGS)
        before = (w.data / "takedowns").read_text()
        lib.tell("POST", f"/v1/items/{items['purge']}/restore")
        lib.edit(items["purge"], "重写的更正稿")
        lib.release(items["purge"])
        lib.server.stop()
        lib.server = w.serve(env=SETTINGS)
        assert "重写的更正稿".encode() in lib.look(f"/v1/items/{items['purge']}")[1]
        assert (w.data / "takedowns").read_text() == before
        lib.server.stop()

    with case("a new directory is given the lost one's journal, and says so when there is none"):
        fresh, bare = w.dir / "fresh", w.dir / "bare"
        said = w.tjzw("restore", "--data", fresh, "--takedowns", lost / "takedowns", backup).stdout.decode()
        check(fresh, "taken down again")
        said = w.tjzw("restore", "--data", bare, backup).stdout.decode()
        assert "no file 'takedowns' was found" in said, said
        broken = w.dir / "broken"
        broken.write_text("main 17 oops\n")
        refused = w.tjzw("restore", "--data", w.dir / "never", "--takedowns", broken, backup, check=False)
        assert refused.returncode and b"line 1" in refused.stderr, refused


class Hook(http.server.ThreadingHTTPServer):
    """Somebody's cache: refuses the first `failures` requests."""

    def __init__(self, failures, port=0):
        hook = self
        self.failures, self.bodies, self.refused = failures, [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if hook.refused < hook.failures:
                    hook.refused += 1
                    self.send_response(503)
                else:
                    hook.bodies.append(json.loads(body))
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def urls(self):
        return [u for b in self.bodies for u in b["urls"]]

    def end(self):
        self.shutdown()
        self.server_close()


def hooked(w):
    hook = Hook(failures=2)
    port = hook.server_address[1]
    how = {"TJZW_PURGE_HOOK": f"http://127.0.0.1:{port}/purge", "TJZW_PUBLIC_URL": "https://www.example.cn"}
    lib = Library(w, **how)
    lib.found()
    with case("the caches are told every URL, again until they take it"):
        file = b"a file"
        fillers(lib, 10, "别的")
        item = lib.publish("要清的", file)
        fillers(lib, 10, "又有")
        held = lib.name_all(item, "要清的".encode(), [file], indexed=True)
        indexed = [url for url, yes in held.items() if yes and url.endswith(".gz") and "/object/" in url]
        assert indexed
        lib.end(item, "withdraw")
        wait_for("the purge hook", 15, hook.urls)
        wait_for("the end of it", 20, lambda: lib.server.metric("purge_urls_waiting") == 0)
        assert hook.refused == 2 and lib.server.metric("purge_hook_failures") == 2
        name = hashlib.sha256(file).hexdigest()
        for path in (f"/a/{item}", f"/a/{item}/text", f"/v1/items/{item}", f"/v1/items/{item}/revisions/1", f"/v1/blobs/{name}", "/"):
            assert f"https://www.example.cn{path}" in hook.urls(), path
        assert len(hook.urls()) == len(set(hook.urls())), "it was told twice"
        objects = [u for u in hook.urls() if "/object/" in u]
        assert sorted(objects) == sorted(f"https://www.example.cn{url.removesuffix('.gz')}*" for url in indexed), (objects, indexed)
        assert "https://www.example.cn/v1/sync/main/log/*" in hook.urls()
        alone = [u for u, yes in held.items() if yes and "/item/" in u]
        assert len(alone) == 3, alone
        prefixes = tuple(u.removesuffix("*") for u in hook.urls() if u.endswith("*"))
        for url in [u for u, yes in held.items() if yes]:
            whole = "https://www.example.cn" + url.split("?")[0]
            assert whole in hook.urls() or whole.startswith(prefixes) or url.startswith(("/preview", "/v1/items?")) or "?preview" in url, url
    with case("what the caches were not told survives a kill"):
        hook.end()
        item = lib.publish("第二篇")
        lib.end(item, "gone")
        wait_for("a failure", 10, lambda: lib.server.metric("purge_hook_failures") > 2)
        lib.server.kill()
        hook = Hook(failures=0, port=port)
        lib = Library(w, **how)
        wait_for("the purge hook", 10, lambda: f"https://www.example.cn/a/{item}" in hook.urls())
    hook.end()
    lib.server.stop()


for part in (taken_down, mirrored, answers_of_staff, killed, restored, hooked):
    with World() as w:
        part(w)
sys.exit(done())
