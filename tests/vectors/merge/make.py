#!/usr/bin/env python3
"""Examples of the rules by which a citizen's own state is merged, written from docs/protocol/state.md section 4 alone.

    make.py             writes merge.json
    make.py --check     says whether it would write the same

merge.json, for any client:
    merge    what stands after `written` is written over `held`; null: nothing stands there, or it is removed
    key      whether a key is one of its type
    value    whether a value is one of its type and key
"""
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ITEM = "main/0190b1c2-0000-7000-8000-000000000001"


def numbers(text):
    """The set that ranges stand for."""
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def ranges(found):
    """Ascending, as few as will do."""
    parts, left = [], sorted(found)
    while left:
        first = last = left.pop(0)
        while left and left[0] == last + 1:
            last = left.pop(0)
        parts.append(f"{first}-{last}" if last > first else str(first))
    return ",".join(parts)


def stands(type_, held, written):
    if type_ != "read":
        return written
    if written is None:
        return held
    return ranges(numbers(written) | (numbers(held) if held else set()))


def sets(chance):
    """As a phone might write them: in any order, with overlaps."""
    def one():
        first = chance.randrange(4096)
        last = min(4095, first + chance.choice([0, 0, 1, 2, 30, 500]))
        return f"{first}-{last}" if last > first or chance.random() < 0.1 else str(first)
    return ",".join(one() for _ in range(chance.randint(1, 12)))


def merges():
    chance = random.Random(6)
    pairs = [("fav", None, {"at": 1}), ("fav", {"at": 5}, {"at": 1}), ("fav", {"at": 5}, None), ("set", 20, 24), ("set", 20, None),
             ("place", 1000, 3), ("vote", 1, -1), ("follow", {"rank": "a"}, {"rank": "b"}), ("consent", True, False), ("seen", None, True),
             ("seen", True, True), ("seen", True, None), ("read", None, "7"), ("read", "7", None), ("read", "7", "7"), ("read", "0-5", "6"),
             ("read", "0-5", "7"), ("read", "0-4095", "12"), ("read", "1,3,5", "2,4"), ("read", None, "9,3-5,4-7,0"), ("read", None, "40-40")]
    pairs += [("read", ranges(numbers(sets(chance))), sets(chance)) for _ in range(40)]
    dense = ranges(n for n in range(4096) if n % 3)
    pairs.append(("read", dense, "0"))      # the longest text there is, nearly
    return [{"type": t, "held": h, "written": w, "stands": stands(t, h, w)} for t, h, w in pairs]


def keys():
    good = {"fav": [ITEM], "read": ["main/0", "main/44", "a-b/123456789012345"],
            "follow": ["column/main/7", "org/11120000000000000X", "area/120104", "area/120104007", "area/120104007001", "tag/公积金", "tag/a b"],
            "set": ["font", "elder", "theme", "quiet", "area", "images"], "consent": ["push/column/main/7", "push/class/urgent", "counts"],
            "place": [ITEM], "seen": ["1", "42"], "vote": [ITEM], "letter": [ITEM[5:]], "message": ["7"], "answered": [ITEM[5:]]}
    bad = {"fav": ["", "main", "main/", ITEM + "0", ITEM[:-1], ITEM.upper(), "/" + ITEM[5:], " " + ITEM], "read": ["main/", "main/x", "main/007", "main/-1", "main/1.5", "main/1234567890123456"],
           "follow": ["column/main", "column/main/x", "org/", "org/a/b", "area/12010", "area/1201041", "tag/", "tag/a/b", "tag/" + "长" * 21, "tag/a\"", "nothing/1"],
           "set": ["", "nonsense", "Font"], "consent": ["push", "push/class/", "count", "counts2"], "seen": ["", "x", "01", "-1"], "letter": ["1", ITEM], "message": [""]}
    return [{"type": t, "key": k, "good": g} for table, g in ((good, True), (bad, False)) for t, list_ in table.items() for k in list_]


def values():
    rows = [("fav", ITEM, {"at": 0}, True), ("fav", ITEM, {"at": 4102444800}, True), ("fav", ITEM, {"at": -1}, False), ("fav", ITEM, {"at": 1, "b": 2}, False),
            ("fav", ITEM, {}, False), ("fav", ITEM, "1", False), ("fav", ITEM, {"at": "1"}, False),
            ("read", "main/1", "0", True), ("read", "main/1", "4095", True), ("read", "main/1", "0-17,40,102-4095", True), ("read", "main/1", "", False),
            ("read", "main/1", "4096", False), ("read", "main/1", "5-3", False), ("read", "main/1", "1,", False), ("read", "main/1", ",1", False),
            ("read", "main/1", "01", False), ("read", "main/1", "1-", False), ("read", "main/1", "1--2", False), ("read", "main/1", " 1", False), ("read", "main/1", 1, False),
            ("follow", "org/X", {"rank": "a0m"}, True), ("follow", "org/X", {"rank": ""}, False), ("follow", "org/X", {"rank": "a b"}, False),
            ("set", "font", 20, True), ("set", "font", 21, False), ("set", "font", "20", False), ("set", "elder", True, True), ("set", "elder", 1, False),
            ("set", "theme", "dark", True), ("set", "theme", "pink", False), ("set", "quiet", "22:00-07:30", True), ("set", "quiet", "", True),
            ("set", "quiet", "24:00-07:00", False), ("set", "quiet", "22:00-07:60", False), ("set", "quiet", "22:00", False), ("set", "area", "120104", True),
            ("set", "area", "12", False), ("consent", "counts", False, True), ("consent", "counts", 0, False), ("place", ITEM, 0, True), ("place", ITEM, 999, True),
            ("place", ITEM, 1000, True), ("place", ITEM, 1001, False), ("place", ITEM, -1, False), ("seen", "1", True, True), ("seen", "1", False, False),
            ("vote", ITEM, 1, True), ("vote", ITEM, -1, True), ("vote", ITEM, 0, False), ("answered", ITEM[5:], {"at": 1}, True)]
    return [{"type": t, "key": k, "value": v, "good": g} for t, k, v, g in rows]


def lines(rows):
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"


text = "{" + ",\n".join(f'"{name}": {lines(rows)}' for name, rows in (("merge", merges()), ("key", keys()), ("value", values()))) + "}\n"
if "--check" in sys.argv:
    sys.exit((HERE / "merge.json").read_text() != text and "merge.json is not what make.py writes")
(HERE / "merge.json").write_text(text)
