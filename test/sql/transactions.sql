-- A transaction's functions, one after the other.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('transactions.a'), pg_temp.make('transactions.b'), pg_temp.make('transactions.c');

\echo == nothing open
SELECT deltatx_transaction_id();
SELECT pg_temp.try(format('SELECT %s', call)) FROM (VALUES
	('deltatx_stage(''transactions.a'', ''[]''::jsonb)'), ('deltatx_read(''transactions.a'')'), ('deltatx_validate()'),
	('deltatx_commit()'), ('deltatx_rollback()'), ('deltatx_replayed()')) c (call);

\echo == one group
BEGIN;
SELECT deltatx_begin() AS id \gset
SELECT deltatx_transaction_id() = :'id', deltatx_replayed();
SELECT deltatx_stage('transactions.b', pg_temp.adds('b1'));
SELECT deltatx_stage('transactions.a', pg_temp.adds('a1', 'a2'));
SELECT deltatx_stage('transactions.c', pg_temp.adds('c1'));
-- Staged is not committed: nobody sees it, the own session neither.
SELECT deltatx_version('transactions.a'), count(*) FROM deltatx_files('transactions.a');
SELECT files FROM deltatx.tables WHERE table_name = 'transactions.a';
SELECT deltatx_validate();
-- By name, one stamp for the group.
SELECT table_name, version, files_added, files_removed, replayed, commit_timestamp = max(commit_timestamp) OVER () AS one_stamp,
	commit_timestamp = date_trunc('milliseconds', commit_timestamp) AS in_ms
FROM deltatx_commit();
SELECT deltatx_transaction_id();
SELECT pg_temp.files('transactions.a');
COMMIT;
SELECT pg_temp.files('transactions.a'), pg_temp.files('transactions.b'), pg_temp.files('transactions.c');
SELECT count(DISTINCT commit_timestamp), bool_and(transaction_id = :'id')
FROM (VALUES ('transactions.a'), ('transactions.b'), ('transactions.c')) t (name), deltatx_history(name, 1);
SELECT table_names, versions, user_name = current_user FROM deltatx.transactions WHERE transaction_id = :'id';
-- Each table's log names all participants.
SELECT p.value ->> 'version' FROM deltatx_log('transactions.b', 1) line,
	jsonb_array_elements(line::jsonb #> '{commitInfo,deltatx,participants}') p WHERE line LIKE '{"commitInfo%';

\echo == nested
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.try('SELECT deltatx_begin()');
SELECT pg_temp.try($$SELECT deltatx_commit_batch('{"transactions.a": []}'::jsonb)$$);
SELECT deltatx_rollback();
SELECT pg_temp.try('SELECT deltatx_commit()');
COMMIT;

\echo == a transaction that writes nothing
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT * FROM deltatx_commit();
COMMIT;
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_read('transactions.a');
SELECT * FROM deltatx_commit();
COMMIT;
SELECT pg_temp.history('transactions.a');

\echo == roll back
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('transactions.a', pg_temp.adds('a3') || pg_temp.remove('a1'));
SELECT deltatx_rollback();
SELECT pg_temp.problems();
-- The same path again: the first attempt has left nothing.
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('transactions.a', pg_temp.adds('a3') || pg_temp.remove('a1'));
SELECT table_name, version, files_added, files_removed, replayed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('transactions.a');
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('transactions.a', pg_temp.adds('a4'));
SELECT version FROM deltatx_commit();
ROLLBACK;
SELECT pg_temp.files('transactions.a'), deltatx_version('transactions.a');

\echo == documents: jsonb, json, text
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('transactions.a', pg_temp.adds('d1', 'd2'));
SELECT deltatx_stage('transactions.a', pg_temp.adds('d3', 'd4')::json, extend => true);
SELECT deltatx_stage('transactions.a', pg_temp.adds('d5', 'd6')::text, extend => true);
SELECT deltatx_stage('transactions.a', (SELECT string_agg(a::text, E'\n') FROM jsonb_array_elements(pg_temp.adds('d7', 'd8')) a), extend => true);
SELECT deltatx_stage('transactions.a', (SELECT string_agg(a::text, E'\r\n') || E'\n\n' FROM jsonb_array_elements(pg_temp.adds('d9', 'd10')) a), extend => true);
SELECT deltatx_stage('transactions.a', pg_temp.adds('d11') -> 0, extend => true);
SELECT deltatx_stage('transactions.a', (pg_temp.adds('d12') -> 0)::text, extend => true);
SELECT deltatx_stage('transactions.a', jsonb_pretty(pg_temp.adds('d13') -> 0), extend => true);
-- An untyped literal is text.
SELECT deltatx_stage('transactions.a', '{"add":{"path":"d14","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}
{"add":{"path":"d15","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}', extend => true);
SELECT version, files_added FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('transactions.a');

\echo == arguments
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.try(format('SELECT deltatx_stage(%s)', arguments)) FROM (VALUES
	($$NULL, '[]'$$), ($$'transactions.a', NULL::jsonb$$), ($$'transactions.a', NULL::text$$), ($$'transactions.a', NULL::json$$),
	($$'transactions.nosuch', '[]'$$), ($$'Transactions.a', '[]'$$), ($$'', '[]'$$),
	($$'transactions.a', pg_temp.adds('x'), 'upsert'$$), ($$'transactions.a', pg_temp.adds('x'), 'APPEND'$$), ($$'transactions.a', pg_temp.adds('x'), ''$$),
	($$'transactions.a', '[]'$$), ($$'transactions.a', ''$$), ($$'transactions.a', ' '$$), ($$'transactions.a', '[]'::jsonb$$),
	($$'transactions.a', '[]', 'append'$$), ($$'transactions.a', '[{"commitInfo": {"operation": "NOTHING"}}]'$$),
	($$'transactions.a', pg_temp.adds('x'), read_version => 9$$), ($$'transactions.a', pg_temp.adds('x'), read_version => -5$$),
	($$'transactions.a', pg_temp.adds('x'), read_version => -1$$), ($$'transactions.a', pg_temp.adds('x'), expected_version => -1$$),
	($$'transactions.a', pg_temp.adds('x'), partition_filter => '{}'$$),
	($$'transactions.a', pg_temp.adds('x'), 'overwrite', partition_filter => '{"id": 1}'$$),
	($$'transactions.a', pg_temp.adds('x'), 'overwrite_partitions'$$),
	($$'transactions.a', pg_temp.adds('x'), operation_parameters => '[]'$$), ($$'transactions.a', pg_temp.adds('x'), enforced => '{NULL}'$$),
	($$'transactions.a', pg_temp.adds('x'), enforced => '{nosuch}'$$)) a (arguments);
SELECT count(*) FROM deltatx_commit();
SELECT pg_temp.try(format('SELECT deltatx_begin(%s)', arguments)) FROM (VALUES
	($$'read committed'$$), ($$isolation => ''$$), ($$timeout => '-1 s'$$), ($$timeout => '1 month'$$), ($$timeout => '25 days'$$),
	($$idempotency_key => ''$$), ($$idempotency_key => repeat('k', 1025)$$), ($$app_id => 'a'$$), ($$app_version => 1$$),
	($$app_id => '', app_version => 1$$), ($$app_id => 'a', app_version => -1$$), ($$priority => 1$$), ($$on_replay => 'ignore'$$)) a (arguments);
COMMIT;
-- Every spelling of the isolation levels, and NULL for all that has a default.
SELECT pg_temp.try(format('DO $do$ BEGIN PERFORM deltatx_begin(%L); PERFORM deltatx_rollback(); END $do$', level)) FROM (VALUES
	('serializable'), ('write_serializable'), ('snapshot_isolation'), ('Serializable'), ('WriteSerializable'), ('SnapshotIsolation')) l (level);
SELECT pg_temp.try('DO $$ BEGIN PERFORM deltatx_begin(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL); PERFORM deltatx_rollback(); END $$');

\echo == isolation of transaction, table, setting
SELECT deltatx_alter_table('transactions.c', set_properties => '{"delta.isolationLevel": "Serializable"}');
SELECT pg_temp.put('transactions.c', pg_temp.adds('c2'));
SET deltatx.default_isolation = snapshot_isolation;
SELECT pg_temp.put('transactions.c', pg_temp.adds('c3'));
SELECT pg_temp.put('transactions.b', pg_temp.adds('b2'));
RESET deltatx.default_isolation;
SELECT pg_temp.put('transactions.b', pg_temp.adds('b3'));
BEGIN;
SELECT deltatx_begin('snapshot_isolation') IS NOT NULL;
SELECT deltatx_stage('transactions.c', pg_temp.adds('c4'));
SELECT version FROM deltatx_commit();
COMMIT;
SELECT name, v, line::jsonb #>> '{commitInfo,isolationLevel}'
FROM (VALUES ('transactions.b', 2), ('transactions.b', 3), ('transactions.c', 3), ('transactions.c', 4), ('transactions.c', 5)) t (name, v), deltatx_log(name, v) line
WHERE line LIKE '{"commitInfo%';

\echo == what commitInfo says
BEGIN;
SELECT deltatx_begin(operation => 'NIGHTLY', user_metadata => 'run 7') IS NOT NULL;
SELECT deltatx_stage('transactions.a', pg_temp.adds('i1'));
SELECT deltatx_stage('transactions.b', pg_temp.adds('i1'), operation => 'LOAD', operation_parameters => '{"rows": 5, "deep": {"er": [1]}, "text": "x", "none": null}');
SELECT deltatx_stage('transactions.c', '[{"commitInfo": {"operation": "MERGE", "operationParameters": {"predicate": "a = b", "n": 1}, "operationMetrics": {"numTargetRowsInserted": "4", "n": 5}, "userMetadata": "theirs", "tags": {"k": "v"}, "timestamp": 1, "version": 99, "engineInfo": "liar"}}]'::jsonb || pg_temp.adds('i1'));
SELECT table_name FROM deltatx_commit();
COMMIT;
SELECT name, (line::jsonb -> 'commitInfo') - '{timestamp,inCommitTimestamp,txnId,deltatx,engineInfo}'::text[],
	line::jsonb #>> '{commitInfo,engineInfo}' LIKE 'deltatx/%'
FROM (VALUES ('transactions.a'), ('transactions.b'), ('transactions.c')) t (name), deltatx_log(name, deltatx_version(name)) line
WHERE line LIKE '{"commitInfo%' ORDER BY name;
SELECT operation, operation_parameters FROM deltatx_history('transactions.b', 1);

\echo == in one call
SELECT table_name, version, files_added, files_removed, replayed
FROM deltatx_commit_batch(jsonb_build_object('transactions.b', pg_temp.adds('e1'), 'transactions.a', pg_temp.adds('e1', 'e2')));
SELECT table_name, version, files_added, files_removed, replayed
FROM deltatx_commit_batch(jsonb_build_object('transactions.a', jsonb_build_object('actions', pg_temp.adds('e3'), 'mode', 'overwrite',
	'expected_version', deltatx_version('transactions.a'), 'read_version', deltatx_version('transactions.a'), 'operation', 'REWRITE',
	'operation_parameters', '{"why": "test"}'::jsonb, 'enforced', '[]'::jsonb))::text, 'serializable', 'transactions-batch', 'IGNORED');
SELECT pg_temp.files('transactions.a');
SELECT operation, operation_parameters FROM deltatx_history('transactions.a', 1);
SELECT pg_temp.try(format('SELECT deltatx_commit_batch(%s)', arguments)) FROM (VALUES
	('NULL::jsonb'), ('NULL::text'), ($$'{}'$$), ($$'[]'$$), ($$'5'::jsonb$$), ($$'{'$$),
	($$'{"transactions.a": {}}'$$), ($$'{"transactions.a": 5}'$$), ($$'{"transactions.a": []}'$$), ($$'{"transactions.nosuch": []}'$$),
	($$'{"transactions.a": {"actions": 5}}'$$), ($$'{"transactions.a": {"actions": [], "mode": "merge"}}'$$),
	($$'{"transactions.a": {"actions": [], "mode": 5}}'$$), ($$'{"transactions.a": {"actions": [], "read_version": "5"}}'$$),
	($$'{"transactions.a": {"actions": [], "read_version": 1e99}}'$$), ($$'{"transactions.a": {"actions": [], "read_version": 1.5}}'$$),
	($$'{"transactions.a": {"actions": [], "expected_version": -1}}'$$), ($$'{"transactions.a": [], "transactions.a": []}'$$), ($$'{"transactions.a": {"actions": [], "actions": []}}'$$), ($$'{"transactions.a": {"actions": [], "enforced": 5}}'$$),
	($$'{"transactions.a": {"actions": [], "enforced": [5]}}'$$), ($$'{"transactions.a": {"actions": [], "nosuch": 5}}'$$),
	($$'{"transactions.a": {"actions": [], "operation_parameters": 5}}'$$), ($$'{"transactions.a": []}', 'nosuch'$$)) a (arguments);
-- All or nothing.
SELECT pg_temp.try($$SELECT deltatx_commit_batch(jsonb_build_object('transactions.b', pg_temp.adds('f1'), 'transactions.c', pg_temp.adds('c1')))$$);
SELECT pg_temp.files('transactions.b') LIKE '%f1%';

\echo == paths
SELECT pg_temp.make('transactions.p', 'id bigint, day date, s text', '{day,s}');
SELECT regexp_replace(deltatx_new_path('transactions.p', v), 'part-[0-9a-f-]{36}', 'part-<uuid>') FROM (VALUES
	('{"day": "2026-11-01", "s": "eu"}'::jsonb), ('{"day": null, "s": ""}'), ('{"day": null, "s": "a/b c%d=é"}')) p (v);
SELECT regexp_replace(deltatx_new_path('transactions.a', suffix => '.c000.zstd.parquet'), 'part-[0-9a-f-]{36}', 'part-<uuid>');
SELECT regexp_replace(deltatx_new_path('transactions.a', suffix => ''), 'part-[0-9a-f-]{36}', 'part-<uuid>');
SELECT count(DISTINCT deltatx_new_path('transactions.a')) FROM generate_series(1, 100);
SELECT pg_temp.try(format('SELECT deltatx_new_path(%s)', arguments)) FROM (VALUES
	('NULL'), ($$'transactions.nosuch'$$), ($$'transactions.a', suffix => '/x'$$), ($$'transactions.a', suffix => '/../x'$$), ($$'transactions.a', suffix => ' x'$$),
	($$'transactions.p', '[]'$$), ($$'transactions.p', '{"day": 5}'$$), ($$'transactions.p', '{"day": "yesterday", "s": null}'$$), ($$'transactions.p', '{"day": null, "s": null, "nosuch": "1"}'$$), ($$'transactions.p'$$)) a (arguments);
-- What it makes, stage takes, and finds no fault with the directories.
SET deltatx.hive_paths = error;
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('transactions.p', (SELECT jsonb_agg(pg_temp.add(deltatx_new_path('transactions.p', v), jsonb_build_object('partitionValues', v)) -> 0)
FROM (VALUES ('{"day": "2026-11-01", "s": "eu"}'::jsonb), ('{"day": null, "s": null}'), ('{"day": "2026-11-01", "s": "a/b c%d=é:?#[]{}^*''\""}'), ('{"day": "2026-11-01", "s": "__HIVE_DEFAULT_PARTITION__2"}')) p (v)));
SELECT deltatx_rollback();
COMMIT;
RESET deltatx.hive_paths;

SELECT pg_temp.problems();
