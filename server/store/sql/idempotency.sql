-- Answers to mutations that carried an Idempotency-Key (server/http/idempotency.c), kept for a day.

-- name: idempotency_find
SELECT request, status, type, body FROM idempotency WHERE actor = ?1 AND key = ?2 AND at >= ?3;

-- One that is too old to be found but not yet purged gives way.
-- name: idempotency_put
INSERT INTO idempotency (actor, key, request, status, type, body, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (actor, key) DO UPDATE SET request = excluded.request, status = excluded.status, type = excluded.type,
    body = excluded.body, at = excluded.at;

-- Bodies alone: that the mutation was done, and what it made (Location), is still known.
-- name: idempotency_forget_bodies
-- scan: one day of answers, at a takedown
UPDATE idempotency SET body = ?1 WHERE body <> ?1;

-- name: idempotency_purge
DELETE FROM idempotency WHERE (actor, key) IN (SELECT actor, key FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2) RETURNING 1;
