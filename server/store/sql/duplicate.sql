-- schema: derived
-- What is like what: server/source/duplicate.c.

-- name: fingerprint_set
INSERT INTO fingerprint (item, stream, seq, site, characters, exact, near, q0, q1, q2, q3) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (item) DO UPDATE SET stream = excluded.stream, seq = excluded.seq, site = excluded.site, characters = excluded.characters,
  exact = excluded.exact, near = excluded.near, q0 = excluded.q0, q1 = excluded.q1, q2 = excluded.q2, q3 = excluded.q3;

-- name: fingerprint_drop
DELETE FROM fingerprint WHERE item = ?1;

-- Of other sites: the same, or with a quarter in common.
-- name: fingerprint_like
SELECT item, seq, characters, exact, near FROM fingerprint WHERE (exact = ?1 OR q0 = ?2 OR q1 = ?3 OR q2 = ?4 OR q3 = ?5) AND site <> ?6 LIMIT ?7;

-- name: fingerprint_page
SELECT item, seq, characters, exact, near, site FROM fingerprint WHERE item > ?1 ORDER BY item LIMIT ?2;
