-- Warnings: warning/warning_sender.c, warning.c. What the public sees of them is items.

-- name: warning_sender_one
SELECT no, code, spec, proposed, proposer, stopped, created, changed FROM warning_sender WHERE code = ?1;

-- name: warning_senders
-- scan: the authorities of a city, some dozens
SELECT no, code, spec, proposed, proposer, stopped, created, changed FROM warning_sender ORDER BY code;

-- name: warning_sender_add
INSERT INTO warning_sender (code, spec, proposed, proposer, stopped, created, changed) VALUES (?1, '', ?2, ?3, '', ?4, ?4) RETURNING no;

-- name: warning_sender_set
UPDATE warning_sender SET spec = ?2, proposed = ?3, proposer = ?4, stopped = ?5, changed = ?6 WHERE no = ?1;

-- name: warning_one
SELECT no, identifier, test, sender, key, alg, pem, signed, signature, hash, chain, status, type, level, areas, title, sent, expires, received, item, rev, run, bytes, name
FROM warning WHERE identifier = ?1 AND test = ?2;

-- The newest of a chain.
-- name: warning_last
SELECT no, identifier, test, sender, key, alg, pem, signed, signature, hash, chain, status, type, level, areas, title, sent, expires, received, item, rev, run, bytes, name
FROM warning WHERE chain = ?1 ORDER BY no DESC LIMIT 1;

-- name: warning_list
SELECT no, identifier, test, sender, key, alg, pem, signed, signature, hash, chain, status, type, level, areas, title, sent, expires, received, item, rev, run, NULL, name
FROM warning WHERE no < ?1 ORDER BY no DESC LIMIT ?2;

-- name: warning_add
INSERT INTO warning (identifier, test, sender, key, alg, pem, signed, signature, hash, bytes, chain, status, type, level, areas, title, sent, expires, received, item, rev, run, name)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, NULL, 0, 0, ?20) RETURNING no;

-- name: warning_set_chain
UPDATE warning SET chain = ?2 WHERE no = ?1;

-- name: warning_set_shown
UPDATE warning SET item = ?2, rev = ?3, run = ?4 WHERE no = ?1;

-- The last of a chain that was sent to anybody.
-- name: warning_last_run
SELECT coalesce(max(run), 0) FROM warning WHERE chain = ?1;

-- Tests and exercises: what was shown to nobody.
-- name: warning_purge
DELETE FROM warning WHERE no IN (SELECT no FROM warning WHERE rev = 0 AND received <= ?1 ORDER BY received LIMIT ?2) RETURNING 1;
