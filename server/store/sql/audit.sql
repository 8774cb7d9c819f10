-- The audit log and its signatures: server/identity/audit.c and its neighbours.

-- name: audit_put
INSERT INTO audit (no, at, session, actor, action, object, result, address, details, chain)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- name: audit_last
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE no > 0 ORDER BY no DESC LIMIT 1;

-- name: audit_oldest
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE no > 0 ORDER BY no LIMIT ?1;

-- name: audit_all
-- scan: a proof reads every row
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit ORDER BY no;

-- name: audit_chain_at
SELECT at, chain FROM audit WHERE no = ?1;

-- name: audit_cuts
SELECT no, details FROM audit WHERE action = ?1 ORDER BY no;

-- name: audit_drop
DELETE FROM audit WHERE no <= ?1;

-- Pages, the newest first: from ?1 on, before the row of time ?2 and number ?3.
-- name: audit_page
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE at >= ?1 AND (at, no) < (?2, ?3) ORDER BY at DESC, no DESC LIMIT ?4;

-- name: audit_page_by_actor
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE actor = ?5 AND at >= ?1 AND (at, no) < (?2, ?3) ORDER BY at DESC, no DESC LIMIT ?4;

-- name: audit_page_by_action
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE action = ?5 AND at >= ?1 AND (at, no) < (?2, ?3) ORDER BY at DESC, no DESC LIMIT ?4;

-- name: audit_page_by_both
SELECT no, at, session, actor, action, object, result, address, details, chain FROM audit
WHERE actor = ?5 AND action = ?6 AND at >= ?1 AND (at, no) < (?2, ?3) ORDER BY at DESC, no DESC LIMIT ?4;

-- name: audit_end
SELECT no, chain, mac FROM audit_end WHERE id = 1;

-- name: audit_end_set
INSERT INTO audit_end (id, no, chain, mac) VALUES (1, ?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET no = excluded.no, chain = excluded.chain, mac = excluded.mac;

-- name: audit_head_put
INSERT INTO audit_head (no, kind, note) VALUES (?1, ?2, ?3);

-- name: audit_head_at
SELECT 1 FROM audit_head WHERE no = ?1 AND kind = 0;

-- name: audit_head_all
-- scan: at most a few thousand, one an hour for as long as rows are kept
SELECT no, kind, note FROM audit_head ORDER BY no, kind;

-- name: audit_boundary
-- scan: at most a few thousand, one an hour for as long as rows are kept
SELECT no, kind, note FROM audit_head WHERE kind = 1;

-- name: audit_head_drop
DELETE FROM audit_head WHERE no <= ?1;
