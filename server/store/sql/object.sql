-- Objects, what indexes are made of, and what the log says about it (sync/object.c, sync/recipe.c, sync/index*.c).

-- name: sync_object_put
INSERT INTO sync_object (hash, stream, kind, made, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (hash, stream) DO UPDATE SET made = excluded.made;

-- name: sync_object
SELECT bytes FROM sync_object WHERE hash = ?1 LIMIT 1;

-- name: sync_object_kind
-- scan: a few dozen rows: what a week has made
SELECT hash, made, bytes FROM sync_object WHERE stream = ?1 AND kind = ?2 ORDER BY made DESC, hash;

-- name: sync_object_drop
DELETE FROM sync_object WHERE hash = ?1 AND stream = ?2;

-- What is known of an object that is a file.
-- name: index_object_of
SELECT kind, first_born, last_born, lowest_seq, highest_seq, as_of_seq, upto_seq, spans, level, bytes, gzip_bytes, zstd_bytes, live, hash,
    CASE WHEN EXISTS (SELECT 1 FROM gone_object g WHERE g.hash = o.hash) THEN 1 ELSE 0 END
FROM index_object o WHERE o.hash = ?1 AND o.stream = ?2;

-- name: index_object_list
SELECT kind, first_born, last_born, lowest_seq, highest_seq, as_of_seq, upto_seq, spans, level, bytes, gzip_bytes, zstd_bytes, live, hash,
    CASE WHEN EXISTS (SELECT 1 FROM gone_object g WHERE g.hash = o.hash) THEN 1 ELSE 0 END
FROM index_object o WHERE o.stream = ?1;

-- name: index_object_add
INSERT INTO index_object (stream, hash, kind, first_born, last_born, lowest_seq, highest_seq, as_of_seq, upto_seq, spans, level,
    bytes, gzip_bytes, zstd_bytes, live)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
ON CONFLICT (hash, stream) DO UPDATE SET level = excluded.level, bytes = excluded.bytes, gzip_bytes = excluded.gzip_bytes,
    zstd_bytes = excluded.zstd_bytes, live = excluded.live;

-- name: index_object_drop
DELETE FROM index_object WHERE hash = ?1 AND stream = ?2;

-- Every file that somebody may ask for.
-- name: index_object_hashes
-- scan: the sweep after a build looks at all files, and these are their names
SELECT hash FROM index_object;

-- name: index_texts
-- scan: a few dozen rows: what a week has made
SELECT bytes FROM sync_object WHERE kind = 'index';

-- name: index_object_known
SELECT stream FROM index_object WHERE hash = ?1;

-- name: gone_object
SELECT at FROM gone_object WHERE hash = ?1;

-- name: gone_object_add
INSERT INTO gone_object (hash, stream, at) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO NOTHING;

-- name: gone_object_back
DELETE FROM gone_object WHERE hash = ?1;

-- The record that every item of a range of born had at ?4.
-- name: sync_records
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE c.stream = ?1 AND c.born >= ?2 AND c.born <= ?3 AND c.seq <= ?4 AND NOT EXISTS (
    SELECT 1 FROM change d WHERE d.stream = c.stream AND d.born = c.born AND d.seq > c.seq AND d.seq <= ?4)
ORDER BY c.born;

-- Roughly how large they are: a Chinese character of a title is 3 bytes.
-- name: sync_records_bytes
SELECT CAST(COALESCE(SUM(56 + c.length + 3 * LENGTH(c.title)), 0) AS BIGINT)
FROM leaf l JOIN change c ON c.stream = l.stream AND c.seq = l.seq
WHERE l.stream = ?1 AND l.born >= ?2 AND l.born <= ?3;

-- Each item that changed in (?2, ?3]: its newest record there, and the one that it had before.
-- name: object_changed
SELECT c.born, c.seq, c.length, c.title, p.length, p.title
FROM change c LEFT JOIN change p ON p.stream = c.stream AND p.seq = (
    SELECT MAX(b.seq) FROM change b WHERE b.stream = c.stream AND b.born = c.born AND b.seq <= ?2)
WHERE c.stream = ?1 AND c.seq > ?2 AND c.seq <= ?3 AND NOT EXISTS (
    SELECT 1 FROM change d WHERE d.stream = c.stream AND d.born = c.born AND d.seq > c.seq AND d.seq <= ?3)
ORDER BY c.born;

-- The log, narrow.
-- name: object_since
SELECT seq, born, length, title FROM change WHERE stream = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq;

-- The same for a range of born.
-- name: object_between
SELECT seq, born, length, title FROM change
WHERE stream = ?1 AND born >= ?2 AND born <= ?3 AND seq > ?4 AND seq <= ?5 ORDER BY born, seq;

-- name: object_record
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE c.stream = ?1 AND c.seq = ?2;

-- Whether somebody purged what an item had at ?3.
-- name: object_purged
SELECT seq FROM change WHERE stream = ?1 AND born = ?2 AND seq > ?3 AND flags <> 0 LIMIT 1;

-- Purges after ?2: objects may still hold what they removed.
-- name: object_purges
SELECT born, seq FROM change WHERE stream = ?1 AND seq > ?2 AND flags <> 0 ORDER BY seq;

-- Every version that an item had before ?3, the newest first.
-- name: object_versions
SELECT seq FROM change WHERE stream = ?1 AND born = ?2 AND seq < ?3 ORDER BY seq DESC;
