-- The mirror: functions to wait for it and to steer it, and the views.

CREATE INDEX dl_tables_dropped ON deltatx.dl_tables (dropped_at) WHERE dropped_at IS NOT NULL;

CREATE FUNCTION @extschema@.deltatx_wait(table_name text, version bigint = NULL, timeout interval = '1 min')
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_wait(text, bigint, interval)
	IS 'wait until a version, or all versions, of a table are published; false when the time is over';

CREATE FUNCTION @extschema@.deltatx_wait_transaction(transaction_id uuid, timeout interval = '1 min')
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_wait_transaction(uuid, interval)
	IS 'wait until a transaction is published in all of its tables; false when the time is over';

CREATE FUNCTION @extschema@.deltatx_pause(table_name text = NULL, server text = NULL)
	RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_pause(text, text)
	IS 'stop publishing a table, or all tables that one may use; they go on taking commits';

CREATE FUNCTION @extschema@.deltatx_resume(table_name text = NULL, server text = NULL)
	RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_resume(text, text) IS 'go on publishing paused tables';

CREATE FUNCTION @extschema@.deltatx_retry(table_name text = NULL, server text = NULL)
	RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.deltatx_retry(text, text)
	IS 'try now to publish tables that are retrying, failed or diverged';

CREATE FUNCTION deltatx.worker_status(OUT worker_pid integer, OUT heartbeat timestamptz, OUT doing text)
	AS 'MODULE_PATHNAME', 'deltatx_worker_status' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION deltatx.worker_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deltatx.worker_status() TO pg_monitor;
COMMENT ON FUNCTION deltatx.worker_status() IS 'this database''s worker, as shared memory knows it';

CREATE FUNCTION deltatx.library_version()
	RETURNS text
	AS 'MODULE_PATHNAME', 'deltatx_library_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION deltatx.library_version() IS 'version of the library that the server has loaded';

CREATE VIEW deltatx.mirror WITH (security_barrier) AS
SELECT
	t.table_name,
	h.current_version,
	s.mirrored_version,
	h.current_version OPERATOR(pg_catalog.-) s.mirrored_version AS lag_versions,
	CASE
		WHEN v.stamp IS NULL THEN interval '0'
		ELSE GREATEST(interval '0', pg_catalog.now() OPERATOR(pg_catalog.-)
			pg_catalog.to_timestamp(v.stamp OPERATOR(pg_catalog./) 1000.0::double precision))
	END AS lag,
	CASE
		WHEN s.state OPERATOR(pg_catalog.=) 'diverged' THEN s.state
		WHEN s.paused THEN 'paused'
		WHEN s.state OPERATOR(pg_catalog.<>) 'idle' THEN s.state
		WHEN t.dropped_at IS NOT NULL THEN 'dropping'
		WHEN h.current_version OPERATOR(pg_catalog.>) s.mirrored_version THEN 'pending'
		ELSE s.state
	END AS state,
	s.state_since,
	s.attempts,
	s.next_attempt_at,
	s.error_class,
	s.last_error,
	s.object,
	s.last_checkpoint_version
FROM deltatx.dl_tables t
JOIN deltatx.dl_table_heads h ON h.table_id OPERATOR(pg_catalog.=) t.table_id
JOIN deltatx.dl_mirror_status s ON s.table_id OPERATOR(pg_catalog.=) t.table_id
LEFT JOIN deltatx.dl_table_versions v ON v.table_id OPERATOR(pg_catalog.=) t.table_id
	AND v.version OPERATOR(pg_catalog.=) (s.mirrored_version OPERATOR(pg_catalog.+) 1)
WHERE deltatx.may_use(t.owner_name) OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
GRANT SELECT ON deltatx.mirror TO PUBLIC;
COMMENT ON VIEW deltatx.mirror IS 'how far each table is published, and what keeps it';

CREATE VIEW deltatx.transactions WITH (security_barrier) AS
SELECT
	x.transaction_id,
	pg_catalog.to_timestamp(x.stamp OPERATOR(pg_catalog./) 1000.0::double precision) AS committed_at,
	x.user_name,
	p.table_names,
	p.versions,
	CASE
		WHEN p.mirrored OPERATOR(pg_catalog.=) p.tables THEN 'mirrored'
		WHEN p.mirrored OPERATOR(pg_catalog.=) 0 THEN 'pending'
		ELSE 'partial'
	END AS state
FROM deltatx.dl_transactions x
CROSS JOIN LATERAL (
	SELECT
		pg_catalog.array_agg(t.table_name ORDER BY t.table_id) AS table_names,
		pg_catalog.array_agg(u.version ORDER BY t.table_id) AS versions,
		pg_catalog.count(*) AS tables,
		-- A table without a status is dropped and was published before.
		pg_catalog.count(*) FILTER (WHERE s.table_id IS NULL
			OR s.mirrored_version OPERATOR(pg_catalog.>=) u.version) AS mirrored
	FROM unnest(x.table_ids, x.versions) AS u (table_id, version)
	JOIN deltatx.dl_tables t ON t.table_id OPERATOR(pg_catalog.=) u.table_id
	LEFT JOIN deltatx.dl_mirror_status s ON s.table_id OPERATOR(pg_catalog.=) u.table_id
	WHERE deltatx.may_use(t.owner_name) OR pg_catalog.pg_has_role('pg_monitor', 'USAGE')
) p
WHERE p.tables OPERATOR(pg_catalog.>) 0;
GRANT SELECT ON deltatx.transactions TO PUBLIC;
COMMENT ON VIEW deltatx.transactions IS 'committed transactions, with those of their tables that one may use';

-- A table's versions go out in order, so those of the last minutes are its
-- newest ones: the first of them is found by bisection.  An index by time would
-- cost the worker more than this ever does.  From there on each version is
-- looked up by itself: LIMIT leaves the planner no join that reads all of them.
CREATE VIEW deltatx.mirror_latency WITH (security_barrier) AS
SELECT t.table_name, l.published, l.quantiles[1] AS p50, l.quantiles[2] AS p95, l.quantiles[3] AS p99
FROM deltatx.dl_tables t
JOIN deltatx.dl_mirror_status s ON s.table_id OPERATOR(pg_catalog.=) t.table_id
CROSS JOIN LATERAL (
	WITH RECURSIVE bounds AS MATERIALIZED (
		SELECT pg_catalog.now() OPERATOR(pg_catalog.-) interval '5 min' AS since
	), search (first, high) AS (
		SELECT 0::bigint, p.version
		FROM deltatx.dl_published_versions p
		WHERE p.table_id OPERATOR(pg_catalog.=) t.table_id
			AND p.version OPERATOR(pg_catalog.=) s.mirrored_version
			AND p.mirrored_at OPERATOR(pg_catalog.>=) (SELECT since FROM bounds)
		UNION ALL
		SELECT
			CASE WHEN m.is_recent THEN m.first ELSE m.middle OPERATOR(pg_catalog.+) 1 END,
			CASE WHEN m.is_recent THEN m.middle ELSE m.high END
		FROM (
			SELECT h.first, h.high, h.middle, EXISTS (
				SELECT FROM deltatx.dl_published_versions p
				WHERE p.table_id OPERATOR(pg_catalog.=) t.table_id
					AND p.version OPERATOR(pg_catalog.=) h.middle
					AND p.mirrored_at OPERATOR(pg_catalog.>=) (SELECT since FROM bounds)
			) AS is_recent
			FROM (
				SELECT f.first, f.high,
					(f.first OPERATOR(pg_catalog.+) f.high) OPERATOR(pg_catalog./) 2 AS middle
				FROM search f
				WHERE f.first OPERATOR(pg_catalog.<) f.high
				OFFSET 0
			) h
			OFFSET 0
		) m
	)
	SELECT
		pg_catalog.count(*) AS published,
		pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99]::double precision[])
			WITHIN GROUP (ORDER BY r.latency) AS quantiles
	FROM (SELECT f.first FROM search f WHERE f.first OPERATOR(pg_catalog.=) f.high LIMIT 1) w
	CROSS JOIN LATERAL pg_catalog.generate_series(w.first, s.mirrored_version) AS g (version)
	CROSS JOIN LATERAL (
		-- A table that commits very often has stamps ahead of the clock.
		SELECT GREATEST(interval '0', p.mirrored_at OPERATOR(pg_catalog.-)
			pg_catalog.to_timestamp(v.stamp OPERATOR(pg_catalog./) 1000.0::double precision)) AS latency
		FROM deltatx.dl_published_versions p
		JOIN deltatx.dl_table_versions v ON v.table_id OPERATOR(pg_catalog.=) p.table_id
			AND v.version OPERATOR(pg_catalog.=) p.version
		WHERE p.table_id OPERATOR(pg_catalog.=) t.table_id
			AND p.version OPERATOR(pg_catalog.=) g.version
		LIMIT 1
	) r
) l
WHERE deltatx.may_use(t.owner_name) OR pg_catalog.pg_has_role('pg_monitor', 'USAGE');
GRANT SELECT ON deltatx.mirror_latency TO PUBLIC;
COMMENT ON VIEW deltatx.mirror_latency IS 'time from commit to publication, over the versions that each table published in the last 5 minutes';

CREATE VIEW deltatx.status AS
SELECT
	deltatx.library_version() AS library_version,
	(SELECT e.extversion FROM pg_catalog.pg_extension e
		WHERE e.extname OPERATOR(pg_catalog.=) 'deltatx') AS extension_version,
	w.worker_pid,
	w.heartbeat,
	w.doing,
	(SELECT pg_catalog.count(*) FROM deltatx.dl_mirror_queue) AS backlog,
	c.watermark,
	GREATEST(interval '0', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) c.watermark) AS watermark_lag,
	c.held_by AS watermark_held_by,
	NULL::text AS checkpoint_program
FROM deltatx.worker_status() w
CROSS JOIN deltatx.watermark_status() c;
REVOKE ALL ON deltatx.status FROM PUBLIC;
GRANT SELECT ON deltatx.status TO pg_monitor;
COMMENT ON VIEW deltatx.status IS 'the library, this database''s worker, its backlog and its watermark; NULL in columns for what this version doesn''t have';
