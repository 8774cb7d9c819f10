-- Where devices are reached: push/address.c.

-- name: push_address_one
SELECT no, transport, token_hash, told FROM push_address WHERE account = ?1 AND device = ?2;

-- name: push_address_set
INSERT INTO push_address (account, device, transport, token_hash, token, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (account, device) DO UPDATE SET transport = excluded.transport, token_hash = excluded.token_hash, told = excluded.told RETURNING no;

-- Sealed for its row, whose number is known only now.
-- name: push_address_set_token
UPDATE push_address SET token = ?2 WHERE no = ?1;

-- Whoever had this token before has handed on the phone.
-- name: push_address_drop_token
DELETE FROM push_address WHERE transport = ?1 AND token_hash = ?2 AND NOT (account = ?3 AND device = ?4);

-- name: push_address_drop
DELETE FROM push_address WHERE account = ?1 AND device = ?2;

-- A device that both have is the account's already.
-- name: push_address_move
UPDATE push_address SET account = ?2 WHERE account = ?1
  AND NOT EXISTS (SELECT 1 FROM push_address AS theirs WHERE theirs.account = ?2 AND theirs.device = push_address.device);

-- name: push_address_purge
DELETE FROM push_address WHERE no IN (SELECT no FROM push_address WHERE told < ?1 ORDER BY told LIMIT ?2) RETURNING no;

-- name: push_address_last
SELECT coalesce(max(no), 0) FROM push_address;

-- name: push_address_of
SELECT no FROM push_address WHERE account = ?1;

-- name: push_address_traits
SELECT account, transport, traits FROM push_address WHERE no = ?1;

-- name: push_address_set_traits
UPDATE push_address SET traits = ?2 WHERE no = ?1;

-- Sets follow: push/address.c.

-- name: push_dirty_some
-- scan: the first few of what is to be done
SELECT no, traits FROM push_dirty ORDER BY no LIMIT ?1;

-- name: push_dirty_done
DELETE FROM push_dirty WHERE no = ?1;

-- name: push_traits_of
SELECT type, key, value FROM entry WHERE account = ?1 AND type IN ('consent', 'follow', 'set') AND gone = 0;

-- Traits and sets: push/trait.c, push/sets.c.

-- name: push_trait_find
SELECT no FROM push_trait WHERE word = ?1;

-- name: push_trait_make
INSERT INTO push_trait (word) VALUES (?1) RETURNING no;

-- name: push_set_one
SELECT bits FROM push_set WHERE at = ?1;

-- name: push_set_put
INSERT INTO push_set (at, bits) VALUES (?1, ?2) ON CONFLICT (at) DO UPDATE SET bits = excluded.bits;

-- name: push_set_drop
DELETE FROM push_set WHERE at = ?1;
