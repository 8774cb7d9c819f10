-- Programs of others, and their keys: server/identity/party.c, party_key.c, party_log.c.

-- name: party_add
INSERT INTO party (id, name, owner, kind, open, created, redirects, logouts, ways, scopes, ceiling, sector, confidential)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING no;

-- name: party_set
UPDATE party SET name = ?2, owner = ?3, open = ?4, redirects = ?5, logouts = ?6, ways = ?7, scopes = ?8, ceiling = ?9, sector = ?10,
  confidential = ?11 WHERE no = ?1;

-- name: party_move
-- scan: programs are few, and accounts seldom become one
UPDATE party SET owner = ?2 WHERE owner = ?1;

-- name: party_of_owner
-- scan: programs are few, and an account seldom changes its state
SELECT no FROM party WHERE owner = ?1 ORDER BY no;

-- name: party_owner_state
SELECT state FROM account WHERE id = ?1;

-- name: party_close
UPDATE party SET open = 0 WHERE no = ?1;

-- name: party_by_no
SELECT no, id, name, owner, kind, open, created, redirects, logouts, ways, scopes, ceiling, sector, confidential FROM party WHERE no = ?1;

-- name: party_by_id
SELECT no, id, name, owner, kind, open, created, redirects, logouts, ways, scopes, ceiling, sector, confidential FROM party WHERE id = ?1;

-- name: party_all
-- scan: at the start all of them come into memory, and a list of all was asked for
SELECT no, id, name, owner, kind, open, created, redirects, logouts, ways, scopes, ceiling, sector, confidential FROM party ORDER BY id;

-- name: party_right_put
INSERT INTO party_right (party, site, rights) VALUES (?1, ?2, ?3) ON CONFLICT (party, site) DO UPDATE SET rights = excluded.rights;

-- name: party_right_drop
DELETE FROM party_right WHERE party = ?1 AND site = ?2;

-- name: party_right_of
SELECT site, rights FROM party_right WHERE party = ?1 ORDER BY site;

-- name: party_key_add
INSERT INTO party_key (party, hash, created, expires, per_minute, per_day, used, day, spent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0)
RETURNING no;

-- name: party_key_list
SELECT no, created, expires, per_minute, per_day, used FROM party_key WHERE party = ?1 ORDER BY no DESC;

-- name: party_key_of
SELECT no, hash, expires, per_minute, per_day, used, day, spent FROM party_key WHERE party = ?1;

-- name: party_key_end
UPDATE party_key SET expires = ?3 WHERE no = ?1 AND party = ?2;

-- name: party_key_drop
DELETE FROM party_key WHERE no = ?1 AND party = ?2;

-- name: party_key_drop_over
DELETE FROM party_key WHERE party = ?1 AND expires <= ?2;

-- name: party_key_used
UPDATE party_key SET used = ?2, day = ?3, spent = ?4 WHERE no = ?1;

-- name: party_request_last
SELECT COALESCE(MAX(no), 0) FROM party_request WHERE party = ?1;

-- name: party_request_put
INSERT INTO party_request (party, slot, no, at, key, method, route, status, ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (party, slot) DO UPDATE SET no = excluded.no, at = excluded.at, key = excluded.key, method = excluded.method,
  route = excluded.route, status = excluded.status, ms = excluded.ms;

-- name: party_request_list
SELECT at, key, method, route, status, ms FROM party_request WHERE party = ?1 ORDER BY no DESC LIMIT ?2;

-- name: party_key_purge
-- scan: a server has some thousand keys
DELETE FROM party_key WHERE no IN (SELECT no FROM party_key WHERE expires <= ?1 ORDER BY expires LIMIT ?2) RETURNING 1;

-- name: party_team_of
SELECT account FROM party_team WHERE party = ?1 ORDER BY account;

-- name: party_team_has
SELECT 1 FROM party_team WHERE party = ?1 AND account = ?2;

-- name: party_team_clear
DELETE FROM party_team WHERE party = ?1;

-- name: party_team_add
INSERT INTO party_team (party, account) VALUES (?1, ?2) ON CONFLICT DO NOTHING;

-- name: party_team_move
INSERT INTO party_team (party, account) SELECT party, ?2 FROM party_team WHERE account = ?1 ON CONFLICT DO NOTHING;

-- name: party_sandbox_add
INSERT INTO party_sandbox (party, at, method, route, status, account, kind, cut) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING no;

-- name: party_sandbox_set
UPDATE party_sandbox SET shown = ?2 WHERE no = ?1;

-- name: party_sandbox_trim
DELETE FROM party_sandbox WHERE party = ?1 AND no <= (SELECT no FROM party_sandbox WHERE party = ?1 ORDER BY no DESC LIMIT 1 OFFSET ?2);

-- name: party_sandbox_list
SELECT no, at, method, route, status, account, kind, cut, shown FROM party_sandbox WHERE party = ?1 AND no < ?2 ORDER BY no DESC LIMIT ?3;

-- name: party_sandbox_purge
DELETE FROM party_sandbox WHERE no IN (SELECT no FROM party_sandbox WHERE at <= ?1 ORDER BY at LIMIT ?2) RETURNING 1;

-- What was answered may hold an article that is removed for good.
-- name: party_sandbox_forget_answers
-- scan: some hundred rows a party, and an article is seldom removed for good
DELETE FROM party_sandbox WHERE account = 0;
