-- Limits of a transaction: each setting, its ceiling, what the error says to raise.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('limits.' || t) FROM unnest('{a,b,c}'::text[]) t;
CREATE ROLE regress_deltatx_limits IN ROLE pg_write_server_files;

-- The hint of an error.
CREATE FUNCTION pg_temp.hint(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN hint;
END
$$;
-- The limit that is in force: the largest n for which a statement succeeds, up to 12.
CREATE FUNCTION pg_temp.most(statement text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..12 LOOP
		IF pg_temp.try(format(statement, n)) <> 'ok' THEN
			RETURN n - 1;
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;
CREATE FUNCTION pg_temp.stage_files(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('limits.a', (SELECT jsonb_agg(pg_temp.add('f' || i) -> 0) FROM generate_series(1, n) i));
	PERFORM deltatx_rollback();
END
$$;
CREATE FUNCTION pg_temp.stage_actions(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('limits.a', (SELECT jsonb_agg(jsonb_build_object('txn', jsonb_build_object('appId', 'a' || i, 'version', 1))) FROM generate_series(1, n) i));
	PERFORM deltatx_rollback();
END
$$;

\echo == settings and their defaults
SELECT name, setting, unit, context FROM pg_settings WHERE name ~ '^deltatx\.(max_|transaction_|limit_|lock_)' ORDER BY name COLLATE "C";

\echo == tables
SET deltatx.max_tables_per_transaction = 2;
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('limits.a', pg_temp.adds('t1')), deltatx_stage('limits.b', pg_temp.adds('t1'));
SELECT pg_temp.try_stage('limits.c', pg_temp.adds('t1')::text);
SELECT pg_temp.try($$SELECT deltatx_alter_table('limits.c', description => 'x')$$);
SELECT pg_temp.hint($$SELECT deltatx_stage('limits.c', pg_temp.adds('t1'))$$);
-- More of the same tables, and tables that are only read, don't count.
SELECT deltatx_stage('limits.a', pg_temp.adds('t2'), extend => true), deltatx_read('limits.c');
SELECT count(*) FROM deltatx_commit();
COMMIT;
SET deltatx.max_tables_per_transaction = 0;
SELECT count(*) FROM deltatx_commit_batch(jsonb_build_object('limits.a', pg_temp.adds('t3'), 'limits.b', pg_temp.adds('t3'), 'limits.c', pg_temp.adds('t3')));
RESET deltatx.max_tables_per_transaction;

\echo == files of a table
SET deltatx.max_files_per_table = 5;
SELECT pg_temp.most('SELECT pg_temp.stage_files(%s)');
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('limits.a', pg_temp.adds('f1', 'f2', 'f3') || pg_temp.remove('t1'));
-- Each table has its own count; calls add up; other actions don't count.
SELECT deltatx_stage('limits.b', pg_temp.adds('f1', 'f2', 'f3', 'f4', 'f5'));
SELECT deltatx_stage('limits.a', '[{"txn": {"appId": "x", "version": 1}}]'::jsonb || pg_temp.adds('f4'), extend => true);
SELECT pg_temp.try($$SELECT deltatx_stage('limits.a', pg_temp.adds('f5'), extend => true)$$);
SELECT pg_temp.hint($$SELECT deltatx_stage('limits.a', pg_temp.adds('f5'), extend => true)$$);
SELECT deltatx_stage('limits.a', '[{"txn": {"appId": "y", "version": 1}}]', extend => true);
SELECT count(*) FROM deltatx_commit();
COMMIT;
-- What an overwrite removes doesn't count.
SELECT pg_temp.put('limits.a', pg_temp.adds('o1'), 'overwrite');
SET deltatx.max_files_per_table = 0;
SELECT pg_temp.most('SELECT pg_temp.stage_files(%s)');
RESET deltatx.max_files_per_table;
SELECT pg_temp.try('SELECT pg_temp.stage_files(1000)'), pg_temp.try('SELECT pg_temp.stage_files(1001)');

\echo == actions in all
SET deltatx.max_actions_per_transaction = 5;
SELECT pg_temp.most('SELECT pg_temp.stage_files(%s)'), pg_temp.most('SELECT pg_temp.stage_actions(%s)');
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('limits.a', pg_temp.adds('x1', 'x2', 'x3')), deltatx_stage('limits.b', pg_temp.adds('x1', 'x2'));
SELECT pg_temp.try_stage('limits.c', pg_temp.adds('x1')::text);
SELECT pg_temp.hint($$SELECT deltatx_stage('limits.c', pg_temp.adds('x1'))$$);
SELECT deltatx_rollback();
-- A rollback, also to a savepoint, gives back what was counted.
SELECT deltatx_begin() IS NOT NULL;
SAVEPOINT s;
SELECT deltatx_stage('limits.a', pg_temp.adds('x1', 'x2', 'x3', 'x4', 'x5'));
ROLLBACK TO s;
SELECT deltatx_stage('limits.a', pg_temp.adds('x1', 'x2', 'x3', 'x4', 'x5'));
SELECT deltatx_rollback();
COMMIT;
RESET deltatx.max_actions_per_transaction;

\echo == time
BEGIN;
SELECT deltatx_begin(timeout => '1 ms') IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT pg_temp.try(format('SELECT %s', call)) FROM (VALUES ('deltatx_stage(''limits.a'', ''[]'')'), ('deltatx_read(''limits.a'')'), ('deltatx_validate()'), ('deltatx_commit()')) c (call);
SELECT pg_temp.hint('SELECT deltatx_commit()');
-- It can still be ended, and seen.
SELECT deltatx_transaction_id() IS NOT NULL;
SELECT deltatx_rollback();
SET LOCAL deltatx.transaction_timeout = '1 ms';
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT pg_temp.try('SELECT deltatx_commit()');
-- The transaction's own timeout comes before the setting, and 0 is none.
SELECT deltatx_rollback();
SELECT deltatx_begin(timeout => '0') IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT count(*) FROM deltatx_commit();
SET LOCAL deltatx.transaction_timeout = 0;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT count(*) FROM deltatx_commit();
COMMIT;

\echo == ceilings, which only a superuser moves
SET deltatx.limit_ceiling_tables = 1;
SET deltatx.limit_ceiling_files = 3;
SET deltatx.limit_ceiling_actions = 4;
SET deltatx.max_files_per_table = 10;
SET deltatx.max_actions_per_transaction = 0;
SET deltatx.max_tables_per_transaction = 0;
SELECT pg_temp.try($$SELECT deltatx_commit_batch(jsonb_build_object('limits.a', pg_temp.adds('y'), 'limits.b', pg_temp.adds('y')))$$);
SELECT pg_temp.most('SELECT pg_temp.stage_files(%s)'), pg_temp.most('SELECT pg_temp.stage_actions(%s)');
BEGIN;
SET LOCAL deltatx.limit_ceiling_timeout = '1 ms';
SET LOCAL deltatx.transaction_timeout = 0;
SELECT deltatx_begin(timeout => '1 h') IS NOT NULL;
SELECT pg_sleep(0.01);
SELECT pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_rollback();
COMMIT;
-- A setting below the ceiling counts.
SET deltatx.max_files_per_table = 2;
SELECT pg_temp.most('SELECT pg_temp.stage_files(%s)');
SET ROLE regress_deltatx_limits;
SELECT name, pg_temp.try(format('SET %s = 0', name)) FROM pg_settings WHERE name ~ '^deltatx\.(max_|transaction_|limit_|lock_)' ORDER BY name COLLATE "C";
RESET ROLE;
RESET ALL;

\echo == values
SELECT pg_temp.try(format('SET %s = %L', name, value)) FROM (VALUES ('deltatx.max_files_per_table', '-1'), ('deltatx.max_files_per_table', '2147483648'), ('deltatx.transaction_timeout', '1h'), ('deltatx.transaction_timeout', '-1'),
	('deltatx.lock_timeout', '5min'), ('deltatx.default_isolation', 'serializable'), ('deltatx.default_isolation', 'WriteSerializable'), ('deltatx.default_isolation', 'read_committed'), ('deltatx.hive_paths', 'maybe'), ('deltatx.nosuch', '1')) v (name, value);
RESET ALL;

DROP ROLE regress_deltatx_limits;
SELECT pg_temp.problems();
