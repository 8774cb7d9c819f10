-- What the publishing side of delta-sync asks (sync/).

-- name: sync_stream
SELECT no, epoch, seq, born, cut, chain, index_seq, index_hash FROM stream WHERE name = ?1;

-- name: sync_stream_by_no
SELECT epoch, seq, cut, index_seq, index_hash FROM stream WHERE no = ?1;

-- name: sync_stream_set_epoch
UPDATE stream SET epoch = ?2 WHERE no = ?1;

-- name: sync_stream_set_index
UPDATE stream SET index_seq = ?2, index_hash = ?3 WHERE no = ?1;

-- name: sync_ancestry
SELECT epoch, first_seq FROM ancestry WHERE stream = ?1 ORDER BY epoch;

-- name: sync_ancestry_add
INSERT INTO ancestry (stream, epoch, first_seq) VALUES (?1, ?2, ?3) ON CONFLICT (stream, epoch) DO NOTHING;

-- name: sync_ancestry_drop
DELETE FROM ancestry WHERE stream = ?1 AND epoch = ?2;

-- name: sync_leaves
SELECT born, seq, hash FROM leaf WHERE stream = ?1 ORDER BY born;

-- name: sync_chain_at
SELECT chain FROM change WHERE stream = ?1 AND seq = ?2;

-- name: sync_head_newest
SELECT note FROM head WHERE stream = ?1 ORDER BY epoch DESC, seq DESC, sign DESC LIMIT 1;

-- name: sync_head_time
SELECT time FROM head WHERE stream = ?1 ORDER BY epoch DESC, seq DESC, sign DESC LIMIT 1;

-- name: sync_head_add
INSERT INTO head (stream, epoch, seq, sign, time, cut, chain, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: sync_head_twin
SELECT note FROM head WHERE stream = ?1 AND epoch = ?2 AND seq = ?3 AND sign = ?4;

-- The last signing of one state, to learn whether a reader may still hold it.
-- name: sync_head_of
SELECT time, sign FROM head WHERE stream = ?1 AND epoch = ?2 AND seq = ?3 ORDER BY sign DESC LIMIT 1;

-- Old heads, but for the newest of each epoch.
-- name: sync_head_purge
DELETE FROM head WHERE stream = ?1 AND time < ?2 AND EXISTS (
    SELECT 1 FROM head later WHERE later.stream = head.stream AND later.epoch = head.epoch
    AND (later.seq > head.seq OR (later.seq = head.seq AND later.sign > head.sign)));

-- The last change in (?2, ?3] of every item that changed there. Later changes do not count: the body must stay the same for ever.
-- name: sync_catchup
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE c.stream = ?1 AND c.seq > ?2 AND c.seq <= ?3 AND NOT EXISTS (
    SELECT 1 FROM change d WHERE d.stream = c.stream AND d.born = c.born AND d.seq > c.seq AND d.seq <= ?3)
ORDER BY c.seq;

-- The same, each with the record that its item had at ?2 in the same columns, if that is still here and it was not
-- changed between ?2 and ?4 (inclusive) and then again.
-- name: sync_dz
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes,
    p.seq, p.born, p.item, p.op, p.flags, p.site, p.col, p.date, p.title, p.length, p.digest, b.bytes
FROM change c LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
LEFT JOIN change p ON p.stream = c.stream AND p.seq = (
    SELECT MAX(a.seq) FROM change a WHERE a.stream = c.stream AND a.born = c.born AND a.seq <= ?2)
    AND NOT EXISTS (SELECT 1 FROM change m WHERE m.stream = c.stream AND m.born = c.born AND m.seq > ?2 AND m.seq <= ?4 AND m.seq < c.seq)
LEFT JOIN record b ON b.stream = p.stream AND b.seq = p.seq
WHERE c.stream = ?1 AND c.seq > ?2 AND c.seq <= ?3 AND NOT EXISTS (
    SELECT 1 FROM change d WHERE d.stream = c.stream AND d.born = c.born AND d.seq > c.seq AND d.seq <= ?3)
ORDER BY c.seq;

-- How large that may become.
-- name: sync_catchup_bytes
SELECT CAST(COALESCE(SUM(length), 0) AS BIGINT) FROM change WHERE stream = ?1 AND seq > ?2 AND seq <= ?3;

-- The newest record of one item.
-- name: sync_single
SELECT c.seq, c.born, c.item, c.op, c.flags, c.site, c.col, c.date, c.title, c.length, c.digest, r.bytes
FROM leaf l JOIN change c ON c.stream = l.stream AND c.seq = l.seq
LEFT JOIN record r ON r.stream = c.stream AND r.seq = c.seq
WHERE l.stream = ?1 AND l.born = ?2;

-- name: sync_change_born
SELECT born FROM change WHERE stream = ?1 AND seq = ?2;

-- name: sync_place
SELECT l.born, l.seq FROM item i JOIN leaf l ON l.stream = i.stream AND l.born = i.born WHERE i.id = ?1 AND i.stream = ?2;

-- name: sync_leaf_range
SELECT seq, hash FROM leaf WHERE stream = ?1 AND born >= ?2 AND born < ?3 ORDER BY born;
