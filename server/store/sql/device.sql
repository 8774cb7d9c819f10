-- The phones of a citizen, and what became of what they asked for: server/citizen/device.c.

-- name: device_one
SELECT n, acked, seq, heard FROM device WHERE account = ?1 AND device = ?2;

-- name: device_hear
INSERT INTO device (account, device, n, acked, seq, heard) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (account, device) DO UPDATE SET n = excluded.n, acked = excluded.acked, seq = excluded.seq, heard = excluded.heard;

-- name: device_move
UPDATE device SET n = ?3, acked = ?4, seq = ?5 WHERE account = ?1 AND device = ?2;

-- The one heard of last is the first.
-- name: device_of_account
SELECT device FROM device WHERE account = ?1 ORDER BY heard DESC, device;

-- How far all that were heard of since ?2 have read.
-- name: device_slowest
SELECT COALESCE(MIN(seq), 0) FROM device WHERE account = ?1 AND heard > ?2;

-- name: device_drop
DELETE FROM device WHERE account = ?1 AND device = ?2;

-- name: device_drop_results
DELETE FROM device_result WHERE account = ?1 AND device = ?2;

-- name: device_silent
SELECT account, device FROM device WHERE heard <= ?1 ORDER BY heard LIMIT ?2;

-- name: device_result_put
INSERT INTO device_result (account, device, n, hash, body) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: device_result_one
SELECT hash, body FROM device_result WHERE account = ?1 AND device = ?2 AND n = ?3;

-- The phone has them: what is left tells that it was the same mutation.
-- name: device_result_ack
UPDATE device_result SET body = NULL WHERE account = ?1 AND device = ?2 AND n > ?3 AND n <= ?4;

-- name: device_result_forget
DELETE FROM device_result WHERE account = ?1 AND device = ?2 AND n <= ?3;

-- name: state_epoch_get
SELECT epoch, base FROM state_epoch WHERE no = 1;

-- name: state_epoch_set
INSERT INTO state_epoch (no, epoch) VALUES (1, ?1) ON CONFLICT (no) DO UPDATE SET epoch = excluded.epoch;
