-- What the store itself asks: streams after a restore, and the ancestry of their epochs.

-- name: stream_epochs
-- scan: a server has at most 64 streams
SELECT no, name, epoch, seq FROM stream ORDER BY no;

-- name: stream_set_epoch
UPDATE stream SET epoch = ?2 WHERE no = ?1;

-- name: ancestry_add
INSERT INTO ancestry (stream, epoch, first_seq) VALUES (?1, ?2, ?3);

-- name: ancestry_all
SELECT epoch, first_seq FROM ancestry WHERE stream = ?1 ORDER BY epoch;
