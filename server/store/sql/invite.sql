-- Links that make staff: server/identity/invite.c.

-- name: invite_add
INSERT INTO invite (hash, role, site, giver, trusted, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: invite_find
SELECT role, site, giver, trusted, until FROM invite WHERE hash = ?1 AND until > ?2;

-- name: invite_take
DELETE FROM invite WHERE hash = ?1;

-- name: invite_drop_of
-- scan: those of half an hour
DELETE FROM invite WHERE giver = ?1;

-- name: invite_purge
DELETE FROM invite WHERE hash IN (SELECT hash FROM invite WHERE until <= ?1 ORDER BY until LIMIT ?2) RETURNING 1;
