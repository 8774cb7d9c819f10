"""reader.py - a second reader of delta-sync, written from docs/protocol/sync.md and events.md alone.

It exists to find what the page does not say: whoever changes the protocol changes the page, this reader follows the page, and
tests/flow/reader_test.py lets it follow a live server. It shares no code with clients/c and must not be mended by looking there: if it
disagrees with the server, the page is wrong or one of the two is. It is written to be compared with the page line by line, not to be quick;
everything is in memory and every leaf is hashed anew for every root.

    r = Reader(Http("https://127.0.0.1:8443").get, encoding=".dz")
    r.sync(); sys.stdout.buffer.write(r.export())

    wire.py     section 2, 3, 5, 6 (dz), 7, 9: the structures         tree.py    section 4, cover and tile of section 7
    reader.py   section 5 (what is accepted), 6, 10, 11, 12           net.py     an answer over HTTPS, continued with Range; events.md
    vectors.py  tests/vectors/sync through these functions            signed.py  what only a publisher could do wrong (origin.py)

What is refused raises Refused with a sentence, and what was held stays. Moving, TooLarge and NotYet are the ways of section 6 to come again.
Needs Debian's python3-nacl and python3-zstandard. Not here: SM2 ("a reader may rely on ed25519 alone"), a store.
"""
import random
import sys
import time
from dataclasses import dataclass, field, replace

import net
import tree
import wire
from net import Http
from wire import Refused, need

NEAR = 4096             # changes one catch-up may bridge
ALONE = 64              # so many items are fetched one by one; more come from the objects


class Moving(Exception):
    """400, 404 or 410 for what the head names: the log is moving on."""


class TooLarge(Exception):
    """413"""


class NotYet(Exception):
    """There is no index near enough: come again after `poll` seconds."""


class Unequal(Refused):
    """The records do not make up the signed root."""


@dataclass
class State:
    """What is held and proved by `head`. Replaced as a whole."""
    head: wire.Head = None
    items: dict = field(default_factory=dict)       # born -> Record, all at or above the horizon
    horizon: int = 0
    below: dict = field(default_factory=dict)       # (height, index) -> hash, all below it
    kept: dict = field(default_factory=dict)        # born -> (Record, the root below that covers it)
    directory: dict = None
    ancestry: tuple = ()


class Reader:
    def __init__(self, get, stream="main", trust=None, encoding="", horizon=0, listed=True):
        self._get, self.stream, self.encoding, self.listed, self.wanted = get, stream, encoding, listed, horizon
        self.trusted = trust            # a platform key; None: the first met
        self.chain = self.platform = None
        self.clock = 0                  # the newest signed time
        self.state = State()
        self.withheld, self.withheld_hash = frozenset(), None
        self.past_caches = False        # something was refused: it may have been a cache's fault
        self.wait = time.sleep
        self.on_step = lambda: None     # after each state of a first sync
        self.counts = {"catchup": 0, "objects": 0, "repairs": 0, "tiles": 0, "items": 0, "covers": 0}

    # ---- asking

    def ask(self, path, named=True):
        """The body of a 200. `named`: an accepted head names it, so that its absence means that the log is moving on."""
        for attempt in range(4):
            status, headers, body = self._get(path, self.past_caches)
            if status not in (429, 503):
                break
            self.wait(float(headers.get("retry-after", 1 << attempt)) + random.random())
        if status == 413:
            raise TooLarge(path)
        if status in (400, 404, 410) and named:
            raise Moving(f"{status} for {path}")
        need(status == 200, f"{status} for {path}")
        return body

    def path(self, what):
        return f"/v1/sync/{self.stream}/{what}"

    def object(self, value, encoding=""):
        body = wire.DECODE[encoding](self.ask(self.path(f"object/{value.hex()}{encoding}")))
        need(wire.sha256(body) == value, "an object's bytes do not have its hash")
        return body

    @property
    def plain(self):
        """The encoding of what is no catch-up."""
        return ".zst" if self.encoding == ".dz" else self.encoding

    # ---- keys, the platform's list, the head (section 5)

    def adopt(self, body):
        """A chain that was received."""
        new = wire.Chain(body)
        if self.chain and new.begins_with(self.chain):
            self.chain = new
            return
        need(not (self.chain and self.chain.begins_with(new)), "an old chain of keys")
        trusted = self.trusted or (None if self.chain else new.keys[0].public)
        need(new.vouched_by(trusted), "the trusted platform key does not vouch for this chain")
        if self.chain and not self.chain.vouched_by(trusted):
            self.state = State()        # a stranger was trusted
        self.trusted, self.chain, self.platform = trusted, new, None

    def proved(self, role, text, sigs):
        """Signed by the role's current key; the chain is asked for when the key is not known."""
        for known in (True, False):
            if not known or not self.chain:
                self.adopt(self.ask("/v1/sync/keys", named=False))
            key = self.chain.current(role)
            if key and wire.signed_by(key.public, text, sigs):
                return
            if key and any(a == "ed25519" and i == key.id for a, i, _ in sigs):
                break
        raise Refused(f"no valid signature by the current key of {role}")

    def newest_head(self):
        if not self.listed:
            return self.take_head(wire.head(self.ask(self.path("head"), named=False)))
        found = wire.heads(self.ask(f"/v1/sync/heads/{self.stream}", named=False))
        self.proved("platform", found.signed, found.sigs)
        held = self.platform
        need(not held or found.counter >= held.counter and found.time >= held.time, "an older list of streams than the one held")
        need(not held or found.counter > held.counter or found.signed == held.signed, "two lists of one counter")
        need(self.stream in found.withheld, f"the server has no stream {self.stream}")
        note = next((n for n in found.notes if n.stream == self.stream), None)
        if not note:
            raise NotYet("the stream has no head yet")
        self.proved(f"stream:{self.stream}", note.signed, note.sigs)
        value = found.withheld[self.stream]
        hidden = self.withheld if value == self.withheld_hash else \
            frozenset(wire.withheld(self.object(value, self.plain))) if value else frozenset()
        h = self.take_head(note)
        self.platform, self.withheld, self.withheld_hash = found, hidden, value
        self.clock = max(self.clock, found.time)
        return h

    def take_head(self, h):
        """The rules by which a head is accepted."""
        need(h.stream == self.stream, f"this is a head of {h.stream}")
        self.proved(f"stream:{self.stream}", h.signed, h.sigs)
        held = self.state.head
        if held and h.epoch == held.epoch:
            need(h.seq >= held.seq and h.time >= held.time and h.cut >= held.cut and h.size >= held.size, "a head lower than the one held")
            need(h.seq > held.seq or (h.size, h.root, h.chain) == (held.size, held.root, held.chain), "two heads of one change")
        elif held:
            need(h.epoch > held.epoch and h.time >= held.time, "a head of an older epoch")
        self.clock = max(self.clock, h.time)
        return h

    def fresh_until(self):
        """The time until which what is held may be called fresh, and the reader's own clock."""
        return self.state.head.time + self.state.head.lease, max(time.time(), self.clock)

    # ---- one sync (section 10)

    def sync(self, head=None):
        """To the newest head, or to `head`, the path of a twin that a hint named."""
        self.past_caches, moved = False, 0
        try:
            while True:
                try:
                    h = self.take_head(wire.head(self.ask(head, named=False))) if head else self.newest_head()
                    return self.follow(h)
                except Moving:
                    moved += 1
                    if moved == 3:
                        raise
                    self.wait((1 << moved - 1) + random.random())
                except Refused:
                    if self.past_caches:
                        raise
                self.past_caches, head = True, None
        finally:
            self.past_caches = False

    def follow(self, h):
        s = self.state
        base = self.describe(h)
        if not s.head:
            return self.first(base)
        if not self.may_continue(base.ancestry, h):
            return self.repair(base)
        try:
            return self.catch_up(base)
        except Unequal:
            if not self.past_caches:
                raise               # once more
        return self.repair(base)

    def describe(self, h):
        """The state to be: what is held, under this head, with its directory and ancestry."""
        s = self.state
        if not s.head or h.directory != s.head.directory:
            s = replace(s, directory=wire.canonical(self.object(h.directory, self.plain)))
        if not s.head or h.ancestry != s.head.ancestry:
            pairs = wire.ancestry(self.object(h.ancestry, self.plain))
            need(pairs[-1][0] == h.epoch, "the ancestry does not end in the head's epoch")
            s = replace(s, ancestry=tuple(pairs))
        return replace(s, head=h)

    def may_continue(self, pairs, h):
        held = self.state.head
        return h.seq >= held.seq and h.size >= held.size and wire.continues(pairs, held.epoch, held.seq)

    def catch_up(self, base):
        held, h = self.state.head, base.head
        need(h.seq >= held.seq, "a cursor behind the head")
        records, whole = self.changes(h, held.seq, self.state.horizon) if h.seq > held.seq else ([], True)
        items, s = applied(self.state, records), self.state
        if not s.horizon or whole and all(r.born >= s.horizon for r in records):
            return self.finish(replace(base, items=items))
        horizon = s.horizon if tree.allowed(s.horizon, h.size) else tree.next_allowed(s.horizon, h.size)
        items = {b: r for b, r in items.items() if b >= horizon}
        self.finish(replace(base, items=items, horizon=horizon, below=self.cover(h).below(horizon)))

    def finish(self, s):
        """Proves the state to be and puts it in the place of the one held."""
        nodes = {**s.below, **{(0, b): r.leaf for b, r in s.items.items()}}
        try:
            root = tree.root(nodes, s.head.size)
        except Refused as why:
            raise Unequal(str(why)) from None
        if root != s.head.root or len(s.items) != s.head.size - s.horizon or len({r.id for r in s.items.values()}) != len(s.items):
            raise Unequal("the records do not make up the signed root")
        if not tree.allowed(s.horizon, s.head.size):
            s = narrowed(s, tree.next_allowed(s.horizon, s.head.size))
        self.state = replace(s, kept=self.reproved(s))

    # ---- what is fetched (sections 6 and 7)

    def changes(self, h, cursor, horizon):
        """(records, whether nothing below the horizon can have been left out) after `cursor`."""
        if h.seq - cursor <= NEAR:
            try:
                return self.log(h, cursor, horizon), True
            except TooLarge:
                pass
        seq, parts = self.index(h)
        records = [r for p in parts if p.highest > cursor and p.last >= horizon for r in self.part(p)]
        return records + self.behind(h, max(seq, cursor), horizon), False

    def behind(self, h, seq, horizon):
        if h.seq == seq:
            return []
        try:
            return self.log(h, seq, horizon)
        except TooLarge:
            raise NotYet("the catch-up from the index is too large") from None

    def index(self, h):
        if not h.index:
            raise NotYet("there is no index yet")
        seq, parts = wire.index(self.object(h.index, self.plain))
        need(seq <= h.seq, "an index of a later state than the head's")
        if h.seq - seq > NEAR:
            raise NotYet("the index is too far behind the head")
        return seq, parts

    def part(self, p):
        self.counts["objects"] += 1
        body = self.object(p.hash, self.plain)
        need(len(body) == p.size, "an object of another size than the index says")
        records = wire.pack(body)
        need(all(p.first <= r.born <= p.last and p.lowest <= r.seq <= p.highest for r in records), "an object with what is not its own")
        return distinct(records)

    def log(self, h, cursor, horizon):
        self.counts["catchup"] += 1
        begin, encoding = wire.rounded(cursor, h.seq), self.encoding
        what = self.path(f"log/{h.epoch}/{h.cut}/{begin}-{h.seq}")
        if encoding == ".dz" and self.state.items:
            whole, missing = wire.dz(self.ask(what + ".dz"), self.state.items.get)
            missing = [(born, seq) for born, seq in missing if born >= horizon and not self.holds(born, seq)]
            if len(missing) <= ALONE:
                return in_range(whole + [self.item(h, born, seq) for born, seq in missing], begin, h)
        return in_range(wire.pack(wire.DECODE[self.plain](self.ask(what + self.plain))), begin, h)

    def holds(self, born, seq):
        held = self.state.items.get(born)
        return held and held.seq >= seq

    def item(self, h, born, seq, leaf=None):
        self.counts["items"] += 1
        records = wire.pack(wire.DECODE[self.plain](self.ask(self.path(f"item/{h.epoch}/{born}.{seq}{self.plain}"))))
        need(len(records) == 1 and (records[0].born, records[0].seq) == (born, seq), "another item than was asked for")
        need(leaf is None or records[0].leaf == leaf, "an item has another leaf than the tree")
        return records[0]

    def cover(self, h):
        self.counts["covers"] += 1
        return tree.Cover(self.ask(self.path(f"cover/{h.epoch}.{h.seq}"))).prove(h)

    def tile(self, place, value):
        self.counts["tiles"] += 1
        return tree.tile(self.ask(self.path(f"tile/{place[0]}.{place[1]}.{value.hex()}")), place[0], value)

    def blob(self, name):
        body = self.ask(f"/v1/blobs/{name}", named=False)
        need(wire.sha256(body).hex() == name, "a blob's bytes do not have its hash")
        return body

    # ---- horizon (section 11)

    def first(self, base):
        h, target = base.head, max(0, self.wanted if self.wanted <= base.head.size else tree.highest_allowed(base.head.size))
        target = target if tree.allowed(target, h.size) else tree.next_allowed(target, h.size)
        if not h.index or h.seq <= NEAR and not target:
            try:
                items = applied(State(), self.log(h, 0, 0))
                return self.finish(narrowed(replace(base, items=items), target))
            except TooLarge:
                pass
        cover, (seq, parts) = self.cover(h), self.index(h)
        records = self.behind(h, seq, 0)
        parts, horizon = sorted(parts, key=lambda p: -p.last), tree.highest_allowed(h.size) + 1
        while parts or horizon > target:
            reach = max((p.first for p in parts if p.kind == "base"), default=0)
            step = max(target, tree.next_allowed(min(reach, horizon - 1), h.size) or 0)
            if step >= horizon:     # this base ends above no lower allowed one: the next goes with it
                step = max(target, highest_below(horizon, h.size))
            for p in [p for p in parts if p.last >= step]:
                records += self.part(p)
            parts, horizon = [p for p in parts if p.last < step and p.last >= target], step
            items = {b: r for b, r in applied(State(), records).items() if b >= horizon}
            self.finish(replace(base, items=items, horizon=horizon, below=cover.below(horizon)))
            self.on_step()
            if horizon == target:
                break

    def widen(self, horizon):
        """Down to `horizon`, at the newest head: an older one may name objects that are gone."""
        self.sync()
        s, h = self.state, self.state.head
        need(tree.allowed(horizon, h.size) and horizon <= s.horizon, "this horizon is not allowed, or not lower")
        cover, (seq, parts) = self.cover(h), self.index(h)
        records = [r for p in parts if p.last >= horizon and p.first < s.horizon for r in self.part(p)]
        records = [r for r in records + self.behind(h, seq, horizon) if r.born >= horizon]
        kept = {b: k for b, k in s.kept.items() if b < horizon}
        items = applied(replace(s, horizon=horizon), records)
        self.wanted = horizon
        self.finish(replace(s, items=items, horizon=horizon, below=cover.below(horizon), kept=kept))

    def narrow(self, horizon):
        self.wanted = horizon
        self.finish(narrowed(self.state, horizon))

    def covering(self, s, born):
        return next(p for p in s.below if p[1] == born >> p[0])

    def path_to(self, s, born):
        """(seq, leaf) at this place, proved tile by tile from the root below the horizon that covers it."""
        place = self.covering(s, born)
        value = s.below[place]
        while True:
            rows = self.tile(place, value)
            child = tree.CHILD[place[0]]
            row = rows[(born >> child) - place[1] * len(rows)]
            if not child:
                return row
            place, value = (child, born >> child), row

    def reproved(self, s):
        """The kept items under the new roots."""
        kept = {}
        for born, (r, under) in s.kept.items():
            if born >= s.horizon:
                continue
            place = self.covering(s, born)
            if (place, s.below[place]) != under:
                seq, leaf = self.path_to(s, born)
                r = r if r.leaf == leaf else self.item(s.head, born, seq, leaf)
            kept[born] = (r, (place, s.below[place]))
        return kept

    def keep(self, uuid):
        """Holds an item from below the horizon, at the head held. Its record."""
        s = self.state
        born, _ = wire.place(self.ask(self.path(f"place/{uuid}"), named=False))
        need(born < s.head.size, "the item is newer than the head held")
        if born >= s.horizon:
            r = s.items[born]
        else:
            seq, leaf = self.path_to(s, born)
            r, place = self.item(s.head, born, seq, leaf), self.covering(s, born)
            need(r.uuid == uuid, "the place of another item")
            self.state = replace(s, kept={**s.kept, born: (r, (place, s.below[place]))})
        need(r.uuid == uuid, "the place of another item")
        return r

    # ---- repair (section 12)

    def repair(self, base):
        self.counts["repairs"] += 1
        h, cover = base.head, self.cover(base.head)
        horizon = base.horizon if base.horizon <= h.size else tree.highest_allowed(h.size)
        if not tree.allowed(horizon, h.size):
            horizon = tree.next_allowed(horizon, h.size)
        items = {b: r for b, r in base.items.items() if horizon <= b < h.size and r.born == b}
        own = {(0, b): r.leaf for b, r in items.items()}
        wrong = []
        for place, value in cover.nodes.items():
            self.differing(own, place, value, horizon, wrong, cover.seqs)
        for born, _, _ in wrong:
            items.pop(born, None)
        if len(wrong) <= ALONE:
            got = [self.item(h, *w) for w in wrong]
        else:
            held, self.state = self.state, State()
            try:
                records, _ = self.changes(h, 0, horizon)
            finally:
                self.state = held
            places = {w[0] for w in wrong}
            got = applied(State(), [r for r in records if r.born in places]).values()
        items.update({r.born: r for r in got})
        kept = {b: (r, None) for b, (r, _) in base.kept.items() if b < horizon}
        self.finish(replace(base, items=items, horizon=horizon, below=cover.below(horizon), kept=kept))

    def differing(self, own, place, value, horizon, wrong, seqs):
        """Appends (born, seq, leaf) of what is not held as it is under this node."""
        height, i = place
        if (i + 1 << height) <= horizon:
            return
        try:
            if tree.subroot(own, i << height, 1 << height) == value:
                return
        except Refused:
            pass
        if not height:
            wrong.append((i, seqs[i], value))
            return
        rows, child = self.tile(place, value), tree.CHILD[height]
        for at, row in enumerate(rows, i * len(rows)):
            if height == 6:
                if own.get((0, at)) != row[1] and at >= horizon:
                    wrong.append((at, *row))
            else:
                self.differing(own, (child, at), row, horizon, wrong, seqs)

    # ---- what is shown

    def born_of(self, uuid):
        return next((b for b, r in self.state.items.items() if r.uuid == uuid), None)

    def shown(self):
        records = [*self.state.items.values(), *(r for r, _ in self.state.kept.values())]
        return sorted((r for r in records if r.op == 1 and r.id not in self.withheld), key=lambda r: r.id)

    def export(self):
        """As `tjzw export` prints it: the bytes of what is published, one record a line, by id."""
        return b"".join(r.bytes + b"\n" for r in self.shown())


def in_range(records, begin, h):
    need(all(begin < r.seq <= h.seq for r in records), "a catch-up with a change that was not asked for")
    need(all(r.born < h.size for r in records), "a catch-up with an item that the head does not count")
    return distinct(records)


def distinct(records):
    """Of each item one record: in a catch-up the last, in an object the newest."""
    for what in (lambda r: r.id, lambda r: r.born, lambda r: r.seq):
        need(len({what(r) for r in records}) == len(records), "an item, a place or a change stands twice in a pack")
    return records


def applied(s, records):
    """The items of s after the apply rule."""
    items = dict(s.items)
    for r in records:
        held = items.get(r.born)
        if r.born >= s.horizon and (not held or r.seq > held.seq):
            if held and held.id != r.id:
                raise Unequal("two items of one place")
            items[r.born] = r
    return items


def narrowed(s, horizon):
    """The same state held from a higher horizon on; the roots come from its own leaves."""
    need(horizon is not None and tree.allowed(horizon, s.head.size) and horizon >= s.horizon, "this horizon is not allowed, or lower")
    nodes = {**s.below, **{(0, b): r.leaf for b, r in s.items.items()}}
    below = {(h, i): tree.subroot(nodes, i << h, 1 << h) for h, i in tree.places_below(horizon)}
    return replace(s, items={b: r for b, r in s.items.items() if b >= horizon}, horizon=horizon, below=below)


def highest_below(horizon, size):
    """The highest allowed horizon below this one."""
    down = (horizon - 1) // tree.MIDDLE * tree.MIDDLE
    return down if tree.allowed(down, size) else down // tree.BIG * tree.BIG


def hinted(reader, data):
    """Follows one hint; False if it names what is held or may not be fetched."""
    twin = net.hint(data, reader.stream)
    if not twin or reader.state.head and reader.state.head.twin == twin:
        return False
    reader.sync(reader.path(f"head/{twin}"))
    return True


if __name__ == "__main__":
    me = Reader(Http(sys.argv[1]).get, encoding=sys.argv[2] if len(sys.argv) > 2 else ".dz", listed=True)
    me.sync()
    sys.stdout.buffer.write(me.export())
