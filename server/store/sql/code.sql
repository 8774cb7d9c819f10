-- Codes sent by SMS in the last day: server/identity/code.c.

-- name: code_of_phone
SELECT count(*), coalesce(min(sent), 0), coalesce(max(sent), 0) FROM code WHERE phone = ?1 AND sent > ?2;

-- name: code_of_client
SELECT count(*), coalesce(min(sent), 0), coalesce(max(sent), 0) FROM code WHERE client = ?1 AND sent > ?2;

-- name: code_of_client_and_phone
SELECT count(*), coalesce(min(sent), 0), coalesce(max(sent), 0) FROM code WHERE client = ?1 AND phone = ?2 AND sent > ?3;

-- name: code_add
INSERT INTO code (phone, purpose, client, hash, tries, strange, sent) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5);

-- Only the newest has a hash; one that lies in the future was sent by a clock that was wrong.
-- name: code_good
SELECT no, sent, hash, client, strange FROM code WHERE phone = ?1 AND purpose = ?2 AND hash IS NOT NULL AND sent <= ?3 AND sent > ?3 - ?4;

-- name: code_end
UPDATE code SET hash = NULL WHERE phone = ?1 AND purpose = ?2 AND hash IS NOT NULL;

-- The last try ends it.
-- name: code_try
UPDATE code SET tries = tries + 1, strange = strange + ?3, hash = CASE WHEN tries + 1 < ?2 THEN hash END WHERE no = ?1;

-- name: code_purge
DELETE FROM code WHERE no IN (SELECT no FROM code WHERE sent <= ?1 ORDER BY sent LIMIT ?2) RETURNING 1;
