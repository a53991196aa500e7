-- The contract with programs that call us: names and arguments of functions,
-- columns of results and views, settings, and the errors that one meets first.
--
-- It holds wherever the extension is installed, and leaves nothing behind:
--
--	pg_prove -d DATABASE contract.sql
--
-- Versions to come may add optional arguments and columns, at the end.
BEGIN;
SELECT no_plan();

CREATE TEMPORARY VIEW functions AS
SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
	rtrim(pg_get_function_result(p.oid), ')') AS result
FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid AND e.extname = 'deltatx';

-- The function whose arguments begin like that, or else what there is of that name.
CREATE FUNCTION pg_temp.check_function(name text, arguments text, result text) RETURNS text LANGUAGE sql AS $$
	SELECT is(
		(SELECT format('(%s) %s', CASE WHEN starts_with(f.arguments, check_function.arguments) THEN check_function.arguments ELSE f.arguments END,
			CASE WHEN starts_with(f.result, check_function.result) THEN check_function.result ELSE f.result END)
			FROM functions f WHERE f.name = check_function.name
			ORDER BY starts_with(f.arguments, check_function.arguments) DESC LIMIT 1),
		format('(%s) %s', arguments, result),
		format('%s(%s)', name, split_part(arguments, ',', 2)));
$$;

-- Defaults as PostgreSQL writes them.
CREATE FUNCTION pg_temp.check_functions() RETURNS SETOF text LANGUAGE plpgsql AS $body$
DECLARE
	n text := 'DEFAULT NULL::';
	stage text := format('mode text DEFAULT ''actions''::text, read_version bigint %1$sbigint, expected_version bigint %1$sbigint, '
		'extend boolean DEFAULT false, partition_filter jsonb %1$sjsonb, operation text %1$stext, '
		'operation_parameters jsonb %1$sjsonb, enforced text[] %1$stext[]', n);
	batch text := format('isolation text %1$stext, idempotency_key text %1$stext, operation text %1$stext', n);
	versions text := 'TABLE(table_name text, version bigint, files_added bigint, files_removed bigint, '
		'commit_timestamp timestamp with time zone, replayed boolean';
	expected record;
BEGIN
	FOR expected IN SELECT * FROM (VALUES
		('deltatx_create_table', 'table_name text, location text, columns text, partition_columns text[] DEFAULT ''{}''::text[], '
			'properties jsonb DEFAULT ''{}''::jsonb, description text DEFAULT NULL::text', 'uuid'),
		('deltatx_alter_table', format('table_name text, add_columns text %1$stext, set_properties jsonb %1$sjsonb, '
			'unset_properties text[] %1$stext[], description text %1$stext', n), 'bigint'),
		('deltatx_rename_table', 'table_name text, new_name text', 'void'),
		('deltatx_drop_table', 'table_name text, purge boolean DEFAULT false', 'void'),
		('deltatx_begin', format('isolation text %1$stext, timeout interval %1$sinterval, idempotency_key text %1$stext, '
			'operation text %1$stext, user_metadata text %1$stext, app_id text %1$stext, app_version bigint %1$sbigint, '
			'priority integer DEFAULT 0, on_replay text DEFAULT ''return''::text', n), 'uuid'),
		('deltatx_stage', 'table_name text, actions jsonb, ' || stage, 'bigint'),
		('deltatx_stage', 'table_name text, actions text, ' || stage, 'bigint'),
		('deltatx_stage', 'table_name text, actions json, ' || stage, 'bigint'),
		('deltatx_read', format('table_name text, version bigint %1$sbigint, partition_filter jsonb %1$sjsonb, '
			'files text[] %1$stext[], app_ids text[] %1$stext[]', n), 'bigint'),
		('deltatx_validate', '', 'void'),
		('deltatx_commit', '', versions),
		('deltatx_rollback', '', 'void'),
		('deltatx_commit_batch', 'batch jsonb, ' || batch, versions),
		('deltatx_commit_batch', 'batch text, ' || batch, versions),
		('deltatx_transaction_id', '', 'uuid'),
		('deltatx_replayed', '', 'boolean'),
		('deltatx_app_version', 'table_name text, app_id text', 'bigint'),
		('deltatx_new_path', 'table_name text, partition_values jsonb DEFAULT ''{}''::jsonb, suffix text DEFAULT ''.parquet''::text', 'text'),
		('deltatx_files', format('table_name text, version bigint %1$sbigint, as_of timestamp with time zone %1$stimestamp with time zone, '
			'partition_filter jsonb %1$sjsonb', n),
			'TABLE(path text, size bigint, partition_values jsonb, num_records bigint, stats jsonb, '
			'modification_time timestamp with time zone, deletion_vector jsonb, added_version bigint, uri text, action jsonb'),
		('deltatx_history', 'table_name text, max_versions integer DEFAULT NULL::integer',
			'TABLE(version bigint, commit_timestamp timestamp with time zone, transaction_id uuid, operation text, '
			'operation_parameters jsonb, user_name text, files_added bigint, files_removed bigint, is_blind_append boolean, '
			'mirrored_at timestamp with time zone'),
		('deltatx_log', 'table_name text, version bigint', 'SETOF text'),
		('deltatx_version', format('table_name text, as_of timestamp with time zone %1$stimestamp with time zone', n), 'bigint'),
		('deltatx_wait', format('table_name text, version bigint %1$sbigint, timeout interval DEFAULT ''00:01:00''::interval', n), 'boolean'),
		('deltatx_wait_transaction', 'transaction_id uuid, timeout interval DEFAULT ''00:01:00''::interval', 'boolean'),
		('deltatx_pause', format('table_name text %1$stext, server text %1$stext', n), 'integer'),
		('deltatx_resume', format('table_name text %1$stext, server text %1$stext', n), 'integer'),
		('deltatx_retry', format('table_name text %1$stext, server text %1$stext', n), 'integer')) f (name, arguments, result)
	LOOP
		RETURN NEXT pg_temp.check_function(expected.name, expected.arguments, expected.result);
	END LOOP;
END
$body$;
-- The interval's default reads as this session's setting has it.
SET LOCAL intervalstyle = postgres;
SELECT pg_temp.check_functions();

-- Views: the first columns, in order.
SELECT is(
	(array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum))[:cardinality(v.columns)],
	v.columns, 'deltatx.' || v.name)
FROM (VALUES
	('tables', '{table_name text,location text,table_id uuid,current_version bigint,files bigint,bytes bigint,schema jsonb,partition_columns text[],properties jsonb,protocol jsonb,owner text}'::text[]),
	('mirror', '{table_name text,current_version bigint,mirrored_version bigint,lag_versions bigint,lag interval,state text,state_since timestamp with time zone,attempts integer,next_attempt_at timestamp with time zone,error_class text,last_error text,object text,last_checkpoint_version bigint}'),
	('mirror_latency', '{table_name text,published bigint,p50 interval,p95 interval,p99 interval}'),
	('transactions', '{transaction_id uuid,committed_at timestamp with time zone,user_name text,table_names text[],versions bigint[],state text}'),
	('status', '{library_version text,extension_version text,worker_pid integer,heartbeat timestamp with time zone,doing text,backlog bigint,watermark timestamp with time zone,watermark_lag interval,watermark_held_by text,checkpoint_program text}')) v (name, columns)
LEFT JOIN pg_attribute a ON a.attrelid = to_regclass('deltatx.' || v.name) AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY v.name, v.columns ORDER BY v.name;

-- Settings: defaults, in their units, and who may set them.
SELECT is((SELECT format('%s %s %s', s.boot_val, s.unit, s.context) FROM pg_settings s WHERE s.name = 'deltatx.' || d.name), d.expected, 'deltatx.' || d.name)
FROM (VALUES
	('max_tables_per_transaction', '10  user'), ('max_files_per_table', '1000  user'), ('max_actions_per_transaction', '10000  user'), ('transaction_timeout', '60000 ms user'),
	('limit_ceiling_tables', '0  superuser'), ('limit_ceiling_files', '0  superuser'), ('limit_ceiling_actions', '0  superuser'), ('limit_ceiling_timeout', '0 ms superuser'),
	('lock_timeout', '10000 ms user'), ('default_isolation', 'write_serializable  user'), ('hive_paths', 'warning  user'), ('max_clock_lead', '10000 ms superuser'),
	('mirror_enabled', 'on  sighup'), ('mirror_naptime', '1000 ms sighup'), ('mirror_max_attempts', '10  sighup'), ('mirror_backoff_min', '100 ms sighup'), ('mirror_backoff_max', '60000 ms sighup'),
	('max_mirror_backlog', '0  superuser'), ('mirror_backlog_action', 'warning  superuser'), ('notify', 'off  sighup')) d (name, expected);

-- Errors: SQLSTATE for programs that know PostgreSQL, the condition in
-- constraint_name and the table in table_name for those that know us.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	about text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS condition = CONSTRAINT_NAME, about = TABLE_NAME;
	RETURN concat_ws(' ', SQLSTATE, condition, NULLIF(about, ''));
END
$$;
CREATE FUNCTION pg_temp.add(path text) RETURNS jsonb LANGUAGE sql AS
$$SELECT jsonb_build_array(jsonb_build_object('add', jsonb_build_object('path', path, 'partitionValues', '{}'::jsonb, 'size', 1, 'modificationTime', 1, 'dataChange', true)))$$;
-- Everything below is rolled back, so nothing is ever written there.
CREATE FUNCTION pg_temp.create_table(name text) RETURNS uuid LANGUAGE sql AS
$$SELECT deltatx_create_table('deltatx_contract.' || name, 'file:///var/tmp/deltatx_contract/' || gen_random_uuid(), 'id bigint')$$;

SELECT isnt(pg_temp.create_table('t'), NULL, 'create returns an id');
SELECT is(pg_temp.error_of($$SELECT pg_temp.create_table('t')$$), '42P07 TableExists deltatx_contract.t', 'a name that is taken');
SELECT is(pg_temp.error_of($$SELECT pg_temp.create_table('a.b.c')$$), '42P16 InvalidDefinition deltatx_contract.a.b.c', 'a name of four parts');
SELECT is(pg_temp.error_of($$SELECT deltatx_create_table('deltatx_contract.u', location || '/within', 'id bigint') FROM deltatx.tables WHERE table_name = 'deltatx_contract.t'$$),
	'42P07 LocationInUse deltatx_contract.u', 'a location within another');
SELECT is(pg_temp.error_of($$SELECT deltatx_version('deltatx_contract.nosuch')$$), '42P01 TableNotFound deltatx_contract.nosuch', 'no such table');
SELECT is(pg_temp.error_of($$SELECT deltatx_files('deltatx_contract.t', 1)$$), '22023 VersionNotFound deltatx_contract.t', 'no such version');
SELECT is(pg_temp.error_of('SELECT deltatx_commit()'), '25P01 NoTransaction', 'nothing open');
SELECT isnt(deltatx_begin(), NULL, 'begin returns an id');
SELECT is(pg_temp.error_of('SELECT deltatx_begin()'), '25001 TransactionOpen', 'begun twice');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', '[')$$), '22P02 MalformedJson deltatx_contract.t', 'no JSON');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', '{"add": {}}')$$), '22023 InvalidAction deltatx_contract.t', 'no action');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', '[]')$$), '22023 EmptyActionList deltatx_contract.t', 'no actions');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', '{"remove": {"path": "nosuch"}}')$$), '23503 FileNotFound deltatx_contract.t', 'no such file');
SELECT is(deltatx_stage('deltatx_contract.t', pg_temp.add('f')), 1::bigint, 'stage counts actions');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', pg_temp.add('g'))$$), '42710 AlreadyStaged deltatx_contract.t', 'staged twice');
SELECT lives_ok($$SELECT deltatx_stage('deltatx_contract.t', pg_temp.add('g'), extend => true)$$, 'staged twice, on purpose');
SELECT is(pg_temp.error_of($$SELECT deltatx_stage('deltatx_contract.t', pg_temp.add('f'), extend => true)$$), '23505 DuplicateFile deltatx_contract.t', 'a file twice');
SELECT lives_ok('SELECT deltatx_validate()', 'validate');
SELECT results_eq('SELECT table_name, version, files_added, files_removed, replayed FROM deltatx_commit()',
	$$VALUES ('deltatx_contract.t', 1::bigint, 2::bigint, 0::bigint, false)$$, 'commit tells the versions');
SELECT is(pg_temp.error_of($$SELECT deltatx_begin(), deltatx_stage('deltatx_contract.t', pg_temp.add('h'), expected_version => 0), deltatx_commit()$$),
	'40001 VersionMismatch deltatx_contract.t', 'an expected version that has passed');
SELECT is(pg_temp.error_of('SET LOCAL deltatx.max_tables_per_transaction = 1; SELECT pg_temp.create_table(''v''); '
	'SELECT deltatx_commit_batch(jsonb_build_object(''deltatx_contract.t'', pg_temp.add(''h''), ''deltatx_contract.v'', pg_temp.add(''h'')))'),
	'54000 TooManyTables deltatx_contract.v', 'more tables than one may write');
SELECT is(pg_temp.error_of($$SELECT deltatx_create_table('deltatx_contract.w', 'gs://bucket/w', 'id bigint')$$), '22023 UnsupportedFeature deltatx_contract.w', 'a store of a later version');
SELECT is(pg_temp.error_of($$SELECT deltatx_commit_batch(jsonb_build_object('deltatx_contract.t', pg_temp.add('h')), idempotency_key => 'deltatx_contract')$$), 'none', 'a key');
SELECT is((SELECT replayed FROM deltatx_commit_batch(jsonb_build_object('deltatx_contract.t', pg_temp.add('h')), idempotency_key => 'deltatx_contract')), true, 'the same again');
SELECT is(pg_temp.error_of($$SELECT deltatx_commit_batch(jsonb_build_object('deltatx_contract.t', pg_temp.add('i')), idempotency_key => 'deltatx_contract')$$), '22023 KeyReused', 'something else');
SELECT is(pg_temp.error_of($$SELECT deltatx_begin(idempotency_key => 'deltatx_contract', on_replay => 'error')$$), '42710 AlreadyCommitted', 'the same again, as an error');
SET LOCAL deltatx.transaction_timeout = '1 ms';
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT is(pg_temp.error_of('SELECT deltatx_commit()'), '25P04 TransactionTooOld', 'past its time');
SELECT deltatx_rollback();

SELECT * FROM finish();
ROLLBACK;
