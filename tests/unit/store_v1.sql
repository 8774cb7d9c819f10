-- The phone's store, version 1. Rows become visible only with the signed head that covers them; chunks and parts are the
-- exception, and nobody reads those as content.

CREATE TABLE stream (
    no      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    url     TEXT    NOT NULL,
    cacert  TEXT,
    trust   BLOB,                       -- given by the user; a key trusted on first use is a value
    checked INTEGER NOT NULL DEFAULT 0, -- when a sync last succeeded
    damaged INTEGER NOT NULL DEFAULT 0  -- verify found that this does not add up
);

-- The texts of enum follow_value: head, keys, ancestry, directory and so on.
CREATE TABLE value (
    stream INTEGER NOT NULL,
    which  INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (stream, which)
) WITHOUT ROWID;

-- The newest record of every item, tombstones included. The frame is made of the columns again when it is hashed, so that what is
-- shown is what is verified.
CREATE TABLE item (
    no     INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    op     INTEGER NOT NULL,
    flags  INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    site   INTEGER NOT NULL,
    col    INTEGER NOT NULL,
    date   INTEGER NOT NULL,
    title  TEXT    NOT NULL,
    bytes  BLOB    NOT NULL,
    UNIQUE (stream, born),
    UNIQUE (stream, id)
);
CREATE INDEX item_by_date ON item (date DESC, no DESC) WHERE op = 1;
CREATE INDEX item_by_id ON item (id) WHERE op = 1;

-- The Merkle tree: level 0 are the leaves.
CREATE TABLE tile (
    stream INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    nodes  BLOB    NOT NULL,
    PRIMARY KEY (stream, level, place)
);

-- From the directory object.
CREATE TABLE site (
    stream INTEGER NOT NULL,
    no     INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    PRIMARY KEY (stream, no)
) WITHOUT ROWID;
CREATE TABLE site_column (
    stream   INTEGER NOT NULL,
    no       INTEGER NOT NULL,
    site     INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (stream, no)
) WITHOUT ROWID;

-- Column paths that the user wants to see; none: all.
CREATE TABLE wanted (
    path TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- Bodies on their way: what came so far. A chunk's number is part << 40 | offset.
CREATE TABLE part (
    no     INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    path   TEXT    NOT NULL,
    bytes  INTEGER NOT NULL,
    whole  INTEGER NOT NULL,
    etag   TEXT    NOT NULL,
    UNIQUE (stream, path)
);
CREATE TABLE chunk (
    no    INTEGER PRIMARY KEY,
    bytes BLOB    NOT NULL
);
