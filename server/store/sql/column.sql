-- Columns: server/library/column.c.

-- name: column_by_path
SELECT no, site, parent, name, path, type, description, keywords, period_days, position, state, created
FROM site_column WHERE site = ?1 AND path = ?2;

-- name: column_by_no
SELECT no, site, parent, name, path, type, description, keywords, period_days, position, state, created
FROM site_column WHERE no = ?1;

-- name: column_of_site
SELECT no, site, parent, name, path, type, description, keywords, period_days, position, state, created
FROM site_column WHERE site = ?1;

-- name: column_add
INSERT INTO site_column (no, site, parent, name, path, type, period_days, position, created)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM site_column), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
RETURNING no;

-- name: column_set
UPDATE site_column SET name = ?2, path = ?3, type = ?4, description = ?5, keywords = ?6, period_days = ?7,
  position = ?8, state = ?9
WHERE no = ?1;

-- name: column_set_path
UPDATE site_column SET path = ?2 WHERE no = ?1;

-- The directory: a column counts if it is open or if something published stands in it.
-- name: column_of_directory
SELECT c.no, c.site, c.parent, c.name, c.path, c.type, c.keywords, c.position,
  CASE WHEN c.state = 'open' AND s.state = 'open' THEN 1
       WHEN EXISTS (SELECT 1 FROM item i WHERE i.col = c.no AND i.live_rev IS NOT NULL) THEN 1
       ELSE 0 END
FROM site_column c JOIN site s ON s.no = c.site WHERE s.stream = ?1 ORDER BY c.no;
