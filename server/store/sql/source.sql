-- Where we ask by ourselves: server/source/source.c.

-- name: source_add
INSERT INTO source (id, site, col, kind, url, period, created, asked, again, failures, faults, taken) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?7, 0, '[]', 0) RETURNING no;

-- name: source_drop
DELETE FROM source WHERE no = ?1;

-- name: source_ask
UPDATE source SET again = ?2 WHERE no = ?1;

-- name: source_by_id
SELECT no, id, site, col, kind, url, period, created, asked, again, failures, etag, modified, said, faults, taken FROM source WHERE id = ?1;

-- name: source_list
-- scan: all of them, a thousand at most
SELECT no, id, site, col, kind, url, period, created, asked, again, failures, etag, modified, said, faults, taken FROM source ORDER BY id;

-- name: source_next
SELECT no, id, site, col, kind, url, period, created, asked, again, failures, etag, modified, said, faults, taken FROM source WHERE again <= ?1 ORDER BY again, no LIMIT 1;

-- name: source_note
UPDATE source SET asked = ?2, again = ?3, failures = ?4, etag = ?5, modified = ?6, said = ?7, faults = ?8, taken = taken + ?9 WHERE no = ?1;
