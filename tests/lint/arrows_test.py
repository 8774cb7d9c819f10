#!/usr/bin/env python3
"""Who may include whom (docs/ARCHITECTURE.md), read from the #includes.

A row of ARROWS is a place and the places it may include besides itself. The longest place that a file's name begins with is the one
that counts, for both ends of an arrow. Everything may include sync/wire: it is the protocol in bytes and depends on libc only.
"""
import re
import sys

from tree import ROOT, complain, files, lines

from tap import case, done

BASE, STORE, HTTP, IDENTITY, LIBRARY, CITIZEN = (
    "server/base", "server/store", "server/http", "server/identity", "server/library", "server/citizen")
CLIENT, SSE, TRANSFER = "server/http/client.h", "server/http/sse.h", "server/http/transfer.h"       # the headers of http that domains may use
SHARED = ["sync/addressed", "sync/wire", "sync/merge", "sync/state", "sync/verify", "sync/follow", "sync/spool", "sync/net"]   # compiled into libtjzw as well
MIRROR = "server/channel/mirror"
HEALTH = "server/health"
DERIVED = "server/derived"
SERVER = [HEALTH, MIRROR, BASE, STORE, HTTP, IDENTITY, LIBRARY, CITIZEN, "server/channel", DERIVED, "server/feed", "server/search", "server/stats", "server/websub", "sync", "push", "warning", CLIENT, SSE]
INGEST, CHECK = "server/ingest", "server/check"
SERVER += [INGEST, CHECK, "server/source"]

ARROWS = {
    BASE: [],
    STORE: [BASE, "server/embed"],
    HTTP: [BASE, STORE],                                       # the writer, and stored answers (idempotency.c)
    CLIENT: [BASE],
    SSE: [BASE],
    TRANSFER: [BASE],
    IDENTITY: [BASE, STORE, CLIENT, "sync/verify"],             # signed texts have one form
    INGEST: [BASE],                                             # pages of others, made ours: pure
    CHECK: [BASE],                                              # rules over a record's text: pure
    LIBRARY: [BASE, STORE, IDENTITY, CHECK, "sync/addressed"],          # whom a message is for has one meaning
    CITIZEN: [BASE, STORE, IDENTITY, LIBRARY, "sync/merge", "sync/state"],
    "server/channel": [BASE, STORE, IDENTITY, LIBRARY, CHECK, CLIENT, "sync/follow", "sync/spool"],
    MIRROR: [BASE, STORE, IDENTITY, LIBRARY, "server/channel", "sync", *SHARED],      # what it fetched goes where our own streams live
    HEALTH: [BASE, STORE, HTTP, IDENTITY, LIBRARY, CITIZEN, "server/channel", MIRROR, DERIVED, "sync", "push", *SHARED],   # it looks at all of them
    DERIVED: [BASE, STORE, LIBRARY],
    "server/search": [BASE, STORE, LIBRARY, DERIVED],           # a projection, and who asks it
    "server/feed": [BASE, STORE, LIBRARY, DERIVED],             # a projection: the counts of each scope
    "server/stats": [BASE, STORE, LIBRARY],
    "server/websub": [BASE, STORE, DERIVED, CLIENT],            # who is told of news; what a document is, api hands in
    "server/source": [BASE, STORE, IDENTITY, LIBRARY, CHECK, INGEST, DERIVED, CLIENT],     # what others hand in, and what is fetched for it
    "sync/wire": [],
    "sync/merge": [],
    "sync/addressed": ["sync/state"],
    "sync/state": ["sync/merge"],
    "sync/verify": ["sync/merge"],
    "sync/follow": ["sync/merge", "sync/verify"],
    "sync/spool": ["sync/merge", "sync/verify", "sync/follow"],
    "sync/net": [],
    "sync": [BASE, STORE, IDENTITY, LIBRARY, CITIZEN, *SHARED],
    "push": [BASE, STORE, IDENTITY, LIBRARY, CITIZEN, TRANSFER, SSE, "push/post", "sync/addressed", "sync/merge", "sync/state"],
    "warning": [BASE, STORE, IDENTITY, LIBRARY, "push"],          # a publishing side: into the library, and to who sends
    "push/post": [BASE, TRANSFER, "push"],      # the thread that speaks to vendors
    "api": ["server/embed", *SERVER, *SHARED],
    "server/embed": [],                                         # files compiled in: schema, pages
    "server": ["server/embed", *SERVER, *SHARED, "api"],                        # app.c, main.c and the subcommands
    "clients/c": ["clients/c/tjzw.h", "clients/c/tjzw_me.h", *SHARED],
    "clients/c/tjzw.h": [],                                     # the public headers: all that an app knows
    "clients/c/tjzw_me.h": ["clients/c/tjzw.h"],
    "clients/android": ["clients/c/tjzw.h", "clients/c/tjzw_me.h"],
    "tests": ["*"],
}

# Libraries that only some places may know: beginning of the header's name (the first row that fits), who may include it.
LIBRARIES = {
    "h2o/memory.h": [BASE, HTTP, "tests"],          # its pools, and its malloc that aborts
    "h2o": [HTTP, "tests"],
    "sqlite3.h": [STORE, "clients/c", "tests"],
    "libpq-fe.h": [STORE, "tests"],
    "curl/": [HTTP, "sync/net", "push/post", "server/main", "tests"],
    "openssl/": [BASE, HTTP, IDENTITY, "sync/verify", "push/vendor_crypt", "server/channel/wechat_crypt", "tests"],
    "gumbo.h": ["server/ingest/html_"],             # held by its memory there: it has no limits of its own
    "hs.h": ["server/check/words.c"],
    "expat.h": ["warning/cap.c", "server/channel/wechat_message.c", "server/source/feed_read.c"],   # no DTD, no entities, bounded: a reader a format
    "jwt.h": ["server/identity/jwt.c"],             # one wrapper: it has too many traps for a second
    "utf8proc.h": ["server/identity/password", "server/identity/identifier.c", "server/identity/name.c", "server/search/fold.c"],
    "jansson.h": ["clients/c", MIRROR, "server/channel/channel_", BASE, STORE, HTTP, IDENTITY, LIBRARY, CITIZEN, "server", "sync", "push", "warning", "api", "tests"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
INSTALLED = {"clients/c/tjzw_me.h": "tjzw.h"}      # public headers lie beside each other where an app finds them
PLACES = sorted([*ARROWS, CLIENT, SSE, TRANSFER], key=len, reverse=True)


def place(name):
    """The place a file belongs to: a folder, or some files of one by the beginning of their name (sync/wire: wire.c, wire_head.h)."""
    for p in PLACES:
        if name == p or name.startswith(p + "/") or re.match(re.escape(p) + r"(_\w+)?\.[ch]$", name) and (ROOT / p).is_dir() is False:
            return p
    return None


def within(name, places):
    return any(name.startswith(p) for p in places)


def forbidden(source, target):
    """Why `source` may not include `target`, or None."""
    here, there = place(source), place(target)
    here = HTTP if here in (CLIENT, SSE, TRANSFER) else here
    if there is None:
        return "is not a full path from the root"
    allowed = ARROWS.get(here, [])
    if here == there or there in allowed or "*" in allowed or there == "sync/wire":
        return None
    if there in (CLIENT, SSE, TRANSFER) and (HTTP in allowed or here == HTTP):
        return None
    return f"{here} may include {', '.join(['itself', *allowed])}; not {there}"


def included():
    for name in files(".c", ".h"):
        for number, text in lines(name):
            m = INCLUDE.match(text)
            if m:
                yield name, number, m[1], m[2]


with case("the rows of arrows cover every folder with C files"):
    complain(sorted({f"{n}: no row for its folder" for n in files(".c", ".h") if place(n) is None}))

with case("no include points the wrong way"):
    complain([f'{n}:{at}: "{target}": {why}' for n, at, kind, target in included()
              if kind == '"' and INSTALLED.get(n) != target and not target.endswith((".def", ".inc")) and (why := forbidden(n, target))])

with case("libraries are included only where they belong"):
    found = []
    for name, at, kind, target in included():
        places = next((places for prefix, places in LIBRARIES.items() if target.startswith(prefix)), None)
        if kind == "<" and places and not within(name, places):
            found.append(f"{name}:{at}: <{target}>: only in {', '.join(places)}")
    complain(found)

sys.exit(done())
