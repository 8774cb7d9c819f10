#!/usr/bin/env python3
"""No byte of what is not public leaves the server: a random walk of a newsroom over all states of items, and after each step everything that anybody may
ask is asked (docs/editorial.md).

Every revision has a word of its own in its title, text, keywords, summary and file. A model says who may take which step and which words are public; the
server must agree to each step exactly when the model does. `leak_walk.py` knows every public GET route of the route table, remembers each address that
ever answered, and reads feeds, searches, objects of delta-sync, hints, WebSub deliveries and what a phone holds.
"""
import json
import random
import sys
import time

from desk import Person, accounts
from leak_model import PEOPLE, SITE, Model
from leak_walk import Deliveries, Hints, Walk
from lib import World, wait_for

from tap import FULL, case, done, note

STEPS = 800 if FULL else 110
SETTINGS = {"TJZW_RATE_LIMIT": "0", "TJZW_PUBLIC_URL": "https://leak.example", "TJZW_WEBSUB_PRIVATE": "true", "TJZW_INDEX_CHANGES": "8"}
JSON = {"content-type": "application/json"}


class Newsroom:
    def __init__(self, w):
        self.w, self.words = w, 0
        self.server = w.serve(w.data, "--demo", env=SETTINGS)
        self.people = {}
        password, secrets = accounts(self.server)
        for name in PEOPLE:
            self.people[name] = Person(self.server)
            self.people[name].sign_in("demo." + name, password, secrets["demo." + name])
        self.tell("PUT", f"/v1/sites/{SITE}/chain", {"steps": 2, "secrecy": "last", "eyes": 2})
        columns = self.server.get("/v1/columns").json()["columns"]
        self.columns = [c["no"] for c in columns if c["site"] == SITE][:2]
        self.model = Model()
        self.walk = Walk(self.server, self.columns)
        self.hints, self.deliveries = Hints(self.server), Deliveries(self.server)

    def tell(self, method, target, body=None):
        answer = self.server.admin(method, target, json.dumps(body).encode() if body is not None else None, JSON)
        assert answer.status < 300, answer
        return answer.json()

    def ask(self, who, method, target, body=None, headers=None):
        person = self.people[who]
        return self.server.get(target, method, json.dumps(body).encode() if body is not None else None,
                               {**JSON, "authorization": "Bearer " + person.access, **(headers or {})})

    def word(self):
        self.words += 1
        return f"zq{random.randrange(16 ** 6):06x}{self.words:04}"

    def text(self, word, files=0.4):
        """An article that says its word wherever it can."""
        text = {"title": f"示例通知{word}", "body": f"共同的开头。\n\n正文有{word}这个词。", "summary": f"摘要{word}", "keywords": [word], "contentSource": "示例局"}
        if random.random() < files:
            bytes_ = f"附件 {word}".encode() * 40
            name = self.server.put_file(bytes_)
            self.walk.hashes.add(name)
            text["attachments"] = [{"hash": name, "name": f"{word}.txt", "type": "text/plain", "size": len(bytes_)}]
        return text

    # ---- the steps: each gives the status it was answered ----

    def create(self, who, files=0.4):
        word = self.word()
        answer = self.ask(who, "POST", "/v1/items", {"site": SITE, "column": self.columns[0], **self.text(word, files)})
        if answer.status == 201:
            self.model.created(answer.json()["id"], word, who, self.columns[0])
        return answer

    def imported(self):
        """A program's line that was to be published at once."""
        word = self.word()
        line = json.dumps({"id": f"outside-{self.words}", "source": SITE, "column": "要闻", **self.text(word)}) + "\n"
        answer = self.server.admin("POST", "/v1/import?publish=1&create=1", line.encode(), {"content-type": "application/x-ndjson"})
        said = answer.json()
        assert said["unreviewed"] == 1 and len(said["lines"]) == 1, said
        self.model.created(said["lines"][0]["id"], word, "operator", None)

    def argument(self, item, verb):
        """What the step needs besides: the word of the new text, the revision, the column."""
        if verb == "save":
            return self.word()
        if verb == "restore-one":
            return random.choice(sorted(item.words))
        return next(c for c in self.columns if c != item.column) if verb == "move" else None

    def step(self, item, who, verb, arg):
        if verb == "save":
            return self.ask(who, "PUT", f"/v1/items/{item.id}", self.text(arg), {"if-match": f'"{item.rev}"'})
        body = {"secrecy": {"basis": "第3条"}, "comment": {"said": "看过"}, "emergency": {"emergency": True, "reason": "应急"},
                "purge": {"purge": True, "reason": "更正"}, "restore-one": {"revision": arg}, "move": {"column": arg}}.get(
            verb, {"reason": "原因"} if verb in ("return", "withdraw", "gone") else {})
        address = {"emergency": "publish", "purge": "publish", "restore-one": "restore"}.get(verb, verb)
        return self.ask(who, "POST", f"/v1/items/{item.id}/{address}", body)

    def take(self, item, who, verb):
        """One step, in the server and in the model, which must agree about it."""
        before, arg = f"{verb} by {who} of {item}", self.argument(item, verb)
        allowed = self.model.allows(item, who, verb, arg)
        if allowed and verb in ("withdraw", "gone", "purge"):
            self.server.settle()
            self.check(whole=True)      # so every memory holds it
        began = time.time()
        answer = self.step(item, who, verb, arg)
        assert (answer.status < 300) == allowed, f"{before} ({arg}): the model says {allowed}, the server {answer}"
        if allowed:
            self.model.taken(item, who, verb, answer, arg)
            self.model.remember(self.model.public(), began)
        self.check(whole=verb in ("withdraw", "gone", "purge") or random.random() < 0.2)
        return before

    def scheduled(self, item, who):
        """Approved, and published by itself in three seconds, once; or something comes between, and it never is: the walks after that would see it."""
        between = random.choice(["nothing", "save", "return", "restart"])
        due = int(time.time()) + (10 if between in ("save", "return") else 3)
        at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(due))
        answer, before = self.ask(who, "POST", f"/v1/items/{item.id}/schedule", {"at": at}), item.live
        assert answer.status == 200, answer
        if between == "save":
            return self.take(item, "editor", "save")
        if between == "return":
            return self.take(item, "review3", "return")
        while time.time() < due - 0.5:
            assert self.public_rev(item) == before, "it came before its time"
            time.sleep(0.1)
        if between == "restart":
            self.restart()
        wait_for("the scheduled publication", 15 if between == "restart" else max(0, due - time.time()) + 1.5, lambda: self.public_rev(item) == item.rev, every=0.05)
        assert time.time() >= due - 0.1, "it came before its time"
        self.model.published(item)
        self.model.remember(self.model.public(), due)
        events = [e for e in self.ask("site", "GET", f"/v1/drafts/{item.id}").json()["events"] if e["verb"] == "publish" and e["revision"] == item.rev]
        assert len(events) == 1, events
        self.check(whole=False)
        return between

    def straight(self, item):
        """The way from a draft to the public, without a detour."""
        for who, verb in (("editor", "submit"), ("review1", "approve"), ("review2", "secrecy"), ("review2", "approve"), ("publisher", "publish")):
            self.take(item, who, verb)

    def last_of_all(self):
        """Whatever chance did: one stays that was corrected once, with a file; one that was public goes."""
        for stays in (True, False):
            self.create("editor", 1)
            item = self.model.items[-1]
            self.straight(item)
            if stays:
                self.take(item, "editor", "save")
                self.straight(item)
            else:
                self.take(item, "site", "withdraw")
                self.take(item, "publisher", "withdraw")

    def public_rev(self, item):
        answer = self.server.get(f"/v1/items/{item.id}")
        return answer.json()["revision"] if answer.status == 200 else 0

    def restart(self):
        self.hints.stop()
        port = self.server.port
        self.server.kill()
        self.server = self.w.serve(self.w.data, "--demo", env=SETTINGS, port=port)
        for person in self.people.values():
            person.server = self.server
        self.walk.server = self.server
        self.walk.forget_connection()
        self.hints = Hints(self.server, self.hints.heard)

    def check(self, whole):
        self.walk.look(self.model, self.model.public(), whole)
        self.hints.look(self.model)
        self.deliveries.look(self.model)


def choose(room):
    """Mostly a step that may be taken; one in four is anybody's at anything."""
    model = room.model
    if not model.items or random.random() < 0.08:
        return None
    item = random.choice(model.items[-6:])
    if item.live and item.asked and random.random() < 0.5:
        return item, random.choice(["site", "publisher"]), item.asked[1]
    if random.random() < 0.2:
        return item, random.choice(PEOPLE), random.choice(model.VERBS)
    may = [(item, who, verb) for who in PEOPLE for verb in model.VERBS if model.allows(item, who, verb, item.rev)]
    forward = [m for m in may if m[2] in ("submit", "approve", "secrecy", "publish") and not (m[2] == "secrecy" and item.secrecy)]
    return random.choice(forward if forward and random.random() < 0.8 else may) if may else None


def main():
    with World() as w:
        room = Newsroom(w)
        with case("nobody walked past a route: each public GET is asked, or named as one that holds no item"):
            room.walk.check_routes(w)
        done_so_far, verbs = [], {}
        with case(f"{STEPS} random steps: nothing leaves that is not public, and each is taken exactly by who may"):
            try:
                for n in range(STEPS):
                    chosen = choose(room)
                    if not chosen:
                        if random.random() < 0.2:
                            room.imported()
                        else:
                            room.create(random.choice(["editor", "site"]))
                        room.check(whole=False)
                        continue
                    item, who, verb = chosen
                    if verb == "publish" and room.model.allows(item, who, verb) and random.random() < 0.4:
                        done_so_far.append(f"schedule by {who} of {item}: {room.scheduled(item, who)}")
                        verb = "schedule"
                    else:
                        done_so_far.append(room.take(item, who, verb))
                    verbs[verb] = verbs.get(verb, 0) + 1
                    if n == STEPS // 2:
                        room.restart()
                        room.check(whole=True)
                room.last_of_all()
            except AssertionError:
                note("the last steps:\n" + "\n".join(done_so_far[-12:]))
                raise
        note(f"steps {dict(sorted(verbs.items()))}; {room.walk.asked} requests, {len(room.walk.remembered)} addresses; {len(room.deliveries.bodies)} deliveries, {room.model.takedowns} takedowns")
        with case("a phone that begins anew holds what is public, and nothing else"):
            room.server.settle()
            phone = w.phone("leak", url=room.server.url)
            phone.sync()
            export = phone.export()
            room.model.check_bytes(export, room.model.public(), "a phone's store")
            for word in room.model.live_words():
                assert word.encode() in export, f"{word} is public, and the phone has not got it"
        with case("what is public is found by all ways, so the walk was not blind"):
            room.walk.check_sighted(room.model, room.deliveries)


main()
sys.exit(done())
