-- What a restore asks (server/store/restore.c).

-- name: stream_epochs
-- scan: a server has at most 64 streams
SELECT no, name, epoch, seq FROM stream ORDER BY no;

-- The index goes with the objects it lists.
-- name: stream_begin_epoch
UPDATE stream SET epoch = ?2, index_seq = 0, index_hash = NULL WHERE no = ?1;

-- name: ancestry_add
INSERT INTO ancestry (stream, epoch, first_seq) VALUES (?1, ?2, ?3);

-- name: ancestry_all
SELECT epoch, first_seq FROM ancestry WHERE stream = ?1 ORDER BY epoch;
