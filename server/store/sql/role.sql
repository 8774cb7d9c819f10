-- What members of staff may do: server/identity/role.c.

-- name: role_add
INSERT INTO role (account, role, site, giver, since) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: role_drop
DELETE FROM role WHERE account = ?1 AND role = ?2 AND site = ?3;

-- name: role_of_account
SELECT account, role, site, giver, since FROM role WHERE account = ?1 ORDER BY site, role;

-- name: role_all
-- scan: at the start all of them come into memory, and a list of all was asked for
SELECT account, role, site, giver, since FROM role ORDER BY account, site, role;
