-- Sites: server/library/site.c.

-- name: site_by_code
SELECT no, stream, code, name, domain, org, state, created FROM site WHERE code = ?1;

-- name: site_by_no
SELECT no, stream, code, name, domain, org, state, created FROM site WHERE no = ?1;

-- name: site_of_stream
-- scan: sites are a few hundred, and lists of them are kept in memory
SELECT no, stream, code, name, domain, org, state, created FROM site WHERE stream = ?1 OR ?1 = 0 ORDER BY no;

-- name: site_add
INSERT INTO site (no, stream, code, name, domain, org, created)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM site), ?1, ?2, ?3, ?4, NULLIF(?5, 0), ?6)
RETURNING no;

-- name: site_set
UPDATE site SET name = ?2, domain = ?3, org = NULLIF(?4, 0), state = ?5 WHERE no = ?1;
