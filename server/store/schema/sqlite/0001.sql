-- Schema version 1 for SQLite. schema/pg/0001.sql is the same for PostgreSQL: BLOB is BYTEA, INTEGER is BIGINT, and WITHOUT ROWID goes.
-- Times are seconds since 1970 UTC. Hashes are 32 raw bytes, item ids 16.

-- One change log. This server's own streams have a key file; a mirrored one has none.
CREATE TABLE stream (
    no        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    epoch     INTEGER NOT NULL,           -- docs/protocol/sync.md section 1
    seq       INTEGER NOT NULL DEFAULT 0, -- of the last change
    born      INTEGER NOT NULL DEFAULT 0, -- items ever published: the next born
    cut       INTEGER NOT NULL DEFAULT 0, -- takedowns and purges so far
    chain     BLOB    NOT NULL,           -- hash chain at seq
    index_seq INTEGER NOT NULL DEFAULT 0, -- seq that the newest index stands for
    index_hash BLOB,                      -- its name; NULL: none yet
    mirrored  INTEGER NOT NULL DEFAULT 0  -- 1: another server's; its heads come from there
);

-- Since first_seq the log belongs to epoch.
CREATE TABLE ancestry (
    stream    INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    PRIMARY KEY (stream, epoch)
) WITHOUT ROWID;

-- Signed heads, stored before they are served.
CREATE TABLE head (
    stream INTEGER NOT NULL,
    epoch  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    sign   INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    cut    INTEGER NOT NULL,
    chain  BLOB    NOT NULL,
    note   BLOB    NOT NULL, -- the text as served
    PRIMARY KEY (stream, epoch, seq, sign)
) WITHOUT ROWID;

-- Small objects of the sync protocol that are not files: ancestry, directory, index, withheld. Two streams may hold the same.
CREATE TABLE sync_object (
    hash   BLOB    NOT NULL,
    stream INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    made   INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (hash, stream)
) WITHOUT ROWID;

-- The list of streams that the platform signed last: one row, number 1.
CREATE TABLE heads (
    no      INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL,
    note    BLOB    NOT NULL -- the signed text, without the streams' own heads
);

-- Items of a stream that this server does not show.
CREATE TABLE withheld (
    stream INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;

-- Streams of other servers that we follow: server/channel/mirror.c.
CREATE TABLE mirror (
    stream  INTEGER NOT NULL PRIMARY KEY,
    url     TEXT    NOT NULL, -- of the server, without a slash at its end
    trust   BLOB,             -- its platform key; NULL: the first one met is believed
    cacert  TEXT,             -- PEM file; NULL: what this machine trusts
    created INTEGER NOT NULL
) WITHOUT ROWID;

-- What the pull engine keeps of a followed stream: enum follow_value of sync/follow.h.
CREATE TABLE mirror_value (
    stream INTEGER NOT NULL,
    which  INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (stream, which)
) WITHOUT ROWID;

-- Its tree, as the pull engine stores it: 64 nodes each.
CREATE TABLE mirror_tile (
    stream INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    nodes  BLOB    NOT NULL,
    PRIMARY KEY (stream, level, place)
) WITHOUT ROWID;

-- Files that its records name and that are to be fetched yet: server/channel/mirror_files.c.
CREATE TABLE mirror_file (
    stream INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    due    INTEGER NOT NULL,
    tries  INTEGER NOT NULL,
    PRIMARY KEY (stream, hash)
) WITHOUT ROWID;
CREATE INDEX mirror_file_by_due ON mirror_file (stream, due);
CREATE INDEX mirror_file_by_hash ON mirror_file (hash);

-- What each object of a stored index is made of: enough to make the same bytes again from the log.
CREATE TABLE index_object (
    stream      INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    kind        INTEGER NOT NULL, -- 0 base, 1 layer
    first_born  INTEGER NOT NULL,
    last_born   INTEGER NOT NULL,
    lowest_seq  INTEGER NOT NULL,
    highest_seq INTEGER NOT NULL,
    as_of_seq   INTEGER NOT NULL, -- each item's newest change up to there
    upto_seq    INTEGER NOT NULL, -- of those, the ones up to there
    spans       BLOB    NOT NULL, -- and in which ranges of born, after which seq: sync/recipe.h
    level       INTEGER NOT NULL, -- of compression
    bytes       INTEGER NOT NULL,
    gzip_bytes  INTEGER NOT NULL,
    zstd_bytes  INTEGER NOT NULL,
    live        INTEGER NOT NULL, -- base: bytes of its items' newest records; layer: 0
    PRIMARY KEY (hash, stream)
);
CREATE INDEX index_object_by_stream ON index_object (stream);

-- Objects of every kind that were served once and never will be again: purged, or superseded long ago. Kept for ever.
CREATE TABLE gone_object (
    hash   BLOB NOT NULL PRIMARY KEY,
    stream INTEGER NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

-- Organisations: who publishes. Regions are GB/T 2260 and its street and village extensions.
CREATE TABLE org (
    no     INTEGER PRIMARY KEY,
    code   TEXT NOT NULL UNIQUE, -- unified social credit code, or a name we were given
    name   TEXT NOT NULL,
    region TEXT,                 -- 6, 9 or 12 digits
    parent INTEGER
);

CREATE TABLE site (
    no      INTEGER PRIMARY KEY, -- a number in the stream's directory; never used twice
    stream  INTEGER NOT NULL,
    code    TEXT    NOT NULL UNIQUE, -- SiteIDCode of 10 digits where there is one, else a short name
    name    TEXT    NOT NULL,
    domain  TEXT,
    org     INTEGER,
    state   TEXT    NOT NULL DEFAULT 'open', -- open, closed
    created INTEGER NOT NULL,
    remote  INTEGER,             -- its number in a mirrored stream's directory; NULL: our own
    UNIQUE (stream, remote)
);

-- 栏目. `path` is the names from the root, joined by '/', unique in its site.
CREATE TABLE site_column (
    no          INTEGER PRIMARY KEY, -- a number in the stream's directory; never used twice
    site        INTEGER NOT NULL,
    parent      INTEGER NOT NULL DEFAULT 0, -- 0: top level
    name        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    type        TEXT    NOT NULL, -- ColumnType of 国办发〔2017〕47号
    description TEXT,
    keywords    TEXT,
    period_days INTEGER NOT NULL DEFAULT 0, -- must be updated within; 0: no rule
    position    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'open',
    created     INTEGER NOT NULL,
    remote      INTEGER,               -- its number in a mirrored stream's directory; NULL: our own
    UNIQUE (site, path),
    UNIQUE (site, remote)
);

-- An item is a thing that is published, in all its revisions.
CREATE TABLE item (
    id        BLOB    NOT NULL PRIMARY KEY,
    stream    INTEGER NOT NULL,
    born      INTEGER,            -- NULL until first published
    site      INTEGER NOT NULL,
    col       INTEGER NOT NULL,
    kind      TEXT    NOT NULL,   -- article, policy, notice, message, faq, guide
    state     TEXT    NOT NULL,   -- of the newest revision: server/library/state.c
    rev       INTEGER NOT NULL,   -- the newest revision
    live_rev  INTEGER,            -- the published revision; NULL: not published
    seq       INTEGER,            -- its last change; NULL until first published
    authority TEXT    NOT NULL,   -- who alone may revise it
    origin_id TEXT,               -- its name at the authority
    content_hash BLOB NOT NULL,   -- of the newest revision's content: an import that changes nothing is seen by it
    title     TEXT    NOT NULL,   -- of the live revision, else of the newest
    summary   TEXT,
    date      INTEGER NOT NULL,   -- the date lists are sorted by
    published INTEGER,            -- first publication here: server time, never changed
    updated   INTEGER,            -- last publication of a revision
    expires   INTEGER,            -- NULL: never
    created   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX item_origin ON item (authority, origin_id) WHERE origin_id IS NOT NULL;
CREATE UNIQUE INDEX item_born ON item (stream, born) WHERE born IS NOT NULL;
CREATE INDEX item_by_column ON item (col, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_site ON item (site, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_stream ON item (stream, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_date ON item (date, born, stream) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_state ON item (state, created);
CREATE INDEX item_expiring ON item (expires) WHERE expires IS NOT NULL AND live_rev IS NOT NULL;

-- Immutable once published. A draft's content stands here; a published revision's text is the record of its seq.
-- Once withdrawn, it stands here again.
CREATE TABLE revision (
    item        BLOB    NOT NULL,
    rev         INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    content     BLOB,              -- canonical JSON of the editable fields; NULL while published
    seq         INTEGER,           -- the change that published it
    update_type TEXT    NOT NULL,  -- major, minor, republish
    note        TEXT,              -- what changed, for readers
    author      TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (item, rev)
) WITHOUT ROWID;

-- Who moved a revision from which state to which, and why.
CREATE TABLE revision_event (
    no     INTEGER PRIMARY KEY,
    item   BLOB    NOT NULL,
    rev    INTEGER NOT NULL,
    verb   TEXT    NOT NULL,
    before TEXT    NOT NULL,
    after  TEXT    NOT NULL,
    actor  TEXT    NOT NULL,
    reason TEXT,
    at     INTEGER NOT NULL
);
CREATE INDEX revision_event_by_item ON revision_event (item, rev);

-- The change log: one row a change, numbered last in its transaction, never edited. The frame of docs/protocol/sync.md section 2 is made of it.
CREATE TABLE change (
    stream INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    item   BLOB    NOT NULL,
    rev    INTEGER NOT NULL,
    op     INTEGER NOT NULL,
    flags  INTEGER NOT NULL,
    site   INTEGER NOT NULL,
    col    INTEGER NOT NULL,
    date   INTEGER NOT NULL,
    title  TEXT    NOT NULL,
    length INTEGER NOT NULL,
    digest BLOB    NOT NULL, -- SHA-256 of the record's bytes
    chain  BLOB    NOT NULL, -- hash chain at this seq
    at     INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX change_by_born ON change (stream, born, seq);

-- The record's bytes, apart so that the log stays narrow. A purge removes rows here and never there.
CREATE TABLE record (
    stream INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
);

-- The tree's leaves: the newest change of each item.
CREATE TABLE leaf (
    stream INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (stream, born)
) WITHOUT ROWID;

-- Pictures and attachments of a revision; the bytes are files named by their hash.
CREATE TABLE attachment (
    item     BLOB    NOT NULL,
    rev      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    name     TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    PRIMARY KEY (item, rev, position)
) WITHOUT ROWID;
CREATE INDEX attachment_by_hash ON attachment (hash);

-- Bearer tokens of operators' programs; only their keyed hash is kept.
CREATE TABLE token (
    hash    BLOB    NOT NULL PRIMARY KEY,
    label   TEXT    NOT NULL UNIQUE,
    rights  INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

-- Signed-in devices: one row each, however often their tokens are exchanged. server/identity/session.c.
CREATE TABLE session (
    id                 INTEGER PRIMARY KEY, -- random, above 0: it stands in the tokens
    account            INTEGER NOT NULL,
    kind               INTEGER NOT NULL,
    level              INTEGER NOT NULL, -- acr
    device             TEXT    NOT NULL,
    created            INTEGER NOT NULL,
    authenticated      INTEGER NOT NULL,
    used               INTEGER NOT NULL, -- about: memory knows better
    over               INTEGER NOT NULL, -- when it ends if nothing more is heard of it
    ends               INTEGER NOT NULL, -- … and in any case
    generation         INTEGER NOT NULL, -- of the newest refresh token
    exchanged          INTEGER NOT NULL, -- when it was given out, ms
    seed               BLOB    NOT NULL, -- what its secret was made with
    refresh            BLOB    NOT NULL, -- BLAKE2b-256 of its secret
    before             BLOB    NOT NULL, -- … of the one it was exchanged for
    access             BLOB    NOT NULL,
    access_ends        INTEGER NOT NULL,
    access_before      BLOB    NOT NULL,
    access_before_ends INTEGER NOT NULL
);
CREATE INDEX session_by_account ON session (account, used);
CREATE INDEX session_by_over ON session (over);

-- What was done, by whom, with what result: server/identity/audit.c. Never edited; the oldest months go when they were kept their time.
CREATE TABLE audit (
    no      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    session INTEGER NOT NULL, -- 0: none
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL, -- a word of audit.def
    object  TEXT,
    result  TEXT    NOT NULL, -- ok, or why it was refused
    address BLOB,             -- sealed
    details TEXT,             -- JSON: numbers and words
    chain   BLOB    NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, no);
CREATE INDEX audit_by_actor ON audit (actor, at, no);
CREATE INDEX audit_by_action ON audit (action, at, no);

-- Its newest row, once more and with a mac: one row, number 1.
CREATE TABLE audit_end (
    id    INTEGER PRIMARY KEY,
    no    INTEGER NOT NULL,
    chain BLOB    NOT NULL,
    mac   BLOB    NOT NULL
);

-- Its chain, signed: server/identity/audit_head.c.
CREATE TABLE audit_head (
    no   INTEGER NOT NULL,
    kind INTEGER NOT NULL, -- 0 head, 1 boundary
    note BLOB    NOT NULL,
    PRIMARY KEY (no, kind)
) WITHOUT ROWID;

-- Codes sent by SMS in the last 24 hours: server/identity/code.c. A row outlives its code, because it is counted.
CREATE TABLE code (
    no      INTEGER PRIMARY KEY,
    phone   BLOB    NOT NULL, -- blind index of the number
    purpose TEXT    NOT NULL,
    client  INTEGER NOT NULL, -- who asked, as a number that says nothing by itself
    hash    BLOB,             -- NULL: used, replaced, or guessed at too often
    tries   INTEGER NOT NULL,
    sent    INTEGER NOT NULL
);
CREATE INDEX code_by_phone ON code (phone, sent);
CREATE INDEX code_by_client ON code (client, sent);
CREATE INDEX code_by_age ON code (sent);

-- Which files of DATA/keys are needed to read what is here: server/identity/keyfile.c.
CREATE TABLE key_file (
    name  TEXT NOT NULL PRIMARY KEY,
    print BLOB NOT NULL -- 8 bytes of its hash; zeros: it may change
) WITHOUT ROWID;

-- What caches may still hold of a takedown, until the setting purge_hook was told: server/channel/purge_hook.c.
CREATE TABLE purge_url (
    no  INTEGER PRIMARY KEY,
    url TEXT    NOT NULL, -- the path, "/a/…"
    at  INTEGER NOT NULL
);

-- Files that a takedown leaves to nobody, until they are removed: server/library/takedown.c.
CREATE TABLE blob_drop (
    hash BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- Answers to mutations that carried an Idempotency-Key, kept for a day.
CREATE TABLE idempotency (
    actor   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    request BLOB    NOT NULL, -- hash of method, target and body
    status  INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);
