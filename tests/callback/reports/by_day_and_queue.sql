-- What reports tell of each day and queue, from the base tables alone, by the words of docs/reports.md and not by the
-- program. SQLite. The offset is how far the site's clock is ahead of UTC.
WITH RECURSIVE
newest AS (
    SELECT v.* FROM verdict v
    JOIN (SELECT pbx, call_id, max(version) AS version FROM verdict GROUP BY pbx, call_id) n
      ON n.pbx = v.pbx AND n.call_id = v.call_id AND n.version = v.version
),
came AS (
    SELECT c.started_at AS at, coalesce(c.queue, '') AS queue, v.kind, v.reason, c.recovery
      FROM call c JOIN newest v ON v.pbx = c.pbx AND v.call_id = c.call_id WHERE c.pbx = :pbx
    UNION ALL
    SELECT p.began_at, p.queue, p.kind, p.reason, ''
      FROM past_call p
     WHERE p.pbx = :pbx AND (p.pbx, p.call_id) NOT IN (SELECT pbx, call_id FROM call)
),
calls AS (
    SELECT (at + :offset) / 86400000000 AS day, queue,
           count(*) AS calls,
           sum(kind = 'served') AS served,
           sum(kind IN ('abandoned', 'blocked', 'dropped', 'silent') OR coalesce(reason, '') = 'left-unserved') AS lost,
           sum(kind = 'requested') AS requested,
           sum(recovery IN ('no-number', 'not-a-number')) AS numberless,
           sum(recovery = 'short-abandon') AS short
      FROM came WHERE kind NOT IN ('callback', 'unfinished')
     GROUP BY 1, 2
),
in_order AS (
    SELECT p.*, row_number() OVER (PARTITION BY reservation_id ORDER BY number) AS place FROM promise p
),
followed (reservation_id, place, clock_starts_at, deadline_at, reason) AS (
    SELECT reservation_id, place, clock_starts_at, deadline_at, reason FROM in_order WHERE place = 1
    UNION ALL
    SELECT n.reservation_id, n.place,
           CASE WHEN (n.reason = 'slot' AND n.made_at <= f.deadline_at)
                  OR (n.reason = 'carried-over' AND f.reason = 'evening') THEN n.clock_starts_at ELSE f.clock_starts_at END,
           CASE WHEN (n.reason = 'slot' AND n.made_at <= f.deadline_at)
                  OR (n.reason = 'carried-over' AND f.reason = 'evening') THEN n.deadline_at ELSE f.deadline_at END,
           CASE WHEN (n.reason = 'slot' AND n.made_at <= f.deadline_at)
                  OR (n.reason = 'carried-over' AND f.reason = 'evening') THEN n.reason ELSE f.reason END
      FROM followed f JOIN in_order n ON n.reservation_id = f.reservation_id AND n.place = f.place + 1
),
begun AS (
    SELECT f.reservation_id, f.clock_starts_at FROM followed f
      JOIN (SELECT reservation_id, max(place) AS place FROM in_order GROUP BY 1) l
        ON l.reservation_id = f.reservation_id AND l.place = f.place
),
tried AS (
    SELECT reservation_id, min(customer_dialled_at) AS dialled_at,
           min(CASE WHEN outcome = 'reached' THEN coalesce(customer_answered_at, ended_at) END) AS reached_at
      FROM attempt GROUP BY 1
),
spoken AS (SELECT DISTINCT reservation_id FROM audit WHERE action = 'called-by-hand'),
carried AS (SELECT DISTINCT reservation_id FROM promise WHERE reason = 'carried-over'),
texts AS (
    SELECT CAST(substr(recipient, 13) AS INTEGER) AS reservation_id,
           sum(state = 'sent') AS sent,
           sum(coalesce(delivery, '') = 'delivered') AS delivered,
           sum(state = 'failed' OR coalesce(delivery, '') = 'undelivered') AS failed
      FROM text_outbox WHERE recipient LIKE 'reservation/%' GROUP BY 1
),
said AS (
    SELECT reservation_id, score FROM (
        SELECT reservation_id, score, row_number() OVER (PARTITION BY reservation_id ORDER BY received_at DESC, id DESC) AS n
          FROM answer WHERE score IS NOT NULL AND reservation_id IS NOT NULL
    ) WHERE n = 1
),
hours AS (
    SELECT l.reservation_id,
           l.redialled_at IS NOT NULL AND l.redialled_at <= l.lost_at + 3600000000 AS again,
           EXISTS (SELECT 1 FROM attempt a WHERE a.reservation_id = l.reservation_id
                    AND a.customer_dialled_at BETWEEN l.lost_at AND l.lost_at + 3600000000
                    AND (l.redialled_at IS NULL OR a.customer_dialled_at < l.redialled_at)) AS called
      FROM loss l WHERE l.lost_at + 3600000000 <= :now
),
rang AS (
    SELECT reservation_id, sum(called) AS called_back, sum(called AND again) AS called_back_redialled,
           sum(NOT called) AS not_called_back, sum(NOT called AND again) AS not_called_back_redialled
      FROM hours GROUP BY 1
),
facts AS (
    SELECT (r.made_at + :offset) / 86400000000 AS day, r.queue, r.state, r.tries, r.handled_at,
           r.state NOT IN ('refused', 'withdrawn') AS valid,
           (b.clock_starts_at + 1800000000) AS half, (b.clock_starts_at + 3600000000) AS hour,
           s.reservation_id IS NOT NULL AS by_hand, c.reservation_id IS NOT NULL AS carried,
           coalesce(a.dialled_at, CASE WHEN s.reservation_id IS NOT NULL THEN r.state_since_at END) AS dialled_at,
           coalesce(a.reached_at, CASE WHEN s.reservation_id IS NOT NULL THEN r.state_since_at END) AS reached_at,
           CASE WHEN r.state IN ('reached', 'returned', 'given-up', 'cancelled', 'done-elsewhere')
                THEN r.state_since_at END AS closed_at,
           x.sent, x.delivered, x.failed, w.score,
           g.called_back, g.called_back_redialled, g.not_called_back, g.not_called_back_redialled
      FROM reservation r
      JOIN begun b ON b.reservation_id = r.id
      LEFT JOIN tried a ON a.reservation_id = r.id
      LEFT JOIN spoken s ON s.reservation_id = r.id
      LEFT JOIN carried c ON c.reservation_id = r.id
      LEFT JOIN texts x ON x.reservation_id = r.id
      LEFT JOIN said w ON w.reservation_id = r.id
      LEFT JOIN rang g ON g.reservation_id = r.id
     WHERE r.pbx = :pbx
),
promised AS (
    SELECT day, queue,
           sum(valid) AS valid, sum(state = 'refused') AS refused, sum(state = 'withdrawn') AS withdrawn,
           sum(valid AND carried) AS carried_over, sum(state = 'returned') AS returned, sum(state = 'expired') AS "left",
           sum(state = 'expired' AND handled_at IS NOT NULL) AS handled, sum(valid AND by_hand) AS by_hand,
           sum(valid AND half <= :now) AS due_30, sum(valid AND hour <= :now) AS due_60,
           sum(valid AND half <= :now AND coalesce(dialled_at <= half, 0)) AS dialled_30,
           sum(valid AND hour <= :now AND coalesce(dialled_at <= hour, 0)) AS dialled_60,
           sum(valid AND half <= :now AND coalesce(reached_at <= half, 0)) AS reached_30,
           sum(valid AND hour <= :now AND coalesce(reached_at <= hour, 0)) AS reached_60,
           sum(valid AND half <= :now AND coalesce(closed_at <= half, 0)) AS closed_30,
           sum(valid AND hour <= :now AND coalesce(closed_at <= hour, 0)) AS closed_60,
           sum(valid AND dialled_at IS NOT NULL) AS dialled, sum(valid AND reached_at IS NOT NULL) AS reached,
           sum(CASE WHEN valid THEN tries ELSE 0 END) AS tries,
           sum(coalesce(sent, 0)) AS texts_sent, sum(coalesce(delivered, 0)) AS texts_delivered,
           sum(coalesce(failed, 0)) AS texts_failed,
           sum(score IS NOT NULL) AS scored, sum(coalesce(score, 0)) AS score_sum,
           sum(CASE WHEN valid THEN coalesce(called_back, 0) ELSE 0 END) AS called_back,
           sum(CASE WHEN valid THEN coalesce(called_back_redialled, 0) ELSE 0 END) AS called_back_redialled,
           sum(CASE WHEN valid THEN coalesce(not_called_back, 0) ELSE 0 END) AS not_called_back,
           sum(CASE WHEN valid THEN coalesce(not_called_back_redialled, 0) ELSE 0 END) AS not_called_back_redialled,
           sum(valid AND coalesce(dialled_at <= half, 0)) AS first_try_in_30,
           sum(valid AND coalesce(dialled_at <= hour, 0)) AS first_try_in_60,
           sum(valid AND coalesce(reached_at <= half, 0)) AS reach_in_30,
           sum(valid AND coalesce(reached_at <= hour, 0)) AS reach_in_60
      FROM facts GROUP BY 1, 2
),
places AS (SELECT day, queue FROM calls UNION SELECT day, queue FROM promised)
SELECT p.day * 86400000000 - :offset AS since, p.queue AS of_queue, c.*, q.*
  FROM places p
  LEFT JOIN calls c ON c.day = p.day AND c.queue = p.queue
  LEFT JOIN promised q ON q.day = p.day AND q.queue = p.queue
