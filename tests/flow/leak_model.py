"""leak_model.py - who may take which step, and which words are public: docs/editorial.md written a second time, as a model. The chain has two steps, a
secrecy review before the last, and two people for a takedown."""
import re

SITE = "9900000001"
RIGHTS = {"editor": {"edit"}, "site": {"edit", "review", "publish"}, "review1": {"review"}, "review2": {"review"}, "review3": {"review"}, "publisher": {"publish"}}
PEOPLE = list(RIGHTS)
STEPS = 2
WORD = re.compile(rb"zq[0-9a-f]{6}\d{4}")


class Item:
    def __init__(self, id, word, who, column):
        self.id, self.rev, self.state, self.column = id, 1, "draft", column
        self.words, self.authors = {1: word}, {1: who}
        self.live, self.readable, self.ever, self.lost = 0, set(), False, set()     # live: the published revision; readable: those that anybody may read
        self.ended, self.asked, self.submitters = "", None, set()                   # ended: "withdrawn" since the last publication
        self.clear()

    def clear(self):
        self.passes, self.secrecy = [], False

    def next(self, word, who):
        self.rev += 1
        self.words[self.rev], self.authors[self.rev], self.state, self.submitters = word, who, "draft", set()
        self.clear()

    @property
    def word(self):
        return self.words[self.rev]

    def published_word(self):
        return self.words.get(self.live)

    def hands(self):
        return {who for rev, who in self.authors.items() if rev > self.live} | self.submitters

    def __str__(self):
        return f"{self.id} rev {self.rev} {self.state} live {self.live} passed {self.passes} secrecy {self.secrecy} by {self.hands()} asked {self.asked}"


class Model:
    VERBS = ["save", "submit", "approve", "return", "secrecy", "comment", "publish", "purge", "emergency", "withdraw", "gone", "restore", "restore-one", "move"]

    def __init__(self):
        self.items, self.past, self.takedowns = [], [(0.0, frozenset())], 0     # takedowns: of what was public

    def created(self, id, word, who, column):
        self.items.append(Item(id, word, who, column))

    # ---- who may ----

    def allows(self, item, who, verb, arg=None):
        """`arg`: the revision to be restored."""
        if item.state == "gone" and verb != "move":
            return False
        if verb == "restore-one":
            return "edit" in RIGHTS[who] and arg not in item.lost
        return bool(getattr(self, "may_" + verb)(item, who, RIGHTS[who]))

    def may_save(self, item, who, has):
        return "edit" in has

    def may_submit(self, item, who, has):
        return "edit" in has and item.state == "draft"

    def may_approve(self, item, who, has):
        last = len(item.passes) + 1 >= STEPS
        return "review" in has and item.state == "in_review" and who not in item.hands() and who not in item.passes and (item.secrecy or not last)

    def may_return(self, item, who, has):
        return "review" in has and item.state in ("in_review", "approved")

    def may_secrecy(self, item, who, has):
        return "review" in has and item.state in ("in_review", "approved") and who not in item.hands()

    def may_comment(self, item, who, has):
        return True

    def may_publish(self, item, who, has):
        return "publish" in has and item.state == "approved" and len(item.passes) >= STEPS and item.secrecy

    def may_purge(self, item, who, has):
        return self.may_publish(item, who, has) and item.ever

    def may_emergency(self, item, who, has):
        return "publish" in has and item.state in ("draft", "in_review", "approved")

    def may_withdraw(self, item, who, has):
        return "publish" in has and item.live

    def may_gone(self, item, who, has):
        return "publish" in has and (item.live or item.ended)

    def may_restore(self, item, who, has):
        return "edit" in has and item.state == "withdrawn"

    def may_move(self, item, who, has):
        return ("publish" if item.live else "edit") in has

    # ---- what it does ----

    def taken(self, item, who, verb, answer, arg):
        getattr(self, "do_" + verb.replace("-", "_"))(item, who, answer, arg)
        assert answer.json()["revision"] == item.rev, f"{item}: {answer}"

    def do_save(self, item, who, answer, word):
        item.next(word, who)

    def do_submit(self, item, who, answer, arg):
        item.state = "in_review"
        item.submitters.add(who)

    def do_approve(self, item, who, answer, word):
        item.passes.append(who)
        item.state = "approved" if len(item.passes) >= STEPS else "in_review"
        assert answer.json()["state"] == item.state, answer

    def do_return(self, item, who, answer, word):
        item.clear()
        item.state = "draft"

    def do_secrecy(self, item, who, answer, word):
        item.secrecy = True

    def do_comment(self, item, who, answer, word):
        pass

    def published(self, item):
        item.state, item.live, item.ever, item.ended, item.asked = "published", item.rev, True, "", None
        item.readable.add(item.rev)

    def do_publish(self, item, who, answer, word):
        self.published(item)

    do_emergency = do_publish

    def do_purge(self, item, who, answer, word):
        item.lost |= {rev for rev in item.words if rev < item.rev}
        item.readable = set()
        self.published(item)

    def ends(self, item, who, verb, answer):
        """Whether it is the second person: else it was asked for."""
        first = item.asked
        if item.live and (not first or first[0] == who or first[1] != verb):
            item.asked = (who, verb)
            assert answer.status == 202, f"one person alone took it down: {answer}"
            return False
        assert answer.status == 200, answer
        self.takedowns += bool(item.live)
        return True

    def do_withdraw(self, item, who, answer, word):
        if self.ends(item, who, "withdraw", answer):
            item.state = "withdrawn" if item.live == item.rev else item.state
            item.live, item.readable, item.ended, item.asked = 0, set(), "withdrawn", None

    def do_gone(self, item, who, answer, word):
        if self.ends(item, who, "gone", answer):
            item.state, item.live, item.readable, item.asked = "gone", 0, set(), None

    def do_restore(self, item, who, answer, arg):
        item.next(item.words[item.rev], who)

    def do_restore_one(self, item, who, answer, rev):
        item.next(item.words[rev], who)

    def do_move(self, item, who, answer, column):
        item.column = column

    # ---- what is public ----

    def public(self):
        return frozenset(item.words[rev] for item in self.items for rev in item.readable)

    def live_words(self):
        return [item.words[item.live] for item in self.items if item.live]

    def remember(self, public, since):
        self.past.append((since, public))

    def lately(self, at, seconds=3):
        """All that was public at some time of the seconds before."""
        words = set(self.past[-1][1])
        for i, (since, public) in enumerate(self.past):
            until = self.past[i + 1][0] if i + 1 < len(self.past) else float("inf")
            if since <= at + 1 and until >= at - seconds:
                words |= public
        return words

    def check_bytes(self, body, public, where):
        found = {w.decode() for w in WORD.findall(body)}
        assert found <= public, f"{where} says {sorted(found - public)}, which is not public; {[str(i) for i in self.items if set(i.words.values()) & (found - public)]}"
        return found
