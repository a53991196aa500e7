-- Savepoints, subtransactions, errors: memory and rows share one fate.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('savepoints.a'), pg_temp.make('savepoints.b');
SELECT pg_temp.put('savepoints.a', pg_temp.adds('base'));

\echo == ROLLBACK TO drops what was staged since, and nothing else
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a1'));
SAVEPOINT s1;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a2'), extend => true);
SELECT deltatx_stage('savepoints.b', pg_temp.adds('b1'));
SAVEPOINT s2;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a3') || pg_temp.remove('base'), extend => true);
ROLLBACK TO s2;
-- The path is free again, the file back.
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a3'), extend => true);
ROLLBACK TO s1;
SELECT deltatx_stage('savepoints.b', pg_temp.adds('b2'));
RELEASE s1;
SELECT table_name, version, files_added, files_removed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('savepoints.a'), pg_temp.files('savepoints.b');

\echo == begun in a savepoint
BEGIN;
SAVEPOINT s;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('lost'));
ROLLBACK TO s;
SELECT deltatx_transaction_id();
SELECT pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a4'));
RELEASE s;
SELECT version FROM deltatx_commit();
COMMIT;

\echo == what was ended after a savepoint is open again
BEGIN;
SELECT deltatx_begin() AS id \gset
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a5'));
SAVEPOINT s;
SELECT version FROM deltatx_commit();
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.b', pg_temp.adds('never'));
SELECT version FROM deltatx_commit();
SELECT deltatx_version('savepoints.a'), deltatx_version('savepoints.b');
ROLLBACK TO s;
SELECT deltatx_transaction_id() = :'id', deltatx_version('savepoints.a'), deltatx_version('savepoints.b');
SELECT deltatx_stage('savepoints.b', pg_temp.adds('b3'));
SAVEPOINT t;
SELECT deltatx_rollback();
SELECT deltatx_transaction_id();
ROLLBACK TO t;
SELECT table_name, version FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('savepoints.a'), pg_temp.files('savepoints.b');
-- Reopened, and left so: an error.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('lost'));
SAVEPOINT s;
SELECT version FROM deltatx_commit();
ROLLBACK TO s;
\set VERBOSITY sqlstate
COMMIT;
\set VERBOSITY default

\echo == declared reads, modes and expectations follow
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SAVEPOINT s;
SELECT deltatx_read('savepoints.a', 0);
SELECT deltatx_stage('savepoints.b', '[]', 'overwrite', expected_version => 99);
ROLLBACK TO s;
SELECT deltatx_stage('savepoints.b', pg_temp.adds('b4'), 'append');
SELECT version FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('savepoints.b');

\echo == a failed statement
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a6'));
SAVEPOINT s;
-- Its first files are rows by then, and go with it.
SELECT deltatx_stage('savepoints.a', pg_temp.adds('x1', 'x2', 'base'), extend => true);
ROLLBACK TO s;
SELECT deltatx_stage('savepoints.b', '{"add": {"path": "x"}}');
ROLLBACK TO s;
SELECT 1 / 0;
ROLLBACK TO s;
SELECT version, files_added FROM deltatx_commit();
COMMIT;
-- Without a savepoint all is lost, and the session is as new.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('lost'));
SELECT 1 / 0;
SELECT deltatx_commit();
ROLLBACK;
SELECT deltatx_transaction_id();
SELECT pg_temp.put('savepoints.a', pg_temp.adds('a7'));
-- A commit that fails takes itself back, and may be tried again.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_read('savepoints.b', 0);
SELECT deltatx_stage('savepoints.a', pg_temp.adds('a8'));
SAVEPOINT s;
SELECT deltatx_commit();
ROLLBACK TO s;
SELECT deltatx_transaction_id() IS NOT NULL;
SELECT deltatx_rollback();
COMMIT;

\echo == a forgotten end
\set VERBOSITY terse
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
COMMIT;
\echo :LAST_ERROR_SQLSTATE
CREATE TEMP TABLE kept (i int);
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('savepoints.a', pg_temp.adds('lost'));
INSERT INTO kept VALUES (1);
COMMIT;
SELECT count(*) FROM kept;
-- Also what was begun by itself, in autocommit.
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_begin(), deltatx_stage('savepoints.a', pg_temp.adds('lost'));
\set VERBOSITY default
SELECT deltatx_transaction_id();
SELECT pg_temp.files('savepoints.a');

\echo == PL/pgSQL exception blocks
DO $$
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('savepoints.a', pg_temp.adds('p1'));
	FOR i IN 1..3 LOOP
		BEGIN
			PERFORM deltatx_stage('savepoints.a', pg_temp.adds('p' || i + 1, 'base'), extend => true);
		EXCEPTION WHEN unique_violation THEN
			RAISE NOTICE '% %', i, SQLERRM;
		END;
	END LOOP;
	BEGIN
		PERFORM deltatx_stage('savepoints.a', pg_temp.adds('p2'), extend => true);
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	BEGIN
		PERFORM deltatx_commit();
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE 'open again: %', deltatx_transaction_id() IS NOT NULL;
	END;
	PERFORM deltatx_stage('savepoints.a', pg_temp.adds('p5'), extend => true);
	PERFORM deltatx_commit();
END
$$;
SELECT pg_temp.files('savepoints.a');
-- Retry what another transaction's version refused.
DO $$
DECLARE
	seen bigint := 0;
BEGIN
	LOOP
		BEGIN
			PERFORM deltatx_begin();
			PERFORM deltatx_stage('savepoints.a', pg_temp.adds('retried'), expected_version => seen);
			PERFORM deltatx_commit();
			EXIT;
		EXCEPTION WHEN serialization_failure THEN
			seen := seen + 1;
		END;
	END LOOP;
	RAISE NOTICE 'committed on top of %', seen;
END
$$;

\echo == many subtransactions
BEGIN;
DO $$
BEGIN
	PERFORM deltatx_begin();
	FOR i IN 1..300 LOOP
		BEGIN
			PERFORM deltatx_stage('savepoints.b', pg_temp.adds('m' || i), extend => true);
			IF i % 3 > 0 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT version, files_added FROM deltatx_commit();
COMMIT;
SELECT files FROM deltatx.tables WHERE table_name = 'savepoints.b';

\echo == PREPARE TRANSACTION
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
\set VERBOSITY sqlstate
PREPARE TRANSACTION 'savepoints';
\set VERBOSITY default
SELECT pg_temp.problems();
