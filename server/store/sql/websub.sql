-- name: websub_ask_add
INSERT INTO websub_ask (mode, topic, callback, host, lease, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING no;

-- name: websub_ask_secret
UPDATE websub_ask SET secret = ?2 WHERE no = ?1;

-- name: websub_asks
SELECT no, mode, topic, callback, host, lease, reason, secret FROM websub_ask WHERE no > ?1 ORDER BY no LIMIT ?2;

-- name: websub_ask_by_no
SELECT no, mode, topic, callback, host, lease, reason, secret FROM websub_ask WHERE no = ?1;

-- name: websub_ask_drop
DELETE FROM websub_ask WHERE no = ?1;

-- name: websub_asks_of_host
SELECT COUNT(*) FROM websub_ask WHERE host = ?1;

-- name: websub_of_host
SELECT COUNT(*) FROM websub WHERE host = ?1 AND topic = ?2 AND callback <> ?3;

-- name: websub_put
INSERT INTO websub (topic, callback, host, since, ends, n, chain, failures, again) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)
  ON CONFLICT (topic, callback) DO UPDATE SET ends = excluded.ends, secret = NULL, failures = 0, again = 0 RETURNING no, n, chain;

-- name: websub_secret
UPDATE websub SET secret = ?2 WHERE no = ?1;

-- name: websub_told
UPDATE websub SET n = ?2, chain = ?3, failures = ?4, again = ?5 WHERE no = ?1;

-- name: websub_drop
DELETE FROM websub WHERE no = ?1;

-- name: websub_leave
DELETE FROM websub WHERE topic = ?1 AND callback = ?2;

-- name: websub_page
SELECT no, topic, callback, host, since, ends, n, chain, failures, again, secret FROM websub WHERE no > ?1 ORDER BY no LIMIT ?2;

-- name: websub_purge
DELETE FROM websub WHERE no IN (SELECT no FROM websub WHERE ends < ?1 ORDER BY ends LIMIT ?2) RETURNING no;

-- name: websub_ask_purge
DELETE FROM websub_ask WHERE no IN (SELECT no FROM websub_ask WHERE at < ?1 ORDER BY at LIMIT ?2) RETURNING no;

-- Of the feed's subscriptions in its three formats: all, those that have not acknowledged row ?4, and of those the ones that failed.
-- name: websub_behind
SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN n < ?4 THEN 1 ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN n < ?4 AND failures > 0 THEN 1 ELSE 0 END), 0) AS BIGINT)
FROM websub WHERE topic IN (?1, ?2, ?3) AND ends > ?5;
