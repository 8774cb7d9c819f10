-- Surveys: server/citizen/survey.c, survey_result.c. What is asked is an item.

-- name: survey_list
-- scan: an index of the surveys alone
SELECT id FROM item WHERE kind = 'survey' AND live_rev IS NOT NULL ORDER BY date DESC, born DESC LIMIT ?1;

-- name: survey_answer_of
SELECT no, id FROM survey_answer WHERE survey = ?1 AND account = ?2;

-- name: survey_answer_of_browser
SELECT no, id FROM survey_answer WHERE survey = ?1 AND browser = ?2;

-- name: survey_answer_add
INSERT INTO survey_answer (survey, account, browser, id, at, chosen, texts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- The answer of this UUID, whoever sent it.
-- name: survey_answer_by_id
SELECT no, account, texts FROM survey_answer WHERE survey = ?1 AND id = ?2;

-- What a guest answered; last: whether the account has answered that too.
-- name: survey_answers_to_adopt
SELECT g.no, g.texts, g.survey, g.chosen, EXISTS (SELECT 1 FROM survey_answer a WHERE a.survey = g.survey AND a.account = ?2)
FROM survey_answer g WHERE g.account = ?1;

-- name: survey_answer_drop
DELETE FROM survey_answer WHERE no = ?1;

-- name: survey_answer_adopt
UPDATE survey_answer SET account = ?2, texts = ?3 WHERE no = ?1;

-- name: survey_answers
SELECT no, account, at, chosen, texts FROM survey_answer WHERE survey = ?1 AND no > ?2 ORDER BY no LIMIT ?3;

-- name: survey_answer_purge
DELETE FROM survey_answer WHERE no IN (SELECT no FROM survey_answer WHERE at <= ?1 ORDER BY at LIMIT ?2) RETURNING 1;

-- name: survey_count_add
INSERT INTO survey_count (survey, question, choice, n) VALUES (?1, ?2, ?3, 1)
ON CONFLICT (survey, question, choice) DO UPDATE SET n = survey_count.n + 1;

-- name: survey_count_take
UPDATE survey_count SET n = n - 1 WHERE survey = ?1 AND question = ?2 AND choice = ?3 AND n > 0;

-- name: survey_counts
SELECT question, choice, n FROM survey_count WHERE survey = ?1 ORDER BY question, choice;

-- Votes on items are entries of the type `vote`; the index has all that is asked for.
-- name: vote_count
SELECT SUM(CASE WHEN value = '1' THEN 1 ELSE 0 END) AS useful, SUM(CASE WHEN value = '-1' THEN 1 ELSE 0 END) AS useless
FROM entry WHERE type = 'vote' AND gone = 0 AND key = ?1 GROUP BY key;

-- Of items that this server has alone: a phone may vote on whatever it likes. A key ends with the item's UUID, 36 characters.
-- name: vote_list
-- scan: an index of the votes alone, for members of staff
SELECT v.key, v.useful, v.useless, i.site, i.title FROM
  (SELECT key, SUM(CASE WHEN value = '1' THEN 1 ELSE 0 END) AS useful, SUM(CASE WHEN value = '-1' THEN 1 ELSE 0 END) AS useless
   FROM entry WHERE type = 'vote' AND gone = 0 GROUP BY key) v
JOIN item i ON i.id = decode(replace(substr(v.key, length(v.key) - 35), '-', ''), 'hex')
JOIN stream s ON s.no = i.stream AND s.name = substr(v.key, 1, length(v.key) - 37)
ORDER BY v.useless DESC, v.useful DESC, v.key;
