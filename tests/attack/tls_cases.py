"""tls_cases.py - TLS as octets: records and messages that bring the server work and no bytes (docs/shield.md, "Records of TLS").

libh2o decrypts all that lies in the kernel in one turn, for every connection, before anybody sees a byte. So these come on 60 and more connections at
once: a server that does not count them stands still for seconds, and its watchdog ends it.
"""
import subprocess
import time

from arena import Case, lib
from h1_cases import raw
from wire import CONTEXTS, ssl

CHAPTER = "docs/shield.md, records of TLS"
SOON = 3


def records(kind, connections, count, most_open=0):
    """tls_records.c says it; at most so many connections may be left."""
    def act(stage):
        program = lib.BUILD / "tests" / "attack" / "tls-records"
        done = subprocess.run([program, str(stage.port), stage.address, str(connections), kind, str(count)], capture_output=True, text=True, timeout=120)
        assert stage.arena.alive(), "the server ended"
        assert done.returncode == 0, done.stderr[-200:]
        ended = int(done.stdout)
        stage.note(f"{ended} of {connections} connections were ended")
        assert connections - ended <= most_open, f"{connections - ended} of {connections} connections are still open"
    return act


def hello():
    out = ssl.MemoryBIO()
    tls = CONTEXTS["h2"].wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("a handshake without a server")


def cut(message, kind=22):
    """A record for each byte."""
    return b"".join(bytes((kind, 3, 1, 0, 1, x)) for x in message)


def all_closed(stage, blob, connections=60):
    peers = [raw(stage) for _ in range(connections)]
    for p in peers:
        p.pour(blob, 2)
    left = sum(not p.ended(SOON) for p in peers)
    time.sleep(1)       # of the witness
    assert not left, f"{left} of {connections} connections are still open"


def in_pieces(stage):
    """A ClientHello as large as OpenSSL takes one, in records of a byte."""
    whole = b"\x01" + (131_000).to_bytes(3, "big") + hello()[9:]
    blob = cut(whole.ljust(131_000, b"\0"))
    all_closed(stage, blob)


def warnings(stage):
    """Alerts that end nothing, in clear, behind a ClientHello."""
    all_closed(stage, hello() + bytes((21, 3, 3, 0, 2, 1, 100)) * 50_000)


def changes(stage):
    """change_cipher_spec, which TLS 1.3 has for old boxes on the way and throws away."""
    all_closed(stage, hello() + bytes((20, 3, 3, 0, 1, 1)) * 100_000)


CASES = [
    Case("new keys without end", "60 connections, 3,000 KeyUpdates each at once", CHAPTER, "closed", records("keys", 60, 3000), libh2o_fails=True),
    Case("new keys, asked back", "60 connections, 1,000 KeyUpdates that ask for one", CHAPTER, "closed", records("asked", 60, 1000)),
    Case("records of one byte", "100 connections, 16,000 of them each", CHAPTER, "closed", records("bytes", 100, 16_000), libh2o_fails=True),
    Case("a second handshake", "60 connections of TLS 1.2 that begin anew", CHAPTER, "closed", records("again", 60, 1)),
    Case("empty records", "60 connections, 50,000 records without content each", CHAPTER, "closed", records("empty", 60, 50_000)),
    Case("empty records with pauses", "60 connections, 50,000 of them, a byte between every 30", CHAPTER, "closed", records("pauses", 60, 50_000),
         libh2o_fails=True),
    Case("empty records, TLS 1.2", "60 connections, 50,000 of them, a byte between every 30", CHAPTER, "closed", records("empty2", 60, 50_000),
         libh2o_fails=True),
    Case("tickets of a client", "60 connections, 10,000 NewSessionTickets each", CHAPTER, "closed", records("ticket", 60, 10_000)),
    Case("a message that never ends", "60 connections, 50,000 records of a byte", CHAPTER, "closed", records("part", 60, 50_000)),
    Case("HelloRequest of a client", "60 connections of TLS 1.2, 10,000 each", CHAPTER, "closed", records("hello2", 60, 10_000)),
    Case("a ClientHello in pieces", "60 connections, 131,000 records of a byte", CHAPTER, "closed", in_pieces, libh2o_fails=True),
    Case("warnings", "60 connections, 50,000 alerts in the handshake", CHAPTER, "closed", warnings),
    Case("change_cipher_spec", "60 connections, 100,000 of them in the handshake", CHAPTER, "closed", changes),
]
