-- What is taken from the public: server/library/takedown.c, replay.c, purge_url.c.

-- The files of an item, in all its revisions.
-- name: takedown_files
SELECT DISTINCT hash FROM attachment WHERE item = ?1;

-- Whether anybody has the file still.
-- name: takedown_file_used
SELECT item FROM attachment WHERE hash = ?1 LIMIT 1;

-- A purge: what stood before the revision that was published with it.
-- name: takedown_forget_revisions
UPDATE revision SET content = NULL, note = NULL WHERE item = ?1 AND rev < ?2;

-- name: takedown_forget_files
DELETE FROM attachment WHERE item = ?1 AND rev < ?2;

-- name: takedown_change
SELECT item, flags FROM change WHERE stream = ?1 AND seq = ?2;

-- Items that were withdrawn because a restored backup did not have their corrected text, and still are.
-- name: takedown_uncorrected
SELECT COUNT(*) FROM item i WHERE i.state = 'withdrawn' AND EXISTS (
    SELECT 1 FROM revision_event e WHERE e.item = i.id AND e.rev = i.rev AND e.verb = 'withdraw' AND e.reason = ?1);

-- name: blob_drop_add
INSERT INTO blob_drop (hash) VALUES (?1) ON CONFLICT (hash) DO NOTHING;

-- name: blob_drop_all
-- scan: a few rows, for a second
SELECT hash FROM blob_drop ORDER BY hash LIMIT ?1;

-- name: blob_drop_waiting
-- scan: a few rows, for a second
SELECT COUNT(*) FROM blob_drop;

-- name: blob_drop_done
DELETE FROM blob_drop WHERE hash = ?1;

-- name: purge_url_add
INSERT INTO purge_url (no, url, at) VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM purge_url), ?1, ?2);

-- name: purge_url_batch
-- scan: the oldest few, by number
SELECT no, url, at FROM purge_url ORDER BY no LIMIT ?1;

-- name: purge_url_done
DELETE FROM purge_url WHERE no <= ?1;

-- name: purge_url_waiting
-- scan: what waits for the caches' purge hook, mostly nothing
SELECT COUNT(*), CAST(COALESCE(MIN(at), 0) AS BIGINT) FROM purge_url;
