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

-- Each change with its bytes, the revision it published (NULL: it moved or ended one), and what the item's change before
-- it said (NULL: there is none).
-- name: change_verify
SELECT c.seq, c.born, c.item, c.rev, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, c.chain, c.at,
  r.bytes,
  (SELECT v.rev FROM revision v WHERE v.item = c.item AND v.seq = c.seq),
  p.rev, p.item, p.op
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
  LEFT JOIN change p ON p.stream = c.stream AND p.seq =
    (SELECT MAX(m.seq) FROM change m WHERE m.stream = c.stream AND m.born = c.born AND m.seq < c.seq)
WHERE c.stream = ?1 AND c.seq > ?2 ORDER BY c.seq LIMIT ?3;

-- Whether bytes that are missing were removed by a later takedown or purge.
-- name: change_verify_purged
SELECT c.seq FROM change c
WHERE c.stream = ?1 AND c.flags <> 0
  AND c.seq IN (SELECT m.seq FROM change m WHERE m.stream = ?1 AND m.born = ?2 AND m.seq > ?3);

-- Bytes that a takedown or purge of the same item should have removed.
-- CROSS JOIN, so that SQLite begins with the few that purge: left to itself it compares every change with all after it.
-- name: record_verify_left
SELECT r.seq FROM change p CROSS JOIN change c
  JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE p.stream = ?1 AND p.seq > ?2 AND p.seq <= ?3 AND p.flags <> 0
  AND c.stream = p.stream AND c.born = p.born AND c.seq < p.seq;

-- name: record_verify
SELECT r.seq FROM record r
WHERE r.stream = ?1 AND r.seq > ?2 AND r.seq <= ?3 AND NOT EXISTS (SELECT 1 FROM change c WHERE c.stream = r.stream AND c.seq = r.seq);

-- Each leaf with the change it stands for and the first and last change of its place.
-- name: leaf_verify
SELECT l.born, l.seq, l.hash, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest,
  (SELECT MIN(m.seq) FROM change m WHERE m.stream = l.stream AND m.born = l.born),
  (SELECT MAX(m.seq) FROM change m WHERE m.stream = l.stream AND m.born = l.born)
FROM leaf l LEFT JOIN change c ON c.stream = l.stream AND c.seq = l.seq
WHERE l.stream = ?1 AND l.born > ?2 ORDER BY l.born LIMIT ?3;

-- Each item that was ever published with its last change and the revision it shows.
-- name: item_verify
SELECT i.born, i.id, i.seq, i.live_rev, i.site, i.col, i.date, i.title, c.item, c.born, c.op, c.rev, c.site, c.col, c.date,
  c.title, v.state,
  (SELECT MAX(m.seq) FROM change m WHERE m.stream = i.stream AND m.born = i.born)
FROM item i LEFT JOIN change c ON c.stream = i.stream AND c.seq = i.seq
  LEFT JOIN revision v ON v.item = i.id AND v.rev = i.live_rev
WHERE i.stream = ?1 AND i.born > ?2 ORDER BY i.born LIMIT ?3;

-- name: head_verify
SELECT h.seq, h.chain, h.note, c.chain
FROM head h LEFT JOIN change c ON c.stream = h.stream AND c.seq = h.seq
WHERE h.stream = ?1 ORDER BY h.epoch, h.seq, h.sign;

-- For whoever follows the log: changes with their records (NULL: removed since), and the newest change of the same item.
-- name: change_after
SELECT c.seq, c.born, c.item, c.rev, c.op, c.flags, c.site, c.col, c.date, c.title, c.chain, c.at, r.bytes, l.seq
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
LEFT JOIN leaf l ON l.stream = c.stream AND l.born = c.born
WHERE c.stream = ?1 AND c.seq > ?2 AND c.seq <= ?3 ORDER BY c.seq LIMIT ?4;

-- name: change_chain
SELECT chain FROM change WHERE stream = ?1 AND seq = ?2;

-- When the first change behind it was made.
-- name: change_next_at
SELECT at FROM change WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT 1;
