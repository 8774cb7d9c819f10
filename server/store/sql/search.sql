-- schema: derived
-- The search index: server/search.

-- name: doc_of
SELECT no, item, seq, marks, title, text FROM doc WHERE stream = ?1 AND born = ?2;

-- The last number of a span of them.
-- name: doc_last
SELECT COALESCE(MAX(no), ?1 - 1) FROM doc WHERE no >= ?1 AND no <= ?2;

-- name: doc_add
INSERT INTO doc (no, stream, born, seq, item, marks, title, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: doc_drop
DELETE FROM doc WHERE no = ?1;

-- Another change of the same text at the same place.
-- name: doc_moved
UPDATE doc SET seq = ?2 WHERE no = ?1;

-- name: title_word_add
INSERT INTO title_word (rowid, words) VALUES (?1, ?2);

-- It wants the words that were added.
-- name: title_word_drop
INSERT INTO title_word (title_word, rowid, words) VALUES ('delete', ?1, ?2);

-- name: title_word_merge
INSERT INTO title_word (title_word, rank) VALUES ('merge', ?1);

-- name: text_word_add
INSERT INTO text_word (rowid, words) VALUES (?1, ?2);

-- name: text_word_drop
INSERT INTO text_word (text_word, rowid, words) VALUES ('delete', ?1, ?2);

-- name: text_word_merge
INSERT INTO text_word (text_word, rank) VALUES ('merge', ?1);

-- Newest first, below a number and from one on.
-- name: search_titles
-- scan: a list of words
SELECT d.no, d.item, d.seq, d.stream, d.title, d.text, d.marks FROM title_word CROSS JOIN doc d ON d.no = title_word.rowid
WHERE title_word MATCH ?1 AND title_word.rowid < ?2 AND title_word.rowid >= ?3 ORDER BY title_word.rowid DESC LIMIT ?4;

-- name: search_texts
-- scan: a list of words
SELECT d.no, d.item, d.seq, d.stream, d.title, d.text, d.marks FROM text_word CROSS JOIN doc d ON d.no = text_word.rowid
WHERE text_word MATCH ?1 AND text_word.rowid < ?2 AND text_word.rowid >= ?3 ORDER BY text_word.rowid DESC LIMIT ?4;
