-- schema: derived
-- What is taken in of the log: server/derived/derived.c.

-- name: taken_all
-- scan: a server has at most 64 streams
SELECT stream, name, epoch, seq, chain FROM taken;

-- name: taken_set
INSERT INTO taken (stream, name, epoch, seq, chain) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (stream) DO UPDATE SET name = excluded.name, epoch = excluded.epoch, seq = excluded.seq, chain = excluded.chain;

-- name: projection_all
-- scan: a handful
SELECT name, version FROM projection;

-- name: projection_add
INSERT INTO projection (name, version) VALUES (?1, ?2);

-- name: wipe_asked
SELECT n FROM wipe WHERE no = 1;

-- name: wipe_want
INSERT INTO wipe (no, since, n) VALUES (1, ?1, 1) ON CONFLICT (no) DO UPDATE SET n = n + 1;

-- name: wipe_done
DELETE FROM wipe WHERE no = 1 AND n = ?1;

-- What statements have changed since the connection was opened, whatever wrote it.
-- name: derived_written
SELECT total_changes();

-- name: taken_of
SELECT seq FROM taken WHERE stream = ?1;
