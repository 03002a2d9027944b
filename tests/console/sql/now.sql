-- The figures of the page Now, one row each (name, many), by plain SQL that knows nothing of how the console reads.
-- Parameters: now and midnight in microseconds UTC; binds_s, so long before a deadline it binds; of_groups, and all
-- (1: whatever the group).
WITH RECURSIVE
mine AS (
    SELECT * FROM reservation WHERE pbx = 'main' AND (:all = 1 OR queue_group IN :of_groups)
),
waits AS (
    SELECT id, not_before_at > :now AS later, deadline_at < :now AS late,
           deadline_at - :now <= :binds_s * 1000000 AS soon, aim_at < :now AS behind
    FROM mine WHERE open AND state = 'waiting'
),
-- Which promise counts: the first; a slot chosen before the one that counted was broken; the next opening after an evening.
counted (reservation_id, number, made_at, clock_starts_at, deadline_at, reason) AS (
    SELECT reservation_id, number, made_at, clock_starts_at, deadline_at, reason FROM promise
    WHERE number = (SELECT min(p.number) FROM promise AS p WHERE p.reservation_id = promise.reservation_id)
    UNION ALL
    SELECT n.reservation_id, n.number,
           CASE WHEN t.takes = 1 THEN n.made_at ELSE c.made_at END,
           CASE WHEN t.takes = 1 THEN n.clock_starts_at ELSE c.clock_starts_at END,
           CASE WHEN t.takes = 1 THEN n.deadline_at ELSE c.deadline_at END,
           CASE WHEN t.takes = 1 THEN n.reason ELSE c.reason END
    FROM counted AS c
    JOIN promise AS n ON n.reservation_id = c.reservation_id AND n.number = c.number + 1
    JOIN (SELECT 1 AS takes UNION ALL SELECT 0) AS t
        ON t.takes = CASE WHEN (n.reason = 'slot' AND n.made_at <= c.deadline_at)
                            OR (n.reason = 'carried-over' AND c.reason = 'evening') THEN 1 ELSE 0 END
),
day AS (
    SELECT m.id, m.state, c.clock_starts_at,
           (SELECT min(customer_dialled_at) FROM attempt WHERE reservation_id = m.id) AS dialled_at,
           (SELECT min(coalesce(customer_answered_at, ended_at)) FROM attempt
            WHERE reservation_id = m.id AND outcome = 'reached') AS reached_at,
           CASE WHEN m.state IN ('reached', 'returned', 'given-up', 'cancelled', 'done-elsewhere')
                THEN m.state_since_at END AS closed_at
    FROM mine AS m
    JOIN counted AS c ON c.reservation_id = m.id
        AND c.number = (SELECT max(number) FROM promise WHERE reservation_id = m.id)
    WHERE m.made_at >= :midnight AND m.state NOT IN ('refused', 'withdrawn', 'continued')
)
SELECT 'open' AS name, count(*) AS many FROM mine WHERE open
UNION ALL SELECT 'calling', count(*) FROM mine WHERE open AND state = 'calling'
UNION ALL SELECT 'held', count(*) FROM mine WHERE open AND state = 'held'
UNION ALL SELECT 'later', count(*) FROM waits WHERE later
UNION ALL SELECT 'late', count(*) FROM waits WHERE NOT later AND late
UNION ALL SELECT 'binds', count(*) FROM waits WHERE NOT later AND NOT late AND soon
UNION ALL SELECT 'aim', count(*) FROM waits WHERE NOT later AND NOT late AND NOT soon AND NOT behind
UNION ALL SELECT 'window', count(*) FROM waits WHERE NOT later AND NOT late AND NOT soon AND behind
UNION ALL SELECT 'due', count(*) FROM waits WHERE NOT later
UNION ALL SELECT 'assigned', count(*) FROM mine WHERE open AND assigned_to IS NOT NULL
UNION ALL SELECT 'due_30', count(*) FROM day WHERE clock_starts_at + 1800000000 <= :now
UNION ALL SELECT 'due_60', count(*) FROM day WHERE clock_starts_at + 3600000000 <= :now
UNION ALL SELECT 'dialled_30', count(*) FROM day
    WHERE clock_starts_at + 1800000000 <= :now AND dialled_at <= clock_starts_at + 1800000000
UNION ALL SELECT 'dialled_60', count(*) FROM day
    WHERE clock_starts_at + 3600000000 <= :now AND dialled_at <= clock_starts_at + 3600000000
UNION ALL SELECT 'reached_30', count(*) FROM day
    WHERE clock_starts_at + 1800000000 <= :now AND reached_at <= clock_starts_at + 1800000000
UNION ALL SELECT 'reached_60', count(*) FROM day
    WHERE clock_starts_at + 3600000000 <= :now AND reached_at <= clock_starts_at + 3600000000
UNION ALL SELECT 'closed_30', count(*) FROM day
    WHERE clock_starts_at + 1800000000 <= :now AND closed_at <= clock_starts_at + 1800000000
UNION ALL SELECT 'closed_60', count(*) FROM day
    WHERE clock_starts_at + 3600000000 <= :now AND closed_at <= clock_starts_at + 3600000000
UNION ALL SELECT 'answers', count(*) FROM answer
    WHERE pbx = 'main' AND state = 'open' AND (:all = 1 OR reservation_id IN (SELECT id FROM mine))
UNION ALL SELECT 'incidents', count(*) FROM incident
    WHERE pbx = 'main' AND open
      AND (:all = 1 OR id IN (SELECT incident_id FROM mine WHERE open AND state = 'held'))
UNION ALL SELECT 'incidents_hold', count(*) FROM mine
    WHERE open AND state = 'held' AND incident_id IN (SELECT id FROM incident WHERE open)
UNION ALL SELECT 'left', count(*) FROM mine
    WHERE state = 'expired' AND handled_at IS NULL AND state_since_at >= :now - 86400000000
UNION ALL SELECT 'texts_failed', count(*) FROM text_outbox
    WHERE pbx = 'main' AND (state = 'failed' OR delivery = 'undelivered') AND settled_at >= :now - 3600000000
      AND (:all = 1 OR recipient IN (SELECT 'reservation/' || CAST(id AS VARCHAR(20)) FROM mine))
UNION ALL SELECT 'not_lost', count(*) FROM audit
    WHERE pbx = 'main' AND action = 'withdrawn' AND at >= :midnight AND who NOT IN ('customer', 'service')
      AND reservation_id IN (SELECT id FROM mine WHERE state = 'withdrawn')
UNION ALL SELECT 'cancelled', count(*) FROM audit
    WHERE pbx = 'main' AND action = 'cancelled' AND at >= :midnight AND who NOT IN ('customer', 'service')
      AND reservation_id IN (SELECT id FROM mine WHERE state = 'cancelled')
UNION ALL SELECT 'cases_overdue', count(*) FROM care_case
    WHERE pbx = 'main' AND state IN ('registered', 'assigned') AND due_at < :now
      AND (:all = 1 OR CASE queue WHEN 'sales' THEN 'sales' WHEN '华语客服' THEN 'china' ELSE 'support' END IN :of_groups)
UNION ALL SELECT 'cases_soon', count(*) FROM care_case
    WHERE pbx = 'main' AND state IN ('registered', 'assigned')
      AND due_at >= :now AND due_at <= :now + 8 * 3600000000
      AND (:all = 1 OR CASE queue WHEN 'sales' THEN 'sales' WHEN '华语客服' THEN 'china' ELSE 'support' END IN :of_groups)
