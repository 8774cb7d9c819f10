-- A citizen's own state: server/citizen/entry.c.

-- name: entry_one
SELECT type, key, seq, at, gone, value, sealed, needs FROM entry WHERE account = ?1 AND type = ?2 AND key = ?3;

-- name: entry_set
INSERT INTO entry (account, type, key, seq, at, gone, value, sealed, needs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (account, type, key) DO UPDATE SET seq = excluded.seq, at = excluded.at, gone = excluded.gone, value = excluded.value,
  sealed = excluded.sealed, needs = excluded.needs;

-- Behind ?2, and of what is gone only what went behind ?3.
-- name: entry_since
SELECT type, key, seq, at, gone, value, sealed, needs FROM entry WHERE account = ?1 AND seq > ?2 AND (gone = 0 OR seq > ?3) ORDER BY seq LIMIT ?4;

-- name: entry_oldest
SELECT key FROM entry WHERE account = ?1 AND type = ?2 AND gone = 0 ORDER BY seq LIMIT ?3;

-- name: entry_set_tally
INSERT INTO entry_tally (account, type, n) VALUES (?1, ?2, ?3) ON CONFLICT (account, type) DO UPDATE SET n = excluded.n;

-- name: entry_tally
SELECT n FROM entry_tally WHERE account = ?1 AND type = ?2;

-- name: citizen_one
SELECT seq, floor FROM citizen WHERE account = ?1;

-- name: citizen_set_seq
INSERT INTO citizen (account, seq, floor) VALUES (?1, ?2, 0) ON CONFLICT (account) DO UPDATE SET seq = excluded.seq;

-- After a restore: the numbers of messages are of this order, and what phones have yet to say of one that is lost is said of no other.
-- name: citizen_skip
-- scan: a row for each account that has a state
UPDATE citizen SET seq = seq + ?1;

-- Likewise of the accounts that have none yet: they may have had one behind the backup.
-- name: state_epoch_skip
UPDATE state_epoch SET base = base + ?1 WHERE no = 1;

-- name: citizen_raise_floor
UPDATE citizen SET floor = ?2 WHERE account = ?1 AND floor < ?2;

-- Tombstones that every device has read.
-- name: entry_bury
DELETE FROM entry WHERE account = ?1 AND seq <= ?2 AND gone = 1 RETURNING seq;

-- Those that stood for so long that nobody waits for them any more.
-- name: entry_bury_old
DELETE FROM entry WHERE (account, type, key) IN (SELECT account, type, key FROM entry WHERE gone = 1 AND at <= ?1 ORDER BY at LIMIT ?2)
RETURNING account, seq;
