-- What accounts are found by: server/identity/identifier.c.

-- name: identifier_add
INSERT INTO identifier (kind, find, account, value, proved) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: identifier_owner
SELECT account FROM identifier WHERE kind = ?1 AND find = ?2;

-- name: identifier_proved
UPDATE identifier SET proved = ?4 WHERE kind = ?1 AND find = ?2 AND account = ?3;

-- name: identifier_drop
DELETE FROM identifier WHERE kind = ?1 AND find = ?2 AND account = ?3;

-- name: identifier_of_account
SELECT kind, find, value, proved FROM identifier WHERE account = ?1 ORDER BY kind, proved, find;

-- name: identifier_move
UPDATE identifier SET account = ?3, value = ?4 WHERE kind = ?1 AND find = ?2;
