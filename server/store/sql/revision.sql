-- Revisions of items and what became of them: server/library/item.c, publish.c.

-- name: revision_add
INSERT INTO revision (item, rev, state, content, seq, update_type, note, author, created)
VALUES (?1, ?2, ?3, ?4, NULLIF(?5, 0), ?6, ?7, ?8, ?9);

-- name: revision_one
SELECT rev, state, seq, update_type, note, author, created, content FROM revision WHERE item = ?1 AND rev = ?2;

-- name: revision_of_item
SELECT rev, state, seq, update_type, note, author, created FROM revision WHERE item = ?1 ORDER BY rev DESC;

-- name: revision_set_state
UPDATE revision SET state = ?3 WHERE item = ?1 AND rev = ?2;

-- Published: from now on its text is the record of that change.
-- name: revision_publish
UPDATE revision SET state = ?3, seq = ?4, content = NULL WHERE item = ?1 AND rev = ?2;

-- Withdrawn: its record goes, its text stays for those who edit; the note was for readers.
-- name: revision_keep
UPDATE revision SET content = ?3, note = NULL WHERE item = ?1 AND rev = ?2;

-- name: revision_forget
UPDATE revision SET state = ?2, content = NULL, note = NULL WHERE item = ?1;

-- name: revision_event_add
INSERT INTO revision_event (no, item, rev, verb, before, after, actor, reason, at)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM revision_event), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: revision_event_of_item
SELECT rev, verb, before, after, actor, reason, at FROM revision_event WHERE item = ?1 ORDER BY rev, no;

-- name: attachment_add
INSERT INTO attachment (item, rev, position, hash, name, type, size) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: attachment_forget
DELETE FROM attachment WHERE item = ?1;

-- Whether an item that is published now has it in a revision that anybody may read: one with a record.
-- name: attachment_public
SELECT a.rev FROM attachment a JOIN item i ON i.id = a.item JOIN revision r ON r.item = a.item AND r.rev = a.rev
  JOIN record t ON t.stream = i.stream AND t.seq = r.seq
WHERE a.hash = ?1 AND i.live_rev IS NOT NULL LIMIT 1;

-- Of a draft, or of what is still before the public.
-- name: attachment_of
SELECT a.position FROM attachment a JOIN item i ON i.id = a.item JOIN revision r ON r.item = a.item AND r.rev = a.rev
WHERE a.item = ?1 AND a.rev = ?2 AND a.hash = ?3
  AND (r.seq IS NULL OR EXISTS (SELECT 1 FROM record t WHERE t.stream = i.stream AND t.seq = r.seq));
