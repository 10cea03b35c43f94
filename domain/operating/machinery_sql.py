"""The two statements behind `machinery.look`, each one row of JSON. Every part is bounded by what
is open, not by history: done effects and settled notifications are never counted."""

from typing import Final, LiteralString

# The Clock's age of an effect that is due, and never more than it exists: a demo's history is due
# long ago. One that was rung and not heard ages in real time, also where a sandbox's Clock stands.
_DUE_AGE: Final[LiteralString] = """
greatest(0, extract(epoch FROM least(clk.now - e.due_at, clock_timestamp() - e.created_at)),
         extract(epoch FROM clock_timestamp() - e.first_rung_at))"""
_AGES: Final[LiteralString] = """
CASE WHEN {age} < 3600 THEN 'under_1h' WHEN {age} < 86400 THEN '1h_to_24h' ELSE 'over_24h' END"""

MACHINERY: Final[str] = f"""
WITH clk AS (SELECT coalesce(clock, clock_timestamp()) AS now, mode FROM installation),
fresh AS (
  SELECT e.recorded_at FROM event e, feed_state s
   WHERE e.epoch = s.epoch AND e.xid >= pg_snapshot_xmax(s.snap)
   ORDER BY e.epoch, e.xid LIMIT 1),
effects AS (
  SELECT e.kind, count(*) AS number,
         CASE WHEN e.status = 'waiting' AND e.due_at > clk.now THEN 'planned'
              ELSE e.status END AS state,
         coalesce(max({_DUE_AGE}) FILTER (WHERE e.due_at <= clk.now), 0) AS oldest_s
    FROM effect e, clk WHERE e.status IN ('waiting', 'leased', 'unknown') GROUP BY e.kind, state
   UNION ALL
  SELECT e.kind, count(*), 'parked', max({_DUE_AGE})
    FROM effect e, clk WHERE e.status = 'parked' GROUP BY e.kind),
readers AS (
  SELECT c.name, s.last - c.cursor AS behind,
         coalesce(extract(epoch FROM clock_timestamp() - CASE
           WHEN c.cursor < s.last THEN (
             SELECT e.recorded_at FROM feed f JOIN event e USING (shard, stream_id, version)
              WHERE f.feed_position = c.cursor + 1)
           ELSE (SELECT recorded_at FROM fresh) END), 0) AS lag_s
    FROM consumer c, feed_state s ORDER BY c.name),
intents AS (
  SELECT coalesce(e.payload->>'provider', 'stripe') AS provider, count(*) AS number,
         {_AGES.format(age="extract(epoch FROM clk.now - e.due_at)")} AS age
    FROM effect e, clk WHERE e.status = 'unknown' GROUP BY provider, age)
SELECT jsonb_build_object(
  'mode', clk.mode, 'now', clk.now, 'position', (SELECT last FROM feed_state),
  'effects', coalesce((SELECT jsonb_agg(x ORDER BY x.kind, x.state) FROM effects x), '[]'),
  'readers', coalesce((SELECT jsonb_agg(x) FROM readers x), '[]'),
  'unknown', coalesce((SELECT jsonb_agg(x) FROM intents x), '[]'),
  'timers', (SELECT jsonb_build_object(
      'planned', count(*) FILTER (WHERE due_at > clk.now),
      'overdue', count(*) FILTER (WHERE due_at <= clk.now AND refused IS NULL),
      'oldest_s', coalesce(extract(epoch FROM clk.now
                    - min(due_at) FILTER (WHERE due_at <= clk.now AND refused IS NULL)), 0),
      'next_at', min(due_at) FILTER (WHERE due_at > clk.now)) FROM timer),
  'inbox', (SELECT jsonb_build_object('waiting', count(*), 'oldest_s',
      coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0))
      FROM inbox WHERE state = 'waiting'),
  'beats', coalesce((SELECT jsonb_agg(jsonb_build_object('name', name,
      'age_s', extract(epoch FROM clock_timestamp() - at)) ORDER BY name)
      FROM heartbeat WHERE name NOT LIKE 'polled:%%'), '[]'),
  'polls', coalesce((SELECT jsonb_agg(jsonb_build_object('name', split_part(name, ':', 2),
      'age_s', extract(epoch FROM clk.now - at)) ORDER BY name)
      FROM heartbeat WHERE name LIKE 'polled:%%'), '[]'),
  'observations', coalesce((SELECT jsonb_agg(jsonb_build_object('kind', kind, 'name', name,
      'value', value, 'age_s', extract(epoch FROM clock_timestamp() - at)) ORDER BY kind, name)
      FROM observation), '[]'),
  'refusals', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT provider, reason, sum(times)::bigint AS times, max(last_at) AS last_at,
             coalesce(sum(times) FILTER (WHERE day = today), 0)::bigint AS today
        FROM hook_refusal, (SELECT (clock_timestamp() AT TIME ZONE 'Europe/Berlin')::date) d (today)
       WHERE day > today - 7
       GROUP BY provider, reason ORDER BY times DESC, provider, reason) x), '[]'),
  'parked_streams', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT consumer, stream, from_position, error, at AS aside_at FROM parked
       ORDER BY from_position, consumer LIMIT %(listed)s) x), '[]'),
  'parked_effects', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT effect_id, stream, kind, attempts, due_at, error, parked_at AS aside_at
        FROM effect
       WHERE status = 'parked' ORDER BY due_at LIMIT %(listed)s) x), '[]'),
  'aside', jsonb_build_object(
      'streams', (SELECT count(*) FROM parked),
      'effects', (SELECT count(*) FROM effect WHERE status = 'parked'),
      'notifications', (SELECT count(*) FROM inbox WHERE state = 'quarantined')),
  'quarantined', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT provider, notification_id, object_id, reason, tries, received_at,
             settled_at AS aside_at FROM inbox
       WHERE state = 'quarantined' ORDER BY received_at LIMIT %(listed)s) x), '[]'))::text
  FROM clk
"""  # noqa: S608 constants only

BOOKS: Final[str] = f"""
WITH clk AS (SELECT coalesce(clock, clock_timestamp()) AS now FROM installation),
held AS (
  SELECT provider, status AS state, sum(amount) AS cents FROM read.payment
   WHERE status IN ('confirmed', 'paid-out') GROUP BY provider, status
   UNION ALL
  SELECT p.provider, r.status, -sum(r.amount) FROM read.refund r
    JOIN read.payment p USING (payment_id)
   WHERE r.status IN ('confirmed', 'paid-out') GROUP BY p.provider, r.status)
SELECT jsonb_build_object(
  'clearing', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT provider, state, sum(cents)::bigint AS cents FROM held
       GROUP BY provider, state ORDER BY provider, state) x), '[]'),
  'cases', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT case_type, count(*) AS number, count(*) FILTER (WHERE until <
             (clk.now AT TIME ZONE 'Europe/Berlin')::date) AS late
        FROM read.work_case, clk WHERE closed_at IS NULL
       GROUP BY case_type ORDER BY case_type) x), '[]'),
  'unmatched', coalesce((SELECT jsonb_agg(x) FROM (
      SELECT {_AGES.format(age="extract(epoch FROM clk.now - opened_at)")} AS age,
             count(*) AS number
        FROM read.work_case, clk WHERE closed_at IS NULL AND case_type = 'unknown-line'
       GROUP BY age) x), '[]'))::text
"""  # noqa: S608 constants only
