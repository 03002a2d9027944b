-- The figures of a report of the time from "since" until before "until", one row each (queue, kind, name, many), by plain
-- SQL on what was written down, and by the definitions of docs/reports.md: it knows nothing of what is added up.
-- Parameters: since, until, now in microseconds UTC.
WITH RECURSIVE
judged AS (
    SELECT c.pbx, c.call_id, coalesce(c.queue, '') AS queue, c.started_at AS began_at, c.recovery, v.kind, v.reason
    FROM call AS c JOIN verdict AS v ON v.pbx = c.pbx AND v.call_id = c.call_id
    WHERE NOT EXISTS (SELECT 1 FROM verdict AS n WHERE n.pbx = v.pbx AND n.call_id = v.call_id AND n.version > v.version)
),
came AS (
    SELECT queue, kind, reason, recovery FROM judged
    WHERE pbx = 'main' AND began_at >= :since AND began_at < :until AND kind NOT IN ('callback', 'unfinished')
    UNION ALL
    SELECT queue, kind, reason, '' FROM past_call AS p
    WHERE pbx = 'main' AND began_at >= :since AND began_at < :until AND kind NOT IN ('callback', 'unfinished')
      AND NOT EXISTS (SELECT 1 FROM call AS c WHERE c.pbx = p.pbx AND c.call_id = p.call_id)
),
mine AS (
    SELECT * FROM reservation WHERE pbx = 'main' AND made_at >= :since AND made_at < :until
),
good AS (
    SELECT * FROM mine WHERE state NOT IN ('refused', 'withdrawn')
),
-- Which promise counts: the first; a slot chosen before the one that counted was broken; the next opening after an evening.
counted (reservation_id, number, clock_starts_at, deadline_at, reason) AS (
    SELECT p.reservation_id, p.number, p.clock_starts_at, p.deadline_at, p.reason
    FROM promise AS p JOIN good AS g ON g.id = p.reservation_id
    WHERE p.number = (SELECT min(f.number) FROM promise AS f WHERE f.reservation_id = p.reservation_id)
    UNION ALL
    SELECT n.reservation_id, n.number,
           CASE WHEN t.takes = 1 THEN n.clock_starts_at ELSE c.clock_starts_at END,
           CASE WHEN t.takes = 1 THEN n.deadline_at ELSE c.deadline_at END,
           CASE WHEN t.takes = 1 THEN n.reason ELSE c.reason END
    FROM counted AS c
    JOIN promise AS n ON n.reservation_id = c.reservation_id AND n.number = c.number + 1
    JOIN (SELECT 1 AS takes UNION ALL SELECT 0) AS t
        ON t.takes = CASE WHEN (n.reason = 'slot' AND n.made_at <= c.deadline_at)
                            OR (n.reason = 'carried-over' AND c.reason = 'evening') THEN 1 ELSE 0 END
),
rang AS (
    SELECT reservation_id, customer_dialled_at AS at FROM attempt WHERE customer_dialled_at IS NOT NULL
    UNION ALL
    SELECT g.id, g.state_since_at FROM good AS g
    WHERE EXISTS (SELECT 1 FROM audit WHERE reservation_id = g.id AND action = 'called-by-hand')
),
talked AS (
    SELECT reservation_id, coalesce(customer_answered_at, ended_at) AS at FROM attempt WHERE outcome = 'reached'
),
by_hand AS (
    SELECT g.id, g.state_since_at AS at FROM good AS g
    WHERE EXISTS (SELECT 1 FROM audit WHERE reservation_id = g.id AND action = 'called-by-hand')
),
done AS (
    SELECT g.id, g.queue, g.kind, g.state, c.clock_starts_at, c.deadline_at, c.reason,
           coalesce((SELECT min(customer_dialled_at) FROM attempt WHERE reservation_id = g.id),
                    (SELECT at FROM by_hand WHERE id = g.id)) AS dialled_at,
           coalesce((SELECT min(at) FROM talked WHERE reservation_id = g.id),
                    (SELECT at FROM by_hand WHERE id = g.id)) AS reached_at,
           CASE WHEN g.state IN ('reached', 'returned', 'given-up', 'cancelled', 'done-elsewhere')
                THEN g.state_since_at END AS closed_at
    FROM good AS g
    JOIN counted AS c ON c.reservation_id = g.id
        AND c.number = (SELECT max(number) FROM promise WHERE reservation_id = g.id)
),
due AS (
    SELECT done.*, m.minutes, clock_starts_at + m.minutes * 60000000 AS ends_at
    FROM done JOIN (SELECT 30 AS minutes UNION ALL SELECT 60) AS m
        ON clock_starts_at + m.minutes * 60000000 <= :now
),
texts AS (
    SELECT m.queue, m.kind, x.state, x.delivery
    FROM mine AS m JOIN text_outbox AS x ON x.recipient = 'reservation/' || CAST(m.id AS VARCHAR(20))
),
scores AS (
    SELECT m.queue, m.kind, a.score FROM mine AS m JOIN answer AS a ON a.reservation_id = m.id AND a.score IS NOT NULL
    WHERE NOT EXISTS (
        SELECT 1 FROM answer AS n WHERE n.reservation_id = a.reservation_id AND n.score IS NOT NULL
          AND (n.received_at > a.received_at OR (n.received_at = a.received_at AND n.id > a.id)))
),
hours AS (
    SELECT g.queue, g.kind,
           CASE WHEN EXISTS (
               SELECT 1 FROM rang AS r WHERE r.reservation_id = g.id AND r.at >= l.lost_at AND r.at <= l.lost_at + 3600000000
                 AND (l.redialled_at IS NULL OR r.at < l.redialled_at)) THEN 1 ELSE 0 END AS called_back,
           CASE WHEN l.redialled_at <= l.lost_at + 3600000000 THEN 1 ELSE 0 END AS redialled
    FROM good AS g JOIN loss AS l ON l.reservation_id = g.id
    WHERE l.lost_at + 3600000000 <= :now
)
SELECT queue, kind, 'calls' AS name, count(*) AS many FROM came GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'served', count(*) FROM came WHERE kind = 'served' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'requested', count(*) FROM came WHERE kind = 'requested' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'lost', count(*) FROM came
    WHERE kind IN ('abandoned', 'blocked', 'dropped', 'silent') OR reason = 'left-unserved' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'numberless', count(*) FROM came
    WHERE recovery IN ('no-number', 'not-a-number') GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'short', count(*) FROM came WHERE recovery = 'short-abandon' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'valid', count(*) FROM good GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'refused', count(*) FROM mine WHERE state = 'refused' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'withdrawn', count(*) FROM mine WHERE state = 'withdrawn' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'carried_over', count(*) FROM good
    WHERE id IN (SELECT reservation_id FROM promise WHERE reason = 'carried-over') GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'returned', count(*) FROM good WHERE state = 'returned' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'left', count(*) FROM good WHERE state = 'expired' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'handled', count(*) FROM good
    WHERE state = 'expired' AND handled_at IS NOT NULL GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'by_hand', count(*) FROM good WHERE id IN (SELECT id FROM by_hand) GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'tries', sum(tries) FROM good GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'dialled', count(*) FROM done WHERE dialled_at IS NOT NULL GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'reached', count(*) FROM done WHERE reached_at IS NOT NULL GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'missed', count(*) FROM done
    WHERE CASE WHEN dialled_at IS NULL AND closed_at IS NULL THEN reason <> 'evening' AND :now > deadline_at
               WHEN closed_at IS NULL OR dialled_at < closed_at THEN dialled_at > deadline_at
               ELSE closed_at > deadline_at END
    GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'due_' || CAST(minutes AS VARCHAR(2)), count(*) FROM due GROUP BY queue, kind, minutes
UNION ALL SELECT queue, kind, 'dialled_' || CAST(minutes AS VARCHAR(2)), count(*) FROM due
    WHERE dialled_at <= ends_at GROUP BY queue, kind, minutes
UNION ALL SELECT queue, kind, 'reached_' || CAST(minutes AS VARCHAR(2)), count(*) FROM due
    WHERE reached_at <= ends_at GROUP BY queue, kind, minutes
UNION ALL SELECT queue, kind, 'closed_' || CAST(minutes AS VARCHAR(2)), count(*) FROM due
    WHERE closed_at <= ends_at GROUP BY queue, kind, minutes
UNION ALL SELECT queue, kind, 'texts_sent', count(*) FROM texts WHERE state = 'sent' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'texts_delivered', count(*) FROM texts WHERE delivery = 'delivered' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'texts_failed', count(*) FROM texts
    WHERE state = 'failed' OR delivery = 'undelivered' GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'scored', count(*) FROM scores GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'score_sum', sum(score) FROM scores GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'called_back', count(*) FROM hours WHERE called_back = 1 GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'called_back_redialled', count(*) FROM hours
    WHERE called_back = 1 AND redialled = 1 GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'not_called_back', count(*) FROM hours WHERE called_back = 0 GROUP BY queue, kind
UNION ALL SELECT queue, kind, 'not_called_back_redialled', count(*) FROM hours
    WHERE called_back = 0 AND redialled = 1 GROUP BY queue, kind
