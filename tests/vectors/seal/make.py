#!/usr/bin/env python3
"""Writes seal.json from server/base/seal.h alone, with nothing but Python's standard library: SM3, SM4 (GB/T 32907), ChaCha20 and Poly1305
(RFC 8439) and HChaCha20 (draft-irtf-cfrg-xchacha) stand here or in ../sync/sm2.py, slowly.

    make.py            writes seal.json
    make.py --check    a test: is it what it would write?
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sync"))
from sm2 import sm3  # noqa: E402


# ---- SM4 ----

# The S-box is affine, inverse in GF(2^8) modulo 0x1F5, affine again.
def _times(a, b):
    out = 0
    while b:
        out ^= a if b & 1 else 0
        a = a << 1 ^ (0x1F5 if a & 0x80 else 0)
        b >>= 1
    return out


def _affine(x):
    return sum((bin(x & (0xA7 << i | 0xA7 >> 8 - i) & 0xFF).count("1") & 1) << i for i in range(8)) ^ 0xD3


def _inverse(x):
    return next((y for y in range(256) if _times(x, y) == 1), 0)


BOX = [_affine(_inverse(_affine(x))) for x in range(256)]
assert BOX[:4] == [0xD6, 0x90, 0xE9, 0xFE] and BOX[255] == 0x48


def _turn(x, n):
    return (x << n | x >> 32 - n) & 0xFFFFFFFF


def _boxes(x):
    return int.from_bytes(bytes(BOX[b] for b in x.to_bytes(4, "big")), "big")


def sm4(key, block):
    k = [a ^ b for a, b in zip(struct.unpack(">4I", key), (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC))]
    x = list(struct.unpack(">4I", block))
    for i in range(32):
        c = int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4)), "big")
        t = _boxes(k[1] ^ k[2] ^ k[3] ^ c)
        k = k[1:] + [k[0] ^ t ^ _turn(t, 13) ^ _turn(t, 23)]
        t = _boxes(x[1] ^ x[2] ^ x[3] ^ k[3])
        x = x[1:] + [x[0] ^ t ^ _turn(t, 2) ^ _turn(t, 10) ^ _turn(t, 18) ^ _turn(t, 24)]
    return struct.pack(">4I", *x[::-1])


_example = bytes.fromhex("0123456789abcdeffedcba9876543210")   # GB/T 32907, appendix A
assert sm4(_example, _example).hex() == "681edf34d206965e86b3e94f536e4246"


def sm4_ctr(key, nonce, data):
    first, out = int.from_bytes(nonce, "big"), b""
    for i in range(0, len(data), 16):
        pad = sm4(key, ((first + i // 16) % 2**128).to_bytes(16, "big"))
        out += bytes(a ^ b for a, b in zip(data[i:i + 16], pad))
    return out


def hmac_sm3(key, data):
    key += bytes(64 - len(key))
    return sm3(bytes(k ^ 0x5C for k in key) + sm3(bytes(k ^ 0x36 for k in key) + data))


# ---- XChaCha20-Poly1305 ----

def _rounds(x):
    def quarter(a, b, c, d):
        for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xFFFFFFFF
            x[r] = _turn(x[r] ^ x[p], n)
    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return x


WORDS = struct.unpack("<4I", b"expand 32-byte k")


def chacha_block(key, counter, nonce):
    start = [*WORDS, *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(_rounds(list(start)), start)))


def hchacha(key, nonce):
    x = _rounds([*WORDS, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)])
    return struct.pack("<8I", *x[:4], *x[12:])


def poly1305(key, data):
    r, s, acc = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, int.from_bytes(key[16:], "little"), 0
    for i in range(0, len(data), 16):
        acc = (acc + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((acc + s) % 2**128).to_bytes(16, "little")


def xchacha(key, nonce, bound, data):
    key, nonce = hchacha(key, nonce[:16]), bytes(4) + nonce[16:]
    pad = b"".join(chacha_block(key, 1 + i, nonce) for i in range((len(data) + 63) // 64))
    sealed = bytes(a ^ b for a, b in zip(data, pad))
    told = bound + bytes(-len(bound) % 16) + sealed + bytes(-len(sealed) % 16) + struct.pack("<2Q", len(bound), len(sealed))
    return sealed + poly1305(chacha_block(key, 0, nonce)[:32], told)


# ---- seal.h ----

def seal(suite, key, file, nonce, column, owner, text):
    header = struct.pack(">BH", suite, key)
    bound = header + struct.pack(">Q", owner) + column.encode()
    if suite == 1:
        return header + nonce + xchacha(hashlib.blake2b(b"tjzw seal 1", digest_size=32, key=file).digest(), nonce, bound, text)
    sealed = sm4_ctr(hmac_sm3(file, b"tjzw seal 2 cipher")[:16], nonce, text)
    return header + nonce + sealed + hmac_sm3(hmac_sm3(file, b"tjzw seal 2 tag"), struct.pack(">Q", len(bound)) + bound + nonce + sealed)


def index(file, kind, text):
    return hashlib.blake2b(kind.encode() + b"\0" + text, digest_size=32, key=file).digest()


def some(n, salt):
    return hashlib.shake_128(f"{n}/{salt}".encode()).digest(n)


TEXTS = ["", "1", "13800138000", "120101199001011234", "天津市河西区", "2001:db8::1", "长" * 100, "x" * 4096]
PLACES = [("account.phone", 1), ("audit.address", 2**62 + 7), ("account.name", 0)]


def examples():
    files = {n: some(32, f"seal.{n}") for n in (1, 2, 7)}
    values = []
    for i, text in enumerate(TEXTS):
        for suite, nonce in ((1, 24), (2, 16)):
            column, owner = PLACES[i % len(PLACES)]
            key = sorted(files)[(i + suite) % 3]
            nonce = b"\xff" * 16 if suite == 2 and len(text) == 4096 else some(nonce, f"nonce {i}")    # a counter that wraps
            values.append({"column": column, "owner": owner, "text": text,
                           "sealed": seal(suite, key, files[key], nonce, column, owner, text.encode()).hex()})
    keys = {f"seal.{n}": f.hex() for n, f in files.items()} | {"index": some(32, "index").hex()}
    found = [{"kind": k, "text": t, "hash": index(some(32, "index"), k, t.encode()).hex()} for k in ("phone", "login") for t in TEXTS[:5]]
    return {"keys": keys, "values": values, "index": found}


def main():
    text, path = json.dumps(examples(), ensure_ascii=False, indent=1) + "\n", HERE / "seal.json"
    if "--check" not in sys.argv:
        path.write_text(text)
        return 0
    stale = not path.exists() or path.read_text() != text
    print("1..1\n" + ("not ok" if stale else "ok"), "1 - the examples are what make.py writes")
    return int(stale)


sys.exit(main())
