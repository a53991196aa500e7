-- Keys and application versions within one session; concurrent ones are in specs/keys.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('idempotency.a'), pg_temp.make('idempotency.b');
-- A whole attempt: how it begins, what it stages for a and for b, how it ends.
CREATE FUNCTION pg_temp.attempt(arguments text, a text, b text = NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	replayed boolean;
	result text;
BEGIN
	EXECUTE format('SELECT deltatx_begin(%s)', arguments);
	replayed := deltatx_replayed();
	IF b IS NOT NULL THEN
		PERFORM deltatx_stage('idempotency.b', b);
	END IF;
	IF a IS NOT NULL THEN
		PERFORM deltatx_stage('idempotency.a', a);
	END IF;
	SELECT string_agg(format('%s %s +%s%s', table_name, version, files_added, CASE WHEN c.replayed THEN ' replayed' END), ', ') INTO result FROM deltatx_commit() c;
	RETURN concat_ws(' ', CASE WHEN replayed THEN '(seen at begin)' END, coalesce(result, 'no tables'));
END
$$;

\echo == keys
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, pg_temp.adds('f1')::text, pg_temp.adds('f1')::text);
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, pg_temp.adds('f1')::text, pg_temp.adds('f1')::text);
-- The result is that of the first one, whatever came since.
SELECT pg_temp.attempt('', pg_temp.adds('f2')::text);
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, pg_temp.adds('f1')::text, pg_temp.adds('f1')::text);
SELECT commit_timestamp = (SELECT commit_timestamp FROM deltatx_history('idempotency.b', 1)) FROM (SELECT deltatx_begin(idempotency_key => 'k1')) b, deltatx_commit() LIMIT 1;
-- A caller that saw it coming stages nothing.
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, NULL);
-- The same content, however it is written down.
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, '{"add": {"dataChange": true, "size":10,   "path": "f1", "partitionValues": {}, "modificationTime": 5, "stats": "{}"}}', (pg_temp.adds('f1') -> 0)::text);
-- Other content: another path, size, kind or table, one table less, nothing at all, or the calls' order.
SELECT pg_temp.try(format('SELECT pg_temp.attempt($k$idempotency_key => ''k1''$k$, %L, %L)', a, b)) FROM (VALUES
	(pg_temp.adds('f9'), pg_temp.adds('f1')), (pg_temp.add('f1', '{"size": 11}'), pg_temp.adds('f1')), (pg_temp.remove('f1'), pg_temp.adds('f1')), (pg_temp.adds('f1', 'f2'), pg_temp.adds('f1')), (pg_temp.adds('f1'), NULL)) c (a, b);
SELECT pg_temp.try($$SELECT deltatx_begin(idempotency_key => 'k1'), deltatx_stage('idempotency.a', pg_temp.adds('f1'), 'append'), deltatx_stage('idempotency.b', pg_temp.adds('f1')), deltatx_commit()$$);
SELECT pg_temp.try($$SELECT deltatx_begin(idempotency_key => 'k1', on_replay => 'error')$$);
-- deltatx_rollback() gives the key back, and so does ROLLBACK; a key that was replayed it leaves alone.
BEGIN;
SELECT deltatx_begin(idempotency_key => 'k2') IS NOT NULL;
SELECT deltatx_rollback();
SELECT pg_temp.attempt($$idempotency_key => 'k2'$$, pg_temp.adds('f3')::text);
ROLLBACK;
SELECT pg_temp.attempt($$idempotency_key => 'k2'$$, pg_temp.adds('f3')::text);
SELECT deltatx_begin(idempotency_key => 'k2') IS NOT NULL, deltatx_rollback();
SELECT pg_temp.attempt($$idempotency_key => 'k2'$$, pg_temp.adds('f3')::text);
-- Twice in one transaction of PostgreSQL.
BEGIN;
SELECT pg_temp.attempt($$idempotency_key => 'k3'$$, pg_temp.adds('f4')::text);
SELECT pg_temp.attempt($$idempotency_key => 'k3'$$, pg_temp.adds('f4')::text);
ROLLBACK;
-- In a savepoint that is undone.
BEGIN;
SAVEPOINT s;
SELECT pg_temp.attempt($$idempotency_key => 'k3'$$, pg_temp.adds('f4')::text);
ROLLBACK TO s;
SELECT pg_temp.attempt($$idempotency_key => 'k3'$$, pg_temp.adds('f5')::text);
COMMIT;
-- A transaction that wrote nothing has a key all the same.
SELECT pg_temp.attempt($$idempotency_key => 'k4'$$, NULL);
SELECT pg_temp.attempt($$idempotency_key => 'k4'$$, NULL);
SELECT pg_temp.try($$SELECT pg_temp.attempt('idempotency_key => ''k4''', pg_temp.adds('f6')::text)$$);
-- A replay checks its input, but needs neither the table nor room in it.
BEGIN;
SELECT deltatx_begin(idempotency_key => 'k2') IS NOT NULL;
SELECT pg_temp.try_stage('idempotency.a', '{"add": {"path": 5}}'), pg_temp.try_stage('idempotency.nosuch', pg_temp.adds('x')::text);
SELECT deltatx_read('idempotency.a'), deltatx_validate();
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT pg_temp.history('idempotency.a');
-- Dropped since: the first result all the same.
BEGIN;
SELECT deltatx_drop_table('idempotency.b');
SELECT pg_temp.attempt($$idempotency_key => 'k1'$$, pg_temp.adds('f1')::text, pg_temp.adds('f1')::text);
ROLLBACK;
-- The longest key there may be, and odd ones.
SELECT pg_temp.attempt(format('idempotency_key => %L', key), pg_temp.adds('odd' || n)::text) FROM (VALUES (1, repeat('k', 1024)), (2, ' '), (3, 'K1'), (4, 'Zürich/日'), (5, ''';--')) k (n, key);

\echo == changes of a table are content, too
CREATE FUNCTION pg_temp.alter_and_add(key text, columns text, path text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin(idempotency_key => key);
	PERFORM deltatx_alter_table('idempotency.b', add_columns => columns);
	PERFORM deltatx_stage('idempotency.b', pg_temp.adds(path), extend => true);
	RETURN (SELECT version || CASE WHEN replayed THEN ' replayed' ELSE '' END FROM deltatx_commit());
END
$$;
SELECT pg_temp.alter_and_add('alter', 'note text', 'altered');
SELECT pg_temp.alter_and_add('alter', 'note text', 'altered');
SELECT pg_temp.try($$SELECT pg_temp.alter_and_add('alter', 'other text', 'altered')$$);
SELECT pg_temp.try($$SELECT pg_temp.alter_and_add('alter', 'note text', 'another')$$);

\echo == in one call
SELECT table_name, version, replayed FROM deltatx_commit_batch(jsonb_build_object('idempotency.a', pg_temp.adds('b1')), idempotency_key => 'k5');
SELECT table_name, version, replayed FROM deltatx_commit_batch(jsonb_build_object('idempotency.a', pg_temp.adds('b1'))::text, idempotency_key => 'k5');
SELECT pg_temp.try($$SELECT deltatx_commit_batch(jsonb_build_object('idempotency.a', pg_temp.adds('b2')), idempotency_key => 'k5')$$);

\echo == versions of an application
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 5$$, pg_temp.adds('v5')::text, pg_temp.adds('v5')::text);
SELECT deltatx_app_version('idempotency.a', 'etl'), deltatx_app_version('idempotency.b', 'etl');
SELECT line::jsonb -> 'txn' ->> 'version' FROM deltatx_log('idempotency.a', deltatx_version('idempotency.a')) line WHERE line LIKE '{"txn%';
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 5$$, pg_temp.adds('v5')::text, pg_temp.adds('v5')::text);
-- An earlier one was overtaken, whatever it brings.
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 4$$, pg_temp.adds('v4')::text);
SELECT pg_temp.try($$SELECT pg_temp.attempt('app_id => ''etl'', app_version => 5', pg_temp.adds('v6')::text)$$);
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 7$$, pg_temp.adds('v7')::text);
SELECT deltatx_app_version('idempotency.a', 'etl'), deltatx_app_version('idempotency.b', 'etl');
-- Between two that were committed.
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 6$$, pg_temp.adds('v6')::text);
SELECT pg_temp.try($$SELECT pg_temp.attempt('app_id => ''etl'', app_version => 7, on_replay => ''error''', NULL)$$);
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 0$$, NULL), pg_temp.attempt($$app_id => 'ETL', app_version => 0$$, pg_temp.adds('v0')::text);
-- The txn action is ours to write.
SELECT pg_temp.try($$SELECT pg_temp.attempt('app_id => ''etl'', app_version => 8', '{"txn": {"appId": "etl", "version": 8}}')$$);
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 8$$, '{"txn": {"appId": "other", "version": 8}}');
-- A table that is past it without this role's doing.
SELECT pg_temp.put('idempotency.b', '[{"txn": {"appId": "etl", "version": 20}}]');
SELECT pg_temp.try($$SELECT pg_temp.attempt('app_id => ''etl'', app_version => 9', NULL, pg_temp.adds('v9')::text)$$);
SELECT pg_temp.attempt($$app_id => 'etl', app_version => 9$$, pg_temp.adds('v9')::text);
-- Both: a key, and an application's version.
SELECT pg_temp.attempt($$idempotency_key => 'both', app_id => 'etl', app_version => 10$$, pg_temp.adds('v10')::text);
SELECT pg_temp.attempt($$idempotency_key => 'both', app_id => 'etl', app_version => 10$$, pg_temp.adds('v10')::text);
SELECT pg_temp.attempt($$idempotency_key => 'fresh', app_id => 'etl', app_version => 10$$, pg_temp.adds('v10')::text);
SELECT pg_temp.try($$SELECT pg_temp.attempt('idempotency_key => ''both'', app_id => ''etl'', app_version => 11', pg_temp.adds('v11')::text)$$);
SELECT idempotency_key FROM deltatx.dl_idempotency_keys WHERE idempotency_key IN ('both', 'fresh');

\echo == keys belong to roles
CREATE ROLE regress_deltatx_keys IN ROLE pg_write_server_files;
GRANT regress_deltatx_keys TO CURRENT_USER;
SET ROLE regress_deltatx_keys;
SELECT pg_temp.make('idempotency.theirs');
SELECT table_name, version, replayed FROM deltatx_commit_batch(jsonb_build_object('idempotency.theirs', pg_temp.adds('b1')), idempotency_key => 'k5');
SELECT table_name, version, replayed FROM deltatx_commit_batch(jsonb_build_object('idempotency.theirs', pg_temp.adds('b1')), idempotency_key => 'k5');
RESET ROLE;
SELECT deltatx_drop_table('idempotency.theirs');
DROP ROLE regress_deltatx_keys;

SELECT pg_temp.files('idempotency.a'), pg_temp.files('idempotency.b');
SELECT pg_temp.problems();
