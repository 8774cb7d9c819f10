-- What sources hand in, and how far their own review is accepted: server/source/.

-- name: agreement_put
INSERT INTO agreement (site, source, accepts, basis, ends, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (site, source) DO UPDATE SET accepts = excluded.accepts, basis = excluded.basis, ends = excluded.ends, at = excluded.at;

-- name: agreement_drop
DELETE FROM agreement WHERE site = ?1 AND source = ?2;

-- name: agreement_of_site
SELECT source, accepts, basis, ends, at FROM agreement WHERE site = ?1 ORDER BY source;

-- name: agreement_one
SELECT source, accepts, basis, ends, at FROM agreement WHERE site = ?1 AND source = ?2;

-- name: submission_add
INSERT INTO submission (id, site, source, origin_id, hash, kind, received, state, rev, files, body, tries, again)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, 0, ?7) RETURNING no;

-- name: submission_newest
SELECT no, id, site, source, origin_id, hash, kind, received, state, item, rev, field, said, files, tries FROM submission
WHERE source = ?1 AND origin_id = ?2 ORDER BY no DESC LIMIT 1;

-- name: submission_by_id
SELECT no, id, site, source, origin_id, hash, kind, received, state, item, rev, field, said, files, tries FROM submission
WHERE id = ?1;

-- name: submission_by_no
SELECT no, id, site, source, origin_id, hash, kind, received, state, item, rev, field, said, files, tries FROM submission
WHERE no = ?1;

-- name: submission_page
SELECT no, id, site, source, origin_id, hash, kind, received, state, item, rev, field, said, files, tries FROM submission
WHERE no < ?1 ORDER BY no DESC LIMIT ?2;

-- name: submission_page_of_site
SELECT no, id, site, source, origin_id, hash, kind, received, state, item, rev, field, said, files, tries FROM submission
WHERE site = ?3 AND no < ?1 ORDER BY no DESC LIMIT ?2;

-- name: submission_landed
UPDATE submission SET state = 'landed', item = ?2, rev = ?3, files = ?4, body = NULL WHERE no = ?1 AND body IS NOT NULL;

-- name: submission_returned
UPDATE submission SET state = 'returned', field = ?2, said = ?3, files = ?4, body = NULL WHERE no = ?1 AND body IS NOT NULL;

-- name: submission_replaced
UPDATE submission SET state = 'replaced', body = NULL WHERE no = ?1 AND body IS NOT NULL;

-- name: submission_purge
DELETE FROM submission WHERE no IN (SELECT no FROM submission WHERE received < ?1 ORDER BY received LIMIT ?2) RETURNING no;

-- name: submission_next
SELECT no, body FROM submission WHERE body IS NOT NULL AND again <= ?1 ORDER BY again, no LIMIT 1;

-- It is asked for again if this server ends meanwhile.
-- name: submission_checking
UPDATE submission SET state = 'checking', again = ?2 WHERE no = ?1 AND body IS NOT NULL;

-- name: submission_put_off
UPDATE submission SET files = ?2, tries = ?3, again = ?4 WHERE no = ?1 AND body IS NOT NULL;
