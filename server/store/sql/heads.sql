-- The platform's list of streams, and what it says of them: sync/heads.c, sync/live_mirror.c.

-- name: heads_newest
SELECT counter, note FROM heads WHERE no = 1;

-- name: heads_set
INSERT INTO heads (no, counter, note) VALUES (1, ?1, ?2)
ON CONFLICT (no) DO UPDATE SET counter = excluded.counter, note = excluded.note;

-- name: heads_withheld
SELECT id FROM withheld WHERE stream = ?1 ORDER BY id;

-- A mirrored stream that is mirrored no more.
-- name: mirror_forget_heads
DELETE FROM head WHERE stream = ?1;

-- name: mirror_forget_leaves
DELETE FROM leaf WHERE stream = ?1;

-- name: mirror_forget_ancestry
DELETE FROM ancestry WHERE stream = ?1;

-- name: mirror_forget_objects
-- scan: a few dozen rows: what a week has made
DELETE FROM sync_object WHERE stream = ?1;

-- name: mirror_forget_stream
DELETE FROM stream WHERE no = ?1 AND mirrored = 1;
