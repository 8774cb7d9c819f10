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
    since INTEGER NOT NULL
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
INSERT INTO title_word (title_word, rank) VALUES ('hashsize', 8388608);
INSERT INTO text_word (text_word, rank) VALUES ('hashsize', 16777216);
