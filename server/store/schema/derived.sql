-- DATA/derived.db: what follows from the change log alone (docs/derived.md). Never changed in place: a file that another script made is made anew.

-- How far each stream of the library is taken in.
CREATE TABLE taken (
    stream INTEGER PRIMARY KEY,
    name   TEXT    NOT NULL,
    epoch  INTEGER NOT NULL,
    seq    INTEGER NOT NULL, -- of the last change taken
    chain  BLOB    NOT NULL  -- of the log at seq; of a mirrored stream, whose log has none, one zero byte
);

-- Which programs made the other tables: struct projection.
CREATE TABLE projection (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- Something was taken from the public since the files were last cleaned: one row, number 1.
CREATE TABLE wipe (
    no    INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    n     INTEGER NOT NULL -- how often: a round cleans what was asked for before its first step
);

-- What search knows of each published item: server/search/index.c. `no` is the day, counted from 1900-01-01 in Beijing, times 65,536, and a number of that day, so that
-- the newest stand last, here and in the lists of words.
CREATE TABLE doc (
    no     INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    item   BLOB    NOT NULL,
    marks  TEXT    NOT NULL, -- words for what can be filtered by: server/search/marks.h
    title  TEXT    NOT NULL,
    text   BLOB    NOT NULL  -- plain, by zstd
);
CREATE UNIQUE INDEX doc_by_born ON doc (stream, born);

-- Which documents have a word in the title, or anywhere. Words are made by server/search/words.c. No text is kept in them, and no place in it.
CREATE VIRTUAL TABLE title_word USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii tokenchars '':''');
CREATE VIRTUAL TABLE text_word USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii tokenchars '':''');

-- Feeds: how far each scope has counted, and what (server/feed/feed_log.h).
CREATE TABLE feed_scope (
    no       INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    n        INTEGER NOT NULL,
    chain    BLOB    NOT NULL,
    at       INTEGER NOT NULL, -- of its last change
    modified INTEGER NOT NULL  -- when it was counted
);

CREATE TABLE feed_log (
    scope    INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    stream   INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    item     BLOB    NOT NULL,
    rev      INTEGER NOT NULL,
    op       INTEGER NOT NULL, -- enum feed_op
    at       INTEGER NOT NULL,
    chain    BLOB    NOT NULL,
    void     INTEGER NOT NULL, -- 1: what earlier documents hold of the item may be served no more
    first    INTEGER NOT NULL, -- the item's first row in the scope
    PRIMARY KEY (scope, n)
) WITHOUT ROWID;
CREATE INDEX feed_log_void ON feed_log (scope, n, first) WHERE void = 1;

CREATE TABLE feed_place (
    item  BLOB    NOT NULL,
    scope INTEGER NOT NULL,
    first INTEGER NOT NULL, -- the item's first row in the scope,
    last  INTEGER NOT NULL, -- its last,
    void  INTEGER NOT NULL, -- and its last with void = 1; 0: none
    shown INTEGER NOT NULL, -- 1: the scope has it
    PRIMARY KEY (item, scope)
) WITHOUT ROWID;

-- What is like what: server/source/duplicate.c. A row for each published item.
CREATE TABLE fingerprint (
    item       BLOB    PRIMARY KEY,
    stream     INTEGER NOT NULL,
    seq        INTEGER NOT NULL, -- of the change
    site       INTEGER NOT NULL, -- by the library's own number
    characters INTEGER NOT NULL, -- that count
    exact      BLOB    NOT NULL, -- SHA-256 of them
    near       INTEGER NOT NULL, -- SimHash, and its quarters
    q0         INTEGER NOT NULL,
    q1         INTEGER NOT NULL,
    q2         INTEGER NOT NULL,
    q3         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX fingerprint_exact ON fingerprint (exact);
CREATE INDEX fingerprint_q0 ON fingerprint (q0);
CREATE INDEX fingerprint_q1 ON fingerprint (q1);
CREATE INDEX fingerprint_q2 ON fingerprint (q2);
CREATE INDEX fingerprint_q3 ON fingerprint (q3);
