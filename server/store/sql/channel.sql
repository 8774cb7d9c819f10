-- Accounts on other platforms, versions for them, and the outbox: server/channel/channel_*.c.

-- name: channel_account_add
INSERT INTO channel_account (kind, name, handle, site, org, filing, state, domain, scope, replies, published, changed, grant_renew, grant_until, trouble_until)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, 0, 0, 0) RETURNING no;

-- name: channel_account_set
UPDATE channel_account SET name = ?2, org = ?3, filing = ?4, state = ?5, domain = ?6, scope = ?7, replies = ?8, changed = ?9 WHERE no = ?1;

-- name: channel_account_one
SELECT no, kind, name, handle, site, org, filing, state, domain, scope, replies, published, changed, secret, grant_text, grant_renew, grant_until, trouble, trouble_until
FROM channel_account WHERE no = ?1;

-- name: channel_account_page
SELECT no, kind, name, handle, site, org, filing, state, domain, scope, replies, published, changed, secret, grant_text, grant_renew, grant_until, trouble, trouble_until
FROM channel_account WHERE no > ?1 ORDER BY no LIMIT ?2;

-- name: channel_account_secret
UPDATE channel_account SET secret = ?2, grant_text = NULL, grant_renew = 0, grant_until = 0, trouble = NULL, trouble_until = 0, changed = ?3 WHERE no = ?1;

-- name: channel_account_grant
UPDATE channel_account SET grant_text = ?2, grant_renew = ?3, grant_until = ?4, trouble = NULL, trouble_until = 0 WHERE no = ?1;

-- name: channel_account_refuse
UPDATE channel_account SET grant_text = NULL, grant_until = 0, grant_renew = ?2 WHERE no = ?1;

-- name: channel_account_trouble
UPDATE channel_account SET trouble = ?2, trouble_until = ?3 WHERE no = ?1;

-- name: channel_account_published
UPDATE channel_account SET published = ?2 WHERE no = ?1 AND published < ?2;

-- name: channel_version_add
INSERT INTO channel_version (channel, item, rev, title, digest, byline, body, cover, state, hash, author, changed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'draft', ?9, ?10, ?11) RETURNING no;

-- name: channel_version_set
UPDATE channel_version SET rev = ?2, title = ?3, digest = ?4, byline = ?5, body = ?6, cover = ?7, state = 'draft', hash = ?8, author = ?9, approver = NULL, why = NULL, changed = ?10
WHERE no = ?1 AND state <> 'forgotten';

-- name: channel_version_state
UPDATE channel_version SET state = ?3, approver = ?4, why = ?5, changed = ?6 WHERE no = ?1 AND state = ?2;

-- name: channel_version_one
SELECT no, channel, item, rev, title, digest, byline, body, cover, state, hash, author, approver, why, changed FROM channel_version WHERE no = ?1;

-- name: channel_version_of_channel
SELECT no, channel, item, rev, title, digest, byline, body, cover, state, hash, author, approver, why, changed FROM channel_version
WHERE channel = ?1 AND no < ?2 ORDER BY no DESC LIMIT ?3;

-- name: channel_version_forget
UPDATE channel_version SET title = '', digest = '', byline = '', body = '', cover = NULL, why = NULL, state = 'forgotten' WHERE item = ?1 AND rev <= ?2;

-- name: channel_task_add
INSERT INTO channel_task (channel, version, verb, state, intent, doomed, failures, again, article_id, created, changed)
VALUES (?1, ?2, ?3, 'queued', 0, 0, 0, ?4, ?5, ?4, ?4) ON CONFLICT (version, verb) DO NOTHING RETURNING no;

-- name: channel_task_one
SELECT no, channel, version, verb, state, intent, doomed, failures, again, cover_id, draft_id, publish_id, article_id, url, said, created, changed FROM channel_task WHERE no = ?1;

-- name: channel_task_of_version
SELECT no, channel, version, verb, state, intent, doomed, failures, again, cover_id, draft_id, publish_id, article_id, url, said, created, changed FROM channel_task
WHERE version = ?1 AND verb = ?2;

-- name: channel_task_page
SELECT no, channel, version, verb, state, intent, doomed, failures, again, cover_id, draft_id, publish_id, article_id, url, said, created, changed FROM channel_task
WHERE no < ?1 ORDER BY no DESC LIMIT ?2;

-- name: channel_task_page_state
SELECT no, channel, version, verb, state, intent, doomed, failures, again, cover_id, draft_id, publish_id, article_id, url, said, created, changed FROM channel_task
WHERE state = ?3 AND no < ?1 ORDER BY no DESC LIMIT ?2;

-- name: channel_task_count_state
SELECT COUNT(*) FROM channel_task WHERE state = ?1;

-- name: channel_task_oldest
SELECT MIN(created) FROM channel_task WHERE state IN ('queued', 'waiting', 'unknown') OR (verb = 'delete' AND state IN ('failed', 'cancelled'));

-- Deletions that nobody does any more.
-- name: channel_task_count_stuck
SELECT COUNT(*) FROM channel_task WHERE verb = 'delete' AND state IN ('failed', 'cancelled');

-- One a channel: the first that is due.
-- name: channel_task_due
-- scan: the index holds only what is still to be done, in the order that is asked for
SELECT MIN(t.no) FROM channel_task t WHERE t.again > 0 AND t.intent = 0 AND t.again <= ?1 GROUP BY t.channel;

-- name: channel_task_intend
UPDATE channel_task SET intent = ?2, changed = ?3 WHERE no = ?1 AND intent = 0 AND again > 0;

-- name: channel_task_set
UPDATE channel_task SET state = ?3, intent = 0, doomed = ?4, failures = ?5, again = ?6, cover_id = ?7, draft_id = ?8, publish_id = ?9, article_id = ?10, url = ?11, said = ?12, changed = ?13
WHERE no = ?1 AND intent = ?2;

-- name: channel_task_doom
UPDATE channel_task SET doomed = 1, changed = ?2 WHERE no = ?1;

-- Requests that were under way when the process ended.
-- name: channel_task_left
SELECT no, channel, version, verb, state, intent, doomed, failures, again, cover_id, draft_id, publish_id, article_id, url, said, created, changed FROM channel_task
WHERE intent > 0 LIMIT ?1;

-- After a restore: what had not left may be out by now, and nothing goes twice.
-- name: channel_tasks_doubt
UPDATE channel_task SET state = 'unknown', intent = 0, again = 0, changed = ?1, said = '从备份恢复，不知道发出没有：请到平台上看' WHERE verb = 'publish' AND state IN ('queued', 'waiting');

-- name: channel_task_nudge
UPDATE channel_task SET again = ?2 WHERE channel = ?1 AND again > ?2 AND intent = 0 AND state IN ('waiting', 'unknown');

-- name: channel_tasks_of_item
SELECT t.no, t.channel, t.version, t.verb, t.state, t.intent, t.doomed, t.failures, t.again, t.cover_id, t.draft_id, t.publish_id, t.article_id, t.url, t.said, t.created, t.changed
FROM channel_version v JOIN channel_task t ON t.version = v.no AND t.verb = 'publish' WHERE v.item = ?1 AND v.rev <= ?2 ORDER BY t.no;

-- What is out of an item at a kind of platform, or may be: all, deleted again, and where the deletion is somebody's to look at.
-- name: channel_standing
SELECT COUNT(*), COALESCE(SUM(CASE WHEN d.state = 'done' THEN 1 ELSE 0 END), 0),
    COALESCE(SUM(CASE WHEN d.state IN ('failed', 'unknown', 'cancelled') OR (d.state IS NULL AND p.state = 'unknown') THEN 1 ELSE 0 END), 0)
FROM channel_version v JOIN channel_task p ON p.version = v.no AND p.verb = 'publish' JOIN channel_account a ON a.no = p.channel
LEFT JOIN channel_task d ON d.version = v.no AND d.verb = 'delete'
WHERE v.item = ?1 AND a.kind = ?2 AND p.state NOT IN ('cancelled', 'failed');

-- name: channel_picture_put
INSERT INTO channel_picture (task, hash, url) VALUES (?1, ?2, ?3) ON CONFLICT (task, hash) DO NOTHING;

-- name: channel_pictures
SELECT hash, url FROM channel_picture WHERE task = ?1;

-- name: channel_follow_begin
-- scan: a row a stream, of which there are at most 64
INSERT INTO channel_follow (stream, seq) SELECT no, seq FROM stream WHERE true ON CONFLICT (stream) DO NOTHING;

-- name: channel_follow_all
-- scan: a row a stream, of which there are at most 64
SELECT f.stream, f.seq FROM channel_follow f ORDER BY f.stream;

-- name: channel_follow_changes
SELECT seq, item, rev, op, flags FROM change WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3;

-- name: channel_follow_set
UPDATE channel_follow SET seq = ?2 WHERE stream = ?1;
