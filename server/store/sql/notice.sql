-- Templates of notices: push/notice_template.c. Those with the columns of notice_template_one are read by one function.

-- name: notice_template_one
SELECT no, party, name, words, hash, state, author, approver, why, changed FROM notice_template WHERE no = ?1;

-- The newest of that name; ?3 '': in any state.
-- name: notice_template_named
SELECT no, party, name, words, hash, state, author, approver, why, changed FROM notice_template WHERE party = ?1 AND name = ?2 AND (?3 = '' OR state = ?3)
ORDER BY no DESC LIMIT 1;

-- name: notice_template_list
SELECT no, party, name, words, hash, state, author, approver, why, changed FROM notice_template WHERE no < ?1 AND (?2 = '' OR state = ?2)
ORDER BY no DESC LIMIT ?3;

-- name: notice_template_list_party
SELECT no, party, name, words, hash, state, author, approver, why, changed FROM notice_template WHERE party = ?4 AND no < ?1 AND (?2 = '' OR state = ?2)
ORDER BY no DESC LIMIT ?3;

-- name: notice_template_count
SELECT count(*) FROM notice_template WHERE party = ?1 AND state IN ('submitted', 'approved');

-- name: notice_template_add
INSERT INTO notice_template (party, name, words, hash, state, author, approver, why, changed) VALUES (?1, ?2, ?3, ?4, 'submitted', ?5, NULL, NULL, ?6)
RETURNING no;

-- name: notice_template_rewrite
UPDATE notice_template SET words = ?2, hash = ?3, author = ?4, changed = ?5 WHERE no = ?1 AND state = 'submitted';

-- name: notice_template_state
UPDATE notice_template SET state = ?3, approver = ?4, why = ?5, changed = ?6 WHERE no = ?1 AND state = ?2;

-- name: notice_template_replace
UPDATE notice_template SET state = 'replaced', changed = ?4 WHERE party = ?1 AND name = ?2 AND state = 'approved' AND no <> ?3;

-- Notices: push/notice.c. Read by one function as well.

-- name: notice_one
SELECT n.no, n.id, n.party, n.account, n.ref, n.at, n.fate, n.silent, t.name, n.ttl FROM notice n JOIN notice_template t ON t.no = n.template WHERE n.id = ?1;

-- name: notice_by_no
SELECT n.no, n.id, n.party, n.account, n.ref, n.at, n.fate, n.silent, t.name, n.ttl FROM notice n JOIN notice_template t ON t.no = n.template WHERE n.no = ?1;

-- name: notice_by_ref
SELECT n.no, n.id, n.party, n.account, n.ref, n.at, n.fate, n.silent, t.name, n.ttl, n.said FROM notice n JOIN notice_template t ON t.no = n.template
WHERE n.party = ?1 AND n.ref = ?2;

-- name: notice_add
INSERT INTO notice (id, party, account, template, ref, said, at, fate, ttl, silent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0) RETURNING no;

-- name: notice_silent
UPDATE notice SET silent = 1 WHERE no = ?1;

-- Two accounts have become one.
-- name: notice_move
UPDATE notice SET account = ?2 WHERE account = ?1;

-- name: notice_purge
DELETE FROM notice WHERE no IN (SELECT no FROM notice WHERE at <= ?1 ORDER BY at LIMIT ?2) RETURNING no;
