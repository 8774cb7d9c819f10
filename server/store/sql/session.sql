-- Signed-in devices: server/identity/session.c.

-- name: session_add
INSERT INTO session (id, account, kind, level, device, created, authenticated, used, over, ends, generation, exchanged, seed, refresh, before, access,
  access_ends, access_before, access_before_ends, party, scopes, proofs, network, acting, opener, machine)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?13, ?6, ?7, ?8, 1, 0, ?9, ?10, ?9, ?11, ?12, ?9, 0, ?14, ?15, ?16, ?17, ?18, ?19, ?20);

-- name: session_by_id
SELECT account, kind, level, authenticated, used, ends, generation, exchanged, seed, refresh, before, access, access_ends, access_before,
  access_before_ends, party, scopes, proofs, acting, opener, machine FROM session WHERE id = ?1;

-- name: session_all
-- scan: at the start all of them come into memory
SELECT account, kind, level, authenticated, used, ends, generation, exchanged, seed, refresh, before, access, access_ends, access_before,
  access_before_ends, party, scopes, proofs, acting, opener, machine, id FROM session;

-- name: session_exchange
UPDATE session SET generation = generation + 1, exchanged = ?2, seed = ?3, before = refresh, refresh = ?4, access_before = access,
  access_before_ends = access_ends, access = ?5, access_ends = ?6, used = ?7, over = ?8, network = ?9 WHERE id = ?1;

-- name: session_used
UPDATE session SET used = ?2, over = ?3 WHERE id = ?1;

-- name: session_drop
DELETE FROM session WHERE id = ?1 AND account = ?2;

-- name: session_of_account
SELECT id, kind, level, device, created, authenticated, used, ends, party, scopes, network, acting, machine FROM session WHERE account = ?1;

-- name: session_opened
SELECT id, account FROM session WHERE opener = ?1 AND opener > 0;

-- name: session_of_acting
SELECT id, account FROM session WHERE acting = ?1 AND acting > 0;

-- name: session_over
SELECT id, account FROM session WHERE over <= ?1 ORDER BY over LIMIT ?2;

-- name: session_drop_of_party
DELETE FROM session WHERE party = ?1 AND party > 0 RETURNING id;

-- name: session_drop_all
-- scan: after a restore all of them end
DELETE FROM session;
