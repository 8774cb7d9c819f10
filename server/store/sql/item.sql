-- Items: server/library/item.c, publish.c, import.c.

-- name: item_by_id
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item WHERE id = ?1;

-- name: item_by_origin
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item WHERE authority = ?1 AND origin_id = ?2;

-- name: item_add
INSERT INTO item (id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash,
  title, summary, date, published, updated, expires, created)
VALUES (?1, ?2, NULLIF(?3, -1), ?4, ?5, ?6, ?7, ?8, NULLIF(?9, 0), NULLIF(?10, 0), ?11, ?12, ?13, ?14, ?15, ?16,
  NULLIF(?17, 0), NULLIF(?18, 0), NULLIF(?19, 0), ?20);

-- Everything that may change of an item, at once.
-- name: item_set
UPDATE item SET born = NULLIF(?2, -1), site = ?3, col = ?4, kind = ?5, state = ?6, rev = ?7, live_rev = NULLIF(?8, 0),
  seq = NULLIF(?9, 0), content_hash = ?10, title = ?11, summary = ?12, date = ?13, published = NULLIF(?14, 0),
  updated = NULLIF(?15, 0), expires = NULLIF(?16, 0)
WHERE id = ?1;

-- name: item_list_all
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item
WHERE ?6 = 0 AND live_rev IS NOT NULL AND (date, born, stream) < (?1, ?2, ?3) AND date >= ?4
ORDER BY date DESC, born DESC, stream DESC LIMIT ?5;

-- name: item_list_stream
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item
WHERE stream = ?6 AND live_rev IS NOT NULL AND (date, born, stream) < (?1, ?2, ?3) AND date >= ?4
ORDER BY date DESC, born DESC, stream DESC LIMIT ?5;

-- name: item_list_site
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item
WHERE site = ?6 AND live_rev IS NOT NULL AND (date, born, stream) < (?1, ?2, ?3) AND date >= ?4
ORDER BY date DESC, born DESC, stream DESC LIMIT ?5;

-- name: item_list_column
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item
WHERE col = ?6 AND live_rev IS NOT NULL AND (date, born, stream) < (?1, ?2, ?3) AND date >= ?4
ORDER BY date DESC, born DESC, stream DESC LIMIT ?5;

-- name: item_list_state
SELECT id, stream, born, site, col, kind, state, rev, live_rev, seq, authority, origin_id, content_hash, title,
  summary, date, published, updated, expires, created
FROM item
WHERE state = ?1 AND (created, id) > (?2, ?3)
ORDER BY created, id LIMIT ?4;

-- name: item_expiring
SELECT id FROM item
WHERE expires IS NOT NULL AND live_rev IS NOT NULL AND expires <= ?1
ORDER BY expires LIMIT ?2;

-- A purge or takedown removed a record's bytes: there is none for such a revision.
-- name: item_record_of_seq
SELECT bytes FROM record WHERE stream = ?1 AND seq = ?2;

-- Warnings in force, with their records.
-- name: item_warnings
-- scan: an index of the published warnings alone
SELECT r.bytes FROM item i JOIN record r ON r.stream = i.stream AND r.seq = i.seq
WHERE i.kind = 'warning' AND i.live_rev IS NOT NULL ORDER BY i.date DESC, i.born DESC LIMIT ?1;

-- name: item_export
SELECT i.id, r.bytes, i.stream FROM item i JOIN record r ON r.stream = i.stream AND r.seq = i.seq
WHERE i.id > ?1 AND i.live_rev IS NOT NULL
ORDER BY i.id;
