-- Answers to mutations that carried an Idempotency-Key (server/http/idempotency.c), kept for a day.

-- name: idempotency_find
SELECT request, status, type, body, no FROM idempotency WHERE actor = ?1 AND key = ?2 AND at >= ?3;

-- One that is too old to be found but not yet purged gives way.
-- name: idempotency_put
INSERT INTO idempotency (actor, key, request, status, type, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (actor, key) DO UPDATE SET request = excluded.request, status = excluded.status, type = excluded.type, body = NULL,
    at = excluded.at RETURNING no;

-- name: idempotency_set_body
UPDATE idempotency SET body = ?2 WHERE no = ?1;

-- Bodies alone: that the mutation was done, and what it made (Location), is still known.
-- name: idempotency_forget_bodies
-- scan: one day of answers, at a takedown
UPDATE idempotency SET body = NULL WHERE body IS NOT NULL;

-- name: idempotency_purge
DELETE FROM idempotency WHERE no IN (SELECT no FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2) RETURNING 1;
