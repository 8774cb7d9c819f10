-- schema: derived
-- What each feed's scope counted: server/feed/feed_log.c.

-- name: feed_scope
SELECT no, n, chain, at, modified FROM feed_scope WHERE name = ?1;

-- name: feed_scope_add
INSERT INTO feed_scope (name, n, chain, at, modified) VALUES (?1, 0, ?2, 0, 0) RETURNING no;

-- name: feed_scope_step
UPDATE feed_scope SET n = ?2, chain = ?3, at = ?4, modified = ?5 WHERE no = ?1;

-- The scopes that show the item.
-- name: feed_shown_in
SELECT p.scope, s.name FROM feed_place p JOIN feed_scope s ON s.no = p.scope WHERE p.item = ?1 AND p.shown = 1 ORDER BY p.scope;

-- Every scope that ever had the item: its last row there, and whether the scope still shows it.
-- name: feed_standing
SELECT s.name, p.last, p.shown FROM feed_place p JOIN feed_scope s ON s.no = p.scope WHERE p.item = ?1 ORDER BY p.scope;

-- name: feed_first
SELECT first FROM feed_place WHERE item = ?1 AND scope = ?2;

-- name: feed_place_set
INSERT INTO feed_place (item, scope, first, last, void, shown) VALUES (?1, ?2, ?3, ?3, CASE ?4 WHEN 1 THEN ?3 ELSE 0 END, ?5)
ON CONFLICT (item, scope) DO UPDATE SET last = excluded.last, shown = excluded.shown, void = max(void, excluded.void);

-- name: feed_log_add
INSERT INTO feed_log (scope, n, stream, seq, item, rev, op, at, chain, void, first) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- Newest first: what a document is made of.
-- name: feed_rows
SELECT l.n, l.stream, l.seq, l.item, l.rev, l.op, l.at, p.last = l.n, p.shown = 1 AND p.void <= l.n
FROM feed_log l JOIN feed_place p ON p.item = l.item AND p.scope = l.scope
WHERE l.scope = ?1 AND l.n > ?2 AND l.n <= ?3 ORDER BY l.n DESC;

-- name: feed_row
SELECT chain, at FROM feed_log WHERE scope = ?1 AND n = ?2;

-- The newest row after ?2 that makes void what a document up to there has.
-- name: feed_void_after
SELECT COALESCE(max(n), 0) FROM feed_log WHERE scope = ?1 AND n > ?2 AND first <= ?2 AND void = 1;
