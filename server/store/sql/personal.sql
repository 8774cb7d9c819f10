-- All that is known of a person, for him to have, and gone: server/identity/personal.def, personal.c, erase.c.

-- name: personal_identifier
SELECT account, find, kind, value, proved FROM identifier WHERE account = ?1 ORDER BY kind, proved;

-- name: erase_identifier
DELETE FROM identifier WHERE account = ?1;

-- name: personal_acting
SELECT person, organisation, giver, since, until FROM acting WHERE person = ?1 ORDER BY organisation;

-- name: erase_acting
DELETE FROM acting WHERE person = ?1;

-- name: personal_factor
SELECT account, secret, kind, name, created, used FROM factor WHERE account = ?1 ORDER BY no;

-- name: erase_factor
DELETE FROM factor WHERE account = ?1;

-- name: personal_session
SELECT id, account, device, network, party, acting, machine, scopes, level, created, authenticated, used, ends FROM session WHERE account = ?1
ORDER BY used DESC, id;

-- name: erase_session
DELETE FROM session WHERE account = ?1;

-- name: personal_role
SELECT account, role, site, giver, since FROM role WHERE account = ?1 ORDER BY site, role;

-- name: erase_role
DELETE FROM role WHERE account = ?1;

-- name: personal_grant_code
-- scan: rows live for an hour
SELECT account, party, scopes, made FROM grant_code WHERE account = ?1 ORDER BY made;

-- name: erase_grant_code
-- scan: rows live for an hour
DELETE FROM grant_code WHERE account = ?1;

-- name: personal_device_grant
-- scan: rows live for twenty minutes
SELECT account, party, scopes, made FROM device_grant WHERE account = ?1 ORDER BY made;

-- name: erase_device_grant
-- scan: rows live for twenty minutes
DELETE FROM device_grant WHERE account = ?1;

-- name: personal_consent
SELECT account, party, scopes, given, subject FROM consent WHERE account = ?1 ORDER BY given DESC, party;

-- name: erase_consent
DELETE FROM consent WHERE account = ?1;

-- name: personal_inbox
SELECT account, no, grp, expires, gone FROM inbox WHERE account = ?1 ORDER BY no;

-- name: erase_inbox
DELETE FROM inbox WHERE account = ?1;

-- name: personal_survey_answer
SELECT account, at, chosen, texts FROM survey_answer WHERE account = ?1 ORDER BY no;

-- The answer stays as nobody's, and without what he wrote: counts that were published do not change.
-- name: erase_survey_answer
UPDATE survey_answer SET account = NULL, id = NULL, texts = NULL WHERE account = ?1;

-- name: personal_code
SELECT phone, client, purpose, sent FROM code WHERE phone = ?1 ORDER BY sent;

-- name: erase_code
DELETE FROM code WHERE phone = ?1;

-- name: personal_letter_file
SELECT account, key, size, at FROM letter_file WHERE account = ?1 ORDER BY at;

-- With the row goes the key of the file: its bytes say nothing from now on, and go when letter_file_tick() finds that no row names them.
-- name: erase_letter_file
DELETE FROM letter_file WHERE account = ?1;

-- name: personal_letter_step
SELECT s.letter, s.at, s.verb, s.text, s.files FROM letter l, letter_step s
WHERE l.account = ?1 AND s.letter = l.no AND s.verb NOT IN ('draft', 'return', 'review') ORDER BY s.letter, s.no;

-- name: erase_letter_step
UPDATE letter_step SET text = NULL, files = NULL, id = NULL WHERE letter IN (SELECT no FROM letter WHERE account = ?1);

-- name: personal_letter
SELECT no, account, number, received, state, hidden, public, rating, body, contact FROM letter WHERE account = ?1 ORDER BY received;

-- A letter that nobody has answered yet ends with its text.
-- name: erase_letter
UPDATE letter SET account = 0, body = NULL, contact = NULL, due = NULL, complete_by = NULL, draft = 0,
    state = CASE WHEN settled IS NULL THEN 'withdrawn' ELSE state END WHERE account = ?1;

-- name: personal_idempotency
SELECT no, actor, key, status, body, at FROM idempotency WHERE actor = ?1 ORDER BY key;

-- name: erase_idempotency
DELETE FROM idempotency WHERE actor = ?1;

-- name: personal_party
-- scan: a server has some hundred parties
SELECT owner, id, name, created FROM party WHERE owner = ?1 ORDER BY id;

-- name: personal_audit
SELECT no, session, actor, at, action, object, result, address FROM audit WHERE actor = ?1 ORDER BY at, no;

-- name: personal_entry
SELECT account, type, key, value, sealed, needs, seq, at, gone FROM entry WHERE account = ?1 ORDER BY type, key;

-- name: erase_entry
DELETE FROM entry WHERE account = ?1;

-- name: personal_entry_tally
SELECT account, type, n FROM entry_tally WHERE account = ?1 ORDER BY type;

-- name: erase_entry_tally
DELETE FROM entry_tally WHERE account = ?1;

-- name: personal_citizen
SELECT account, seq, floor FROM citizen WHERE account = ?1;

-- name: erase_citizen
DELETE FROM citizen WHERE account = ?1;

-- name: personal_notice
SELECT account, id, party, template, ref, at, fate, silent FROM notice WHERE account = ?1 ORDER BY no;

-- name: erase_notice
DELETE FROM notice WHERE account = ?1;

-- name: personal_device
SELECT account, device, n, acked, seq, heard FROM device WHERE account = ?1 ORDER BY device;

-- name: erase_device
DELETE FROM device WHERE account = ?1;

-- name: personal_push_address
SELECT no, account, device, session, transport, token, told FROM push_address WHERE account = ?1 ORDER BY no;

-- name: erase_push_address
DELETE FROM push_address WHERE account = ?1;

-- name: personal_device_result
SELECT account, device, n, hash, body FROM device_result WHERE account = ?1 ORDER BY device, n;

-- name: erase_device_result
DELETE FROM device_result WHERE account = ?1;

-- name: personal_account
SELECT id, kind, state, state_at, level, subject, name, password, created, merged, level_by, level_at FROM account WHERE id = ?1;

-- name: erase_account
DELETE FROM account WHERE id = ?1;

-- Accounts that became a part of this one.
-- name: personal_merged
SELECT id FROM account WHERE merged = ?1 ORDER BY id;

-- Who asked to be forgotten, up to a time.
-- name: erase_due
SELECT id FROM account WHERE state IN (?1, ?2) AND state_at <= ?3 ORDER BY state_at LIMIT ?4;

-- name: personal_party_team
SELECT account, party FROM party_team WHERE account = ?1 ORDER BY party;

-- name: erase_party_team
DELETE FROM party_team WHERE account = ?1;

-- name: personal_party_sandbox
SELECT no, account, party, at, route, shown FROM party_sandbox WHERE account = ?1 AND account > 0 ORDER BY no;

-- name: erase_party_sandbox
DELETE FROM party_sandbox WHERE account = ?1 AND account > 0;
