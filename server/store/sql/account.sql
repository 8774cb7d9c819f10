-- Persons and organisations: server/identity/account.c.

-- name: account_add
INSERT INTO account (kind, state, state_at, level, subject, created) VALUES (?1, ?2, ?5, ?3, ?4, ?5) RETURNING id;

-- name: account_by_id
SELECT id, kind, state, level, subject, name, password, password_at, created, merged, level_by, level_at, state_at FROM account WHERE id = ?1;

-- name: account_of_kind
SELECT id, kind, state, level, subject, name, password, password_at, created, merged, level_by, level_at, state_at FROM account WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3;

-- name: account_count
-- scan: once, at the start
SELECT COUNT(*) FROM account WHERE state <> ?1;

-- name: account_set_name
UPDATE account SET name = ?2 WHERE id = ?1;

-- name: account_set_password
UPDATE account SET password = ?2, password_at = ?3 WHERE id = ?1;

-- The same password, hashed anew: unless another one was set meanwhile.
-- name: account_renew_password
UPDATE account SET password = ?3 WHERE id = ?1 AND password = ?2;

-- name: account_set_state
UPDATE account SET state = ?2, state_at = ?3 WHERE id = ?1;

-- A guest whose session has ended: kind 3, from state 0, open, to 2, leaving.
-- name: account_guest_leaves
UPDATE account SET state = 2, state_at = ?2 WHERE id = ?1 AND kind = 3 AND state = 0;

-- name: account_guests_leave
UPDATE account SET state = 2, state_at = ?1 WHERE kind = 3 AND state = 0;

-- His phone goes on as another guest, with the same votes (docs/surveys.md).
-- name: account_guest_votes_go
DELETE FROM entry WHERE account = ?1 AND type = 'vote';

-- name: account_guests_votes_go
DELETE FROM entry WHERE type = 'vote' AND account IN (SELECT id FROM account WHERE kind = 3 AND state = 2);

-- name: account_raise
UPDATE account SET level = ?2, level_by = ?3, level_at = ?4 WHERE id = ?1 AND (level < ?2 OR (level = ?2 AND COALESCE(level_by, ?3) = ?3));

-- name: account_merge
UPDATE account SET state = ?3, state_at = ?4, merged = ?2, name = NULL, password = NULL, password_at = NULL WHERE id = ?1;

-- What was merged into it before goes on with it.
-- name: account_point
UPDATE account SET merged = ?2 WHERE merged = ?1;

-- Pointers that nothing needs any more. State 3: merged.
-- name: account_purge_merged
DELETE FROM account WHERE id IN (SELECT id FROM account WHERE state = 3 AND state_at <= ?1 ORDER BY state_at LIMIT ?2) RETURNING 1;
