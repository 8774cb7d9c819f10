"""citizen.py - somebody's app, as far as it writes letters."""
import hashlib
import json
import random
import struct
import zlib

from app import App
from lib import CORPUS


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, size, note):
    """A picture of noise, with a note in it; `width` and `height` are what it says."""
    noise = zlib.compress(random.randbytes(size), 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"tEXt", b"Comment\0" + note) \
        + chunk(b"IDAT", noise) + chunk(b"IEND", b"")


def texts():
    """Pieces of real prose; of the city's letters most have 50 to 600 characters, and some thousands."""
    prose = "".join(json.loads(line)["body"] for line in CORPUS.open(encoding="utf-8")) if CORPUS.exists() else "我想问一下居住证怎么办理，需要什么材料？" * 40000
    prose = "".join(c for c in prose if c == "\n" or c >= " ")
    while True:
        n = min(10000, max(5, int(random.lognormvariate(5.3, 1.0))))
        at = random.randrange(len(prose) - n)
        piece = prose[at:at + n]
        yield piece if piece.strip() else "请问"


class Citizen(App):
    """Somebody who has signed in."""

    def __init__(self, server, phone):
        super().__init__(server)
        self.by_phone(phone)

    def put(self, content, name=None, size=None, step=256 * 1024, first=0):
        """Uploads it in pieces; the last answer."""
        name = name or hashlib.sha256(content).hexdigest()
        size = size or len(content)
        for at in range(first, len(content), step):
            part = content[at:at + step]
            answer = self.server.get(f"/v1/me/blobs/{name}", "PUT", part, {"authorization": "Bearer " + self.access,
                                     "content-type": "application/octet-stream", "content-range": f"bytes {at}-{at + len(part) - 1}/{size}"})
            if answer.status >= 300:
                break
        return answer


def sync(app, device, *mutations):
    """One exchange: the results by n, and the entries of letters by key."""
    answer = app.call("POST", "/v1/me/sync", {"device": device, "mutations": list(mutations)}).json()
    return {r["n"]: r for r in answer["results"]}, {e["key"]: e["value"] for e in answer["entries"] if e["type"] == "letter"}
