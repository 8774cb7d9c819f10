-- Campaigns: push/campaign.c. Those with the columns of push_campaign_one are read by one function.

-- name: push_campaign_one
SELECT no, site, item, rev, col, class, title, text, link, picture, audience, districts, start, doubt, ttl, pace, state, hash, tested, approved,
  fired, copied, created, changed FROM push_campaign WHERE no = ?1;

-- name: push_campaign_add
INSERT INTO push_campaign (site, item, rev, col, class, title, text, link, picture, audience, districts, start, doubt, ttl, pace, state, hash, tested,
  approved, fired, copied, created, changed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, NULL, 0, 0, ?18, ?19, ?19) RETURNING no;

-- What it says and whom it reaches: any of it is another hash.
-- name: push_campaign_set
UPDATE push_campaign SET site = ?2, rev = ?3, col = ?4, class = ?5, title = ?6, text = ?7, link = ?8, picture = ?9, audience = ?10, districts = ?11,
  start = ?12, doubt = ?13, ttl = ?14, pace = ?15, hash = ?16, approved = 0, changed = ?17 WHERE no = ?1;

-- name: push_campaign_set_state
UPDATE push_campaign SET state = ?3, changed = ?4 WHERE no = ?1 AND state = ?2;

-- One that cannot be read goes on no more.
-- name: push_campaign_halt
UPDATE push_campaign SET state = 'paused' WHERE no = ?1 AND state IN ('scheduled', 'running');

-- Who may be watched: what is on its way, and what changed its state since.
-- name: push_campaign_live
SELECT no FROM (SELECT no FROM push_campaign WHERE state IN ('running', 'recalling') UNION
                SELECT no FROM push_campaign WHERE changed >= ?1) AS live ORDER BY no DESC LIMIT ?2;

-- name: push_campaign_set_tested
UPDATE push_campaign SET tested = ?2 WHERE no = ?1 AND hash = ?2;

-- name: push_campaign_set_approved
UPDATE push_campaign SET approved = ?2 WHERE no = ?1;

-- name: push_campaign_set_fired
UPDATE push_campaign SET fired = ?2 WHERE no = ?1 AND fired = 0;

-- name: push_campaign_due
SELECT no FROM push_campaign WHERE state = 'scheduled' AND start <= ?1 ORDER BY start, no LIMIT ?2;

-- When the next one is due that is not due yet.
-- name: push_campaign_next
SELECT start FROM push_campaign WHERE state = 'scheduled' AND start > ?1 ORDER BY start LIMIT 1;

-- name: push_campaign_in_state
SELECT no FROM push_campaign WHERE state = ?1 ORDER BY start, no LIMIT ?2;

-- name: push_campaign_list
SELECT no, site, item, rev, col, class, title, text, link, picture, audience, districts, start, doubt, ttl, pace, state, hash, tested, approved,
  fired, copied, created, changed FROM push_campaign WHERE no < ?1 AND (?2 = '' OR state = ?2) ORDER BY no DESC LIMIT ?3;

-- name: push_campaign_list_site
SELECT no, site, item, rev, col, class, title, text, link, picture, audience, districts, start, doubt, ttl, pace, state, hash, tested, approved,
  fired, copied, created, changed FROM push_campaign WHERE site = ?4 AND no < ?1 AND (?2 = '' OR state = ?2) ORDER BY no DESC LIMIT ?3;

-- name: push_campaign_of_item
SELECT no FROM push_campaign WHERE item = ?1 ORDER BY no;

-- Whether a campaign of the record went out in this revision or a later one.
-- name: push_campaign_sent_of_item
SELECT no FROM push_campaign WHERE item = ?1 AND rev >= ?2 AND no <> ?3 AND state IN ('running', 'paused', 'done', 'recalling', 'recalled') ORDER BY no LIMIT 1;

-- name: push_step_add
INSERT INTO push_step (campaign, no, step, state, hash, actor, behind, at, text)
VALUES (?1, (SELECT COALESCE(MAX(no), 0) + 1 FROM push_step WHERE campaign = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- What it said when it was tested last.
-- name: push_step_tested
SELECT hash FROM push_step WHERE campaign = ?1 AND step = 'test' ORDER BY no DESC LIMIT 1;

-- name: push_step_list
SELECT no, step, state, hash, actor, at, text FROM push_step WHERE campaign = ?1 ORDER BY no;

-- Whether somebody (a name, and an account) made it, edited it or asked for its approval; or a program did that was then, or is now, his or an organisation's that he acts for.
-- name: push_step_hand
-- scan: programs are few
SELECT no FROM push_step WHERE campaign = ?1 AND step IN ('create', 'edit', 'submit')
  AND (actor = ?2 OR behind = ?2 OR behind IN (SELECT 'account:' || organisation FROM acting WHERE person = ?3)
    OR actor IN (SELECT 'party:' || id FROM party WHERE owner > 0 AND (owner = ?3 OR owner IN (SELECT organisation FROM acting WHERE person = ?3)))) LIMIT 1;

-- name: push_approval_add
INSERT INTO push_approval (campaign, actor, hash, at, plan) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: push_approval_list
SELECT actor, hash, at, plan FROM push_approval WHERE campaign = ?1 ORDER BY at, actor;

-- name: push_approval_drop
DELETE FROM push_approval WHERE campaign = ?1;

-- The change log: push/campaign_follow.c.

-- name: push_follow_begin
INSERT INTO push_follow (stream, seq) SELECT s.no, s.seq FROM item i JOIN stream s ON s.no = i.stream WHERE i.id = ?1 ON CONFLICT (stream) DO NOTHING;

-- name: push_follow_all
-- scan: a row a stream, of which there are at most 64
SELECT stream, seq FROM push_follow ORDER BY stream;

-- name: push_follow_changes
SELECT seq, item, rev, op FROM change WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3;

-- name: push_follow_set
UPDATE push_follow SET seq = ?2 WHERE stream = ?1;

-- What others that run still have to send, by haste (0: recalls, notices and warnings, else the class) and transport: in parts, waiting, and on its way. push/plan_count.c.
-- name: push_plan_running
SELECT haste, transport, CAST(SUM(n) AS BIGINT) FROM (
  SELECT CASE WHEN r.campaign > 281474976710656 THEN 0 WHEN r.class = 3 THEN 0 ELSE r.class END AS haste, p.transport AS transport, p.rest AS n
  FROM push_run r JOIN push_part p ON p.campaign = r.campaign WHERE r.state = 1 AND p.next < 65536 AND r.campaign <> ?1
  UNION ALL
  SELECT CASE WHEN r.campaign > 281474976710656 THEN 0 WHEN r.class = 3 THEN 0 ELSE r.class END, b.transport, b.n
  FROM push_run r JOIN push_batch b ON b.campaign = r.campaign WHERE r.state = 1 AND r.campaign <> ?1) AS ahead
GROUP BY haste, transport ORDER BY haste, transport;

-- What is scheduled, with what its last approver saw of it.
-- name: push_plan_scheduled
SELECT CASE WHEN c.class = 3 THEN 0 ELSE c.class END, c.start, (SELECT a.plan FROM push_approval a WHERE a.campaign = c.no ORDER BY a.at DESC LIMIT 1)
FROM push_campaign c WHERE c.state = 'scheduled' AND c.no <> ?1 ORDER BY c.start, c.no LIMIT ?2;

-- name: push_sample_one
SELECT a.account, a.transport, e.value FROM push_address a LEFT JOIN entry e ON e.account = a.account AND e.type = 'set' AND e.key = 'area' AND e.gone = 0
WHERE a.no = ?1;

-- What should have been pushed and was not, and what stands still: push/missing.c. Columns campaign, site, item, title, since.

-- Of a column: what was published as major, or for the first time, between two times, and no campaign is about it.
-- name: push_missing_campaign
SELECT 0, i.site, i.id, i.title, COALESCE(i.updated, i.published) FROM item i JOIN revision r ON r.item = i.id AND r.rev = i.live_rev
WHERE i.col = ?1 AND i.live_rev IS NOT NULL AND COALESCE(i.updated, i.published) >= ?2 AND COALESCE(i.updated, i.published) <= ?3 AND (r.update_type = 'major' OR r.rev = 1)
  AND NOT EXISTS (SELECT 1 FROM push_campaign c WHERE c.item = i.id AND c.rev >= i.live_rev AND c.state NOT IN ('cancelled', 'rejected')) ORDER BY 5 LIMIT 100;

-- name: push_missing_schedule
SELECT no, site, item, title, changed FROM push_campaign WHERE state = 'approved' AND changed <= ?1 ORDER BY changed LIMIT 100;

-- It was not there at its time, and nobody has said what is to become of it since; or it was, and did not begin.
-- name: push_missing_fire
SELECT no, site, item, title, CASE WHEN start > changed THEN start ELSE changed END FROM push_campaign
WHERE state IN ('scheduled', 'paused') AND fired = 0 AND CASE WHEN start > changed THEN start ELSE changed END <= ?1 ORDER BY start LIMIT 100;

-- name: push_missing_progress
SELECT c.no, c.site, c.item, c.title, r.moved / 1000 FROM push_campaign c JOIN push_run r ON r.campaign = c.no
WHERE c.state = 'running' AND r.state = 1 AND r.moved <= ?1 ORDER BY r.moved LIMIT 100;

-- name: push_missing_damaged
SELECT c.no, c.site, c.item, c.title, c.changed FROM push_campaign c WHERE c.state = 'paused' AND c.changed <= ?1
  AND (SELECT s.step FROM push_step s WHERE s.campaign = c.no ORDER BY s.no DESC LIMIT 1) = 'damaged' ORDER BY c.changed LIMIT 100;

-- Lists of accounts in their inboxes: push/campaign_inbox.c.

-- name: push_inbox_begin
INSERT INTO push_inbox (campaign, next, put, taken, state) VALUES (?1, 0, 0, 0, 1);

-- name: push_inbox_one
SELECT campaign, next, put, taken, state FROM push_inbox WHERE campaign = ?1;

-- name: push_inbox_next
SELECT i.campaign, i.next, i.put, i.taken, i.state FROM push_inbox i JOIN push_campaign c ON c.no = i.campaign
WHERE i.state IN (1, 2) AND (i.state = 2 OR c.state = 'running') ORDER BY i.campaign LIMIT 1;

-- name: push_inbox_set
UPDATE push_inbox SET next = ?2, put = ?3, taken = ?4, state = ?5 WHERE campaign = ?1;

-- name: push_inbox_recall
UPDATE push_inbox SET state = 2 WHERE campaign = ?1;
