"""noise.py - random frames from a seed: what nobody has thought of.

A seed makes one conversation: a greeting with odd settings, then some dozens of frames. Most are nearly right, for those reach deepest:
requests, windows that fit exactly, resets, header blocks in pieces; some bytes are then changed. The same seed makes the same bytes, and
the same pauses, so that what it breaks can be broken again:

    ./dev attack --seed 1234
"""
import random
import struct
import time

from wire import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PING, PREFACE, PRIORITY, RST_STREAM, Peer,
                  frame, headers, request, settings, window)

PATHS = ["/v1/sync/main/head", "/v1/items?n=20", "/v1/items?n=50", "/", "/docs", "/v1/nothing", "/v1/blobs/" + "0" * 64, "/v1/events"]
PAGE = 5856         # bytes of /v1/items?n=20 with the articles of attack.py
ODD = [0, 1, 2, 16_383, 16_384, 16_385, 65_535, 0x7fffffff, 0x80000000, 0xffffffff]


class Talk:
    """The frames of one conversation, as its chance makes them."""

    def __init__(self, chance):
        self.chance, self.next, self.open = chance, 1, [1]
        self.polite = chance.random() < 0.6     # nothing that must end the connection, so that it goes far
        self.page = chance.random() < 0.5       # always the same answer, for which a window may be exact
        self.makers = [(8, self.get), (4, self.post), (6, self.data), (8, self.window), (4, self.reset), (3, self.pieces), (3, self.settings),
                       (2, self.priority), (2, self.ping), (1, self.anything)]

    def stream(self):
        if self.polite:
            return self.chance.choice(self.open[-20:])
        return self.chance.choice(self.open[-20:] + [0, self.next, self.chance.randrange(1 << 31)][:self.chance.randrange(4)])

    def new(self):
        self.open.append(self.next)
        self.next += 2
        return self.open[-1]

    def block(self, method="GET"):
        extra = [("x-a", "b" * self.chance.choice((0, 1, 100, 5000)))] if self.chance.random() < 0.2 else []
        path = "/v1/items?n=20" if self.page else self.chance.choice(PATHS)
        if self.polite:
            return request(path, method, *extra)
        return request(path, method, *extra) + self.chance.choice((b"", b"", b"\x90" * 50, b"\xbe", b"\x3f\xe1\x1f"))

    def get(self):
        return b"".join(headers(self.new(), self.block()) for _ in range(self.chance.choice((1, 1, 5, 40))))

    def post(self):
        return headers(self.new(), self.block("POST"), END_HEADERS)

    def data(self):
        if self.polite:
            return self.get() + self.window()
        size = self.chance.choice((0, 1, 100, 16_384))
        return frame(DATA, self.chance.choice((0, 0, END_STREAM, 8, 0xff)), self.stream(), self.chance.randbytes(size))

    def window(self):
        by = self.chance.choice((1, 100, PAGE)) if self.polite else self.chance.choice(ODD + [100, PAGE] * 5)
        streams = self.open[-90:] if self.chance.random() < 0.4 else [self.stream()]
        return b"".join(window(s, by) for s in streams)

    def reset(self):
        return frame(RST_STREAM, 0, self.stream(), struct.pack(">I", self.chance.randrange(16)))

    def pieces(self):
        if self.polite:
            return self.get()
        block, sid = self.block(), self.new()
        at = self.chance.randrange(len(block))
        last = self.chance.choice((END_HEADERS, END_HEADERS, 0))
        return frame(HEADERS, END_STREAM, sid, block[:at]) + frame(CONTINUATION, 0, sid) + frame(CONTINUATION, last, sid, block[at:])

    def settings(self):
        if self.polite:
            return settings((INITIAL_WINDOW_SIZE, self.chance.choice((0, 1, 100, PAGE, 65_535))))
        return settings(*[(self.chance.choice((1, 2, 3, 4, 4, 4, 5, 6, 99)), self.chance.choice(ODD + [PAGE] * 4))
                          for _ in range(self.chance.randrange(4))])

    def priority(self):
        if self.polite:
            return frame(PRIORITY, 0, self.stream(), b"\0\0\0\0\x10")
        return frame(PRIORITY, 0, self.stream(), struct.pack(">IB", self.chance.choice((0, 1, 3, self.stream(), 0x80000001)), 7))

    def ping(self):
        return frame(PING, self.chance.randrange(2), 0, b"\0" * 8)

    def anything(self):
        if self.polite:
            return self.window()
        size = self.chance.randrange(40)
        return frame(self.chance.randrange(16), self.chance.randrange(256), self.stream(), self.chance.randbytes(size),
                     size if self.chance.random() < 0.9 else self.chance.randrange(1 << 16))

    def words(self):
        """Pieces of bytes; None is a pause."""
        yield PREFACE + settings((INITIAL_WINDOW_SIZE, self.chance.choice(ODD[:7] + [PAGE] * 3))) + window(0, 1 << 30)
        for _ in range(self.chance.randrange(5, 60)):
            out = bytearray(self.chance.choices([m for _, m in self.makers], [w for w, _ in self.makers])[0]())
            if out and not self.polite and self.chance.random() < 0.05:
                out[self.chance.randrange(len(out))] ^= 1 << self.chance.randrange(8)
            yield bytes(out)
            if self.chance.random() < 0.1:
                yield None


def converse(port, seed):
    """One conversation; nothing is expected of it."""
    chance = random.Random(seed)
    mean = chance.random() < 0.5        # half of them read nothing, over a path of small packets
    try:
        with Peer(port, source=f"127.210.{seed % 250}.{seed // 250 % 250 + 1}", **({"rcvbuf": 4096, "mss": 1400} if mean else {})) as p:
            for piece in Talk(chance).words():
                if piece is None:
                    time.sleep(chance.choice((0.001, 0.005, 0.03)))
                elif not p.pour(piece, 0.5, reading=not mean):
                    break
            p.until(lambda: False, 0.02)
    except OSError:
        pass        # refused, cut in the handshake: the caller looks whether the server lives


def search(arena, first, seconds, most=1 << 60):
    """Seeds from `first` on; how many were tried, and the seed after which the server was not what it was (None: none)."""
    end, seed = time.monotonic() + seconds, first
    while time.monotonic() < end and seed < first + most:
        converse(arena.port, seed)
        if not arena.alive():
            return seed - first + 1, seed
        seed += 1
    return seed - first, None
