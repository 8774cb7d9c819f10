"""signed.py - what only a publisher could do wrong, and a reader must refuse although every signature holds; and trees too large to import.

Each check is a function named by what it shows; tests/flow/reader_test.py runs them all.
"""
from origin import Origin, Signer, pack, record
from reader import Moving, NotYet, Reader, TooLarge
from wire import Refused


def reader(o, **how):
    r = Reader(o.get, **how)
    r.wait = lambda seconds: None
    return r


def begun(n=70, **how):
    o = Origin()
    for born in range(n):
        o.put(born)
    o.publish()
    r = reader(o, **how)
    r.sync()
    return o, r


def refuses(r, *words):
    before = r.export(), r.state.head
    try:
        r.sync()
    except (Refused, Moving, NotYet, TooLarge) as why:
        assert not words or any(w in f"{type(why).__name__} {why}" for w in words), why
    else:
        raise AssertionError("it was accepted")
    assert (r.export(), r.state.head) == before, "what is held has changed"


def altered(**fields):
    """A head with these fields instead, after a change, signed by the right key."""
    o, r = begun()
    o.put(5, text="new")
    o.change = fields
    o.publish()
    refuses(r)


def an_older_head_is_refused():
    o, r = begun()
    old = dict(o.fields)
    o.put(5, text="new")
    o.publish()
    r.sync()
    o.fields, o.counter, o.time = old, o.counter + 1, o.time + 1
    o.serve()
    refuses(r, "lower than the one held")


def a_head_that_goes_back_in_anything_is_refused():
    for fields in ({"cut": -1}, {"time": 1_700_000_000}, {"size": 69}, {"seq": 69}, {"epoch": 999}, {"epoch": 1001, "time": 1}):
        o, r = begun()
        o.cut = 3 if "cut" in fields else 0
        if o.cut:
            o.publish()
            r.sync()
            fields = {"cut": 2}
        o.put(5, text="new")
        o.change = fields
        o.publish()
        refuses(r)


def two_heads_of_one_change_are_refused():
    for name in ("root", "chain"):
        o, r = begun()
        o.change = {name: "ab" * 32}
        o.publish()
        refuses(r, "two heads")


def a_head_of_another_stream_or_key_is_refused():
    altered(stream="other")
    for how in ({"signer": Signer("a stranger")}, {"lister": Signer("a stranger")}, {"lister": None, "signer": None}):
        o, r = begun()
        o.put(5, text="new")
        o.publish()
        o.serve(**how) if how.get("signer") or how.get("lister") else o.serve(signer=o.platform, lister=o.signer)
        refuses(r, "signature", "another key")


def an_older_list_is_refused():
    for name in ("counter", "time"):
        o, r = begun()
        setattr(o, name, getattr(o, name) - 2)
        o.serve()
        refuses(r)


def a_root_that_is_not_the_records_is_refused():
    altered(root="cd" * 32)
    altered(size=71, seq=72)


def a_tombstone_left_out_or_an_old_version_instead_is_refused():
    for op in (2, 4):
        o, r = begun()
        old = o.items[7]
        o.put(7, op=op)
        o.publish()
        o.log = o.log[:-1] + ([record(7, o.seq, text="not withdrawn")] if op == 4 else [])
        o.items = {**o.items, 7: old}       # items and repair lie too
        refuses(r)


def items_exchanged_or_one_id_twice_are_refused():
    o, r = begun()
    o.put(3)
    o.items[3] = record(3, o.seq, ident=o.items[4].id)
    o.log[-1] = o.items[3]
    o.publish()
    refuses(r)


def a_change_that_was_not_asked_for_is_refused():
    o, r = begun()
    o.put(3, text="new")
    o.publish()
    o.log = [record(3, o.seq + 5)]
    refuses(r, "was not asked for", "Moving", "alone")


def what_is_withheld_is_not_shown_and_comes_back():
    o, r = begun()
    one = r.state.items[9]
    o.withheld = [one.uuid]
    o.publish()
    r.sync()
    assert one.bytes not in r.export() and r.export().count(b"\n") == 69
    o.withheld = []
    o.publish()
    r.sync()
    assert one.bytes in r.export()
    o.withheld = [one.uuid]
    o.publish()
    o.answers.update({k: b"tjzw withheld 1\n" for k, v in o.answers.items() if v.startswith(b"tjzw withheld")})
    refuses(r, "hash")


def a_wrong_ancestry_or_an_unknown_kind_is_refused():
    for text in ("1000 1\n999 5\n", "1000 1\n1001 5\n", "1000 0\n", "1000 1", "", "1000 01\n"):
        o, r = begun()
        o.put(3, text="new")
        o.ancestry = text
        o.publish()
        refuses(r, "ancestry", "number")
    o = Origin()
    for born in range(10):
        o.put(born)
    o.answers, o.seq = {}, 5000
    o.log[-1] = o.items[9] = record(9, 5000)
    o.publish()
    index = bytes.fromhex(o.fields["index"])
    body = o.answers[f"main/object/{index.hex()}"].replace(b"base", b"pack")
    o.change = {"index": o.object(body)}
    kept = dict(o.answers)
    o.publish()
    o.answers.update({k: v for k, v in kept.items() if "object" in k})
    refuses(reader(o), "unknown kind")


def too_far_behind_without_an_index_comes_again():
    o, r = begun()
    o.seq += 5000
    o.put(3, text="new")
    o.publish(indexed=False)
    refuses(r, "NotYet")
    o.publish()
    r.sync()
    assert b"new" in r.export()


def a_catch_up_that_is_too_large_goes_by_the_objects():
    o, r = begun()
    o.put(3, text="new")
    o.publish()
    o.answers[f"main/log/1000/0/70-{o.seq}"] = 413
    r.sync()
    assert b"new" in r.export() and r.counts["objects"] == 1


def a_lost_item_alone_is_wrong_in_nothing():
    o, r = begun()
    r.state.items[66].bytes = b"?"
    o.answers["main/item/1000/66.67"] = pack([record(66, 67, text="forged")])
    try:
        r.repair(r.describe(r.newest_head()))
        raise AssertionError("a forged item was taken")
    except Refused:
        pass
    del o.answers["main/item/1000/66.67"]
    r.repair(r.describe(r.newest_head()))
    assert b"?" not in r.export()


def whoever_trusted_a_stranger_starts_over_with_the_right_key():
    stranger, r = begun(5)
    true = Origin("the true one")
    true.put(0, text="true")
    true.publish()
    r._get = true.get
    refuses(r)
    r.trusted = true.platform.public
    r.sync()
    assert r.export() == b'{"text":"true"}\n' and len(r.state.items) == 1
    r._get = stranger.get
    refuses(r)


def a_horizon_that_the_log_outgrows_moves_up():
    o, r = begun(131_000, horizon=5120)
    assert r.state.horizon == 5120 and len(r.state.below) == 5
    kept = o.items[70_000]
    for change_below in (False, True):
        s, wanted = r.state, 131_072 + 100
        for born in range(len(o.items), wanted) if not change_below else range(3):
            o.put(born, text=f"later {born}")
        o.publish()
        r.sync()
        assert r.state.horizon == 65_536 and list(r.state.below) == [(16, 0)], r.state.horizon
        assert s.horizon in (5120, 65_536)
    r.narrow(66_560)
    assert list(r.state.below) == [(16, 0), (10, 64)]
    r.narrow(131_072)
    assert list(r.state.below) == [(16, 0), (16, 1)] and r.keep(kept.uuid).bytes == kept.bytes and r.counts["tiles"] == 3
    low = o.items[2]
    assert r.keep(low.uuid).bytes == low.bytes
    o.put(2, op=2)
    o.publish()
    r.sync()
    assert r.state.kept[2][0].op == 2 and low.bytes not in r.export() and kept.bytes in r.export()


CHECKS = [f for name, f in sorted(globals().items()) if callable(f) and getattr(f, "__module__", "") == __name__ and "_" in name]
