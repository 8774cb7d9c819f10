#!/usr/bin/env python3
"""Letters as phones send them, by every way through letter_verb.def that a writer and a unit can go, fixed shares of them each, to their end: the counts are
what they must be, each step was one that the table allows, and the phone shows what the unit sees. 5,000 with --full.
"""
import json
import re
import sys
import time
import uuid
from collections import Counter

from app import App
from citizen import sync, texts
from fault import Clock
from lib import ROOT, World, wait_for
from upstream import Upstream

from tap import case, done, note, rounds

DAY = 86400
WRITERS, DAYS = rounds(25, 2), rounds(10, 1)        # a writer sends 20 a day, as many as he may
CATEGORIES = ("consult", "help", "suggest", "complain", "report", "fault", "disclose")
SILENT_OF = {"disclose": "closed"}                  # who does not complete an application has given it up; of other letters the unit goes on
APP = "cn.gov.tj.app:/signed-in"
LEVELS = {"claims": {"name": "name", "level": "acr"}, "levels": {"L2": 2}, "level_max": 2, "redirects": [APP]}      # who applies for disclosure has to be known
DEVICE = "q83vEjRWeJCrze8SNFZ4kA"

# What becomes of one: how many of 20; the steps (of the unit by its key, + of its writer, ! of people at the unit); where it stands then, and after the clock has had its turn.
LIVES = {
    "plain":      (2, ("accept", "begin", "answer"), "answered", "closed"),
    "asked":      (3, ("accept", "ask", "+add", "answer"), "answered", "closed"),
    "silent":     (1, ("ask",), "asked", "in_progress"),
    "extended":   (2, ("accept", "assign", "extend", "answer"), "answered", "closed"),
    "handed on":  (2, ("transfer", "accept", "answer"), "answered", "closed"),
    "poor":       (2, ("accept", "answer", "+poor", "follow"), "closed", "closed"),
    "good":       (2, ("accept", "answer", "+good"), "rated", "closed"),
    "drafted":    (1, ("accept", "!draft", "!return", "!draft", "!review", "!answer"), "answered", "closed"),
    "consulted":  (1, ("accept", "consult", "resume", "answer"), "answered", "closed"),
    "published":  (1, ("accept", "answer", "publish"), "answered", "closed"),
    "taken back": (1, ("accept", "+withdraw"), "withdrawn", "withdrawn"),
    "added to":   (1, ("accept", "begin", "+add", "answer"), "answered", "closed"),
    "refused":    (1, ("refuse",), "refused", "refused"),
}
A_DAY = sum(life[0] for life in LIVES.values())
PLAN = [name for name, life in LIVES.items() for _ in range(life[0])]


def verbs():
    """{word: (states it may be said in, the state it leads to or None)}, as the table has them."""
    table = (ROOT / "server/citizen/letter_verb.def").read_text(encoding="utf-8")
    states = dict(re.findall(r'^LETTER_STATE\((\w+), "(\w+)"', table, re.M))
    sets = {"NEW": ["SUBMITTED"], "AT_WORK": re.findall(r"IS\((\w+)\)", re.search(r"#define AT_WORK (.*)", table)[1])}
    out = {}
    for word, start, end in re.findall(r'^LETTER_VERB\(\w+, "(\w+)", "[^"]*", \w+, ([^,]+), (\w+),', table, re.M):
        names = {n for token in re.findall(r"\w+", start.replace("IS", "")) for n in sets.get(token, [token])}
        out[word] = ({states[n] for n in names if n in states}, states.get(end))
    return out


def replay(letter, table):
    """Where its steps lead; a step that the table does not allow is no state at all."""
    state = None
    for step in letter["steps"]:
        allowed, leads = table[step["verb"]]
        if step["verb"] != "send" and state not in allowed:
            return f"{step['verb']} in {state}"
        before, state = state, leads or state
        if step["verb"] == "add" and before == "asked":
            state = "in_progress"
        if step["verb"] == "rate" and letter["rating"] <= 2:
            state = "follow_up"
    return state


class Writer(App):
    """Who sends 20 a day; `letters` are his: {uuid: which of the day's it is}."""

    def __init__(self, server, no, prose, u):
        super().__init__(server)
        begun = self.call("POST", f"/v1/auth/upstreams/{u.name}/start", {"redirect": APP}).json()
        self.keep(self.call("POST", f"/v1/auth/upstreams/{u.name}", {"device": "手机", "ticket": begun["ticket"], **u.approve(begun["url"], sub=str(no), acr="L2")}))
        self.no, self.prose, self.n, self.letters, self.today = no, prose, 0, {}, []

    def renew(self):
        answer = App(self.server).call("POST", "/v1/auth/refresh", {"refresh": self.said["refresh"]})
        assert answer.status == 200, answer
        self.said = answer.json()
        self.access = self.said["access"]

    def bring(self, *mutations):
        """All are done."""
        numbered = []
        for one in mutations:
            self.n += 1
            numbered.append({"n": self.n, "key": str(uuid.uuid4()), **one})
        results, _ = sync(self, DEVICE, *numbered)
        assert all(results[m["n"]]["result"] == "done" for m in numbered), results
        return [m["key"] for m in numbered]

    def category(self, i):
        return "disclose" if PLAN[i] == "consulted" else CATEGORIES[(i + self.no) % len(CATEGORIES)]

    def end_of(self, i):
        life = LIVES[PLAN[i]]
        return SILENT_OF.get(self.category(i), life[3]) if PLAN[i] == "silent" else life[3]

    def write(self):
        def letter(i):
            return {"type": "letter.send", "value": {"category": self.category(i), "public": True, "text": next(self.prose), "title": f"来信 {i}",
                                                     "unit": "heping"}}

        self.today = []
        for first in range(0, A_DAY, 5):        # 256 KB an exchange
            self.today += self.bring(*(letter(i) for i in range(first, first + 5)))
        self.letters.update({key: i for i, key in enumerate(self.today)})

    def say(self, word, key):
        value = {"add": {"text": "门牌 1 号"}, "poor": {"rating": 1}, "good": {"rating": 5}, "withdraw": {}}[word]
        self.bring({"type": "letter." + {"poor": "rate", "good": "rate"}.get(word, word), "value": {"letter": key, **value}})

    def shown(self):
        """{uuid: the state that his phone shows}."""
        out, asked = {}, {}
        while True:
            page = self.call("POST", "/v1/me/sync", asked).json()
            out.update({e["key"]: e["value"]["state"] for e in page["entries"] if e["type"] == "letter"})
            if not page.get("more"):
                return out
            asked = {"cursor": page["cursor"]}


def main(w):
    clock = Clock(w)
    u = Upstream(w, "ywt")
    u.connect(w.data, **LEVELS)
    server = w.serve(env={"TJZW_RATE_LIMIT": "0", **clock.env})
    table, prose, ahead = verbs(), texts(), 0
    assert table["ask"] == ({"submitted", "accepted", "assigned", "transferred", "in_progress"}, "asked") and table["add"][1] is None, table

    def operate(method, target, body=None):
        return server.admin(method, target, json.dumps(body).encode() if body is not None else b"", {"content-type": "application/json"})

    for code in ("heping", "nankai"):
        assert operate("POST", "/v1/orgs", {"code": code, "name": code}).status == 201
    assert operate("POST", "/v1/sites", {"code": "1201010001", "name": "政务网", "org": "heping"}).status == 201
    column = operate("POST", "/v1/columns", {"site": "1201010001", "path": "来信"}).json()["no"]
    assert operate("POST", "/v1/parties", {"id": "oa", "name": "oa", "kind": "live", "rights": "letters,edit"}).status == 201
    key = operate("POST", "/v1/parties/oa/keys", {"perMinute": 1000000, "perDay": 1000000}).json()["key"]
    words = {"ask": "请写明地址", "extend": "情况复杂", "transfer": "属南开区", "answer": "已经办好。", "follow": "已上门查看", "refuse": "重复来信", "consult": "涉及第三方",
             "draft": "已经办好。", "return": "请写明日期"}
    drafts, at = [], {}     # at: the step of a letter's draft

    def person(verb, letter):
        """Who answers with what another has reviewed; the operator may be both."""
        body = {"draft": at[letter]} if verb == "review" else {"text": words[verb]} if verb != "answer" else {}
        answer = operate("POST", f"/v1/letters/{letter}/{verb}", body)
        assert answer.status == 200, (verb, answer)
        at[letter] = answer.json().get("draft")

    def unit(verb, letter):
        body = {"column": column} if verb == "publish" else {"text": words[verb]} if verb in words else {}
        if verb == "transfer":
            body["unit"] = "nankai"
        answer = server.get(f"/v1/letters/{letter}/{verb}", "POST", json.dumps(body).encode(), {"authorization": "Bearer " + key, "content-type": "application/json"})
        assert answer.status == (201 if verb == "publish" else 200), (verb, answer)
        if verb == "publish":
            drafts.append(answer.json()["id"])

    def count(ended):
        letters, cursor = {}, None      # who changes meanwhile comes again
        while True:
            page = server.admin("GET", "/v1/letters?changed=1&n=200" + (f"&cursor={cursor}" if cursor else "")).json()
            cursor = page["next"]
            if not page["letters"]:
                break
            letters.update({one["number"]: one for one in page["letters"]})
        assert len(letters) == WRITERS * DAYS * A_DAY, len(letters)
        expected = Counter()
        for one in people:
            for i in range(A_DAY):
                expected[one.end_of(i) if ended else LIVES[PLAN[i]][2]] += DAYS
        return Counter(one["state"] for one in letters.values()), expected, letters

    people = [Writer(server, no, prose, u) for no in range(WRITERS)]
    with case(f"{WRITERS * DAYS * A_DAY} letters go their ways, in fixed shares: {', '.join(LIVES)}"):
        started, steps = time.monotonic(), 0
        for day in range(DAYS):
            if day:
                ahead += DAY
                clock.ahead(ahead)
            for one in people:
                if day:
                    one.renew()
                one.write()
                for letter in one.today:
                    for step in LIVES[PLAN[one.letters[letter]]][1]:
                        if step[0] in "+!":
                            (one.say if step[0] == "+" else person)(step[1:], letter)
                        else:
                            unit(step, letter)
                        steps += 1
        note(f"{steps} steps, {steps / (time.monotonic() - started):.0f} a second, one after the other")

    with case("as many stand in each state as must"):
        found, expected, _ = count(False)
        assert found == expected, (found, expected)
        assert len(set(drafts)) == WRITERS * DAYS * LIVES["published"][0], len(drafts)
        assert all(server.admin("GET", f"/v1/drafts/{one}").json()["item"]["state"] == "draft" for one in drafts)

    with case("the clock closes what is answered and rated, and gives up waiting for who is silent"):
        ahead += 45 * DAY
        clock.ahead(ahead)
        wait_for("the clock", 300, lambda: (both := count(True))[0] == both[1])

    with case("no letter came to where it stands by a step that the table does not allow, and none has a deadline that nobody keeps"):
        found, expected, letters = count(True)
        assert found == expected, (found, expected)
        wrong = []
        for one in letters.values():
            whole = server.admin("GET", f"/v1/letters/{one['number']}").json()
            if replay(whole, table) != whole["state"] or (("due" in whole) != (whole["state"] == "in_progress")):
                wrong.append((whole["number"], whole["state"], replay(whole, table), whole.get("due"), [s["verb"] for s in whole["steps"]]))
        assert not wrong, (len(wrong), wrong[:3])

    with case("each writer's phone shows his letters, each where it stands for the unit"):
        for one in people:
            one.renew()
            assert one.shown() == {letter: one.end_of(i) for letter, i in one.letters.items()}
    server.stop()


if __name__ == "__main__":
    with World() as world:
        main(world)
    sys.exit(done())
