#!/usr/bin/env python3
"""Uploads in pieces, over HTTP/1.1 and HTTP/2 with a token: one that is cut in the middle of a piece goes on where the last whole piece ended, also after
the server was killed; no piece may be longer than 256 KB."""
import hashlib
import json
import random
import subprocess
import sys

from lib import World, article, clean_env, wait_for

from tap import case, done

PIECE = 256 * 1024


class Upload:
    """Of one file, by hand."""

    def __init__(self, server, token, version, bytes_):
        self.server, self.token, self.version, self.bytes = server, token, version, bytes_
        self.name = hashlib.sha256(bytes_).hexdigest()
        self.url = f"{server.url}/v1/blobs/{self.name}"
        self.file = server.data.parent / self.name

    def ask(self, content_range, piece=b"", *more):
        """(status, body) of a PUT; (0, ...) if it was cut."""
        self.file.write_bytes(piece)
        said = subprocess.run(["curl", "-sk", version_option(self.version), "-X", "PUT", "-H", f"Authorization: Bearer {self.token}", "-H",
                               "Content-Type: application/octet-stream", "-H", f"Content-Range: bytes {content_range}", "-H", "Expect:",
                               *(["--data-binary", f"@{self.file}"] if piece else []), "-w", "\n%{http_code}", *more, self.url],
                              capture_output=True, text=True, env=clean_env(), timeout=60).stdout
        body, _, status = said.rpartition("\n")
        return int(status), body

    def put(self, at, n=PIECE, *more):
        piece = self.bytes[at:at + n]
        return self.ask(f"{at}-{at + len(piece) - 1}/{len(self.bytes)}", piece, *more)

    def cut(self, at):
        """Half of a piece, and then nothing: the connection is closed in the middle of the body."""
        piece = self.bytes[at:at + PIECE]
        status, _ = self.ask(f"{at}-{at + len(piece) - 1}/{len(self.bytes)}", piece, "--limit-rate", "200k", "--max-time", "0.6")
        assert status == 0, status

    def have(self):
        status, body = self.ask(f"*/{len(self.bytes)}")
        assert status == 200, (status, body)
        return json.loads(body)["have"]


def version_option(version):
    return {1: "--http1.1", 2: "--http2"}[version]


def upload(server, token, version, between):
    """A file of three pieces and a bit; the second one is cut. `between` happens before it goes on."""
    file = Upload(server, token, version, random.Random(f"{version}/{between}").randbytes(3 * PIECE + 777))
    assert file.put(0)[0] == 200
    file.cut(PIECE)
    between()
    at = file.have()
    assert at == PIECE, f"after a cut {at} bytes are there, not those of the whole piece"
    status, body = file.put(at + 1)
    assert status == 409, (status, body)
    while at < len(file.bytes):
        status, body = file.put(at)
        assert status == (201 if at + PIECE >= len(file.bytes) else 200), (status, body)
        at = json.loads(body)["have"]
    got = server.admin("GET", f"/v1/blobs/{file.name}")
    assert got.status == 200 and got.body == file.bytes


with World() as w:
    server = w.serve()
    token = server.program("sender", "import")

    def die():
        child = server.child
        subprocess.run(["kill", "-9", str(child)], check=True)
        wait_for("another child", 20, lambda: server.child not in (None, child) and server.get("/readyz").status == 200)

    for version in (1, 2):
        with case(f"HTTP/{version}: an upload that is cut goes on where its last whole piece ended"):
            upload(server, token, version, lambda: None)
        with case(f"HTTP/{version}: so it does after the server was killed"):
            upload(server, token, version, die)
        with case(f"HTTP/{version}: a piece of more than 256 KB is answered 413, and nothing of it is kept"):
            file = Upload(server, token, version, random.Random(version).randbytes(PIECE + 1))
            status, body = file.put(0, PIECE + 1)
            assert status == 413 and "/problems/too-large" in body, (status, body)
            assert file.have() == 0
            assert file.put(0)[0] == 200 and file.put(PIECE)[0] == 201

    with case("an import of more than 256 KB is answered 413; in several requests it is taken whole"):
        lines = [json.dumps(article(i, 9000), ensure_ascii=False).encode() + b"\n" for i in range(60)]
        head = {"content-type": "application/x-ndjson", "authorization": f"Bearer {token}"}
        assert sum(map(len, lines)) > PIECE
        assert server.get("/v1/import?create=1", "POST", b"".join(lines), head).status == 413
        for i in range(0, 60, 20):
            answer = server.admin("POST", "/v1/import?create=1", b"".join(lines[i:i + 20]), head)
            assert answer.status == 200 and answer.json()["created"] == 20, answer

sys.exit(done())
