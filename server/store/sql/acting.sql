-- Who may act for an organisation: server/identity/acting.c.

-- name: acting_give
INSERT INTO acting (person, organisation, giver, since, until) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (person, organisation) DO UPDATE SET giver = excluded.giver, since = excluded.since, until = excluded.until;

-- name: acting_drop
DELETE FROM acting WHERE person = ?1 AND organisation = ?2;

-- name: acting_find
SELECT person, organisation, giver, since, until FROM acting WHERE person = ?1 AND organisation = ?2;

-- name: acting_of_person
SELECT person, organisation, giver, since, until FROM acting WHERE person = ?1 ORDER BY organisation;

-- name: acting_of_organisation
SELECT person, organisation, giver, since, until FROM acting WHERE organisation = ?1 ORDER BY person;

-- Of two grants for one organisation the longer one stays.
-- name: acting_move
INSERT INTO acting (person, organisation, giver, since, until)
SELECT ?2, organisation, giver, since, until FROM acting WHERE person = ?1
ON CONFLICT (person, organisation) DO UPDATE SET giver = excluded.giver, since = excluded.since, until = excluded.until
WHERE excluded.until > acting.until;

-- name: acting_forget
DELETE FROM acting WHERE person = ?1;
