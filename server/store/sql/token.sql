-- Bearer tokens of operators' programs: server/identity/token.c.

-- name: token_add
INSERT INTO token (hash, label, rights, created, expires) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: token_by_hash
SELECT label, rights, expires FROM token WHERE hash = ?1;

-- name: token_all
-- scan: the list of all tokens is what was asked for
SELECT label, rights, created, expires FROM token ORDER BY label;

-- name: token_drop
DELETE FROM token WHERE label = ?1;
