-- Change logs: server/library/stream.c.

-- name: stream_by_name
SELECT no, name, epoch, seq, born, cut, chain, mirrored, live FROM stream WHERE name = ?1;

-- name: stream_by_no
SELECT no, name, epoch, seq, born, cut, chain, mirrored, live FROM stream WHERE no = ?1;

-- name: stream_all
-- scan: a server has at most 64 streams
SELECT no, name, epoch, seq, born, cut, chain, mirrored, live FROM stream ORDER BY no;

-- name: stream_add
INSERT INTO stream (no, name, epoch, chain, mirrored)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM stream), ?1, ?2, ?3, ?4)
RETURNING no;

-- name: stream_advance
UPDATE stream SET seq = ?2, born = ?3, cut = ?4, chain = ?5, live = ?6 WHERE no = ?1;

-- name: stream_live
-- scan: a server has at most 64 streams
SELECT CAST(COALESCE(SUM(live), 0) AS BIGINT) FROM stream;
