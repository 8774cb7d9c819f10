-- What is sealed, and by which key: server/identity/reseal.c. A page: what lies behind (?1, ?2), or, where the second is below 0, at ?1 too; in
-- the order of these two. Then whose it is, and the value. Bytes 2 and 3 of a value are the key's number.

-- name: reseal_account_name
SELECT id, 0, id, name FROM account WHERE id >= ?1 AND (id > ?1 OR ?2 < 0) ORDER BY id LIMIT ?3;

-- name: reseal_account_name_set
UPDATE account SET name = ?4 WHERE id = ?1 AND ?2 = 0 AND name = ?3;

-- name: reseal_account_name_needs
-- scan: asked for by hand
SELECT substr(name, 2, 2), COUNT(*) FROM account WHERE name IS NOT NULL GROUP BY 1;

-- name: reseal_identifier_value
SELECT account, 0, account, value FROM identifier WHERE account >= ?1 AND (account > ?1 OR ?2 < 0) ORDER BY account LIMIT ?3;

-- name: reseal_identifier_value_set
UPDATE identifier SET value = ?4 WHERE account = ?1 AND ?2 = 0 AND value = ?3;

-- name: reseal_identifier_value_needs
-- scan: asked for by hand
SELECT substr(value, 2, 2), COUNT(*) FROM identifier GROUP BY 1;

-- name: reseal_factor_secret
SELECT no, 0, account, secret FROM factor WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_factor_secret_set
UPDATE factor SET secret = ?4 WHERE no = ?1 AND ?2 = 0 AND secret = ?3;

-- name: reseal_factor_secret_needs
-- scan: asked for by hand
SELECT substr(secret, 2, 2), COUNT(*) FROM factor WHERE secret IS NOT NULL GROUP BY 1;

-- name: reseal_session_network
SELECT id, 0, id, network FROM session WHERE id >= ?1 AND (id > ?1 OR ?2 < 0) ORDER BY id LIMIT ?3;

-- name: reseal_session_network_set
UPDATE session SET network = ?4 WHERE id = ?1 AND ?2 = 0 AND network = ?3;

-- name: reseal_session_network_needs
-- scan: asked for by hand
SELECT substr(network, 2, 2), COUNT(*) FROM session WHERE network IS NOT NULL GROUP BY 1;

-- name: reseal_entry_sealed
SELECT account, seq, account, sealed FROM entry WHERE account >= ?1 AND (account > ?1 OR seq > ?2) ORDER BY account, seq LIMIT ?3;

-- name: reseal_entry_sealed_set
UPDATE entry SET sealed = ?4 WHERE account = ?1 AND seq = ?2 AND sealed = ?3;

-- name: reseal_entry_sealed_needs
-- scan: asked for by hand
SELECT substr(sealed, 2, 2), COUNT(*) FROM entry WHERE sealed IS NOT NULL GROUP BY 1;

-- name: reseal_letter_body
SELECT no, 0, no, body FROM letter WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_letter_body_set
UPDATE letter SET body = ?4 WHERE no = ?1 AND ?2 = 0 AND body = ?3;

-- name: reseal_letter_body_needs
-- scan: asked for by hand
SELECT substr(body, 2, 2), COUNT(*) FROM letter WHERE body IS NOT NULL GROUP BY 1;

-- name: reseal_letter_contact
SELECT no, 0, no, contact FROM letter WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_letter_contact_set
UPDATE letter SET contact = ?4 WHERE no = ?1 AND ?2 = 0 AND contact = ?3;

-- name: reseal_letter_contact_needs
-- scan: asked for by hand
SELECT substr(contact, 2, 2), COUNT(*) FROM letter WHERE contact IS NOT NULL GROUP BY 1;

-- name: reseal_letter_step_text
SELECT letter, no, letter, text FROM letter_step WHERE letter >= ?1 AND (letter > ?1 OR no > ?2) ORDER BY letter, no LIMIT ?3;

-- name: reseal_letter_step_text_set
UPDATE letter_step SET text = ?4 WHERE letter = ?1 AND no = ?2 AND text = ?3;

-- name: reseal_letter_step_text_needs
-- scan: asked for by hand
SELECT substr(text, 2, 2), COUNT(*) FROM letter_step WHERE text IS NOT NULL GROUP BY 1;

-- name: reseal_letter_step_files
SELECT letter, no, letter, files FROM letter_step WHERE letter >= ?1 AND (letter > ?1 OR no > ?2) ORDER BY letter, no LIMIT ?3;

-- name: reseal_letter_step_files_set
UPDATE letter_step SET files = ?4 WHERE letter = ?1 AND no = ?2 AND files = ?3;

-- name: reseal_letter_step_files_needs
-- scan: asked for by hand
SELECT substr(files, 2, 2), COUNT(*) FROM letter_step WHERE files IS NOT NULL GROUP BY 1;

-- name: reseal_survey_answer_texts
SELECT no, 0, COALESCE(account, 0), texts FROM survey_answer WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_survey_answer_texts_set
UPDATE survey_answer SET texts = ?4 WHERE no = ?1 AND ?2 = 0 AND texts = ?3;

-- name: reseal_survey_answer_texts_needs
-- scan: asked for by hand
SELECT substr(texts, 2, 2), COUNT(*) FROM survey_answer WHERE texts IS NOT NULL GROUP BY 1;

-- name: reseal_audit_needs
-- scan: asked for by hand
SELECT substr(address, 2, 2), COUNT(*) FROM audit WHERE address IS NOT NULL GROUP BY 1;

-- name: reseal_letter_file_key
SELECT kept, 0, kept, key FROM letter_file WHERE kept >= ?1 AND (kept > ?1 OR ?2 < 0) ORDER BY kept LIMIT ?3;

-- name: reseal_letter_file_key_set
UPDATE letter_file SET key = ?4 WHERE kept = ?1 AND ?2 = 0 AND key = ?3;

-- name: reseal_letter_file_key_needs
-- scan: asked for by hand
SELECT substr(key, 2, 2), COUNT(*) FROM letter_file WHERE key IS NOT NULL GROUP BY 1;

-- name: reseal_push_address_token
SELECT no, 0, no, token FROM push_address WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_push_address_token_set
UPDATE push_address SET token = ?4 WHERE no = ?1 AND ?2 = 0 AND token = ?3;

-- name: reseal_push_address_token_needs
-- scan: asked for by hand
SELECT substr(token, 2, 2), COUNT(*) FROM push_address GROUP BY 1;

-- name: reseal_party_sandbox_shown
SELECT no, 0, no, shown FROM party_sandbox WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_party_sandbox_shown_set
UPDATE party_sandbox SET shown = ?4 WHERE no = ?1 AND ?2 = 0 AND shown = ?3;

-- name: reseal_party_sandbox_shown_needs
-- scan: asked for by hand
SELECT substr(shown, 2, 2), COUNT(*) FROM party_sandbox WHERE shown IS NOT NULL GROUP BY 1;

-- name: reseal_idempotency_body
SELECT no, 0, no, body FROM idempotency WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_idempotency_body_set
UPDATE idempotency SET body = ?4 WHERE no = ?1 AND ?2 = 0 AND body = ?3;

-- name: reseal_idempotency_body_needs
-- scan: asked for by hand
SELECT substr(body, 2, 2), COUNT(*) FROM idempotency WHERE body IS NOT NULL GROUP BY 1;

-- name: reseal_websub_secret
SELECT no, 0, no, secret FROM websub WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_websub_secret_set
UPDATE websub SET secret = ?4 WHERE no = ?1 AND ?2 = 0 AND secret = ?3;

-- name: reseal_websub_secret_needs
-- scan: asked for by hand
SELECT substr(secret, 2, 2), COUNT(*) FROM websub WHERE secret IS NOT NULL GROUP BY 1;

-- name: reseal_websub_ask_secret
SELECT no, 0, no, secret FROM websub_ask WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_websub_ask_secret_set
UPDATE websub_ask SET secret = ?4 WHERE no = ?1 AND ?2 = 0 AND secret = ?3;

-- name: reseal_websub_ask_secret_needs
-- scan: asked for by hand
SELECT substr(secret, 2, 2), COUNT(*) FROM websub_ask WHERE secret IS NOT NULL GROUP BY 1;

-- name: reseal_channel_account_secret
SELECT no, 0, no, secret FROM channel_account WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_channel_account_secret_set
UPDATE channel_account SET secret = ?4 WHERE no = ?1 AND ?2 = 0 AND secret = ?3;

-- name: reseal_channel_account_secret_needs
-- scan: asked for by hand
SELECT substr(secret, 2, 2), COUNT(*) FROM channel_account WHERE secret IS NOT NULL GROUP BY 1;

-- name: reseal_channel_account_grant_text
SELECT no, 0, no, grant_text FROM channel_account WHERE no >= ?1 AND (no > ?1 OR ?2 < 0) ORDER BY no LIMIT ?3;

-- name: reseal_channel_account_grant_text_set
UPDATE channel_account SET grant_text = ?4 WHERE no = ?1 AND ?2 = 0 AND grant_text = ?3;

-- name: reseal_channel_account_grant_text_needs
-- scan: asked for by hand
SELECT substr(grant_text, 2, 2), COUNT(*) FROM channel_account WHERE grant_text IS NOT NULL GROUP BY 1;
