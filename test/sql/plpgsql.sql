-- From functions, procedures, DO blocks, cursors, triggers, prepared statements;
-- in autocommit; not in parallel workers.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('plpgsql.a'), pg_temp.make('plpgsql.b');
CREATE TABLE plpgsql_progress (path text);

\echo == autocommit: a statement that begins and commits
SELECT pg_temp.put('plpgsql.a', pg_temp.adds('f1'));
SELECT version FROM (SELECT deltatx_begin()) b, LATERAL (SELECT deltatx_stage('plpgsql.a', pg_temp.adds('f2'))) s, LATERAL deltatx_commit();
DO $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('plpgsql.a', pg_temp.adds('f3'));
	INSERT INTO plpgsql_progress VALUES ('f3');
	PERFORM deltatx_commit();
END
$$;
-- The caller's rows and the table's files: both or neither.
SELECT pg_temp.try($try$DO $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('plpgsql.a', pg_temp.adds('f4'));
	INSERT INTO plpgsql_progress VALUES ('f4');
	PERFORM deltatx_commit();
	RAISE division_by_zero;
END
$$$try$);
SELECT pg_temp.files('plpgsql.a'), (SELECT string_agg(path, ' ') FROM plpgsql_progress);

\echo == functions that share a transaction
CREATE FUNCTION plpgsql_stage(path text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO plpgsql_progress VALUES (path);
	RETURN deltatx_stage('plpgsql.b', pg_temp.adds(path), extend => true);
END
$$;
CREATE FUNCTION plpgsql_nested(paths text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM deltatx_begin(operation => 'NESTED');
	PERFORM plpgsql_stage(path) FROM unnest(paths) path;
	SELECT table_name || ' ' || version INTO result FROM deltatx_commit();
	RETURN result;
END
$$;
SELECT plpgsql_nested('{n1,n2,n3}');
SELECT pg_temp.try($$SELECT plpgsql_nested('{n4,n1}')$$);
SELECT pg_temp.files('plpgsql.b'), count(*) FROM plpgsql_progress;
-- SECURITY DEFINER and a search_path of its own.
CREATE FUNCTION plpgsql_definer(path text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM public.deltatx_begin();
	PERFORM public.deltatx_stage('plpgsql.b', pg_temp.adds(path));
	RETURN (SELECT version FROM public.deltatx_commit());
END
$$;
SELECT plpgsql_definer('definer');
SHOW search_path;

\echo == procedures with COMMIT
CREATE PROCEDURE plpgsql_each(paths text[]) LANGUAGE plpgsql AS $$
DECLARE
	path text;
BEGIN
	FOREACH path IN ARRAY paths LOOP
		PERFORM deltatx_begin();
		PERFORM deltatx_stage('plpgsql.b', pg_temp.adds(path));
		PERFORM deltatx_commit();
		IF path = 'c2' THEN
			ROLLBACK;
		ELSE
			COMMIT;
		END IF;
	END LOOP;
END
$$;
CALL plpgsql_each('{c1,c2,c3}');
SELECT pg_temp.files('plpgsql.b');
CREATE PROCEDURE plpgsql_open(path text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('plpgsql.b', pg_temp.adds(path));
	COMMIT;
	RAISE NOTICE 'not reached';
END
$$;
\set VERBOSITY terse
CALL plpgsql_open('never');
\set VERBOSITY default
SELECT deltatx_transaction_id();
CREATE PROCEDURE plpgsql_dropped(path text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('plpgsql.b', pg_temp.adds(path));
	ROLLBACK;
	RAISE NOTICE 'open after ROLLBACK: %', deltatx_transaction_id();
END
$$;
CALL plpgsql_dropped('never');
SELECT pg_temp.files('plpgsql.b');

\echo == cursors
BEGIN;
DECLARE before CURSOR FOR SELECT path FROM deltatx_files('plpgsql.a') ORDER BY path;
FETCH 1 FROM before;
SELECT deltatx_begin() IS NOT NULL;
DECLARE beside CURSOR FOR SELECT path FROM deltatx_files('plpgsql.a') ORDER BY path;
SELECT deltatx_stage('plpgsql.a', pg_temp.adds('f5') || pg_temp.remove('f2'));
FETCH 1 FROM beside;
DECLARE result CURSOR FOR SELECT version, files_added FROM deltatx_commit();
FETCH ALL FROM result;
-- They show the table as it was when they were opened.
FETCH ALL FROM before;
FETCH ALL FROM beside;
COMMIT;
SELECT pg_temp.files('plpgsql.a');
DO $$
DECLARE
	f record;
BEGIN
	PERFORM deltatx_begin();
	FOR f IN SELECT path FROM deltatx_files('plpgsql.a') LOOP
		PERFORM deltatx_stage('plpgsql.a', pg_temp.remove(f.path), extend => true);
	END LOOP;
	PERFORM deltatx_stage('plpgsql.a', pg_temp.adds('compacted'), extend => true);
	PERFORM deltatx_commit();
END
$$;
SELECT pg_temp.files('plpgsql.a');
-- A cursor that outlives its transaction.
BEGIN;
DECLARE holding CURSOR WITH HOLD FOR SELECT path FROM deltatx_files('plpgsql.a');
COMMIT;
FETCH ALL FROM holding;
CLOSE holding;

\echo == prepared statements, and tables that change under them
PREPARE files (text) AS SELECT path, added_version FROM deltatx_files($1) ORDER BY 1;
PREPARE put (text, text) AS SELECT pg_temp.put($1, pg_temp.adds($2));
SET plan_cache_mode = force_generic_plan;
EXECUTE put ('plpgsql.a', 'e1');
EXECUTE files ('plpgsql.a');
EXECUTE files ('plpgsql.b');
SELECT deltatx_rename_table('plpgsql.a', 'plpgsql.z');
EXECUTE files ('plpgsql.z');
EXECUTE files ('plpgsql.a');
EXECUTE put ('plpgsql.z', 'e2');
EXECUTE files ('plpgsql.z');
RESET plan_cache_mode;
DEALLOCATE ALL;
DISCARD PLANS;
SELECT pg_temp.put('plpgsql.z', pg_temp.adds('e3'));

\echo == triggers and deferred constraints
CREATE FUNCTION plpgsql_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('plpgsql.z', pg_temp.adds('row-' || NEW.path));
	PERFORM deltatx_commit();
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER each_row AFTER INSERT ON plpgsql_progress DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plpgsql_trigger();
BEGIN;
INSERT INTO plpgsql_progress VALUES ('r1'), ('r2');
SELECT deltatx_version('plpgsql.z');
COMMIT;
SELECT deltatx_version('plpgsql.z');
DROP TRIGGER each_row ON plpgsql_progress;

\echo == not in parallel workers
CREATE FUNCTION plpgsql_liar() RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS $$
BEGIN
	PERFORM deltatx_begin();
	RETURN 'begun';
END
$$;
-- The setting's name before PostgreSQL 16, and since.
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
\set VERBOSITY terse
SELECT plpgsql_liar();
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
\set VERBOSITY default
SELECT deltatx_transaction_id();

\echo == transactions that only read
BEGIN READ ONLY;
SELECT deltatx_version('plpgsql.z');
SELECT pg_temp.files('plpgsql.b');
SELECT pg_temp.try(format('SELECT %s', call)) FROM (VALUES ('deltatx_begin()'), ('deltatx_commit_batch(''{}''::jsonb)'), ('deltatx_drop_table(''plpgsql.z'')'), ('deltatx_rename_table(''plpgsql.z'', ''x'')'),
	('deltatx_alter_table(''plpgsql.z'', ''x int'')'), ('deltatx_create_table(''plpgsql.x'', pg_temp.lake(''plpgsql/x''), ''id int'')')) c (call);
COMMIT;

DROP TABLE plpgsql_progress;
DROP FUNCTION plpgsql_stage, plpgsql_nested, plpgsql_definer, plpgsql_trigger, plpgsql_liar;
DROP PROCEDURE plpgsql_each, plpgsql_open, plpgsql_dropped;
SELECT pg_temp.problems();
