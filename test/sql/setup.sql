-- The extension itself: where it goes, what it refuses, that it comes and goes.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

-- The database of the tests has it.
SELECT extname, nspname, extrelocatable FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE extname = 'deltatx';

-- Its functions go where one likes, the catalog into deltatx only.
BEGIN;
DROP EXTENSION deltatx;
SELECT count(*) FROM pg_namespace WHERE nspname = 'deltatx';
SELECT count(*) FROM pg_proc WHERE proname LIKE 'deltatx%';
CREATE SCHEMA lake;
CREATE EXTENSION deltatx SCHEMA lake;
SELECT pronamespace::regnamespace, count(*) > 20 FROM pg_proc WHERE proname LIKE 'deltatx\_%' GROUP BY 1;
SELECT 'made' FROM lake.deltatx_create_table('moved', pg_temp.lake('moved'), 'id bigint');
SELECT lake.deltatx_version('moved');
SELECT pg_temp.try('ALTER EXTENSION deltatx SET SCHEMA public');
ROLLBACK;

-- A schema deltatx that somebody made before us is not adopted.
BEGIN;
DROP EXTENSION deltatx;
CREATE SCHEMA deltatx;
SELECT pg_temp.try('CREATE EXTENSION deltatx');
SELECT pg_temp.try('CREATE EXTENSION deltatx SCHEMA deltatx');
ROLLBACK;

-- Without the extension, functions that are left over say what is missing.
BEGIN;
CREATE FUNCTION pg_temp.begin() RETURNS uuid LANGUAGE c AS 'deltatx', 'deltatx_transaction_id';
CREATE FUNCTION pg_temp.version(text, timestamptz) RETURNS bigint LANGUAGE c AS 'deltatx', 'deltatx_version';
DROP EXTENSION deltatx;
SELECT pg_temp.begin();
\set VERBOSITY terse
SELECT pg_temp.version('orders', NULL);
ROLLBACK;
