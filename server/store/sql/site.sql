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


-- Where a site or a column stands in its own stream's directory.
-- name: site_remote
SELECT stream, COALESCE(remote, no) FROM site WHERE no = ?1;

-- name: column_remote
SELECT s.stream, COALESCE(c.remote, c.no) FROM site_column c JOIN site s ON s.no = c.site WHERE c.no = ?1;

-- name: site_of_region
-- scan: organisations and sites are a few hundred
SELECT s.stream, COALESCE(s.remote, s.no) FROM org o JOIN site s ON s.org = o.no WHERE o.region LIKE ?1 ORDER BY s.no LIMIT ?2;
