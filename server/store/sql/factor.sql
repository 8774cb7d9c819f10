-- Second factors: server/identity/factor.c.

-- name: factor_add
INSERT INTO factor (account, kind, name, secret, credential, pubkey, alg, flags, last, created, used)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0) RETURNING no;

-- name: factor_of_account
SELECT no, kind, name, secret, credential, pubkey, alg, flags, last, created, used, account FROM factor WHERE account = ?1 ORDER BY no;

-- name: factor_by_credential
SELECT no, kind, name, secret, credential, pubkey, alg, flags, last, created, used, account FROM factor WHERE credential = ?1;

-- name: factor_used
UPDATE factor SET last = ?3, used = ?4 WHERE no = ?1 AND account = ?2;

-- name: factor_drop
DELETE FROM factor WHERE no = ?1 AND account = ?2;
