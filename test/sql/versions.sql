-- What is expected of a table's version, declared or strict, within one session;
-- two sessions are in specs/conflicts.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('versions.a'), pg_temp.make('versions.b');
SELECT pg_temp.put('versions.a', pg_temp.adds('f1')), pg_temp.put('versions.a', pg_temp.adds('f2')), pg_temp.put('versions.a', pg_temp.adds('f3'));

-- One transaction that stages an append with arguments, and its end.
CREATE FUNCTION pg_temp.attempt(arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM deltatx_begin();
	result := pg_temp.try(format('SELECT deltatx_stage(''versions.a'', pg_temp.adds(''new''), %s)', arguments));
	IF result = 'ok' THEN
		result := pg_temp.try('SELECT deltatx_commit()');
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN result;
END
$$;

\echo == expected_version: compare and swap, whatever the actions
SELECT v, mode, pg_temp.attempt(format('%L, expected_version => %s', mode, v)) FROM unnest('{2,3,4}'::int[]) v, unnest('{actions,append,overwrite}'::text[]) mode;
\echo == read_version: nothing may have won since
SELECT v, mode, pg_temp.attempt(format('%L, read_version => %s', mode, v)) FROM unnest('{0,2,3,4}'::int[]) v, unnest('{actions,append,overwrite}'::text[]) mode;
SELECT pg_temp.attempt('read_version => 3, expected_version => 3'), pg_temp.attempt('read_version => 2, expected_version => 3');

\echo == deltatx_read
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_read('versions.a'), deltatx_read('versions.a', 3), deltatx_read('versions.b'), deltatx_read('versions.a', NULL);
SELECT pg_temp.try(format('SELECT deltatx_read(%s)', arguments)) FROM (VALUES
	('NULL'), ($$'versions.nosuch'$$), ($$'versions.a', 4$$), ($$'versions.a', -1$$),
	($$'versions.a', partition_filter => '{}'$$), ($$'versions.a', files => '{f1}'$$), ($$'versions.a', app_ids => '{app}'$$)) a (arguments);
SELECT deltatx_stage('versions.b', pg_temp.adds('x'));
SELECT table_name, version FROM deltatx_commit();
COMMIT;
-- Who read it is recorded beside who wrote it.
SELECT read_versions, versions FROM deltatx.dl_transactions WHERE transaction_id = (SELECT transaction_id FROM deltatx_history('versions.b', 1));
-- The oldest of several reads counts; of a table that is written, too.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_read('versions.a', 3), deltatx_read('versions.a', 2), deltatx_read('versions.a', 3);
SELECT deltatx_stage('versions.b', pg_temp.adds('y'));
SELECT pg_temp.try('SELECT deltatx_validate()'), pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_rollback();
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_read('versions.a', 2), deltatx_stage('versions.a', pg_temp.adds('y'), read_version => 3);
SELECT pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_rollback();
COMMIT;

\echo == a declared read is no blind append
SELECT pg_temp.put('versions.b', pg_temp.adds('blind'));
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('versions.b', pg_temp.adds('seeing'), read_version => 2);
SELECT version FROM deltatx_commit();
COMMIT;
SELECT pg_temp.history('versions.b');
SELECT line::jsonb #> '{commitInfo,readVersion}' FROM deltatx_log('versions.b', 3) line WHERE line LIKE '{"commitInfo%';

\echo == two transactions in one of PostgreSQL
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('versions.a', pg_temp.adds('t1'), read_version => 3);
SELECT version FROM deltatx_commit();
-- The first one's version is a version like others.
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('versions.a', pg_temp.adds('t2'), read_version => 3);
SELECT pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_rollback();
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('versions.a', pg_temp.adds('t2') || pg_temp.remove('t1'), read_version => 4);
SELECT version FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('versions.a'), deltatx_version('versions.a');
-- Staged first, overtaken by itself: an alter in between that commits at once is another transaction's.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('versions.a', pg_temp.adds('t3'));
SELECT pg_temp.try($$SELECT deltatx_alter_table('versions.a', description => 'x')$$);
SELECT deltatx_alter_table('versions.b', description => 'x');
SELECT table_name, version FROM deltatx_commit();
COMMIT;

\echo == other winners: applications and domains
SELECT pg_temp.put('versions.b', '[{"txn": {"appId": "app", "version": 7}}, {"domainMetadata": {"domain": "d", "configuration": "1", "removed": false}}]');
SELECT deltatx_app_version('versions.b', 'app'), deltatx_app_version('versions.b', 'other'), deltatx_app_version('versions.a', 'app');
-- An application may go back, by an action of its own.
SELECT pg_temp.put('versions.b', '[{"txn": {"appId": "app", "version": 5}}, {"domainMetadata": {"domain": "d", "configuration": "", "removed": true}}]');
SELECT deltatx_app_version('versions.b', 'app');
SELECT pg_temp.try(format('SELECT deltatx_app_version(%s)', arguments)) FROM (VALUES ($$NULL, 'app'$$), ($$'versions.b', NULL$$), ($$'versions.nosuch', 'app'$$)) a (arguments);

SELECT pg_temp.problems();
