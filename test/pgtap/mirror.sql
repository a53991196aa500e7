-- The contract of what operators use: names, types and defaults that other
-- programs rely on.
BEGIN;
SELECT plan(5);

SELECT results_eq(
	$$SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid = 'deltatx.mirror_latency'::regclass AND attnum > 0 ORDER BY attnum$$,
	$$VALUES ('table_name', 'text'), ('published', 'bigint'), ('p50', 'interval'), ('p95', 'interval'), ('p99', 'interval')$$,
	'columns of mirror_latency');

SELECT ok('security_barrier=true' = ANY (reloptions) OR 'security_barrier' = ANY (reloptions),
	'mirror_latency shows no row to a function of its reader before it is allowed')
FROM pg_class WHERE oid = 'deltatx.mirror_latency'::regclass;

SELECT results_eq(
	$$SELECT name, boot_val, context FROM pg_settings
	WHERE name IN ('deltatx.notify', 'deltatx.max_mirror_backlog', 'deltatx.mirror_backlog_action') ORDER BY name$$,
	$$VALUES ('deltatx.max_mirror_backlog', '0', 'superuser'), ('deltatx.mirror_backlog_action', 'warning', 'superuser'),
		('deltatx.notify', 'off', 'sighup')$$,
	'settings, their defaults, and who may change them');

SELECT results_eq(
	$$SELECT enumvals FROM pg_settings WHERE name = 'deltatx.mirror_backlog_action'$$,
	$$VALUES ('{warning,wait,error}'::text[])$$,
	'what may be done about a backlog');

SELECT throws_ok('SET deltatx.max_mirror_backlog = -1', '22023', NULL, 'a limit is not negative');

SELECT * FROM finish();
ROLLBACK;
