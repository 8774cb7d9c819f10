"""tree.py - the Merkle tree of docs/protocol/sync.md: roots, covers, tiles, and what stands for the part below a horizon.

    node(h, i) is the root of the 2^h leaves from i * 2^h on. A reader knows a tree as `nodes`, a dict {(h, i): hash}, leaves being (0, born).
    root(nodes, size) puts the largest known pieces together by RFC 6962; what is in none of them is a hole, and a hole is refused.
"""
import struct

from wire import TOP, need, sha256

MAGIC = b"TJZWCV1\n"
BIG, MIDDLE = 1 << 16, 1 << 10          # leaves under a node of height 16 and 10
CHILD = {16: 10, 10: 6, 6: 0}


def join(hashes):
    """The root over neighbours, a power of two of them."""
    while len(hashes) > 1:
        hashes = [sha256(b"\1", a, b) for a, b in zip(hashes[::2], hashes[1::2])]
    return hashes[0]


def subroot(nodes, first, count):
    """Over `count` leaves from `first` on; the recursion splits as RFC 6962 does."""
    if count & (count - 1) == 0 and (known := nodes.get((count.bit_length() - 1, first // count))) is not None and first % count == 0:
        return known
    need(count > 1, f"nothing is held for place {first}")
    k = 1 << (count - 1).bit_length() - 1
    return sha256(b"\1", subroot(nodes, first, k), subroot(nodes, first + k, count - k))


def root(nodes, size):
    return subroot(nodes, 0, size) if size else sha256(b"")


def first_of(size):
    """Where a cover's nodes of height 16 end."""
    return BIG * (max(0, size - BIG) // BIG)


class Cover:
    def __init__(self, body):
        need(body[:8] == MAGIC and len(body) >= 24, "this is no cover")
        self.size, self.first = struct.unpack(">QQ", body[8:24])
        need(self.size < TOP and self.first == first_of(self.size), "a cover that begins its smaller nodes elsewhere")
        places = [(16, i) for i in range(min(self.first // BIG, len(body)))]
        places += [(10, i) for i in range(self.first // MIDDLE, min(self.size // MIDDLE, len(body)))]
        places += [(6, i) for i in range(16 * (self.size // MIDDLE), min(self.size // 64, 16 * (self.size // MIDDLE) + 16))]
        need(len(body) == 24 + 32 * len(places) + 40 * (self.size % 64), "a cover of another length than its size says")
        self.nodes, at = {}, 24
        for place in places:
            self.nodes[place] = body[at:at + 32]
            at += 32
        self.seqs = {}
        for born in range(self.size - self.size % 64, self.size):
            self.seqs[born], self.nodes[0, born] = seq_and_leaf(body, at)
            at += 40

    def prove(self, head):
        need(self.size == head.size and root(self.nodes, self.size) == head.root, "the cover does not make up the signed root")
        return self

    def below(self, horizon):
        """{place: hash} of what a reader with this horizon holds roots of; None: no such horizon is allowed."""
        if not allowed(horizon, self.size):
            return None
        found = {}
        for place in places_below(horizon):
            if place not in self.nodes:     # 64 of height 10 joined
                h, i = place
                found[place] = join([self.nodes[10, j] for j in range(64 * i, 64 * i + 64)])
            else:
                found[place] = self.nodes[place]
        return found


def seq_and_leaf(body, at):
    seq = int.from_bytes(body[at:at + 8], "big")
    need(0 < seq < TOP, "a seq is from 1 to below 2^63")
    return seq, body[at + 8:at + 40]


def allowed(horizon, size):
    return 0 <= horizon <= size and (horizon % BIG == 0 or horizon % MIDDLE == 0 and horizon >= first_of(size))


def next_allowed(horizon, size):
    """The lowest allowed one at or above; None: nothing is, all would be below."""
    up = -(-horizon // MIDDLE) * MIDDLE
    if not allowed(up, size):
        up = -(-horizon // BIG) * BIG
    return up if allowed(up, size) else None


def highest_allowed(size):
    return size // MIDDLE * MIDDLE


def places_below(horizon):
    """The nodes that stand for all below an allowed horizon, in ascending order."""
    big = horizon // BIG
    return [(16, i) for i in range(big)] + [(10, j) for j in range(big * 64, horizon // MIDDLE)]


def tile(body, height, value):
    """The children of a node whose hash is `value`: [hash], or at height 6 [(seq, leaf)]."""
    width, count = (40, 64) if height == 6 else (32, 16 if height == 10 else 64)
    need(len(body) == width * count, "a tile of another length")
    rows = [body[i:i + width] for i in range(0, len(body), width)]
    if height == 6:
        rows = [seq_and_leaf(r, 0) for r in rows]
    need(join([r[1] for r in rows] if height == 6 else rows) == value, "a tile does not make up its hash")
    return rows
