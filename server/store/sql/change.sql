-- The change log: server/library/change.c, verify.c.

-- name: change_add
INSERT INTO change (stream, seq, born, item, rev, op, flags, site, col, date, title, length, digest, chain, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: record_add
INSERT INTO record (stream, seq, bytes) VALUES (?1, ?2, ?3);

-- name: leaf_set
INSERT INTO leaf (stream, born, seq, hash) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (stream, born) DO UPDATE SET seq = excluded.seq, hash = excluded.hash;

-- Takes down the bytes of all earlier changes of the item that stands at `born`.
-- name: record_forget
DELETE FROM record WHERE stream = ?1
  AND seq IN (SELECT c.seq FROM change c WHERE c.stream = ?1 AND c.born = ?2 AND c.seq < ?3);

-- name: change_verify
SELECT c.seq, c.born, c.item, c.rev, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, c.chain, c.at,
  r.bytes
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE c.stream = ?1 ORDER BY c.seq;

-- name: record_verify_orphans
SELECT r.seq FROM record r
WHERE r.stream = ?1 AND NOT EXISTS (SELECT 1 FROM change c WHERE c.stream = r.stream AND c.seq = r.seq);

-- name: leaf_verify
SELECT born, seq, hash FROM leaf WHERE stream = ?1 ORDER BY born;

-- name: head_verify
SELECT epoch, seq, chain FROM head WHERE stream = ?1 ORDER BY epoch, seq, sign;

-- Items of the stream that were ever published, in order of first publication.
-- name: item_verify
SELECT born, id, seq, live_rev, site, col, date, title FROM item WHERE stream = ?1 AND born IS NOT NULL ORDER BY born;

-- name: revision_verify
SELECT seq FROM revision WHERE item = ?1 AND rev = ?2;
