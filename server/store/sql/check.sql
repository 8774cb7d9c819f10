-- What the rules of server/check said, and how severe they are at each site: server/library/ruling.c.

-- name: check_result_add
INSERT INTO check_result (item, rev, step, no, rule, version, severity, field, place_from, place_to, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: check_result_renew
DELETE FROM check_result WHERE item = ?1 AND rev = ?2 AND step = ?3;

-- name: check_result_of
SELECT step, rule, version, severity, field, place_from, place_to, at FROM check_result WHERE item = ?1 AND rev = ?2 ORDER BY step, no;

-- Taken down for good.
-- name: check_result_forget
DELETE FROM check_result WHERE item = ?1;

-- A purge: what stood before the revision that was published with it.
-- name: check_result_forget_before
DELETE FROM check_result WHERE item = ?1 AND rev < ?2;

-- name: site_rule_of
SELECT rule, severity FROM site_rule WHERE site = ?1 ORDER BY rule;

-- name: site_rule_set
INSERT INTO site_rule (site, rule, severity) VALUES (?1, ?2, ?3)
ON CONFLICT (site, rule) DO UPDATE SET severity = excluded.severity;

-- name: site_rule_unset
DELETE FROM site_rule WHERE site = ?1 AND rule = ?2;
