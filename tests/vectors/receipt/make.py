#!/usr/bin/env python3
"""Writes receipt.json from docs/letters.md section 4 alone: what a letter's receipt is, byte for byte.

    make.py            writes receipt.json
    make.py --check    a test: is it what it would write?
"""
import hashlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sync"))
from ed25519 import Key  # noqa: E402

SEED = bytes(range(32))
SENT = {"category": "report", "text": "路灯不亮", "title": "路灯", "unit": "heping"}
CASES = [
    (1, "JB2026-000001", "0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11", 1795312800),
    (1234567, "YSQ2031-1000000", "ffffffff-ffff-7fff-bfff-ffffffffffff", 4102444800),
]


def receipt(index, number, letter, time, hashed):
    said = f"tjzw letter receipt 1\nindex {index}\nnumber {number}\nletter {letter}\nhash {hashed}\ntime {time}\n"
    return said + "signature " + Key(SEED).sign(said.encode()).hex() + "\n"


def main():
    sent = json.dumps(SENT, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    hashed = hashlib.sha256(sent.encode()).hexdigest()
    made = json.dumps({
        "seed": SEED.hex(), "key": Key(SEED).public.hex(), "sent": sent, "hash": hashed,
        "receipts": [{"index": i, "number": n, "letter": u, "time": t, "receipt": receipt(i, n, u, t, hashed)} for i, n, u, t in CASES],
    }, ensure_ascii=False, indent=1) + "\n"
    file = HERE / "receipt.json"
    if "--check" in sys.argv:
        return 0 if file.read_text(encoding="utf-8") == made else "receipt.json is not what make.py writes"
    file.write_text(made, encoding="utf-8")
    return 0


sys.exit(main())
