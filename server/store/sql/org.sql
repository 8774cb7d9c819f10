-- Organisations: server/library/org.c.

-- name: org_by_code
SELECT no, code, name, region, parent FROM org WHERE code = ?1;

-- name: org_by_no
SELECT no, code, name, region, parent FROM org WHERE no = ?1;

-- name: org_all
-- scan: the list of all organisations is what was asked for
SELECT no, code, name, region, parent FROM org ORDER BY no;

-- name: org_some
-- scan: the first few, whichever they are
SELECT no, code, name, region, parent FROM org ORDER BY no LIMIT ?1;

-- name: org_add
INSERT INTO org (no, code, name, region, parent)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM org), ?1, ?2, ?3, NULLIF(?4, 0))
RETURNING no;

-- name: org_set
UPDATE org SET name = ?2, region = ?3, parent = NULLIF(?4, 0) WHERE no = ?1;
