-- Streams of other servers: server/channel/mirror*.c.

-- name: mirror_all
-- scan: a server has at most 64 streams
SELECT m.stream, s.name, m.url, m.trust, m.cacert FROM mirror m JOIN stream s ON s.no = m.stream ORDER BY s.name;

-- name: mirror_set
INSERT INTO mirror (stream, url, trust, cacert, created) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (stream) DO UPDATE SET url = excluded.url, trust = excluded.trust, cacert = excluded.cacert;

-- name: mirror_drop
DELETE FROM mirror WHERE stream = ?1;

-- name: mirror_value
SELECT bytes FROM mirror_value WHERE stream = ?1 AND which = ?2;

-- name: mirror_value_put
INSERT INTO mirror_value (stream, which, bytes) VALUES (?1, ?2, ?3)
ON CONFLICT (stream, which) DO UPDATE SET bytes = excluded.bytes;

-- name: mirror_value_forget
DELETE FROM mirror_value WHERE stream = ?1;

-- name: mirror_tile
SELECT nodes FROM mirror_tile WHERE stream = ?1 AND level = ?2 AND place = ?3;

-- name: mirror_tile_put
INSERT INTO mirror_tile (stream, level, place, nodes) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (stream, level, place) DO UPDATE SET nodes = excluded.nodes;

-- name: mirror_tile_forget
DELETE FROM mirror_tile WHERE stream = ?1;

-- name: mirror_held
SELECT seq FROM leaf WHERE stream = ?1 AND born = ?2;

-- A log that was restored from a backup gives a seq twice.
-- name: mirror_change_put
INSERT INTO change (stream, seq, born, item, rev, op, flags, site, col, date, title, length, digest, chain, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
ON CONFLICT (stream, seq) DO UPDATE SET born = excluded.born, item = excluded.item, rev = excluded.rev, op = excluded.op,
  flags = excluded.flags, site = excluded.site, col = excluded.col, date = excluded.date, title = excluded.title,
  length = excluded.length, digest = excluded.digest, chain = excluded.chain, at = excluded.at;

-- name: mirror_record_put
INSERT INTO record (stream, seq, bytes) VALUES (?1, ?2, ?3)
ON CONFLICT (stream, seq) DO UPDATE SET bytes = excluded.bytes;

-- Every item's newest record.
-- name: mirror_each
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes
FROM leaf l JOIN change c ON c.stream = l.stream AND c.seq = l.seq
LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE l.stream = ?1 ORDER BY l.born;

-- Items ?2 to ?3, with all that is known of them.
-- name: mirror_forget_records
DELETE FROM record WHERE stream = ?1 AND seq IN (
    SELECT c.seq FROM change c WHERE c.stream = ?1 AND c.born >= ?2 AND c.born <= ?3);

-- name: mirror_forget_changes
DELETE FROM change WHERE stream = ?1 AND born >= ?2 AND born <= ?3;

-- name: mirror_forget_places
DELETE FROM leaf WHERE stream = ?1 AND born >= ?2 AND born <= ?3;

-- name: mirror_forget_revisions
DELETE FROM revision WHERE item IN (SELECT i.id FROM item i WHERE i.stream = ?1 AND i.born >= ?2 AND i.born <= ?3);

-- name: mirror_shown
SELECT COUNT(*) FROM item WHERE stream = ?1 AND born >= ?2 AND born <= ?3 AND live_rev IS NOT NULL;

-- name: mirror_forget_files
INSERT INTO blob_drop (hash)
SELECT DISTINCT a.hash FROM item i JOIN attachment a ON a.item = i.id WHERE i.stream = ?1 AND i.born >= ?2 AND i.born <= ?3
ON CONFLICT (hash) DO NOTHING;

-- name: mirror_file_want
INSERT INTO mirror_file (stream, hash, due, tries) SELECT DISTINCT CAST(?1 AS BIGINT), a.hash, CAST(?3 AS BIGINT), 0 FROM attachment a WHERE a.item = ?2
ON CONFLICT (stream, hash) DO UPDATE SET due = excluded.due, tries = 0;

-- name: mirror_file_next
SELECT hash, tries FROM mirror_file WHERE stream = ?1 AND due <= ?2 ORDER BY due LIMIT 1;

-- name: mirror_file_waits
SELECT due FROM mirror_file WHERE hash = ?1 AND tries >= 0 LIMIT 1;

-- name: mirror_file_done
DELETE FROM mirror_file WHERE stream = ?1 AND hash = ?2;

-- name: mirror_file_later
UPDATE mirror_file SET due = ?3, tries = tries + 1 WHERE stream = ?1 AND hash = ?2;

-- Its length is only what the answer said, and that may have been a lie: it is asked again, but nobody waits for it.
-- name: mirror_file_too_long
UPDATE mirror_file SET due = ?3, tries = -1 WHERE stream = ?1 AND hash = ?2;

-- name: mirror_file_forget
DELETE FROM mirror_file WHERE stream = ?1;

-- name: mirror_forget_attachments
DELETE FROM attachment WHERE item IN (SELECT i.id FROM item i WHERE i.stream = ?1 AND i.born >= ?2 AND i.born <= ?3);

-- name: mirror_forget_items
DELETE FROM item WHERE stream = ?1 AND born >= ?2 AND born <= ?3;

-- Versions that another took the place of by the change ?2: nobody is given them any more.
-- name: mirror_sweep_records
DELETE FROM record WHERE stream = ?1 AND seq IN (
    SELECT c.seq FROM change c WHERE c.stream = ?1 AND c.seq < ?2 AND EXISTS (
        SELECT 1 FROM change d WHERE d.stream = c.stream AND d.born = c.born AND d.seq > c.seq AND d.seq <= ?2));

-- name: mirror_sweep_changes
DELETE FROM change WHERE stream = ?1 AND seq < ?2 AND EXISTS (
    SELECT 1 FROM change d WHERE d.stream = change.stream AND d.born = change.born AND d.seq > change.seq AND d.seq <= ?2);

-- In another epoch nothing but the newest versions is certain.
-- name: mirror_only_newest_records
DELETE FROM record WHERE stream = ?1 AND NOT EXISTS (
    SELECT 1 FROM leaf l JOIN change c ON c.stream = l.stream AND c.seq = l.seq
    WHERE l.stream = record.stream AND c.seq = record.seq AND l.born = c.born);

-- name: mirror_only_newest_changes
DELETE FROM change WHERE stream = ?1 AND NOT EXISTS (
    SELECT 1 FROM leaf l WHERE l.stream = change.stream AND l.born = change.born AND l.seq = change.seq);

-- The oldest head that a reader may come from.
-- name: mirror_oldest_head
SELECT CAST(COALESCE(MIN(seq), 0) AS BIGINT) FROM head WHERE stream = ?1 AND epoch = ?2;

-- name: mirror_head_add
INSERT INTO head (stream, epoch, seq, sign, time, cut, chain, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (stream, epoch, seq, sign) DO NOTHING;

-- name: mirror_stream_set
UPDATE stream SET epoch = ?2, seq = ?3, born = ?4, cut = ?5, chain = ?6, index_seq = ?7, index_hash = ?8 WHERE no = ?1;

-- name: mirror_stream_gain
UPDATE stream SET live = live + ?2 WHERE no = ?1;

-- name: mirror_object_back
DELETE FROM gone_object WHERE hash = ?1 AND stream = ?2;

-- name: mirror_object_text
SELECT bytes FROM sync_object WHERE hash = ?1 AND stream = ?2;

-- name: mirror_item_withheld
SELECT id FROM withheld WHERE stream = ?1 AND id = ?2;

-- name: mirror_site
SELECT no FROM site WHERE stream = ?1 AND remote = ?2;

-- name: mirror_site_add
INSERT INTO site (no, stream, code, name, domain, created, remote)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM site), ?1, ?2, ?3, ?4, ?5, ?6)
RETURNING no;

-- name: mirror_site_set
UPDATE site SET name = ?2, domain = ?3, state = 'open' WHERE no = ?1;

-- What the directory does not name any more is closed, and its name is free.
-- name: mirror_sites_close
UPDATE site SET state = 'closed' WHERE stream = ?1;

-- name: mirror_columns_close
UPDATE site_column SET state = 'closed', path = '~' || CAST(no AS TEXT)
WHERE site IN (SELECT s.no FROM site s WHERE s.stream = ?1 AND s.remote IS NOT NULL);

-- name: mirror_column
SELECT c.no, c.site FROM site s JOIN site_column c ON c.site = s.no
WHERE s.stream = ?1 AND s.remote IS NOT NULL AND c.remote = ?2;

-- name: mirror_path_of
SELECT COALESCE(remote, -1) FROM site_column WHERE site = ?1 AND path = ?2;

-- name: mirror_column_add
INSERT INTO site_column (no, site, parent, name, path, type, keywords, position, created, remote)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM site_column), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
RETURNING no;

-- name: mirror_column_set
UPDATE site_column SET site = ?2, parent = ?3, name = ?4, path = ?5, type = ?6, keywords = ?7, position = ?8, state = 'open'
WHERE no = ?1;

-- name: mirror_forget_columns
DELETE FROM site_column WHERE site IN (SELECT s.no FROM site s WHERE s.stream = ?1 AND s.remote IS NOT NULL);

-- name: mirror_forget_sites
DELETE FROM site WHERE stream = ?1;

-- name: mirror_forget_withheld
DELETE FROM withheld WHERE stream = ?1;

-- name: mirror_item_revisions
DELETE FROM revision WHERE item = ?1;

-- name: withheld_add
INSERT INTO withheld (stream, id) VALUES (?1, ?2);

-- name: withheld_drop
DELETE FROM withheld WHERE stream = ?1 AND id = ?2;
