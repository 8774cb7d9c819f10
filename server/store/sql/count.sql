-- How often items were read: server/citizen/count.c, count_report.c, count_web.c.

-- No row: this report came before.
-- name: count_report_add
INSERT INTO count_report (day, key) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING 1;

-- name: count_report_purge
DELETE FROM count_report WHERE (day, key) IN (SELECT day, key FROM count_report WHERE day <= ?1 ORDER BY day LIMIT ?2) RETURNING 1;

-- name: count_item
SELECT site FROM item WHERE id = ?1 AND born IS NOT NULL;

-- name: count_of
SELECT reads FROM read_count WHERE item = ?1 AND span = 0 AND day = ?2 AND channel = ?3;

-- name: count_add
INSERT INTO read_count (item, span, day, channel, reads, apart) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (item, span, day, channel) DO UPDATE SET reads = read_count.reads + excluded.reads, apart = read_count.apart + excluded.apart;

-- Days that are to become a part of their month.
-- name: count_old_days
SELECT item, day, channel, reads, apart FROM read_count WHERE span = 0 AND day < ?1 ORDER BY day LIMIT ?2;

-- name: count_drop_day
DELETE FROM read_count WHERE item = ?1 AND span = 0 AND day = ?2 AND channel = ?3;

-- name: read_count_purge
DELETE FROM read_count WHERE (item, span, day, channel) IN (SELECT item, span, day, channel FROM read_count WHERE day <= ?1 ORDER BY day LIMIT ?2)
RETURNING 1;

-- name: count_by_item
SELECT c.item, i.title, i.site, SUM(CASE WHEN c.channel = 0 THEN c.reads ELSE 0 END) AS web, SUM(CASE WHEN c.channel = 1 THEN c.reads ELSE 0 END) AS phone,
  SUM(c.apart) AS apart
FROM read_count c JOIN item i ON i.id = c.item
WHERE c.day >= ?1 AND c.day < ?2 AND (?3 = 0 OR i.site = ?3)
GROUP BY c.item, i.title, i.site
ORDER BY SUM(c.reads) DESC, c.item LIMIT ?4;

-- name: count_by_day
SELECT c.day, c.span, SUM(CASE WHEN c.channel = 0 THEN c.reads ELSE 0 END) AS web, SUM(CASE WHEN c.channel = 1 THEN c.reads ELSE 0 END) AS phone,
  SUM(c.apart) AS apart
FROM read_count c JOIN item i ON i.id = c.item
WHERE c.day >= ?1 AND c.day < ?2 AND (?3 = 0 OR i.site = ?3)
GROUP BY c.day, c.span
ORDER BY c.day, c.span LIMIT ?4;

-- name: count_of_item
SELECT c.day, c.span, SUM(CASE WHEN c.channel = 0 THEN c.reads ELSE 0 END) AS web, SUM(CASE WHEN c.channel = 1 THEN c.reads ELSE 0 END) AS phone,
  SUM(c.apart) AS apart
FROM read_count c
WHERE c.item = ?3 AND c.day >= ?1 AND c.day < ?2
GROUP BY c.day, c.span
ORDER BY c.day, c.span LIMIT ?4;
