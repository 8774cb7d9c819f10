#!/usr/bin/env python3
"""Writes the examples in this directory from docs/protocol/sync.md and events.md alone, with nothing but Python's standard library.

It shares no code with the implementation, Ed25519 (ed25519.py), SM2 (sm2.py) and zstd frames included, so that both can only agree by following the page.

    make.py            writes *.json
    make.py --check    a test: are they what it would write?
"""
import base64
import hashlib
import json
import struct
import sys
from pathlib import Path

import sm2
from ed25519 import Key

HERE = Path(__file__).resolve().parent


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


SM2_KEY, SM2_KEY_2 = (sm2.Key(bytes([n]) * 32) for n in (5, 6))


def b64(raw):
    return base64.b64encode(raw).decode()


PLATFORM, PLATFORM_2, STREAM, STREAM_2, STRANGER = (Key(bytes([n]) * 32) for n in (1, 2, 3, 4, 9))


# ---- section 2: records ----

def frame(op, flags, born, seq, ident, site, column, date, title, length):
    title = title.encode()
    return struct.pack(">BBHIQQ16sIIq", op, flags, len(title), length, born, seq, ident, site, column, date) + title


def record(name, op, flags, born, seq, site, column, date, title, text):
    ident, raw = sha(name.encode())[:16], text.encode()
    head = frame(op, flags, born, seq, ident, site, column, date, title, len(raw))
    return {"name": name, "op": op, "flags": flags, "born": born, "seq": seq, "id": ident.hex(), "site": site, "column": column,
            "date": date, "title": title, "bytes": text, "frame": head.hex(), "leaf": sha(b"\0", head, sha(raw)).hex()}


def records():
    return [
        record("an article", 1, 0, 0, 1, 1, 2, 1763712000, "关于社会保险的通知", '{"body":"正文","title":"关于社会保险的通知"}'),
        record("an update that purges", 1, 1, 0, 7, 1, 2, 1763712000, "改正", '{"body":"改正","title":"改正"}'),
        record("a date before 1970", 1, 0, 3, 9, 4294967295, 0, -2208988800, "旧档", "{}"),
        record("no title, no bytes", 1, 0, 4, 10, 0, 0, 0, "", ""),
        record("withdrawn", 2, 0, 5, 11, 1, 2, 1763712000, "", '{"state":"withdrawn"}'),
        record("expired", 3, 0, 6, 12, 1, 2, 1763712000, "", ""),
        record("taken down", 4, 1, 7, 13, 1, 2, 1763712000, "", ""),
        record("the longest title", 1, 0, 2**63 - 1, 2**63 - 1, 1, 1, 2**63 - 1, "题" * 341 + "a", "{}"),
    ]


def bad_frames():
    good = bytes.fromhex(records()[0]["frame"])

    def put(at, value):
        return good[:at] + value + good[at + len(value):]

    return [{"why": why, "frame": raw.hex()} for why, raw in (
        ("op 0", put(0, b"\0")), ("op 5", put(0, b"\5")), ("a tombstone with a title", put(0, b"\2")), ("unknown flag", put(1, b"\2")),
        ("title of 1025 bytes", frame(1, 0, 0, 1, bytes(16), 0, 0, 0, "a" * 1025, 0)), ("record of 262145 bytes", put(4, struct.pack(">I", 262145))),
        ("born of 2^63", put(8, b"\x80")), ("seq of 2^63", put(16, b"\x80")), ("seq 0", put(16, bytes(8))), ("title not UTF-8", put(56, b"\xff")),
        ("title with a NUL", put(56, b"\0ab")), ("surrogate in the title", put(56, b"\xed\xa0\x80")), ("cut in the title", good[:-1]), ("cut", good[:55]), ("empty", b""))]


# ---- section 3: packs ----

def pack(count, body):
    return b"TJZWPK1\n" + struct.pack(">I", count) + body


def packs():
    whole = [bytes.fromhex(r["frame"]) + r["bytes"].encode() for r in records()[:5]]
    good = pack(5, b"".join(whole))
    return {"good": [{"pack": pack(0, b"").hex(), "seqs": []}, {"pack": good.hex(), "seqs": [1, 7, 9, 10, 11]}],
            "bad": [{"why": why, "pack": raw.hex()} for why, raw in (
                ("a byte behind", good + b"\0"), ("a byte short", good[:-1]), ("one record more than said", pack(4, b"".join(whole))),
                ("one record less than said", pack(6, b"".join(whole))), ("another version", good.replace(b"PK1", b"PK2")), ("no count", good[:8]))]}


# ---- section 4: the tree ----

def root(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1", root(leaves[:k]), root(leaves[k:]))


def leaf(born, version=0):
    return sha(f"leaf {born} {version}".encode())


def tree():
    sizes = [0, 1, 2, 3, 4, 5, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097, 5000]
    updates, leaves = [], []
    for version, (size, changed) in enumerate(((3, []), (64, [0, 2]), (65, [63]), (4096, [64, 1]), (4097, []), (4097, [0, 4096]), (5000, [4095]))):
        for born in changed:
            leaves[born] = leaf(born, version)
        leaves += [leaf(born, version) for born in range(len(leaves), size)]
        updates.append({"version": version, "size": size, "changed": sorted(changed), "root": root(leaves).hex()})
    return {"leaf": "SHA-256 of the ASCII text `leaf BORN VERSION`",
            "roots": [{"size": n, "root": root([leaf(i) for i in range(n)]).hex()} for n in sizes],
            "updates": updates}


def chain():
    value, out = sha(b"tjzw chain 1\n", b"main"), []
    out.append({"seq": 0, "chain": value.hex()})
    for r in records():
        value = sha(b"\2", value, bytes.fromhex(r["leaf"]))
        out.append({"leaf": r["leaf"], "chain": value.hex()})
    return {"stream": "main", "links": out}


# ---- section 5: heads and keys ----

def head_text(**change):
    lines = {"stream": "main", "epoch": 1763712000, "seq": 995, "sign": 3, "time": 1763759412, "lease": 3600, "poll": 60, "cut": 0, "size": 900,
             "root": sha(b"root").hex(), "chain": sha(b"chain").hex(), "ancestry": sha(b"ancestry").hex(), "index": sha(b"index").hex(),
             "directory": sha(b"directory").hex()}
    lines.update(change)
    return "tjzw head 1\n" + "".join(f"{k} {v}\n" for k, v in lines.items())


def sig(key, text, algorithm="ed25519"):
    return f"sig {algorithm} {key.id} {b64(key.sign(text.encode()))}\n"


def heads():
    text = head_text()
    unknown = f"sig later {'0' * 16} {b64(bytes(70))}\n"
    good = [("indexed", text + "\n" + sig(STREAM, text)), ("no index yet", head_text(index="-") + "\n" + sig(STREAM, head_text(index="-"))),
            ("an unknown algorithm first", text + "\n" + unknown + sig(STREAM, text)), ("a stranger beside", text + "\n" + sig(STRANGER, text) + sig(STREAM, text)),
            ("signed by SM2 too", text + "\n" + sig(STREAM, text) + sig(SM2_KEY, text, "sm2")),
            ("an empty stream", head_text(seq=0, size=0) + "\n" + sig(STREAM, head_text(seq=0, size=0)))]
    untrusted = [("a stranger alone", text + "\n" + sig(STRANGER, text)), ("unknown algorithms alone", text + "\n" + unknown),
                 ("SM2 alone", text + "\n" + sig(SM2_KEY, text, "sm2")), ("signed before a change", text.replace("seq 995", "seq 996") + "\n" + sig(STREAM, text)),
                 ("the blank line signed too", text + "\n" + sig(STREAM, text + "\n"))]
    line = sig(STREAM, text)
    malformed = [("no blank line", text + line), ("two blank lines", text + "\n\n" + line), ("no signature", text + "\n"), ("no last line end", (text + "\n" + line)[:-1]),
                 ("leading zero", text.replace("seq 995", "seq 0995") + "\n" + line), ("sign", text.replace("seq 995", "seq +995") + "\n" + line),
                 ("two spaces", text.replace("seq 995", "seq  995") + "\n" + line), ("CRLF", text.replace("\n", "\r\n") + "\n" + line),
                 ("upper-case hex", text.replace(sha(b"root").hex(), sha(b"root").hex().upper()) + "\n" + line), ("version 2", text.replace("head 1", "head 2") + "\n" + line),
                 ("lines in another order", text.replace("lease 3600\npoll 60", "poll 60\nlease 3600") + "\n" + line), ("more items than changes", text.replace("size 900", "size 996") + "\n" + line),
                 ("2^63", text.replace("seq 995", "seq 9223372036854775808") + "\n" + line), ("stream name", text.replace("stream main", "stream Main") + "\n" + line),
                 ("a further line", text + "more 1\n\n" + line), ("loose base64", text + "\n" + line.replace("==\n", "=\n")), ("too long", text + "\n" + line * 4)]
    return {"key": STREAM.public.hex(), "sm2": SM2_KEY.public.hex(), "good": [{"name": n, "head": t} for n, t in good], "untrusted": [{"name": n, "head": t} for n, t in untrusted],
            "malformed": [{"name": n, "head": t} for n, t in malformed]}


def key_chain(*entries):
    text, before = "tjzw keys 1\n", "0" * 64
    for n, (role, key, signer) in enumerate(entries, 1):
        algorithm = "sm2" if isinstance(key, sm2.Key) else "ed25519"
        values = f"{n} {role} {algorithm} {key.public.hex()} {1763712000 + n}"
        signed = f"tjzw key 1\n{values}\n{before}\n"
        line = f"key {values} {signer.id} {b64(signer.sign(signed.encode()))}"
        text, before = text + line + "\n", sha(line.encode()).hex()
    return text


def keys():
    first = (("platform", PLATFORM, PLATFORM), ("stream:main", STREAM, PLATFORM))
    rotated = first + (("platform", PLATFORM_2, PLATFORM), ("stream:main", STREAM_2, PLATFORM_2))
    borrowed = (("platform", STRANGER, STRANGER), ("stream:main", STREAM, STRANGER), ("platform", PLATFORM, STRANGER))

    both = first + (("stream:main", SM2_KEY, PLATFORM),)

    def case(name, text, trust, key, algorithm="ed25519"):
        return {"name": name, "keys": text, "trust": trust.public.hex(), "role": "stream:main", "algorithm": algorithm,
                "current": key.public.hex() if key else None}

    return {"key_ids": [{"algorithm": a, "public": k.public.hex(), "id": k.id} for a, k in (("ed25519", PLATFORM), ("ed25519", STREAM), ("sm2", SM2_KEY))], "cases": [
        case("one of each", key_chain(*first), PLATFORM, STREAM), case("both changed, the old key trusted", key_chain(*rotated), PLATFORM, STREAM_2),
        case("both changed, the new key trusted", key_chain(*rotated), PLATFORM_2, STREAM_2), case("a stranger's chain", key_chain(*first), STRANGER, None),
        case("the trusted key at the end of a stranger's chain", key_chain(*borrowed), PLATFORM, None),
        case("the new platform key alone vouches for nothing above", key_chain(*rotated[:3]), PLATFORM_2, None),
        case("the new platform key alone, the old one trusted", key_chain(*rotated[:3]), PLATFORM, STREAM),
        case("signed by the key before last", key_chain(*rotated[:3], ("stream:main", STREAM_2, PLATFORM)), PLATFORM, None),
        case("a platform key not signed by the one before", key_chain(*first, ("platform", PLATFORM_2, PLATFORM_2)), PLATFORM, None),
        case("an SM2 key beside", key_chain(*both), PLATFORM, STREAM), case("an SM2 key beside, asked for", key_chain(*both), PLATFORM, SM2_KEY, "sm2"),
        case("no SM2 key", key_chain(*first), PLATFORM, None, "sm2"), case("the SM2 key alone", key_chain(first[0], both[2]), PLATFORM, None),
        case("the Ed25519 key changed", key_chain(*both, ("stream:main", STREAM_2, PLATFORM)), PLATFORM, SM2_KEY, "sm2"),
        case("the SM2 key changed", key_chain(*both, ("stream:main", SM2_KEY_2, PLATFORM)), PLATFORM, STREAM),
        case("the SM2 key changed, asked for", key_chain(*both, ("stream:main", SM2_KEY_2, PLATFORM)), PLATFORM, SM2_KEY_2, "sm2"),
        case("another stream's SM2 key", key_chain(*first, ("stream:he-ping", SM2_KEY, PLATFORM)), PLATFORM, None, "sm2"),
        case("an SM2 line lets the new platform key vouch", key_chain(*rotated[:3], ("stream:main", SM2_KEY, PLATFORM_2)), PLATFORM_2, STREAM),
        case("an SM2 platform key", key_chain(*first, ("platform", SM2_KEY, PLATFORM)), PLATFORM, None),
        case("a line signed by SM2", key_chain(*both, ("stream:main", STREAM_2, SM2_KEY)), PLATFORM, None),
        case("a short SM2 key", key_chain(*both).replace(SM2_KEY.public.hex(), SM2_KEY.public.hex()[:-2]), PLATFORM, None, "sm2"),
        case("no line end", key_chain(*first)[:-1], PLATFORM, None), case("a line left out", key_chain(*rotated).replace(key_chain(*first), key_chain(*first[:1])), PLATFORM, None)]}


# ---- section 5 and 7: what the platform signs, what a server withholds ----

def platform():
    listed = f"tjzw heads 1\ncounter 12\ntime 1763759412\nlease 3600\nstream he-ping {sha(b'withheld').hex()}\nstream main -\n"
    line, one = sig(PLATFORM, listed), "tjzw heads 1\ncounter 0\ntime 0\nlease 4294967295\n"
    notes = [head_text(stream=name) + "\n" + sig(STREAM, head_text(stream=name)) for name in ("he-ping", "main")]
    whole = "\n".join([listed, *notes]).replace(listed, listed + "\n" + line)

    def edit(old, new):
        assert whole.count(old)
        return whole.replace(old, new, 1)

    return {"key": PLATFORM.public.hex(), "good": [
        {"name": "two streams and their heads", "heads": whole, "counter": 12, "streams": ["he-ping", "main"], "notes": notes},
        {"name": "one of the heads", "heads": listed + "\n" + line + "\n" + notes[1], "counter": 12, "streams": ["he-ping", "main"], "notes": notes[1:]},
        {"name": "no head", "heads": listed + "\n" + line, "counter": 12, "streams": ["he-ping", "main"], "notes": []},
        {"name": "signed by SM2 too", "heads": listed + "\n" + sig(SM2_KEY, listed, "sm2") + line, "counter": 12, "streams": ["he-ping", "main"], "notes": []},
        {"name": "no stream", "heads": one + "\n" + sig(PLATFORM, one), "counter": 0, "streams": [], "notes": []}],
        "untrusted": [{"name": n, "heads": t} for n, t in (
            ("a stranger", listed + "\n" + sig(STRANGER, listed)), ("the stream's key", listed + "\n" + sig(STREAM, listed)), ("signed before a change", edit("counter 12", "counter 13")),
            ("another withheld list", edit(sha(b"withheld").hex(), "-")), ("the heads signed too", listed + "\n" + sig(PLATFORM, whole) + "\n" + notes[0]))],
        "malformed": [{"name": n, "heads": t} for n, t in (
            ("no signature", listed + "\n" + notes[0]), ("no blank line", listed + line), ("two blank lines before the heads", edit("\n\ntjzw head 1", "\n\n\ntjzw head 1")),
            ("no blank line before the heads", edit("\n\ntjzw head 1", "\ntjzw head 1")), ("something else behind", listed + "\n" + line + "\nmore\n"),
            ("a blank line at the end", listed + "\n" + line + "\n"), ("streams not in order", edit("stream main -", "stream a -")), ("a stream twice", edit("stream main", "stream he-ping")),
            ("leading zero", edit("counter 12", "counter 012")), ("no withheld", edit("stream main -", "stream main")), ("two spaces", edit("stream main -", "stream main  -")),
            ("a stream called heads", edit("stream main", "stream heads")), ("lines in another order", edit("time 1763759412\nlease 3600", "lease 3600\ntime 1763759412")),
            ("another version", edit("heads 1", "heads 2")), ("a head alone", notes[0]), ("empty", ""))]}


def withheld():
    ids = sorted(sha(bytes([n]))[:16].hex() for n in range(5))
    lines = [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}\n" for i in ids]
    text = "tjzw withheld 1\n"
    return {"good": [{"text": text, "ids": []}, {"text": text + "".join(lines), "ids": ids}],
            "bad": [{"why": w, "text": t} for w, t in (
                ("not in order", text + lines[1] + lines[0]), ("an id twice", text + lines[0] * 2), ("no last line end", text + lines[0][:-1]), ("upper case", text + lines[0].upper()),
                ("no hyphens", text + ids[0] + "\n"), ("a blank line", text + "\n"), ("another version", text.replace("1", "2")), ("empty", ""))]}


# ---- section 7: the other texts ----

def index():
    def line(kind, name, *numbers):
        return f"{kind} {sha(name.encode()).hex()} {' '.join(map(str, numbers))}\n"

    def case(seq, *objects):
        names = ("kind", "hash", "first_born", "last_born", "lowest_seq", "highest_seq", "bytes", "gzip_bytes", "zstd_bytes")
        return {"text": f"tjzw index 1\nseq {seq}\n" + "".join(line(*o) for o in objects), "seq": seq,
                "objects": [dict(zip(names, (o[0], sha(o[1].encode()).hex(), *o[2:]))) for o in objects]}

    base, layer = ("base", "one", 0, 1023, 1, 9981, 3145728, 1048576, 700131), ("layer", "two", 17, 900, 9982, 10000, 61234, 20111, 9120)
    good = case(10000, base, layer)
    text, first, second = good["text"], line(*base), line(*layer)

    def put(place, *values):
        """The base line with other numbers from this one on."""
        numbers = list(base[2:])
        numbers[place:place + len(values)] = values
        return text.replace(first, line("base", "one", *numbers))

    return {"good": [good, case(0), case(5), case(7, ("layer", "a", 3, 3, 7, 7, 69, 80, 70)), case(9, layer[:2] + (0, 5, 1, 9, 1, 2, 3), base[:2] + (4, 9, 2, 2, 1, 2, 3)),
                     case(2**63 - 1, base[:2] + (0, 2**63 - 1, 1, 2**63 - 1, 1, 1, 1))],
            "bad": [{"why": w, "text": t} for w, t in (
                ("an unknown kind", text.replace("layer ", "patch ")), ("the kind in upper case", text.replace("base ", "Base ")), ("first born above last born", put(0, 1024)),
                ("lowest seq 0", put(2, 0)), ("lowest seq above the highest", put(2, 9982)), ("a seq above the index's", put(3, 10001)), ("2^63", put(4, 2**63)),
                ("a leading zero", put(0, "00")), ("a sign", put(0, "+0")), ("a negative number", put(0, "-1")), ("a number too few", text.replace(" 9120", "")),
                ("a number too many", text.replace(" 9120", " 9120 1")), ("two spaces", text.replace("base ", "base  ")), ("a space at a line's end", text.replace(" 9120", " 9120 ")),
                ("a tab", text.replace("base ", "base\t")), ("upper-case hex", text.replace(sha(b"one").hex(), sha(b"one").hex().upper())),
                ("a short hash", text.replace(sha(b"one").hex(), sha(b"one").hex()[:-2])), ("no last line end", text[:-1]), ("a blank line", text + "\n"), ("CRLF", text.replace("\n", "\r\n")),
                ("no seq", text.replace("seq 10000\n", "")), ("the seq of another spelling", text.replace("seq 10000", "seq 010000")), ("seq behind the objects", "tjzw index 1\n" + first + second + "seq 10000\n"),
                ("another version", text.replace("index 1", "index 2")), ("no first line", text[len("tjzw index 1\n"):]), ("empty", ""))]}


def ancestry():
    def case(pairs, *readers):
        return {"text": "".join(f"{e} {first}\n" for e, first in pairs), "pairs": [{"epoch": e, "first_seq": first} for e, first in pairs],
                "readers": [{"epoch": e, "seq": c, "may_continue": may} for e, c, may in readers]}

    one, three = [(1763712000, 1)], [(100, 1), (200, 51), (300, 51)]
    text = case(three)["text"]
    return {"good": [case(one, (1763712000, 0, True), (1763712000, 995, True), (1763711999, 5, False), (1763712001, 5, False)),
                     case(three, (100, 0, True), (100, 50, True), (100, 51, False), (200, 50, True), (200, 51, False), (300, 50, True), (300, 51, True), (150, 1, False), (400, 60, False)),
                     case([(1, 2**63 - 1), (2**63 - 1, 2**63 - 1)], (1, 2**63 - 2, True), (1, 2**63 - 1, False))],
            "bad": [{"why": w, "text": t, "epoch": e} for w, t, e in (
                ("epochs that do not ascend", "100 1\n90 2\n", 90), ("an epoch twice", "100 1\n100 2\n", 100), ("first seqs that go back", "100 5\n200 4\n", 200),
                ("first seq 0", "100 0\n", 100), ("epoch 0", "0 1\n100 1\n", 100), ("no last line end", text[:-1], 300), ("a blank line", text + "\n", 300), ("two spaces", "100  1\n", 100),
                ("a word more", "100 1 1\n", 100), ("a word less", "100\n", 100), ("a leading zero", "100 01\n", 100), ("a sign", "100 +1\n", 100), ("2^63", f"100 {2**63}\n", 100),
                ("CRLF", text.replace("\n", "\r\n"), 300), ("a space before", " 100 1\n", 100), ("a first line", "tjzw ancestry 1\n" + text, 300), ("empty", "", 300))]}


def place():
    return {"good": [{"text": f"{born} {seq}\n", "born": born, "seq": seq} for born, seq in ((0, 1), (7, 21), (994, 995), (2**63 - 1, 2**63 - 1))],
            "bad": [{"why": w, "text": t} for w, t in (
                ("no line end", "7 21"), ("two line ends", "7 21\n\n"), ("CRLF", "7 21\r\n"), ("two spaces", "7  21\n"), ("a space before", " 7 21\n"), ("a space behind", "7 21 \n"),
                ("a leading zero", "07 21\n"), ("a sign", "7 +21\n"), ("seq 0", "7 0\n"), ("2^63", f"7 {2**63}\n"), ("one number", "7\n"), ("three numbers", "7 21 1\n"), ("hex", "7 1f\n"),
                ("another separator", "7.21\n"), ("a second line", "7 21\n8 22\n"), ("empty", ""))]}


# ---- section 7 and 9: the directory ----

SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"', "\\": "\\\\"}


def canonical(value):
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda m: m[0].encode())
        return "{" + ",".join(canonical(k) + ":" + canonical(v) for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(SHORT.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def directory():
    sites = [{"code": "demo", "domain": "demo.example", "name": "示例网站", "no": 1}, {"code": "second", "name": '"引号" \\ / \t\x1f\x7f 𠀀', "no": 2}]
    columns = [{"name": "政策", "no": 1, "parent": 0, "path": "政策", "position": 2, "site": 1, "type": "政策文件"},
               {"keywords": "社保,医保", "name": "通知公告", "no": 3, "parent": 1, "path": "政策/通知公告", "position": -1, "site": 1, "type": "通知公告"}]
    whole = {"columns": columns, "sites": sites}
    later = {"later": {"a": [1, {"b": True}], "": -7}, "columns": [{**columns[0], "sort": [], "zz": False}], "sites": [{**sites[0], "a": "?"}], "\u00e9": {}, "Z\n": []}
    text, site = canonical(whole), canonical(sites[0])

    def edit(old, new):
        assert text.count(old)
        return text.replace(old, new, 1)

    bad = (("white space", edit('"no":1,', '"no": 1,')), ("a line end behind", text + "\n"), ("a space before", " " + text), ("members not in order", edit('"no":1,"parent":0', '"parent":0,"no":1')),
           ("a member twice", edit('"no":1,', '"no":1,"no":1,')), ("a member twice, once in another spelling", edit('"name":"政策","no":1', '"n\\u0061me":"政策","name":"政策","no":1')),
           ("an escape that is not needed", edit("demo.example", "demo\\u002eexample")), ("the same at a string's end", edit("demo.example", "demo.exampl\\u0065")),
           ("half an escape at a string's end", edit("demo.example", "demo.example\\u00")), ("an escaped slash", edit("政策/通知公告", "政策\\/通知公告")),
           ("an escape in upper case", edit("\\u001f", "\\u001F")), ("a long escape that has a short one", edit("\\t", "\\u0009")), ("a control character as it is", edit("\\t", "\t")),
           ("DEL escaped", edit("\x7f", "\\u007f")), ("half a surrogate pair", edit("𠀀", "\\ud840")), ("a surrogate pair escaped", edit("𠀀", "\\ud840\\udc00")), ("an unknown escape", edit("\\t", "\\v")),
           ("a fraction", edit('"no":3', '"no":3.0')), ("an exponent", edit('"no":3', '"no":3e0')), ("a leading zero", edit('"no":3', '"no":03')), ("a plus", edit('"no":3', '"no":+3')),
           ("minus zero", edit('"parent":0', '"parent":-0')), ("a comma too many", edit('"no":2}]', '"no":2},]')), ("a comma too few", edit(f"{site},", site)), ("another quote", edit('"sites"', "'sites'")),
           ("a word that is none", edit('"no":3', '"no":nan')), ("cut", text[:-1]), ("something behind", text + "{}"), ("a byte order mark", "\ufeff" + text), ("an array", canonical([whole])),
           ("a string", '"directory"'), ("empty", ""))
    return {"good": [{"text": canonical(d), "sites": d["sites"], "columns": d["columns"]} for d in ({"columns": [], "sites": []}, whole, later)],
            "bad": [{"why": w, "text": t} for w, t in bad] + [{"why": "not UTF-8", "hex": text.encode().replace("示".encode(), b"\xff").hex()},
                                                              {"why": "a surrogate in UTF-8", "hex": text.encode().replace("示".encode(), b"\xed\xa0\x80").hex()}]}


# ---- events.md ----

def hint(stream, cursor, seq, **more):
    return {"stream": stream, "head": f"/v1/sync/{stream}/head/{cursor}", "seq": seq, "poll": 60, **more}


def spelled(value):
    """JSON with its members in this order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def events():
    first, other = hint("main", "1763712000.41.1", 41, spread=2), hint("he-ping", "1763712000.7.3", 7, spread=0, list=12)
    later = hint("main", "1763712000.42.1", 42, spread=0, later={"stream": "x"})

    def block(ident, told, kind="head"):
        return f"id: {ident}\nevent: {kind}\ndata: {told if isinstance(told, str) else spelled(told)}\n\n"

    def case(name, body, told=(), retry=0, ident=""):
        """told: (type, id when it came, data or hint) of each event."""
        return {"name": name, "body": body, "retry": retry, "id": ident,
                "events": [{"type": t, "id": i, "data": d if isinstance(d, str) else spelled(d), "hint": d if t == "head" else None} for t, i, d in told]}

    one, two, three = "main=1763712000.41.1", "main=1763712000.41.1,he-ping=1763712000.7.3.12", "main=1763712000.42.1,he-ping=1763712000.7.3.12"
    whole = "retry: 1500\n\n" + block(one, first) + ":\n\n" + block(two, other) + ":\n\n:\n\n" + block(three, later)
    told = [("head", one, first), ("head", two, other), ("head", three, later)]
    good = [case("three heads between heartbeats", whole, told, 1500, three), case("nothing happens", "retry: 900\n\n:\n\n:\n\n", retry=900), case("nothing yet", ""),
            case("an event of another kind", block(one, "?", "later") + block(two, other), [("later", one, "?"), ("head", two, other)], 0, two),
            case("cut in an event", block(one, first) + block(two, other)[:-1], [("head", one, first)], 0, two),
            case("an event without data", f"id: {one}\nevent: head\n\n" + block(two, other), [("head", two, other)], 0, two),
            case("no spaces, an unknown field, a comment", f"id:{one}\nlater: 1\nevent:head\n: a word\ndata:{spelled(first)}\n\n", [("head", one, first)], 0, one),
            case("a kind does not last, an id does", block(one, first) + "data: a\n\ndata: b\ndata: c\n\n", [("head", one, first), ("message", one, "a"), ("message", one, "b\nc")], 0, one),
            case("retry is no number", "retry: 1s\n\nretry: -1\n\n"), case("line ends of another kind", whole.replace("\n", "\r\n"), told, 1500, three),
            case("a byte order mark", "\ufeff" + whole, told, 1500, three), case("the server stops", whole + "retry: 17400\n\n", told, 17400, three)]
    head = first["head"]
    bad = [(why, spelled({**first, "head": path})) for why, path in (
        ("another stream's head", other["head"]), ("no head's twin", "/v1/sync/main/head"), ("a log", "/v1/sync/main/log/1763712000/0/0-41"), ("another server", "https://other.example" + head),
        ("a server without a scheme", "//other.example" + head), ("a name only", head.rpartition("/")[2]), ("a query", head + "?a"), ("a cursor alone", head[:-2]), ("one number more", head + ".1"),
        ("an encoding", head + ".gz"), ("a way up", "/v1/sync/main/head/../../he-ping/head/1763712000.7.3"), ("a leading zero", head.replace(".41", ".041")), ("2^63", head.replace("41", str(2**63))),
        ("a line end", head + "\n"), ("nothing", ""), ("a number", 41), ("a name that no stream has", head.replace("main", "Main")))]
    bad += [("no head", spelled({k: v for k, v in first.items() if k != "head"})), ("no stream", spelled({k: v for k, v in first.items() if k != "stream"})), ("an array", spelled([first])),
            ("a string", spelled(head)), ("cut", spelled(first)[:-1]), ("something behind", spelled(first) + "{}"), ("no JSON", "head"), ("empty", "")]
    return {"good": good, "hints_to_pass_over": [{"why": w, "data": d} for w, d in bad],
            "lines": [{"bytes": 65535, "taken": True}, {"bytes": 65536, "taken": True}, {"bytes": 65537, "taken": False}]}


# ---- section 7 and 11: the tree in pieces ----

def heights(size):
    """What complete subtrees there are: rows[h][i] is node(h, i)."""
    rows = [[leaf(born) for born in range(size)]]
    while len(rows) <= 16:
        below = rows[-1]
        rows.append([sha(b"\1", below[2 * i], below[2 * i + 1]) for i in range(len(below) // 2)])
    return rows


def row(born, rows):
    return struct.pack(">Q", born + 1) + rows[0][born]


def cover(size, rows):
    first = 65536 * (max(0, size - 65536) // 65536)
    nodes = rows[16][:first // 65536] + rows[10][first // 1024:size // 1024] + rows[6][16 * (size // 1024):size // 64]
    return b"TJZWCV1\n" + struct.pack(">QQ", size, first) + b"".join(nodes) + b"".join(row(born, rows) for born in range(size // 64 * 64, size))


def horizons(size, rows):
    first, out = 65536 * (max(0, size - 65536) // 65536), []
    for h in (0, 64, 1023, 1024, 5120, 65536, 66560, 131072, 132096, 196608, first - 1024, first + 1024, size // 1024 * 1024, size // 1024 * 1024 + 1024):
        allowed = 0 <= h <= size and (h % 65536 == 0 or h % 1024 == 0 and h >= first)
        roots = rows[16][:h // 65536] + rows[10][h // 65536 * 64:h // 1024] if allowed else []
        if h >= 0:
            out.append({"horizon": h, "roots": b"".join(roots).hex() if allowed else None})
    return out


def covers():
    good, tiles = [], []
    for size in (0, 1, 63, 64, 65, 1023, 1024, 1089, 65536, 131071, 131072, 200003):
        rows = heights(size)
        good.append({"size": size, "first": 65536 * (max(0, size - 65536) // 65536), "root": root(rows[0]).hex(), "cover": cover(size, rows).hex(),
                     "horizons": horizons(size, rows)})
    for height, index in ((16, 0), (16, 2), (10, 0), (10, 194), (6, 0), (6, 3124)):
        parts = [row(born, rows) for born in range(64 * index, 64 * index + 64)] if height == 6 else rows[10][64 * index:64 * index + 64] if height == 16 else rows[6][16 * index:16 * index + 16]
        tiles.append({"height": height, "index": index, "hash": rows[height][index].hex(), "tile": b"".join(parts).hex()})
    raw = cover(1089, heights(1089))
    bad = (("a byte short", raw[:-1]), ("a byte behind", raw + b"\0"), ("another version", raw.replace(b"CV1", b"CV2")), ("another size", raw[:15] + b"\x42" + raw[16:]),
           ("another first", raw[:21] + b"\1" + raw[22:]), ("seq 0", raw[:-40] + bytes(8) + raw[-32:]), ("seq of 2^63", raw[:-40] + b"\x80" + raw[-39:]), ("no size", raw[:8]), ("empty", b""))
    wrong = (("another node", raw[:24] + bytes([raw[24] ^ 1]) + raw[25:]), ("another leaf", raw[:-1] + bytes([raw[-1] ^ 1])))
    return {"leaf": "as in tree.json, version 0; its seq is BORN + 1", "good": good, "bad": [{"why": w, "cover": c.hex()} for w, c in bad],
            "wrong": {"root": root(heights(1089)[0]).hex(), "covers": [{"why": w, "cover": c.hex()} for w, c in wrong]}, "tiles": tiles}


# ---- section 6: dz. RFC 8878 by hand: what is not compressed, and what is one copy from before the frame ----

def zstd_raw(data):
    blocks = [data[at:at + 65535] for at in range(0, len(data), 65535)] or [b""]
    out = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data))   # single segment, 4 bytes of content size
    for i, block in enumerate(blocks):
        out += struct.pack("<I", len(block) << 3 | (i == len(blocks) - 1))[:3] + block
    return out


def zstd_copy(prefix, start, length, before, behind):
    """One block: the literals `before`, `length` bytes of the prefix from `start` on, the literals `behind`."""
    assert 64 <= len(before) < 128 and 131 <= length < 259
    literals, offset = before + behind, len(prefix) - start + len(before)
    value = offset + 3   # the first three values mean offsets used before
    code = value.bit_length() - 1
    bits = 1 << code | value - (1 << code)   # the last bit set ends the stream, which is read backwards: offset, match length, literals
    bits = (bits << 7 | length - 131) << 6 | len(before) - 64
    stream = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    head = bytes([len(literals) << 3]) if len(literals) < 32 else struct.pack("<H", len(literals) << 4 | 4)   # raw literals
    block = head + literals + b"\1\x54" + bytes([25, code, 43]) + stream   # one sequence; each code as itself
    size = len(before) + length + len(behind)
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", size) + struct.pack("<I", len(block) << 3 | 2 << 1 | 1)[:3] + block


def dz():
    old = ('{"body":"' + "".join(f"第{n}条 办事指南。" for n in range(12)) + '"}').encode()
    start, length = 9, 184
    new = b'{"body":"! ' + old[start:start + length] + "（改正）\"}".encode()
    held = record("an article", 1, 0, 7, 8, 1, 2, 1763712000, "原题", old.decode())
    put = record("an article", 1, 0, 7, 21, 1, 2, 1763712000, "改正", new.decode())
    whole = record("a new one", 1, 0, 9, 22, 1, 2, 1763712000, "新", '{"body":"新"}')
    gone = record("withdrawn", 2, 1, 5, 23, 1, 2, 1763712000, "", "")
    frame = bytes.fromhex(held["frame"])

    def delta_with(more):
        return zstd_copy(frame + old, len(frame) + start, length, bytes.fromhex(put["frame"]) + b'{"body":"! ', ("（改正）\"}" + more).encode())

    def told(seq, size):
        return b"\1" + struct.pack(">QQ", 7, seq) + bytes.fromhex(held["leaf"])[:8] + struct.pack(">I", size)

    def body(parts, deltas, count=3, magic=b"TJZWDZ1\n"):
        section = zstd_raw(b"".join(parts))
        return (magic + struct.pack(">II", count, len(section)) + section + deltas).hex()

    delta, wholes = delta_with(""), [b"\0" + bytes.fromhex(r["frame"]) + r["bytes"].encode() for r in (whole, gone)]
    right = told(21, len(delta))
    longer = delta_with("?")
    bad = (("another version", body([right] + wholes, delta, magic=b"TJZWDZ2\n")),
           ("another seq", body([told(20, len(delta))] + wholes, delta)), ("another how", body([b"\2" + right[1:]] + wholes, delta)),
           ("a delta of no bytes", body([told(21, 0)] + wholes, b"")), ("a delta longer than any", body([told(21, 263225)] + wholes, delta)),
           ("a byte behind a delta's record", body([told(21, len(longer))] + wholes, longer)), ("a byte behind a delta's frame", body([told(21, len(delta) + 1)] + wholes, delta + b"\0")),
           ("a delta less than was told", body([right] + wholes, b"")), ("a byte behind the last delta", body([right] + wholes, delta + b"\0")),
           ("a record less than was told", body([right] + wholes[:1], delta)), ("a record more than was told", body([right] + wholes, delta, count=2)),
           ("a byte behind the section's last record", body([right] + wholes + [b"\0"], delta)), ("a record cut", body([right] + wholes[:1] + [wholes[1][:-1]], delta)),
           ("what is told of a delta cut", body(wholes + [right[:-1]], delta)))
    return {"dz": body([right] + wholes, delta), "held": [held], "records": [put, whole, gone], "bad": [{"why": w, "dz": d} for w, d in bad]}


# ---- section 6: catch-up ----

def catchup():
    def start(cursor, head):
        k = 0
        while not head - cursor < 16 * 2**k:
            k += 1
        return cursor // 2**k * 2**k

    pairs = [(c, h) for h in (0, 1, 15, 16, 17, 995, 4096, 4097, 100000) for c in sorted({0, 1, h // 2, h - 33, h - 32, h - 31, h - 17, h - 16, h - 15, h - 1, h})
             if 0 <= c <= h and h - c <= 4096]
    return [{"cursor": c, "head": h, "from": start(c, h)} for c, h in pairs]


FILES = {"records.json": lambda: {"good": records(), "bad": bad_frames()}, "packs.json": packs, "tree.json": tree, "chain.json": chain, "heads.json": heads,
         "keys.json": keys, "catchup.json": catchup, "platform.json": platform, "withheld.json": withheld, "covers.json": covers, "dz.json": dz, "index.json": index,
         "ancestry.json": ancestry, "place.json": place, "directory.json": directory, "events.json": events}


def main():
    stale = []
    for name, make in FILES.items():
        text, path = json.dumps(make(), ensure_ascii=False, indent=1) + "\n", HERE / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if "--check" in sys.argv:   # told in TAP, as all our tests do
        print("1..1\n" + ("not ok" if stale else "ok"), "1 - the examples are what make.py writes", f"({', '.join(stale)} differ)" if stale else "")
    return bool(stale)


sys.exit(main())
