"""SM2 signatures (GB/T 32918.2) over SM3 (GB/T 32905), slowly and with nothing but Python."""
import hashlib
import struct

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
USER = b"1234567812345678"


# ---- SM3 ----

def turn(x, n):
    n %= 32
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def compress(v, block):
    w = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ turn(w[j - 3], 15)
        w.append(x ^ turn(x, 15) ^ turn(x, 23) ^ turn(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = v
    for j in range(64):
        ss1 = turn((turn(a, 12) + e + turn(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & 0xFFFFFFFF, 7)
        ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        gg = e ^ f ^ g if j < 16 else e & f | ~e & g & 0xFFFFFFFF
        tt1 = (ff + d + (ss1 ^ turn(a, 12)) + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
        tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
        a, b, c, d, e, f, g, h = tt1, a, turn(b, 9), c, tt2 ^ turn(tt2, 9) ^ turn(tt2, 17), e, turn(f, 19), g
    return [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]


def sm3(data):
    v = [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    data += b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack(">Q", 8 * len(data))
    for at in range(0, len(data), 64):
        v = compress(v, data[at:at + 64])
    return struct.pack(">8I", *v)


# ---- SM2 ----

def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = ((3 * a[0] * a[0] + A) * pow(2 * a[1], P - 2, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], P - 2, P)) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def mul(n, a):
    out = None
    while n:
        if n & 1:
            out = add(out, a)
        a, n = add(a, a), n >> 1
    return out


def octets(n):
    return n.to_bytes(32, "big")


class Key:
    def __init__(self, seed):
        self.secret = int.from_bytes(hashlib.sha256(seed).digest(), "big") % (N - 2) + 1
        x, y = mul(self.secret, G)
        self.public = b"\x04" + octets(x) + octets(y)
        self.id = hashlib.sha256(b"sm2\n" + self.public).digest()[:8].hex()

    def sign(self, text):
        z = sm3(struct.pack(">H", 8 * len(USER)) + USER + octets(A) + octets(B) + octets(G[0]) + octets(G[1]) + self.public[1:])
        e = int.from_bytes(sm3(z + text), "big")
        k = int.from_bytes(hashlib.sha256(octets(self.secret) + text).digest(), "big") % (N - 1) + 1
        r = (e + mul(k, G)[0]) % N
        s = pow(1 + self.secret, N - 2, N) * (k - r * self.secret) % N
        return octets(r) + octets(s)


assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
