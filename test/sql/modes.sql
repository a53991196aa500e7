-- The modes of deltatx_stage: actions, append, overwrite, overwrite_partitions.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('modes.flat');

\echo == actions
SELECT pg_temp.put('modes.flat', pg_temp.adds('a', 'b', 'c'));
SELECT pg_temp.put('modes.flat', pg_temp.remove('a') || pg_temp.adds('d'));
SELECT pg_temp.put('modes.flat', pg_temp.remove('b'));
SELECT pg_temp.put('modes.flat', '[{"txn": {"appId": "modes", "version": 5}}]');
SELECT pg_temp.files('modes.flat');
SELECT pg_temp.history('modes.flat');

\echo == append
SELECT pg_temp.put('modes.flat', pg_temp.adds('e'), 'append');
SELECT pg_temp.try($$SELECT pg_temp.put('modes.flat', pg_temp.adds('f') || pg_temp.remove('e'), 'append')$$);
SELECT pg_temp.try($$SELECT pg_temp.put('modes.flat', '[]', 'append')$$);

\echo == overwrite
SELECT pg_temp.put('modes.flat', pg_temp.adds('g'), 'overwrite');
SELECT pg_temp.files('modes.flat'), pg_temp.files('modes.flat', 5);
-- The log has a remove for each file that went.
SELECT line::jsonb #>> '{remove,path}', line::jsonb #>> '{remove,dataChange}', line::jsonb #>> '{remove,size}'
FROM deltatx_log('modes.flat', 6) line WHERE line LIKE '{"remove%' ORDER BY 1;
-- Nothing to add: it removes all.
SELECT pg_temp.put('modes.flat', '[]', 'overwrite');
SELECT pg_temp.put('modes.flat', '[]', 'overwrite');
SELECT pg_temp.files('modes.flat');
-- A path that went before may come again; one that goes now may not.
SELECT pg_temp.put('modes.flat', pg_temp.adds('a', 'b'));
SELECT pg_temp.put('modes.flat', pg_temp.adds('g'), 'overwrite');
SELECT pg_temp.try($$SELECT pg_temp.put('modes.flat', pg_temp.adds('g'), 'overwrite')$$);
-- An overwrite may also say what it removes.
SELECT pg_temp.put('modes.flat', pg_temp.adds('h', 'i'));
SELECT pg_temp.put('modes.flat', pg_temp.remove('g') || pg_temp.adds('j'), 'overwrite');
SELECT pg_temp.files('modes.flat');
-- It applies to the table as it is at commit: what comes before it, in the same transaction too.
BEGIN;
SELECT pg_temp.put('modes.flat', pg_temp.adds('k'));
SELECT pg_temp.put('modes.flat', pg_temp.adds('l'), 'overwrite');
SELECT pg_temp.put('modes.flat', pg_temp.adds('m'));
COMMIT;
SELECT pg_temp.files('modes.flat');
SELECT operation, operation_parameters FROM deltatx_history('modes.flat', 2);

\echo == extend
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('modes.flat', pg_temp.adds('n'), 'overwrite', extend => true, expected_version => deltatx_version('modes.flat'));
SELECT pg_temp.try(format('SELECT deltatx_stage(''modes.flat'', %s)', arguments)) FROM (VALUES
	($$pg_temp.adds('o'), 'overwrite'$$),
	($$pg_temp.adds('o'), 'append', extend => true$$),
	($$pg_temp.adds('o'), 'overwrite', extend => true$$),
	($$pg_temp.adds('o'), 'overwrite', read_version => 1, expected_version => deltatx_version('modes.flat'), extend => true$$),
	($$pg_temp.adds('o'), 'overwrite', partition_filter => '{}', expected_version => deltatx_version('modes.flat'), extend => true$$),
	($$pg_temp.adds('n'), 'overwrite', expected_version => deltatx_version('modes.flat'), extend => true$$)) a (arguments);
SELECT deltatx_stage('modes.flat', pg_temp.adds('o'), 'overwrite', extend => true, expected_version => deltatx_version('modes.flat'));
SELECT version, files_added, files_removed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('modes.flat');
-- What one call removes, another must not remove or renew; what it adds, another may not remove.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('modes.flat', pg_temp.remove('n') || pg_temp.adds('p'));
SELECT pg_temp.try($$SELECT deltatx_stage('modes.flat', pg_temp.remove('p'), extend => true)$$);
SELECT pg_temp.try($$SELECT deltatx_stage('modes.flat', pg_temp.adds('n'), extend => true)$$);
SELECT deltatx_stage('modes.flat', pg_temp.remove('n'), extend => true);
SELECT pg_temp.try('SELECT deltatx_validate()');
SELECT pg_temp.try('SELECT deltatx_commit()');
SELECT deltatx_rollback();
COMMIT;

\echo == partitions
SELECT pg_temp.make('modes.parts', 'id bigint, day date, region text, hour int', '{day,region,hour}');
SET deltatx.hive_paths = off;
CREATE FUNCTION pg_temp.part(path text, day text, region text, hour text) RETURNS jsonb LANGUAGE sql AS
$$SELECT pg_temp.add(path, jsonb_build_object('partitionValues', jsonb_build_object('day', day, 'region', region, 'hour', hour)))$$;
CREATE FUNCTION pg_temp.fill() RETURNS text LANGUAGE sql AS
$$SELECT pg_temp.put('modes.parts', pg_temp.part('1eu3', '2026-11-01', 'eu', '3') || pg_temp.part('1eu12', '2026-11-01', 'eu', '12')
	|| pg_temp.part('1us3', '2026-11-01', 'us', '3') || pg_temp.part('1us7', '2026-11-01', 'us', '7')
	|| pg_temp.part('2eu3', '2026-11-02', 'eu', '03') || pg_temp.part('2as3', '2026-11-02', 'as', '3')
	|| pg_temp.part('2xx', '2026-11-02', NULL, NULL) || pg_temp.part('0', NULL, NULL, '-5'), 'overwrite')$$;
SELECT pg_temp.fill();
-- What each filter matches; an overwrite with it removes exactly that.
CREATE TABLE pg_temp.filters (i int GENERATED ALWAYS AS IDENTITY, filter jsonb);
INSERT INTO filters (filter) VALUES
	('{}'), ('{"day": "2026-11-01"}'), ('{"day": null}'), ('{"region": null}'), ('{"region": ""}'),
	('{"region": ["eu", "us"]}'), ('{"region": ["eu", null]}'), ('{"region": []}'),
	('{"hour": 3}'), ('{"hour": "3"}'), ('{"hour": "003"}'), ('{"hour": [3, "12"]}'),
	('{"hour": {"gte": 3}}'), ('{"hour": {"gt": 3}}'), ('{"hour": {"lte": 3}}'), ('{"hour": {"lt": 3}}'),
	('{"hour": {"gte": 3, "lt": 12}}'), ('{"hour": {"gt": 3, "gte": 12, "lte": 12}}'),
	('{"region": {"gt": "as", "lt": "us"}}'), ('{"day": {"gte": "2026-11-01", "lt": "2026-11-02"}, "region": "us", "hour": {"gte": 3, "lt": 7}}'),
	('{"day": "2026-11-02", "region": null, "hour": null}');
SELECT filter, pg_temp.files('modes.parts', NULL, filter) FROM filters ORDER BY i;
BEGIN;
DO $$
DECLARE
	f record;
	matched text;
	removed text;
BEGIN
	FOR f IN SELECT * FROM filters ORDER BY i LOOP
		PERFORM pg_temp.fill() WHERE f.i > 1;
		SELECT pg_temp.files('modes.parts', NULL, f.filter) INTO matched;
		PERFORM deltatx_begin();
		PERFORM deltatx_stage('modes.parts', '[]'::jsonb, 'overwrite', partition_filter => f.filter);
		PERFORM deltatx_commit();
		SELECT string_agg(line::jsonb #>> '{remove,path}', ' ' ORDER BY line::jsonb #>> '{remove,path}' COLLATE "C") INTO removed
		FROM deltatx_log('modes.parts', deltatx_version('modes.parts')) line WHERE line LIKE '{"remove%';
		IF removed IS DISTINCT FROM matched THEN
			RAISE WARNING '% matches %, and removed %', f.filter, matched, removed;
		END IF;
		-- The next round adds the same paths: none of them may be live.
		PERFORM pg_temp.put('modes.parts', '[]', 'overwrite');
	END LOOP;
END
$$;
ROLLBACK;
SELECT pg_temp.files('modes.parts');
SELECT filter, pg_temp.try(format('DO $do$ BEGIN PERFORM deltatx_begin(); PERFORM deltatx_stage(''modes.parts'', ''[]''::jsonb, ''overwrite'', partition_filter => %L); PERFORM deltatx_rollback(); END $do$', filter))
FROM (VALUES ('[]'), ('5'), ('null'), ('{"id": 1}'), ('{"nosuch": 1}'), ('{"Day": "2026-11-01"}'), ('{"day": "today"}'), ('{"day": 5}'), ('{"day": "2026-02-30"}'),
	('{"hour": "three"}'), ('{"hour": 1.5}'), ('{"hour": 99999999999}'), ('{"hour": true}'), ('{"hour": [[3]]}'), ('{"hour": {"eq": 3}}'), ('{"hour": {}}'),
	('{"hour": {"gte": null}}'), ('{"hour": {"gte": [3]}}'), ('{"hour": {"gte": "x"}}')) f (filter);
SELECT pg_temp.try($$SELECT deltatx_files('modes.parts', partition_filter => '{"nosuch": 1}')$$);
SELECT pg_temp.try(format('SELECT deltatx_stage(''modes.parts'', ''[]''::jsonb, %L, partition_filter => ''{}'')', mode)) FROM (VALUES ('actions'), ('append'), ('overwrite_partitions')) m (mode);
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.try(format('SELECT deltatx_stage(''modes.parts'', ''[]''::jsonb, %L, partition_filter => ''{}'')', mode)) FROM (VALUES ('actions'), ('append'), ('overwrite_partitions')) m (mode);
-- Adds must lie within the filter.
SELECT pg_temp.try($$SELECT deltatx_stage('modes.parts', pg_temp.part('new', '2026-11-03', 'eu', '1'), 'overwrite', partition_filter => '{"day": "2026-11-01"}')$$);
SELECT deltatx_stage('modes.parts', pg_temp.part('new', '2026-11-01', 'eu', '1'), 'overwrite', partition_filter => '{"day": "2026-11-01"}');
SELECT version, files_added, files_removed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.files('modes.parts');
SELECT operation_parameters FROM deltatx_history('modes.parts', 1);

\echo == overwrite_partitions
SELECT pg_temp.put('modes.parts', pg_temp.part('n1', '2026-11-02', 'eu', '3') || pg_temp.part('n2', '2026-11-02', 'eu', '3')
	|| pg_temp.part('n3', '2026-11-02', NULL, NULL) || pg_temp.part('n4', '2026-12-24', 'no', '0'), 'overwrite_partitions');
SELECT pg_temp.files('modes.parts');
SELECT operation_parameters FROM deltatx_history('modes.parts', 1);
SELECT pg_temp.try($$SELECT pg_temp.put('modes.parts', '[]', 'overwrite_partitions')$$);
SELECT pg_temp.try($$SELECT pg_temp.put('modes.parts', pg_temp.part('n1', '2026-11-02', 'eu', '3'), 'overwrite_partitions')$$);

\echo == append-only tables
SELECT pg_temp.make('modes.only', 'id bigint, p text', '{p}', '{"delta.appendOnly": true}');
SELECT pg_temp.put('modes.only', pg_temp.add('a', '{"partitionValues": {"p": "1"}}'), mode) FROM (VALUES ('append')) m (mode);
SELECT pg_temp.try(format($$SELECT pg_temp.put('modes.only', pg_temp.add('b', '{"partitionValues": {"p": "1"}}'), %L)$$, mode)) FROM (VALUES ('overwrite'), ('overwrite_partitions')) m (mode);
SELECT pg_temp.try($$SELECT pg_temp.put('modes.only', pg_temp.remove('a'))$$);
-- Rows may be rearranged.
SELECT pg_temp.put('modes.only', pg_temp.remove('a', '{"dataChange": false}') || pg_temp.add('b', '{"partitionValues": {"p": "1"}, "dataChange": false}'));
-- The transaction that lifts the ban may use it.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_alter_table('modes.only', set_properties => '{"delta.appendOnly": false}');
SELECT deltatx_stage('modes.only', '[]', 'overwrite', extend => true);
SELECT version, files_added, files_removed FROM deltatx_commit();
COMMIT;

SELECT pg_temp.problems();
