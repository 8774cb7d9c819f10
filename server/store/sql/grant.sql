-- What a person allowed a party: server/identity/grant_code.c, device_grant.c, consent.c.

-- name: grant_code_add
INSERT INTO grant_code (hash, party, account, kind, level, proofs, authenticated, scopes, redirect, challenge, nonce, made, given)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0);

-- name: grant_code_by_hash
SELECT party, account, kind, level, proofs, authenticated, scopes, redirect, challenge, nonce, made, given FROM grant_code WHERE hash = ?1;

-- name: grant_code_use
UPDATE grant_code SET given = ?2 WHERE hash = ?1 AND given = 0;

-- name: grant_code_stop
-- scan: what was made within an hour
DELETE FROM grant_code WHERE account = ?1 AND party = ?2;

-- name: grant_code_purge
DELETE FROM grant_code WHERE hash IN (SELECT hash FROM grant_code WHERE made <= ?1 ORDER BY made LIMIT ?2) RETURNING 1;

-- name: device_grant_add
INSERT INTO device_grant (hash, user_code, party, scopes, level, made, state, pause, asked, account, kind, reached, proofs, authenticated)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, 0, 0, 0, 0, 0);

-- name: device_grant_by_user
SELECT party, scopes, level, made, state, pause, asked, account, kind, reached, proofs, authenticated FROM device_grant
  WHERE user_code = ?1 AND made > ?2 AND state = 0;

-- name: device_grant_by_hash
SELECT party, scopes, level, made, state, pause, asked, account, kind, reached, proofs, authenticated FROM device_grant WHERE hash = ?1;

-- name: device_grant_answer
UPDATE device_grant SET state = ?3, account = ?4, kind = ?5, reached = ?6, proofs = ?7, authenticated = ?8
  WHERE user_code = ?1 AND made > ?2 AND state = 0;

-- name: device_grant_asked
UPDATE device_grant SET asked = ?2, pause = ?3 WHERE hash = ?1;

-- name: device_grant_drop
DELETE FROM device_grant WHERE hash = ?1;

-- name: device_grant_stop
-- scan: what was made within an hour
DELETE FROM device_grant WHERE account = ?1 AND party = ?2;

-- name: device_grant_purge
DELETE FROM device_grant WHERE hash IN (SELECT hash FROM device_grant WHERE made <= ?1 ORDER BY made LIMIT ?2) RETURNING 1;

-- name: consent_of
SELECT scopes FROM consent WHERE account = ?1 AND party = ?2 AND given > ?3;

-- name: consent_put
INSERT INTO consent (account, party, scopes, given) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (account, party) DO UPDATE SET scopes = excluded.scopes, given = excluded.given;

-- name: consent_know
UPDATE consent SET subject = ?3 WHERE account = ?1 AND party = ?2;

-- name: consent_of_subject
SELECT account, scopes FROM consent WHERE party = ?1 AND subject = ?2 AND given > ?3 ORDER BY account;

-- Its people, to be known by other names.
-- name: consent_of_party
SELECT consent.account, account.subject FROM consent JOIN account ON account.id = consent.account WHERE consent.party = ?1;

-- name: consent_drop
DELETE FROM consent WHERE account = ?1 AND party = ?2;

-- name: consent_forget
DELETE FROM consent WHERE account = ?1;

-- name: consent_of_account
SELECT party, scopes, given FROM consent WHERE account = ?1 ORDER BY given DESC, party;

-- name: consent_purge
DELETE FROM consent WHERE (account, party) IN (SELECT account, party FROM consent WHERE given <= ?1 ORDER BY given LIMIT ?2) RETURNING 1;
