-- How sites review, and what was decided: server/library/chain.c, review.c, eyes.c, schedule.c.

-- name: site_chain_of
SELECT steps, secrecy, eyes FROM site_chain WHERE site = ?1;

-- name: site_chain_set
INSERT INTO site_chain (site, steps, secrecy, eyes) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (site) DO UPDATE SET steps = excluded.steps, secrecy = excluded.secrecy, eyes = excluded.eyes;

-- name: site_chain_unset
DELETE FROM site_chain WHERE site = ?1;

-- name: site_reviewer_add
INSERT INTO site_reviewer (site, step, actor) VALUES (?1, ?2, ?3);

-- name: site_reviewer_clear
DELETE FROM site_reviewer WHERE site = ?1 AND step = ?2;

-- name: site_reviewer_of
SELECT step, actor FROM site_reviewer WHERE site = ?1 ORDER BY step, actor;

-- name: review_add
INSERT INTO review (no, item, rev, site, step, verdict, actor, behind, said, basis, valid, at)
VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM review), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10);

-- name: review_of_item
SELECT rev, step, verdict, actor, said, basis, valid, at FROM review WHERE item = ?1 ORDER BY rev, no;

-- What holds of a revision: steps that passed, and the secrecy review.
-- name: review_standing
SELECT step, verdict, actor, behind FROM review WHERE item = ?1 AND rev = ?2 AND site = ?3 AND valid = 1 AND verdict IN ('pass', 'secrecy') ORDER BY no;

-- name: review_void
UPDATE review SET valid = 0 WHERE item = ?1 AND rev = ?2;

-- name: review_count
SELECT COUNT(*) FROM review WHERE item = ?1;

-- Taken down for good.
-- name: review_forget
UPDATE review SET said = NULL, basis = NULL WHERE item = ?1;

-- name: review_forget_before
UPDATE review SET said = NULL, basis = NULL WHERE item = ?1 AND rev < ?2;

-- Whether one of these names wrote a revision of what is to be published: since ?2, the published one; or a program did that is his or an organisation's that he acts for.
-- name: review_hand
-- scan: programs are few
SELECT r.rev FROM revision r WHERE r.item = ?1 AND r.rev > ?2 AND r.rev <= ?3
  AND (r.author = ?4 OR r.author = ?5
    OR r.author IN (SELECT 'party:' || id FROM party WHERE owner > 0 AND (owner = ?6 OR owner IN (SELECT organisation FROM acting WHERE person = ?6)))) LIMIT 1;

-- Whether one of these names handed the revision in.
-- name: review_handed
SELECT no FROM revision_event WHERE item = ?1 AND rev = ?2 AND verb = 'submit' AND (actor = ?3 OR actor = ?4) LIMIT 1;

-- name: takedown_ask_of
SELECT rev, verb, actor, behind, reason, at FROM takedown_ask WHERE item = ?1;

-- name: takedown_ask_set
INSERT INTO takedown_ask (item, rev, verb, actor, behind, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (item) DO UPDATE SET rev = excluded.rev, verb = excluded.verb, actor = excluded.actor, behind = excluded.behind, reason = excluded.reason, at = excluded.at;

-- name: takedown_ask_drop
DELETE FROM takedown_ask WHERE item = ?1;

-- name: schedule_set
INSERT INTO schedule (item, rev, at, actor, made) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (item) DO UPDATE SET rev = excluded.rev, at = excluded.at, actor = excluded.actor, made = excluded.made;

-- name: schedule_of
SELECT rev, at, actor FROM schedule WHERE item = ?1;

-- name: schedule_drop
DELETE FROM schedule WHERE item = ?1;

-- After a restore: what was withdrawn or handed back since is not published by itself.
-- name: schedule_drop_all
DELETE FROM schedule;

-- name: schedule_due
SELECT item, rev, at, actor FROM schedule WHERE at <= ?1 ORDER BY at LIMIT ?2;

-- name: schedule_next
SELECT at FROM schedule WHERE at > 0 ORDER BY at LIMIT 1;
