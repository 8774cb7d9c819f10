"""wire.py - the texts and bytes of docs/protocol/sync.md, one function a structure: what is not exactly so is refused.

Each function takes the bytes as they came and gives a value of plain Python, or raises Refused with a sentence. None of them asks for
anything, knows what the reader holds, or trusts a length before it has counted the bytes.
Not here: the tree over the leaves (tree.py), what a reader does with all this (reader.py).
"""
import base64
import hashlib
import json
import re
import struct
import zlib
from dataclasses import dataclass

import nacl.exceptions
import nacl.signing
import zstandard

TOP = 1 << 63                       # every number is below it
MAX_BODY = 64 << 20                 # identity bytes of a catch-up (section 6, 413)
MAX_TEXT = 4 << 20                  # index, directory, ancestry, withheld list
WINDOW = 8 << 20                    # of a zstd frame (section 7)
FRAME = struct.Struct(">BBHIQQ16sIIq")
HEX = "[0-9a-f]{64}"
NUMBER = "0|[1-9][0-9]{0,18}"
STREAM = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ALGORITHM = "[!-~]{1,15}"
SIG = re.compile(rf"sig ({ALGORITHM}) ([0-9a-f]{{16}}) ([A-Za-z0-9+/]+=*)")
KEY = re.compile(rf"key ({NUMBER}) (platform|stream:{STREAM.pattern}) ({ALGORITHM}) ([0-9a-f]+) ({NUMBER}) ([0-9a-f]{{16}}) ([A-Za-z0-9+/]+=*)")
KEY_BYTES = {"ed25519": 32, "sm2": 65}


class Refused(Exception):
    """What was received is not what the page says, or not proved. The sentence says which."""


def need(condition, sentence):
    if not condition:
        raise Refused(sentence)


def sha256(*parts):
    h = hashlib.sha256()
    for p in parts:
        h.update(p)
    return h.digest()


# ---- text -------------------------------------------------------------------------------------------------------------------------

def number(text):
    need(re.fullmatch(NUMBER, text, re.ASCII) and int(text) < TOP, f"{text[:30]!r} is not a number")
    return int(text)


def hexhash(text):
    need(re.fullmatch(HEX, text), f"{text[:70]!r} is not a hash")
    return bytes.fromhex(text)


def lines_of(body, first):
    """The lines of a text object behind its first."""
    need(len(body) <= MAX_TEXT, f"{first}: longer than 4 MiB")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{first}: it is not UTF-8") from None
    need(text.endswith("\n"), f"{first}: its last line does not end")
    lines = text[:-1].split("\n")
    need(lines[0] == first, f"this is no {first!r} but {lines[0][:30]!r}")
    return lines[1:]


def field(line, name):
    key, space, value = line.partition(" ")
    need(key == name and space and value, f"a line {name!r} is missing; there is {line[:40]!r}")
    return value


def signature(text):
    """Base64 in its one spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("a signature is not base64") from None
    need(base64.b64encode(raw).decode() == text and len(raw) <= 96, "a signature's base64 has another spelling, or is too long")
    return raw


def signatures(lines):
    """[(algorithm, key id, signature)] of `sig` lines."""
    found = []
    for line in lines:
        m = SIG.fullmatch(line)
        need(m, f"this is no signature: {line[:60]!r}")
        found.append((m[1], m[2], signature(m[3])))
    need(1 <= len(found) <= 16, "there are 1 to 16 signatures")
    return found


def key_id(algorithm, public):
    return sha256(algorithm.encode(), b"\n", public)[:8].hex()


def verifies(public, text, raw):
    """By Ed25519."""
    if len(raw) != 64:
        return False
    try:
        nacl.signing.VerifyKey(public).verify(text, raw)
        return True
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False


def signed_by(public, text, sigs):
    """One valid Ed25519 signature by this key is enough; what is not known is passed over."""
    return any(a == "ed25519" and i == key_id(a, public) and verifies(public, text, raw) for a, i, raw in sigs)


# ---- head, heads, keys --------------------------------------------------------------------------------------------------------------

@dataclass
class Head:
    stream: str
    epoch: int
    seq: int
    sign: int
    time: int
    lease: int
    poll: int
    cut: int
    size: int
    root: bytes
    chain: bytes
    ancestry: bytes
    index: bytes        # None: there is none yet
    directory: bytes
    signed: bytes = b""
    sigs: tuple = ()

    @property
    def twin(self):
        return f"{self.epoch}.{self.seq}.{self.sign}"


def head(note):
    """A note, its signatures not yet verified."""
    need(len(note) < 800, "a head is under 800 bytes")
    signed, blank, behind = note.partition(b"\n\n")
    need(blank, "a head without a blank line")
    lines = lines_of(signed + b"\n", "tjzw head 1")
    names = "stream epoch seq sign time lease poll cut size root chain ancestry index directory".split()
    need(len(lines) == len(names), "a head has fourteen lines")
    values = {}
    for line, name in zip(lines, names):
        text = field(line, name)
        if name == "stream":
            need(stream_name(text), f"{text!r} is no stream's name")
            values[name] = text
        elif name == "index" and text == "-":
            values[name] = None
        else:
            values[name] = (hexhash if names.index(name) > 8 else number)(text)
    h = Head(**values)
    need(h.epoch >= 1 and h.sign >= 1, "the signings are counted from 1")
    need(h.lease < 1 << 32 and h.poll < 1 << 32, "a lease or poll of 2^32 seconds or more")
    need(h.size <= h.seq, "a head with more items than changes")
    h.signed = signed + b"\n"
    h.sigs = signatures(lines_behind(behind))
    return h


def lines_behind(text):
    need(text.endswith(b"\n") and b"\r" not in text, "the signatures end in one line end")
    try:
        return text[:-1].decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Refused("the signatures are not ASCII") from None


def stream_name(text):
    return STREAM.fullmatch(text) and text != "heads"


@dataclass
class Heads:
    counter: int
    time: int
    lease: int
    withheld: dict      # stream -> hash or None, ascending
    notes: list         # [Head]
    signed: bytes
    sigs: list


def heads(body):
    """The platform's list, and the notes behind it; nothing verified yet."""
    need(len(body) < 1 << 17, "a list of at most 64 streams is shorter")
    need(body.endswith(b"\n") and not body.endswith(b"\n\n"), "the list ends in one line end")
    parts = body[:-1].split(b"\n\n")
    need(len(parts) >= 2 and len(parts) % 2 == 0, "the list and each head are followed by signatures")
    lines = lines_of(parts[0] + b"\n", "tjzw heads 1")
    need(len(lines) >= 3, "the list has counter, time and lease")
    counter, time, lease = (number(field(line, name)) for line, name in zip(lines, ("counter", "time", "lease")))
    need(lease < 1 << 32, "a lease of 2^32 seconds or more")
    withheld = {}
    for line in lines[3:]:
        name, space, value = field(line, "stream").partition(" ")
        need(stream_name(name) and space, f"this names no stream: {line[:60]!r}")
        need(not withheld or name > max(withheld), "streams are in ascending order")
        withheld[name] = None if value == "-" else hexhash(value)
    need(len(withheld) <= 64, "there are at most 64 streams")
    notes = [head(parts[i] + b"\n\n" + parts[i + 1] + b"\n") for i in range(2, len(parts), 2)]
    names = [n.stream for n in notes]
    need(names == sorted(set(names)) and set(names) <= set(withheld), "heads stand in the order of their streams, each once")
    return Heads(counter, time, lease, withheld, notes, parts[0] + b"\n", signatures(lines_behind(parts[1] + b"\n")))


@dataclass
class Key:
    role: str
    algorithm: str
    public: bytes
    id: str


class Chain:
    """A chain of keys: every line's signature holds, but nobody has said yet whom to trust."""

    def __init__(self, body):
        need(len(body) <= 65536, "a chain of keys of more than 65,536 bytes")
        self.lines = lines_of(body, "tjzw keys 1")
        need(self.lines, "a chain without a key")
        self.keys = []
        above, platform = "0" * 64, None
        for n, line in enumerate(self.lines, 1):
            platform = self._line(n, line, above, platform)
            above = sha256(line.encode()).hex()

    def _line(self, n, line, above, platform):
        m = KEY.fullmatch(line)
        need(m, f"line {n} of the chain is no key")
        _, role, algorithm, public, time, signer, raw = m.groups()
        need(number(m[1]) == n, f"line {n} of the chain has another number")
        number(time)
        need(algorithm in KEY_BYTES and len(public) == 2 * KEY_BYTES[algorithm], f"line {n} of the chain: a key of another kind or length")
        need(n > 1 or role == "platform", "a chain begins with a platform key")
        need(role != "stream:heads", "no stream is called heads")
        key = Key(role, algorithm, bytes.fromhex(public), key_id(algorithm, bytes.fromhex(public)))
        need(role != "platform" or algorithm == "ed25519", "a platform key is of ed25519")
        by = platform or key
        need(signer == by.id, f"line {n} of the chain is signed by another key than the platform's of that time")
        text = f"tjzw key 1\n{n} {role} {algorithm} {public} {time}\n{above}\n".encode()
        need(verifies(by.public, text, signature(raw)), f"line {n} of the chain: its signature does not hold")
        self.keys.append(key)
        return key if role == "platform" else platform

    def current(self, role, algorithm="ed25519"):
        """The role's key now, or None."""
        return next((k for k in reversed(self.keys) if k.role == role and k.algorithm == algorithm), None)

    def vouched_by(self, trusted):
        """This platform key (its bytes) vouches for every line: it stands first, or it signed something below all that stands above."""
        at = next((i for i, k in enumerate(self.keys) if k.role == "platform" and k.public == trusted), None)
        return at is not None and (at == 0 or at < len(self.keys) - 1)

    def begins_with(self, other):
        return self.lines[:len(other.lines)] == other.lines


# ---- records and packs --------------------------------------------------------------------------------------------------------------

@dataclass
class Record:
    op: int
    flags: int
    born: int
    seq: int
    id: bytes
    site: int
    column: int
    date: int
    title: bytes
    frame: bytes
    bytes: bytes

    @property
    def leaf(self):
        """Of the very bytes held now; computed once for them."""
        of = self.__dict__.get("_of")
        if of is None or of[0] is not self.bytes or of[1] is not self.frame:
            of = self.__dict__["_of"] = (self.bytes, self.frame, sha256(b"\0", self.frame, sha256(self.bytes)))
        return of[2]

    @property
    def uuid(self):
        h = self.id.hex()
        return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def frame(data, at=0):
    """The frame at `at`: a record still without bytes, and how many it has."""
    need(len(data) - at >= FRAME.size, "a frame is cut")
    op, flags, t, length, born, seq, item, site, column, date = FRAME.unpack_from(data, at)
    need(1 <= op <= 4, f"op {op} is none")
    need(flags <= 1, f"flags {flags} have an unknown bit")
    need(t <= 1024, "a title is at most 1,024 bytes")
    need(op == 1 or t == 0, "a tombstone has no title")
    need(length <= 262144, "a record is at most 262,144 bytes")
    need(born < TOP and 0 < seq < TOP, "born and seq are below 2^63, and seq begins at 1")
    title = data[at + 56:at + 56 + t]
    need(len(title) == t, "a title is cut")
    need(b"\0" not in title, "a title with a byte 0")
    try:
        title.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("a title is not UTF-8") from None
    return Record(op, flags, born, seq, item, site, column, date, title, data[at:at + 56 + t], b""), length


def counted(body, magic):
    """How many records, of a pack or a dz."""
    need(body[:8] == magic, f"it does not begin with {magic!r}")
    need(len(body) >= 12, "the count is cut")
    return int.from_bytes(body[8:12], "big")


def record(data, at):
    """The whole record at `at`, and where it ends."""
    r, length = frame(data, at)
    at += len(r.frame)
    r.bytes = data[at:at + length]
    need(len(r.bytes) == length, "a record is cut")
    return r, at + length


def pack(body):
    count, at, records = counted(body, b"TJZWPK1\n"), 12, []
    for _ in range(count):
        r, at = record(body, at)
        records.append(r)
    need(at == len(body), "something stands behind the last record")
    return records


def dz(body, held_at):
    """([records], [(born, seq) of those that need what is not held]). held_at(born): the record held there, or None."""
    count, z = counted(body, b"TJZWDZ1\n"), int.from_bytes(body[12:16], "big")
    need(len(body) >= 16 + z, "the section is cut")
    section, at, delta, whole, missing = unzstd(body[16:16 + z]), 0, 16 + z, [], []
    for _ in range(count):
        how, at = section[at:at + 1], at + 1
        if how == b"\0":
            r, at = record(section, at)
            whole.append(r)
            continue
        need(how == b"\1" and len(section) >= at + 28, "a record comes in no known way")
        born, seq, mark, size = struct.unpack_from(">QQ8sI", section, at)
        at += 28
        need(1 <= size <= 263224 and len(body) >= delta + size, "a delta is cut, or of no size that one has")
        held = held_at(born)
        if held is None or held.leaf[:8] != mark:
            missing.append((born, seq))
        else:
            out = unzstd(body[delta:delta + size], held.frame + held.bytes, 263224)
            r, end = record(out, 0)
            need(end == len(out), "something stands behind a delta's record")
            need((r.born, r.seq) == (born, seq), "a delta gives another record")
            whole.append(r)
        delta += size
    need(at == len(section) and delta == len(body), "something stands behind the last record")
    return whole, missing


def unzstd(data, prefix=None, limit=MAX_BODY):
    how = {"max_window_size": WINDOW}
    if prefix is not None:
        how["dict_data"] = zstandard.ZstdCompressionDict(prefix, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    try:
        said = zstandard.frame_content_size(data)
        need(said <= limit, "a zstd frame is longer than allowed")
        d = zstandard.ZstdDecompressor(**how).decompressobj()
        out = bytearray()
        for at in range(0, len(data), 1 << 16):
            need(not d.eof, "one zstd frame alone")
            out += d.decompress(data[at:at + (1 << 16)])
            need(len(out) <= limit, "a zstd frame is longer than allowed")
    except zstandard.ZstdError as why:
        raise Refused(f"this is no zstd: {why}") from None
    need(d.eof and not d.unused_data, "a zstd frame does not end with its bytes")
    return bytes(out)


def gunzip(data):
    try:
        d = zlib.decompressobj(31)
        out = d.decompress(data, MAX_BODY + 1)
    except zlib.error as why:
        raise Refused(f"this is no gzip: {why}") from None
    need(d.eof and not d.unused_data and len(out) <= MAX_BODY, "a gzip member does not end with its bytes, or is too long")
    return out


DECODE = {"": bytes, ".gz": gunzip, ".zst": unzstd}

# ---- objects ------------------------------------------------------------------------------------------------------------------------


def ancestry(body):
    """[(epoch, first seq)]."""
    need(len(body) <= MAX_TEXT, "ancestry: longer than 4 MiB")
    need(body.endswith(b"\n"), "ancestry: its last line does not end")
    pairs = []
    for line in body[:-1].decode("ascii", "replace").split("\n"):
        parts = line.split(" ")
        need(len(parts) == 2, "ancestry: epoch and first seq, nothing else")
        pairs.append((number(parts[0]), number(parts[1])))
        need(pairs[-1][0] >= 1 and pairs[-1][1] >= 1, "ancestry: no epoch is 0, and changes are counted from 1")
        need(len(pairs) == 1 or pairs[-2][0] < pairs[-1][0] and pairs[-2][1] <= pairs[-1][1], "ancestry: lines ascend")
    return pairs


def continues(pairs, epoch, seq):
    """May a reader with this cursor go on in the log of this ancestry?"""
    at = next((i for i, pair in enumerate(pairs) if pair[0] == epoch), None)
    return at is not None and (at == len(pairs) - 1 or seq < pairs[at + 1][1])


@dataclass
class Part:
    kind: str
    hash: bytes
    first: int
    last: int
    lowest: int
    highest: int
    size: int


def index(body):
    """(seq, [Part])."""
    lines = lines_of(body, "tjzw index 1")
    need(lines, "an index has its seq")
    seq, parts = number(field(lines[0], "seq")), []
    for line in lines[1:]:
        w = line.split(" ")
        need(w[0] in ("base", "layer"), f"an index with the unknown kind {w[0][:20]!r}")
        need(len(w) == 9, "a line of an index has nine words")
        n = [number(x) for x in w[2:]]
        parts.append(Part(w[0], hexhash(w[1]), *n[:5]))
        need(n[0] <= n[1] and 1 <= n[2] <= n[3] <= seq, "a part of an index ends before it begins, or behind the index")
    return seq, parts


def withheld(body):
    """The ids that are not shown, as 16 bytes each."""
    ids = lines_of(body, "tjzw withheld 1")
    need(all(UUID.fullmatch(i) for i in ids), "withheld: this is no id")
    need(all(a < b for a, b in zip(ids, ids[1:])), "withheld: ids ascend, each once")
    return [bytes.fromhex(i.replace("-", "")) for i in ids]


def place(body):
    """(born, seq)"""
    m = re.fullmatch(rb"([0-9]+) ([0-9]+)\n", body)
    need(m, "a place is `born seq`")
    born, seq = (number(n.decode()) for n in m.groups())
    need(seq, "changes are counted from 1")
    return born, seq


def canonical(body):
    """The object of canonical JSON (section 9); one spelling only."""
    def pairs(members):
        need(len({k for k, _ in members}) == len(members), "JSON with a name twice")
        return dict(members)

    def no(text):
        raise Refused(f"JSON with the number {text[:20]!r}")

    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=pairs, parse_float=no, parse_constant=no)
        again = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    except (ValueError, RecursionError):
        raise Refused("this is no JSON") from None
    need(isinstance(value, dict) and again == body, "JSON in another than its canonical spelling")
    return value


def rounded(cursor, to):
    """The `from` of a catch-up (section 6)."""
    k = 0
    while to - cursor >= 16 << k:
        k += 1
    return cursor >> k << k
