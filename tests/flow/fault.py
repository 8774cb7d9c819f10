"""fault.py - a real program whose calls fail when the test says so, and whose wall clock jumps (tests/lib/fault_shim.c, clock_shim.c).

    faults = Faults(w)
    server = w.serve(env=faults.env())
    faults.order("write", at=3, error=errno.EIO)        # the third from now on; its children's too
    ...
    calls, failed = faults.rest()

    clock = Clock(w)
    server = w.serve(env=clock.env)
    clock.ahead(3600)
"""
import errno
import json
import mmap
import struct

from lib import BUILD

KINDS = {"memory": 1, "open": 2, "read": 4, "write": 8, "sync": 16, "name": 32, "map": 64, "socket": 128, "accept": 256, "short": 512}
USUAL = {"memory": errno.ENOMEM, "open": errno.EMFILE, "read": errno.EIO, "write": errno.ENOSPC, "sync": errno.EIO, "name": errno.EIO,
         "map": errno.ENOMEM, "socket": errno.ECONNRESET, "short": 0}


def _shared(path, n):
    path.write_bytes(bytes(n))
    with open(path, "r+b") as f:
        return mmap.mmap(f.fileno(), n)


class Faults:
    """Orders to a program. The kinds that name files count those below `below` only."""

    def __init__(self, w, below=None, name="faults"):
        self.path, self.below = w.dir / name, below or w.dir
        self.map = _shared(self.path, 64)

    def env(self, **more):
        return {"LD_PRELOAD": str(BUILD / "tests/unit/libfault_shim.so"), "FAULT_SHIM": str(self.path), "FAULT_SHIM_BELOW": str(self.below), **more}

    def _put(self, at, value):
        self.map[8 * at:8 * at + 8] = struct.pack("<q", value)

    def _get(self, at):
        return struct.unpack("<q", self.map[8 * at:8 * at + 8])[0]

    def order(self, *kinds, at=1, error=None, for_ever=False):
        self.rest()
        for place, value in ((1, at), (2, for_ever), (3, error or USUAL[kinds[0]]), (4, 0), (5, 0)):
            self._put(place, value)
        self._put(0, sum(KINDS[k] for k in kinds))

    def rest(self):
        """Nothing fails any more; how many calls there were, and how many of them failed."""
        self._put(0, 0)
        return self._get(4), self._get(5)


class Clock:
    """The wall clock of a program."""

    def __init__(self, w, seconds=0):
        path = w.dir / "clock"
        self.map = _shared(path, 32)
        self.env = {"LD_PRELOAD": str(BUILD / "tests/unit/libclock_shim.so"), "CLOCK_SHIM": str(path)}
        self.ahead(seconds)

    def ahead(self, seconds):
        self.map[:8] = struct.pack("<q", int(seconds))


class Staff:
    """What editors do, over the admin socket."""

    def __init__(self, server):
        self.server = server
        column = server.get("/v1/columns").json()["columns"][0]
        self.place = {"site": column["site"], "column": column["no"]}

    def draft(self, title, body="第一段。\n\n第二段。", key=None):
        text = json.dumps({"kind": "article", "title": title, "body": body, **self.place}, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
        return self.server.admin("POST", "/v1/items", text, headers)

    def step(self, item, verb, **fields):
        return self.server.admin("POST", f"/v1/items/{item}/{verb}", json.dumps(fields, ensure_ascii=False).encode(),
                                 {"content-type": "application/json"})

    def publish(self, title):
        """The id of a new item that is public; every step must be taken."""
        made = self.draft(title)
        assert made.status == 201, made
        item = made.json()["id"]
        for verb in ("submit", "approve", "publish"):
            answer = self.step(item, verb)
            assert answer.status == 200, (verb, answer)
        return item

    def bring(self, *records):
        body = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()
        return self.server.admin("POST", "/v1/import?publish=1&create=1", body, {"content-type": "application/x-ndjson"})
