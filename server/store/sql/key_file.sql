-- Which files of DATA/keys are needed: server/identity/keyfile.c.

-- name: key_file_all
-- scan: a dozen rows
SELECT name, print FROM key_file ORDER BY name;

-- name: key_file_add
INSERT INTO key_file (name, print) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING;

-- name: key_file_drop
DELETE FROM key_file WHERE name = ?1;
