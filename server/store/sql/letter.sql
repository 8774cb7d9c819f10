-- Letters of citizens: server/citizen/letter_row.c, letter_list.c, letter_send.c, letter_template.c.

-- The next number of a category's letters in a year. Category 0: year 0 counts letters, year 1 changes.
-- A category's first of a year stands behind what a restore left out in that year: the row of category 0.
-- name: letter_count_next
INSERT INTO letter_count (category, year, last)
VALUES (?1, ?2, COALESCE((SELECT c.last FROM letter_count c WHERE c.category = 0 AND c.year = ?2), 0) + 1)
ON CONFLICT (category, year) DO UPDATE SET last = letter_count.last + 1 RETURNING last;

-- name: letter_count_last
SELECT COALESCE(MAX(last), 0) FROM letter_count WHERE category IN (0, ?1) AND year = ?2;

-- After a restore: numbers given since the backup was made are given to nobody else.
-- name: letter_count_base
INSERT INTO letter_count (category, year, last) VALUES (0, ?1, 0) ON CONFLICT (category, year) DO NOTHING;

-- name: letter_count_skip
-- scan: a row for each category and year
UPDATE letter_count SET last = last + ?1;

-- name: letter_add
INSERT INTO letter (no, id, account, number, category, unit, state, hidden, public, hash, body, contact, received, due, turn, origin)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULLIF(?14, 0), ?15, ?16);

-- name: letter_set
UPDATE letter SET unit = ?2, clerk = ?3, state = ?4, complex = ?5, due = NULLIF(?6, 0), left_days = ?7, extended = ?8, asked = ?9, draft = ?10, reviewed = ?11,
    rating = ?12, turn = ?13, settled = NULLIF(?14, 0), complete_by = NULLIF(?15, 0) WHERE no = ?1;

-- name: letter_by_id
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter WHERE id = ?1;

-- name: letter_by_number
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter WHERE number = ?1;

-- name: letter_by_origin
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter WHERE origin = ?1;

-- Those with a deadline, the most urgent first, behind (?1, ?2), due before ?3.
-- name: letter_queue
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE due IS NOT NULL AND (due > ?1 OR (due = ?1 AND no > ?2)) AND due < ?3 AND (?4 = 0 OR category = ?4) AND (?5 = '' OR state = ?5)
ORDER BY due, no LIMIT ?6;

-- name: letter_queue_unit
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE due IS NOT NULL AND (due > ?1 OR (due = ?1 AND no > ?2)) AND due < ?3 AND (?4 = 0 OR category = ?4) AND (?5 = '' OR state = ?5) AND unit = ?6
ORDER BY due, no LIMIT ?7;

-- Those whose clock stands while somebody else has the word, behind ?1.
-- name: letter_standing
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE due IS NULL AND state IN ('asked', 'consulting') AND no > ?1 AND (?2 = 0 OR category = ?2) AND (?3 = '' OR state = ?3) AND (?4 = 0 OR unit = ?4)
ORDER BY no LIMIT ?5;

-- Those in a state in which no deadline runs, the oldest first, behind ?2.
-- name: letter_of_state
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE state = ?1 AND no > ?2 AND (?3 = 0 OR category = ?3) ORDER BY no LIMIT ?4;

-- name: letter_of_state_unit
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE state = ?1 AND no > ?2 AND (?3 = 0 OR category = ?3) AND unit = ?4 ORDER BY no LIMIT ?5;

-- All that changed behind a turn, in the order of changes.
-- name: letter_changed
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by FROM letter
WHERE turn > ?1 AND (?2 = 0 OR category = ?2) AND (?3 = '' OR state = ?3) ORDER BY turn LIMIT ?4;

-- With those that the unit has no more (last: 1), of which it is told number and state.
-- name: letter_changed_unit
SELECT no, id, account, number, category, unit, clerk, state, hidden, public, complex, hash, body, contact, received, due, left_days, extended, asked,
    draft, reviewed, rating, turn, settled, origin, complete_by, 0 FROM letter
WHERE turn > ?1 AND (?2 = 0 OR category = ?2) AND (?3 = '' OR state = ?3) AND unit = ?4
UNION ALL
SELECT l.no, l.id, 0, l.number, l.category, x.unit, 0, 'transferred', 0, 0, 0, l.hash, NULL, NULL, l.received, NULL, 0, 0, 0, 0, 0, 0, x.turn, NULL, NULL, NULL, 1
FROM letter_left x JOIN letter l ON l.no = x.letter
WHERE x.turn > ?1 AND (?2 = 0 OR l.category = ?2) AND (?3 = '' OR ?3 = 'transferred') AND x.unit = ?4
ORDER BY 23 LIMIT ?5;

-- name: letter_left_add
INSERT INTO letter_left (turn, letter, unit) VALUES (?1, ?2, ?3);

-- name: letter_sent_since
SELECT COUNT(*) FROM letter WHERE account = ?1 AND received >= ?2;

-- Settled long enough to be closed, behind (?2, ?3).
-- name: letter_settled
SELECT no, settled, number FROM letter WHERE state = ?1 AND (settled > ?2 OR (settled = ?2 AND no > ?3)) AND settled <= ?4 ORDER BY settled, no LIMIT ?5;

-- Those whose writer has let the time to complete them pass, behind (?1, ?2).
-- name: letter_lapsed
SELECT no, complete_by, number FROM letter WHERE complete_by IS NOT NULL AND (complete_by > ?1 OR (complete_by = ?1 AND no > ?2)) AND complete_by <= ?3
ORDER BY complete_by, no LIMIT ?4;

-- name: letter_late
SELECT COUNT(*), MIN(due) FROM letter WHERE due IS NOT NULL AND due <= ?1;

-- name: letter_keep_private
UPDATE letter SET public = 0 WHERE no = ?1;

-- name: letter_take_over
UPDATE letter SET account = ?2 WHERE no = ?1;

-- name: letter_move
UPDATE letter SET account = ?2 WHERE account = ?1;

-- name: letter_step_add
INSERT INTO letter_step (letter, no, id, verb, state, actor, unit, at, text, files)
SELECT ?1, COALESCE(MAX(no), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM letter_step WHERE letter = ?1 RETURNING no;

-- name: letter_step_all
SELECT no, verb, state, actor, unit, at, text, files FROM letter_step WHERE letter = ?1 ORDER BY no;

-- name: letter_step_one
SELECT no, verb, state, actor, unit, at, text FROM letter_step WHERE letter = ?1 AND no = ?2;

-- name: letter_step_last
SELECT no, verb, state, actor, unit, at, text FROM letter_step WHERE letter = ?1 AND (?2 = '' OR verb = ?2) ORDER BY no DESC LIMIT 1;

-- name: letter_step_newest
SELECT no, verb, state, actor, unit, at, text FROM letter_step WHERE letter = ?1 ORDER BY no DESC;

-- How often this was done to a letter, and how often since ?3.
-- name: letter_step_count
SELECT COUNT(*), COUNT(CASE WHEN at >= ?3 THEN 1 END) FROM letter_step WHERE letter = ?1 AND verb = ?2;

-- name: letter_step_by_id
SELECT letter, verb FROM letter_step WHERE id = ?1;

-- Organisations whose sites somebody may handle letters at.
-- name: letter_unit_of_site
SELECT org FROM site WHERE no = ?1 AND org IS NOT NULL;

-- name: letter_template_put
INSERT INTO letter_template (unit, name, text) VALUES (?1, ?2, ?3) ON CONFLICT (unit, name) DO UPDATE SET text = ?3;

-- name: letter_template_drop
DELETE FROM letter_template WHERE unit = ?1 AND name = ?2;

-- name: letter_template_all
SELECT name, text FROM letter_template WHERE unit = ?1 ORDER BY name;

-- What one account has sent in a day, but for this file itself.
-- name: letter_file_day
SELECT COUNT(*), COALESCE(SUM(size), 0) FROM letter_file WHERE account = ?1 AND at >= ?2 AND find <> ?3;

-- name: letter_file_put
INSERT INTO letter_file (account, find, kept, key, size, kind, at) VALUES (?1, ?2, NULLIF(?3, 0), ?4, ?5, ?6, ?7)
ON CONFLICT (account, find) DO UPDATE SET at = ?7, kept = COALESCE(letter_file.kept, NULLIF(?3, 0)), key = COALESCE(letter_file.key, ?4),
    kind = CASE WHEN letter_file.kind > 0 THEN letter_file.kind ELSE ?6 END;

-- name: letter_file_one
SELECT kept, kind, size, scan, tries FROM letter_file WHERE account = ?1 AND find = ?2 AND kept IS NOT NULL;

-- name: letter_file_key
SELECT key FROM letter_file WHERE kept = ?1 AND key IS NOT NULL;

-- name: letter_file_bind
UPDATE letter_file SET letter = ?1 WHERE account = ?2 AND find = ?3 AND kept IS NOT NULL;

-- Bytes that no letter names yet.
-- name: letter_file_waiting_for_letter
SELECT COALESCE(SUM(size), 0) FROM letter_file WHERE letter IS NULL AND kept IS NOT NULL;

-- Whether anybody may still read it; scan 2: infected.
-- name: letter_file_named
SELECT 1 FROM letter_file WHERE kept = ?1 AND scan <> 2;

-- name: letter_file_orphans
DELETE FROM letter_file WHERE (account, find) IN (SELECT account, find FROM letter_file WHERE letter IS NULL AND at < ?1 ORDER BY at LIMIT ?2) RETURNING size;

-- name: letter_file_yield
DELETE FROM letter_file WHERE account = ?2 AND (letter IS NULL OR kept IS NULL)
  AND find IN (SELECT find FROM letter_file WHERE account = ?1 AND letter IS NOT NULL);

-- name: letter_file_move
UPDATE letter_file SET account = ?2 WHERE account = ?1 AND find NOT IN (SELECT find FROM letter_file WHERE account = ?2);

-- The next that is to be shown to a scanner by ?1: those that it has not failed at, the oldest first; then the others.
-- name: letter_file_unscanned
SELECT kept, tries FROM letter_file WHERE scan = 0 AND kept IS NOT NULL AND again <= ?1 ORDER BY again, at, kept LIMIT 1;

-- name: letter_file_put_off
UPDATE letter_file SET tries = tries + 1, again = ?2 WHERE kept = ?1;

-- name: letter_file_waiting
SELECT COUNT(*), MIN(at) FROM letter_file WHERE scan = 0 AND kept IS NOT NULL;

-- name: letter_file_scanned
UPDATE letter_file SET scan = ?2 WHERE kept = ?1 RETURNING account, letter;

-- name: letter_name
SELECT id, number FROM letter WHERE no = ?1;
