-- Where devices are reached: push/address.c.

-- name: push_address_one
SELECT no, transport, token_hash, told, session FROM push_address WHERE account = ?1 AND device = ?2;

-- name: push_address_set
INSERT INTO push_address (account, device, transport, token_hash, token, told, session) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (account, device) DO UPDATE SET transport = excluded.transport, token_hash = excluded.token_hash, told = excluded.told,
  session = excluded.session RETURNING no;

-- Whether it lives: it may have ended since it asked.
-- name: push_address_session
SELECT id FROM session WHERE id = ?1;

-- Sealed for its row, whose number is known only now.
-- name: push_address_set_token
UPDATE push_address SET token = ?2 WHERE no = ?1;

-- Installed anew, it draws another name for itself, and is the same phone: it keeps its number.
-- name: push_address_rename
UPDATE push_address SET device = ?4 WHERE transport = ?1 AND token_hash = ?2 AND account = ?3
  AND NOT EXISTS (SELECT 1 FROM push_address AS mine WHERE mine.account = ?3 AND mine.device = ?4);

-- Whoever had this token before has handed on the phone.
-- name: push_address_drop_token
DELETE FROM push_address WHERE transport = ?1 AND token_hash = ?2 AND NOT (account = ?3 AND device = ?4);

-- name: push_address_drop
DELETE FROM push_address WHERE account = ?1 AND device = ?2;

-- A device that both have is the account's already.
-- name: push_address_move
UPDATE push_address SET account = ?2, session = ?3 WHERE account = ?1
  AND NOT EXISTS (SELECT 1 FROM push_address AS theirs WHERE theirs.account = ?2 AND theirs.device = push_address.device);

-- name: push_address_purge
DELETE FROM push_address WHERE no IN (SELECT no FROM push_address WHERE told < ?1 ORDER BY told LIMIT ?2) RETURNING no;

-- name: push_address_last
SELECT coalesce(max(no), 0) FROM push_address;

-- name: push_address_of
SELECT no FROM push_address WHERE account = ?1;

-- name: push_address_reached
SELECT no, transport FROM push_address WHERE account = ?1 ORDER BY transport, no;

-- name: push_address_traits
SELECT account, transport, traits FROM push_address WHERE no = ?1;

-- name: push_address_set_traits
UPDATE push_address SET traits = ?2 WHERE no = ?1;

-- Sets follow: push/address.c.

-- name: push_dirty_some
-- scan: the first few of what is to be done
SELECT no, traits FROM push_dirty ORDER BY no LIMIT ?1;

-- What it stands in is to be found anew.
-- name: push_dirty_add
INSERT INTO push_dirty (no) VALUES (?1) ON CONFLICT (no) DO NOTHING;

-- name: push_dirty_done
DELETE FROM push_dirty WHERE no = ?1;

-- name: push_traits_of
SELECT type, key, value FROM entry WHERE account = ?1 AND type IN ('consent', 'follow', 'set') AND gone = 0;

-- Traits and sets: push/trait.c, push/sets.c.

-- name: push_trait_find
SELECT no FROM push_trait WHERE word = ?1;

-- name: push_trait_all
-- scan: of a device nobody knows in which it stands
SELECT no FROM push_trait ORDER BY no;

-- name: push_trait_make
INSERT INTO push_trait (word) VALUES (?1) RETURNING no;

-- name: push_set_one
SELECT bits FROM push_set WHERE at = ?1;

-- name: push_set_put
INSERT INTO push_set (at, bits) VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET bits = excluded.bits;

-- name: push_set_drop
DELETE FROM push_set WHERE at = ?1;

-- A campaign on its way: push/run_*.c.

-- name: push_run_put
INSERT INTO push_run (campaign, class, audience, doubt, areas, of_column, ends, last, began, ranks, rank, block, state, moved, said, after, news)
VALUES (?1, ?2, ?3, ?4, ?6, ?5, ?7, ?8, ?9, ?10 + 1, 0, 0, 1, ?9, ?11, ?12, ?13);

-- For one account (above 1 << 52, RUN_NOTICES): all of it is opened with it.
-- name: push_run_put_open
INSERT INTO push_run (campaign, class, audience, doubt, areas, of_column, ends, last, began, ranks, rank, block, state, moved, said, after, news)
VALUES (?1, ?2, '', ?3, '', NULL, ?4, 0, ?5, 0, 0, 0, 1, ?5, '', 0, 0);

-- name: push_run_one
SELECT audience, class, of_column, areas, doubt, ends, last, rank, block, state, CASE WHEN rank >= ranks THEN 1 ELSE 0 END, said, after, news, moved FROM push_run WHERE campaign = ?1;

-- Emergencies (3) and recalls (numbers above 2^48) first.
-- name: push_run_unopened
SELECT campaign FROM push_run WHERE state = 1 AND campaign < 4503599627370496 AND rank < ranks
ORDER BY CASE WHEN campaign > 281474976710656 THEN 0 WHEN class = 3 THEN 0 ELSE class END, began, campaign LIMIT 1;

-- name: push_run_opened
UPDATE push_run SET rank = ?2, block = ?3, moved = ?4 WHERE campaign = ?1;

-- name: push_run_moved
UPDATE push_run SET moved = ?2 WHERE campaign = ?1;

-- name: push_run_running
SELECT campaign, class FROM push_run WHERE state = 1 AND campaign < 4503599627370496
ORDER BY CASE WHEN campaign > 281474976710656 THEN 0 WHEN class = 3 THEN 0 ELSE class END, began, campaign;

-- name: push_run_personal
SELECT campaign FROM push_run WHERE state = 1 AND campaign > 4503599627370496
  AND (EXISTS (SELECT 1 FROM push_part WHERE push_part.campaign = push_run.campaign AND push_part.transport = ?1 AND push_part.next < 65536)
    OR EXISTS (SELECT 1 FROM push_batch WHERE push_batch.campaign = push_run.campaign AND push_batch.transport = ?1 AND push_batch.sent = 0 AND push_batch.at <= ?2))
ORDER BY campaign LIMIT 1;

-- name: push_run_state
UPDATE push_run SET state = ?3, moved = ?4 WHERE campaign = ?1 AND state = ?2;

-- Its time was over while it was paused (0): those who are left are stopped, and not rejected.
-- name: push_run_late
UPDATE push_run SET ends = 0 WHERE campaign = ?1 AND ends <= ?2;

-- Whatever it was: nothing of it can be read.
-- name: push_run_give_up
UPDATE push_run SET state = 4 WHERE campaign = ?1;

-- Nothing to open, to take, to wait for or to be answered.
-- name: push_run_done
SELECT campaign, state FROM push_run WHERE state IN (1, 3) AND (state = 3 OR rank >= ranks)
  AND NOT EXISTS (SELECT 1 FROM push_part WHERE push_part.campaign = push_run.campaign AND push_part.next < 65536)
  AND NOT EXISTS (SELECT 1 FROM push_batch WHERE push_batch.campaign = push_run.campaign)
  AND (state = 3 OR NOT EXISTS (SELECT 1 FROM push_inbox WHERE push_inbox.campaign = push_run.campaign AND push_inbox.state = 1)) ORDER BY campaign LIMIT 1;

-- name: push_part_of_block
SELECT bits FROM push_part WHERE campaign = ?1 AND block = ?2;

-- name: push_part_put
INSERT INTO push_part (campaign, block, transport, rank, next, n, rest, bits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: push_part_next
SELECT block, rank, next, bits FROM push_part WHERE campaign = ?1 AND transport = ?2 AND next < 65536 ORDER BY rank, block LIMIT 1;

-- name: push_part_taken
UPDATE push_part SET next = ?5, rest = ?6 WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND rank = ?4;

-- What is left of a campaign that stops (3), of one whose time is over, and of a transport that is off now (bits of those that are on).
-- name: push_part_left
SELECT push_part.campaign, push_part.block, push_part.transport, push_part.rank, push_part.next, push_part.bits, push_run.state, push_run.ends
FROM push_run JOIN push_part ON push_part.campaign = push_run.campaign
WHERE push_run.state IN (1, 3) AND (push_run.state = 3 OR push_run.ends <= ?1 OR (CAST(?2 AS INTEGER) >> CAST(push_part.transport AS INTEGER)) & 1 = 0)
  AND push_part.next < 65536 ORDER BY push_part.campaign, push_part.transport, push_part.rank, push_part.block LIMIT 1;

-- name: push_part_sums
SELECT CAST(coalesce(sum(n), 0) AS BIGINT), CAST(coalesce(sum(rest), 0) AS BIGINT) FROM push_part WHERE campaign = ?1;

-- name: push_batch_send
INSERT INTO push_batch (campaign, transport, block, tries, at, sent, n, bits) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7) RETURNING no;

-- name: push_batch_wait
INSERT INTO push_batch (campaign, transport, block, tries, at, sent, n, bits) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7);

-- name: push_batch_due
SELECT no, block, tries, at, bits FROM push_batch WHERE campaign = ?1 AND transport = ?2 AND sent = 0 AND at <= ?3 ORDER BY at, no LIMIT 1;

-- The wall clock jumped: what was to last so long from now still does.
-- name: push_batch_shift
UPDATE push_batch SET at = at + ?1 WHERE sent = 0;

-- name: push_run_shift
UPDATE push_run SET ends = ends + ?1, moved = moved + ?1 WHERE state IN (1, 2, 3);

-- name: push_batch_drop
DELETE FROM push_batch WHERE no = ?1;

-- name: push_batch_soonest
SELECT coalesce(min(push_batch.at), 0) FROM push_run JOIN push_batch ON push_batch.campaign = push_run.campaign
WHERE push_run.state = 1 AND push_batch.transport = ?1 AND push_batch.sent = 0;

-- name: push_batch_open
SELECT no, campaign, transport, block, tries, bits FROM push_batch WHERE sent = 1 AND no > ?1 ORDER BY no LIMIT 1;

-- name: push_batch_left
SELECT push_batch.no, push_batch.campaign, push_batch.transport, push_batch.block, push_batch.bits, push_run.state, push_run.ends
FROM push_run JOIN push_batch ON push_batch.campaign = push_run.campaign
WHERE push_run.state IN (1, 3) AND (push_run.state = 3 OR push_run.ends <= ?1 OR (CAST(?2 AS INTEGER) >> CAST(push_batch.transport AS INTEGER)) & 1 = 0)
  AND push_batch.sent = 0 ORDER BY push_batch.no LIMIT 1;

-- What is on its way to devices of a block for another campaign of the class.
-- name: push_batch_of_others
SELECT push_batch.bits FROM push_batch JOIN push_run ON push_run.campaign = push_batch.campaign
WHERE push_batch.sent = 1 AND push_batch.transport = ?1 AND push_batch.block = ?2 AND push_run.class = ?3 AND push_batch.campaign <> ?4;

-- name: push_batch_sums
SELECT CAST(coalesce(sum(CASE WHEN sent = 0 THEN n ELSE 0 END), 0) AS BIGINT), CAST(coalesce(sum(CASE WHEN sent = 1 THEN n ELSE 0 END), 0) AS BIGINT)
FROM push_batch WHERE campaign = ?1;

-- name: push_outcome_one
SELECT bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND what = ?4 AND day = ?5;

-- Who of a block may have it: 1 accepted, 6 in doubt, or on its way.
-- name: push_outcome_sent
SELECT bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND what IN (1, 6)
UNION ALL SELECT bits FROM push_batch WHERE campaign = ?1 AND transport = ?3 AND block = ?2;

-- name: push_outcome_put
INSERT INTO push_outcome (campaign, block, transport, what, day, n, bits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (campaign, block, transport, what, day) DO UPDATE SET n = excluded.n, bits = excluded.bits;

-- Who was in doubt and went out again.
-- name: push_outcome_resent
SELECT transport, bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND what = 9;

-- Who had one today, or may have: 1 accepted, 6 in doubt; 9 was in doubt and went out again, which was two messages, but is in nobody's way who is just sent to again.
-- name: push_outcome_today
SELECT push_outcome.bits FROM push_outcome JOIN push_run ON push_run.campaign = push_outcome.campaign
WHERE push_outcome.transport = ?1 AND push_outcome.block = ?2 AND push_outcome.day = ?3 AND push_outcome.what IN (1, 6, 9) AND push_run.class = ?4
  AND (push_outcome.what <> 9 OR push_outcome.campaign <> ?5);

-- The same of any transport, campaign by campaign but one: 10 says that its owner had it on another device; and what is on its way.
-- name: push_outcome_person
SELECT push_outcome.campaign, push_outcome.bits FROM push_outcome JOIN push_run ON push_run.campaign = push_outcome.campaign
WHERE push_outcome.block = ?1 AND push_outcome.day = ?2 AND push_outcome.what IN (1, 6, 9, 10) AND push_run.class = ?3 AND push_outcome.campaign <> ?4
  AND push_outcome.campaign < 281474976710656
UNION ALL SELECT push_batch.campaign, push_batch.bits FROM push_batch JOIN push_run ON push_run.campaign = push_batch.campaign
WHERE push_batch.sent = 1 AND push_batch.block = ?1 AND push_run.class = ?3 AND push_batch.campaign <> ?4 AND push_batch.campaign < 281474976710656 ORDER BY 1;

-- Of one block, whatever became of them: who was sent to is not sent to again, also where the part that named him is damaged. Not 10: it is of another device, which may have its turn yet.
-- name: push_outcome_of_block
SELECT bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND what <> 10;

-- Who has it, or may have: 1 accepted, 6 in doubt.
-- name: push_outcome_shown
SELECT bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND what IN (1, 6);

-- name: push_batch_of_block
SELECT bits FROM push_batch WHERE campaign = ?1 AND transport > 0 AND block = ?2;

-- Who may have got something of an earlier run: 1 accepted, 6 in doubt, 9 sent again; and what is on its way.
-- name: push_outcome_reached
SELECT bits FROM push_outcome WHERE campaign = ?1 AND block = ?2 AND transport > 0 AND what IN (1, 6, 9);

-- name: push_batch_reached
SELECT bits FROM push_batch WHERE sent = 1 AND campaign = ?1 AND transport > 0 AND block = ?2;

-- What is damaged is put aside: what it counted stays, who they were is lost (push/run_mend.c).
-- name: push_outcome_rows
SELECT block, transport, what, day, bits FROM push_outcome WHERE campaign = ?1;

-- name: push_outcome_aside
UPDATE push_outcome SET day = ?6, bits = ?7 WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND what = ?4 AND day = ?5;

-- name: push_part_rows
SELECT block, transport, rank, rest, bits FROM push_part WHERE campaign = ?1;

-- name: push_part_aside
UPDATE push_part SET next = 65536, rest = 0, bits = ?5 WHERE campaign = ?1 AND block = ?2 AND transport = ?3 AND rank = ?4;

-- name: push_batch_rows
SELECT no, block, transport, sent, n, bits FROM push_batch WHERE campaign = ?1;

-- name: push_outcome_sums
SELECT transport, what, CAST(sum(n) AS BIGINT) FROM push_outcome WHERE campaign = ?1 GROUP BY transport, what;

-- name: push_outcome_all
SELECT block, what, bits FROM push_outcome WHERE campaign = ?1;

-- name: push_trait_areas
SELECT no, word FROM push_trait WHERE word >= 'area/' AND word < 'area0';

-- A campaign's rows of a block, for its report.
-- name: push_report_outcomes
SELECT transport, what, n, bits FROM push_outcome WHERE campaign = ?1 AND block = ?2;

-- name: push_report_parts
SELECT transport, next, rest, bits FROM push_part WHERE campaign = ?1 AND block = ?2 AND next < 65536;

-- name: push_report_batches
SELECT transport, sent, n, bits FROM push_batch WHERE campaign = ?1 AND transport > 0 AND block = ?2;

-- name: push_trait_quiet
SELECT no, word FROM push_trait WHERE word >= 'quiet/' AND word < 'quiet0';

-- name: push_address_by_token
SELECT no FROM push_address WHERE transport = ?1 AND token_hash = ?2;

-- name: push_address_target
SELECT token, told FROM push_address WHERE no = ?1 AND transport = ?2;

-- name: push_address_told
SELECT told FROM push_address WHERE no = ?1;

-- The other devices of its owner: nobody has more that he looks at.
-- name: push_address_siblings
SELECT b.no FROM push_address a JOIN push_address b ON b.account = a.account WHERE a.no = ?1 AND b.no <> ?1 LIMIT 32;

-- Of a block, with the sets they stand in.
-- name: push_address_block
SELECT no, traits FROM push_address WHERE no >= ?1 AND no < ?2 AND traits IS NOT NULL;

-- Unless it said since that it is there.
-- name: push_address_gone
DELETE FROM push_address WHERE no = ?1 AND told <= ?2;

-- Whether there is anything to do by now: what runs or stops, a campaign that is due or recalled, a library that went on.
-- name: push_look
-- scan: push_follow has a row a stream, of which there are at most 64
SELECT CASE WHEN EXISTS (SELECT 1 FROM push_run WHERE state IN (1, 3)) OR EXISTS (SELECT 1 FROM push_batch WHERE sent = 1) OR EXISTS (SELECT 1 FROM push_campaign WHERE state = 'scheduled' AND start <= ?1)
  OR EXISTS (SELECT 1 FROM push_campaign WHERE state = 'recalling') OR EXISTS (SELECT 1 FROM push_inbox WHERE state = 2)
  OR EXISTS (SELECT 1 FROM push_follow JOIN stream ON stream.no = push_follow.stream WHERE stream.seq > push_follow.seq) THEN 1 ELSE 0 END;

-- name: push_run_forget
DELETE FROM push_run WHERE campaign = ?1;

-- Campaigns one at a time: with each go thousands of sets.
-- name: push_run_purge
DELETE FROM push_run WHERE campaign IN (SELECT campaign FROM push_run WHERE began < CAST(?1 AS BIGINT) * 1000 AND state = 4 AND campaign < 4503599627370496
  ORDER BY began LIMIT CASE WHEN ?2 > 1 THEN 1 ELSE ?2 END) RETURNING campaign;

-- name: push_run_purge_personal
DELETE FROM push_run WHERE campaign IN (SELECT campaign FROM push_run WHERE began < CAST(?1 AS BIGINT) * 1000 AND state = 4 AND campaign > 4503599627370496
  ORDER BY began LIMIT ?2) RETURNING campaign;
