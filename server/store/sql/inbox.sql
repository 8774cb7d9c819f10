-- Where messages stand, and until when: server/citizen/inbox.c. What they say is in `entry`.

-- name: inbox_add
INSERT INTO inbox (account, no, grp, expires, gone) VALUES (?1, ?2, ?3, ?4, 0);

-- name: inbox_of_group
SELECT no FROM inbox WHERE grp = ?1 AND account = ?2;

-- name: inbox_group
SELECT account, no FROM inbox WHERE grp = ?1 AND gone = 0 ORDER BY account LIMIT ?2;

-- name: inbox_all
SELECT no, grp, expires FROM inbox WHERE account = ?1 ORDER BY no;

-- name: inbox_set_gone
UPDATE inbox SET gone = 1 WHERE account = ?1 AND no = ?2;

-- name: inbox_over
SELECT account, no FROM inbox WHERE expires <= ?1 ORDER BY expires LIMIT ?2;

-- name: inbox_remove
DELETE FROM inbox WHERE account = ?1 AND no = ?2;

-- name: inbox_drop_entries
DELETE FROM entry WHERE account = ?1 AND type IN ('message', 'seen');

-- Of too many messages the oldest entries go by themselves: their rows stay for their groups.
-- name: inbox_page
SELECT account, no FROM inbox WHERE account = ?1 AND gone = 0 AND no < ?2 AND EXISTS
  (SELECT 1 FROM entry e WHERE e.account = ?1 AND e.type = 'message' AND e.key = CAST(inbox.no AS TEXT) AND e.gone = 0)
ORDER BY no DESC LIMIT ?3;
