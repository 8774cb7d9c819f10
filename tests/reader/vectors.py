"""vectors.py - tests/vectors/sync through the reader's own functions: what is good is read as it says, what is bad is refused."""
import io
import json
from pathlib import Path

import net
import tree
import wire
from wire import Refused, need, sha256

HERE = Path(__file__).resolve().parents[1] / "vectors" / "sync"


def refused(call, *args):
    try:
        call(*args)
    except Refused:
        return True
    return False


def same_record(r, want, bytes_too=True):
    for name in ("op", "flags", "born", "seq", "site", "column", "date"):
        assert getattr(r, name) == want[name], (want["name"], name)
    assert r.id.hex() == want["id"] and r.title.decode() == want["title"] and r.frame.hex() == want["frame"], want["name"]
    if bytes_too:
        assert r.bytes.decode() == want["bytes"] and r.leaf.hex() == want["leaf"], want["name"]


def records(v):
    for want in v["good"]:
        r, length = wire.frame(bytes.fromhex(want["frame"]))
        r.bytes = want["bytes"].encode()
        assert length == len(r.bytes)
        same_record(r, want)
    for bad in v["bad"]:
        assert refused(wire.frame, bytes.fromhex(bad["frame"])), bad["why"]


def packs(v):
    for good in v["good"]:
        assert [r.seq for r in wire.pack(bytes.fromhex(good["pack"]))] == good["seqs"]
    for bad in v["bad"]:
        assert refused(wire.pack, bytes.fromhex(bad["pack"])), bad["why"]


def dz(v):
    held = {}
    for h in v["held"]:
        held[h["born"]], _ = wire.record(bytes.fromhex(h["frame"]) + h["bytes"].encode(), 0)
        same_record(held[h["born"]], h)
    whole, missing = wire.dz(bytes.fromhex(v["dz"]), held.get)
    assert not missing and len(whole) == len(v["records"])
    for r, want in zip(whole, v["records"]):
        same_record(r, want)
    other = {born: whole[1] for born in held}
    for lacks in (other.get, lambda born: None):
        whole, missing = wire.dz(bytes.fromhex(v["dz"]), lacks)
        assert missing == [(7, 21)] and len(whole) == 2
    for cut in range(0, len(v["dz"]) // 2, 7):
        assert refused(wire.dz, bytes.fromhex(v["dz"])[:cut], held.get), cut
    for bad in v["bad"]:
        assert refused(wire.dz, bytes.fromhex(bad["dz"]), held.get), bad["why"]


def keys(v):
    for k in v["key_ids"]:
        assert wire.key_id(k["algorithm"], bytes.fromhex(k["public"])) == k["id"]
    for c in v["cases"]:
        def current():
            chain = wire.Chain(c["keys"].encode())
            need(chain.vouched_by(bytes.fromhex(c["trust"])), "nobody vouches for it")
            key = chain.current(c["role"], c["algorithm"])
            return key and key.public.hex()
        assert (c["current"] is None and refused(current)) or current() == c["current"], c["name"]


def heads(v):
    public = bytes.fromhex(v["key"])
    for c in v["good"]:
        h = wire.head(c["head"].encode())
        assert wire.signed_by(public, h.signed, h.sigs), c["name"]
    for c in v["untrusted"]:
        h = wire.head(c["head"].encode())
        assert not wire.signed_by(public, h.signed, h.sigs), c["name"]
    for c in v["malformed"]:
        assert refused(wire.head, c["head"].encode()), c["name"]


def platform(v):
    public = bytes.fromhex(v["key"])
    for c in v["good"]:
        h = wire.heads(c["heads"].encode())
        assert wire.signed_by(public, h.signed, h.sigs) and h.counter == c["counter"] and list(h.withheld) == c["streams"], c["name"]
        assert [n.stream for n in h.notes] == [wire.head(n.encode()).stream for n in c["notes"]]
    for c in v["untrusted"]:
        h = wire.heads(c["heads"].encode())
        assert not wire.signed_by(public, h.signed, h.sigs), c["name"]
    for c in v["malformed"]:
        assert refused(wire.heads, c["heads"].encode()), c["name"]


def withheld(v):
    for c in v["good"]:
        assert [i.hex() for i in wire.withheld(c["text"].encode())] == c["ids"]
    for c in v["bad"]:
        assert refused(wire.withheld, c["text"].encode()), c["why"]


def leaf(born, version=0):
    return sha256(f"leaf {born} {version}".encode())


def trees(v):
    nodes = {(0, i): leaf(i) for i in range(max(r["size"] for r in v["roots"]))}
    for r in v["roots"]:
        assert tree.root(nodes, r["size"]).hex() == r["root"], r["size"]
    nodes = {}
    size = 0
    for u in v["updates"]:
        for i in [*range(size, u["size"]), *u["changed"]]:
            nodes[0, i] = leaf(i, u["version"])
        size = u["size"]
        assert tree.root(nodes, size).hex() == u["root"], u


def covers(v):
    for c in v["good"]:
        cover = tree.Cover(bytes.fromhex(c["cover"]))
        assert (cover.size, cover.first) == (c["size"], c["first"]) and tree.root(cover.nodes, cover.size).hex() == c["root"]
        assert all(seq == born + 1 for born, seq in cover.seqs.items())
        for h in c["horizons"]:
            below = cover.below(h["horizon"])
            assert (below is None) == (h["roots"] is None), (c["size"], h["horizon"])
            assert below is None or b"".join(below.values()).hex() == h["roots"], (c["size"], h["horizon"])
    for c in v["bad"]:
        assert refused(tree.Cover, bytes.fromhex(c["cover"])), c["why"]
    for c in v["wrong"]["covers"]:
        cover = tree.Cover(bytes.fromhex(c["cover"]))
        assert tree.root(cover.nodes, cover.size).hex() != v["wrong"]["root"], c["why"]
    for t in v["tiles"]:
        body, value = bytes.fromhex(t["tile"]), bytes.fromhex(t["hash"])
        rows = tree.tile(body, t["height"], value)
        if t["height"] == 6:
            assert rows == [(64 * t["index"] + i + 1, leaf(64 * t["index"] + i)) for i in range(64)]
        assert refused(tree.tile, body[:-1], t["height"], value) and refused(tree.tile, body[:-1] + b"\0", t["height"], value)


def chain(v):
    value = sha256(b"tjzw chain 1\n" + v["stream"].encode())
    for link in v["links"]:
        if "leaf" in link:
            value = sha256(b"\2", value, bytes.fromhex(link["leaf"]))
        assert value.hex() == link["chain"]


def catchup(v):
    for c in v:
        assert wire.rounded(c["cursor"], c["head"]) == c["from"], c


def index(v):
    for c in v["good"]:
        seq, parts = wire.index(c["text"].encode())
        assert seq == c["seq"] and len(parts) == len(c["objects"]), c
        for p, o in zip(parts, c["objects"]):
            assert (p.kind, p.hash.hex(), p.first, p.last) == (o["kind"], o["hash"], o["first_born"], o["last_born"]), o
            assert (p.lowest, p.highest, p.size) == (o["lowest_seq"], o["highest_seq"], o["bytes"]), o
    for c in v["bad"]:
        assert refused(wire.index, c["text"].encode()), c["why"]


def ancestry(v):
    for c in v["good"]:
        pairs = wire.ancestry(c["text"].encode())
        assert pairs == [(p["epoch"], p["first_seq"]) for p in c["pairs"]], c
        for r in c["readers"]:
            assert wire.continues(pairs, r["epoch"], r["seq"]) == r["may_continue"], r
    for c in v["bad"]:
        assert refused(wire.ancestry, c["text"].encode()), c["why"]


def place(v):
    for c in v["good"]:
        assert wire.place(c["text"].encode()) == (c["born"], c["seq"])
    for c in v["bad"]:
        assert refused(wire.place, c["text"].encode()), c["why"]


def directory(v):
    for c in v["good"]:
        said = wire.canonical(c["text"].encode())
        assert said["sites"] == c["sites"] and said["columns"] == c["columns"], c
    for c in v["bad"]:
        assert refused(wire.canonical, bytes.fromhex(c["hex"]) if "hex" in c else c["text"].encode()), c["why"]


def events(v):
    for c in v["good"]:
        seen = list(net.events(io.BytesIO(c["body"].encode())))
        told = [e for e in seen if e[0] != "retry"]
        assert told == [(e["type"], e["data"], e["id"]) for e in c["events"]], c["name"]
        assert [int(e[1]) for e in seen if e[0] == "retry"][-1:] == [c["retry"]] * (c["retry"] > 0), c["name"]
        for e in c["events"]:
            hint = e["hint"]
            assert not hint or f"/v1/sync/{hint['stream']}/head/{net.hint(e['data'], hint['stream'])}" == hint["head"], e
            assert not hint or net.hint(e["data"], "other") is None
    for c in v["hints_to_pass_over"]:
        assert net.hint(c["data"], "main") is None, c["why"]
    for c in v["lines"]:
        assert refused(list, net.events([b":" * c["bytes"] + b"\n"])) != c["taken"], c


FILES = {"ancestry": ancestry, "directory": directory, "events": events, "index": index, "place": place, "catchup": catchup, "chain": chain, "covers": covers, "dz": dz, "heads": heads, "keys": keys, "packs": packs,
         "platform": platform, "records": records, "tree": trees, "withheld": withheld}


def check(name):
    FILES[name](json.loads((HERE / f"{name}.json").read_text()))


def names():
    """Every file there is: one that nobody here reads is a failure (KeyError)."""
    return sorted(p.stem for p in HERE.glob("*.json"))
