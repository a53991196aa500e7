-- Reading: files, history, log, version, and the views.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all
SET timezone = 'UTC';
SET datestyle = 'ISO';

SELECT pg_temp.make('reading.t', 'id bigint, day date', '{day}');
SET deltatx.hive_paths = off;
CREATE FUNCTION pg_temp.day(path text, day text, more jsonb = '{}') RETURNS jsonb LANGUAGE sql AS
$$SELECT pg_temp.add(path, jsonb_build_object('partitionValues', jsonb_build_object('day', day)) || more)$$;
SELECT pg_temp.put('reading.t', pg_temp.day('a', '2026-11-01', '{"stats": "{\"numRecords\": 5, \"minValues\": {\"id\": 1}}", "size": 100}') || pg_temp.day('b', '2026-11-02') || pg_temp.day('s3://elsewhere/c', NULL));
SELECT pg_temp.put('reading.t', pg_temp.remove('a') || pg_temp.day('d', '2026-11-01'));
SELECT deltatx_alter_table('reading.t', add_columns => 'note text');
SELECT pg_temp.put('reading.t', pg_temp.day('e', '2026-11-03'), 'overwrite');
SELECT pg_temp.put('reading.t', pg_temp.day('a', '2026-11-01'));

\echo == files now
SELECT path, size, partition_values, num_records, stats, modification_time, deletion_vector, added_version, replace(uri, pg_temp.lake(''), 'lake/') AS uri, action FROM deltatx_files('reading.t') ORDER BY path;
\echo == files at a version
SELECT v, pg_temp.files('reading.t', v) FROM generate_series(0, 5) v;
SELECT path, added_version, num_records, stats, replace(uri, pg_temp.lake(''), 'lake/') FROM deltatx_files('reading.t', 1) ORDER BY path;
SELECT v, pg_temp.try(format('SELECT deltatx_files(''reading.t'', %s)', v)) FROM (VALUES ('-1'), ('6'), ('9223372036854775807')) v (v);
\echo == by partition
SELECT v, filter, pg_temp.files('reading.t', v, filter::jsonb) FROM (VALUES (1, '{"day": "2026-11-01"}'), (1, '{"day": null}'), (2, '{"day": {"gte": "2026-11-02"}}'), (NULL, '{"day": ["2026-11-01", "2026-11-02"]}')) f (v, filter);
-- The filter may come from a row, as the name and the version may.
SELECT filter, path FROM (VALUES ('{"day": "2026-11-01"}'::jsonb), ('{"day": "2026-11-02"}'), ('{"day": null}')) f (filter), deltatx_files('reading.t', 1, partition_filter => filter) ORDER BY 1, 2;
SELECT pg_temp.make('reading.other'), pg_temp.put('reading.other', pg_temp.adds('o'));
SELECT name, path FROM (VALUES ('reading.t'), ('reading.other')) n (name), deltatx_files(name) ORDER BY 1, 2;
SELECT v, string_agg(path, ' ' ORDER BY path) FROM generate_series(1, 3) v, deltatx_files('reading.t', v) GROUP BY v ORDER BY v;
\echo == as of a time
SELECT commit_timestamp AS t2 FROM deltatx_history('reading.t') WHERE version = 2 \gset
SELECT deltatx_version('reading.t', :'t2'), deltatx_version('reading.t', :'t2'::timestamptz - interval '1 us'), deltatx_version('reading.t', :'t2'::timestamptz + interval '999 us'), deltatx_version('reading.t', 'infinity'), deltatx_version('reading.t', NULL);
SELECT string_agg(path, ' ' ORDER BY path) FROM deltatx_files('reading.t', as_of => :'t2');
SELECT string_agg(path, ' ' ORDER BY path) FROM deltatx_files('reading.t', as_of => '9999-01-01');
\set VERBOSITY terse
SELECT deltatx_version('reading.t', '2020-01-01');
SELECT count(*) FROM deltatx_files('reading.t', as_of => '2020-01-01');
SELECT deltatx_version('reading.t', '-infinity');
SELECT deltatx_version('reading.t', '4713-01-01 BC');
\set VERBOSITY default
SELECT pg_temp.try($$SELECT deltatx_version('reading.t', '2020-01-01')$$) LIKE '22023 VersionNotFound | reading.t | %';
-- Both: the version it is.
SELECT string_agg(path, ' ' ORDER BY path) FROM deltatx_files('reading.t', 1, 'infinity');

\echo == history
SELECT version, operation, operation_parameters, user_name = current_user, files_added, files_removed, is_blind_append FROM deltatx_history('reading.t');
SELECT version, commit_timestamp > lag(commit_timestamp) OVER (ORDER BY version), transaction_id IS NOT NULL FROM deltatx_history('reading.t', 3);
SELECT count(*) FROM deltatx_history('reading.t', 0);
SELECT pg_temp.try($$SELECT deltatx_history('reading.t', -1)$$);

\echo == log
-- Without what differs from run to run.
CREATE FUNCTION pg_temp.log(table_name text, version bigint) RETURNS SETOF text LANGUAGE sql AS
$$SELECT regexp_replace(pg_temp.stable_part(line), '("(timestamp|inCommitTimestamp|createdTime|deletionTimestamp)":)\d+', '\1<time>', 'g') FROM deltatx_log(table_name, version) line$$;
-- What an overwrite removes is in no particular order.
SELECT v, line FROM generate_series(0, 5) v, pg_temp.log('reading.t', v) WITH ORDINALITY l (line, i)
ORDER BY v, line LIKE '{"add%', line LIKE '{"remove%', CASE WHEN line LIKE '{"remove%' THEN line END COLLATE "C", i;
SELECT pg_temp.try(format('SELECT deltatx_log(%s)', arguments)) FROM (VALUES ($$'reading.t', 6$$), ($$'reading.t', -1$$), ($$'reading.nosuch', 0$$), ('NULL, 0')) a (arguments);
SELECT count(*) > 0 FROM deltatx_log('reading.t', NULL);
-- In-commit timestamps are those of the history, and come first.
SELECT bool_and((line::jsonb #>> '{commitInfo,inCommitTimestamp}')::bigint = extract(epoch FROM h.commit_timestamp) * 1000)
FROM deltatx_history('reading.t') h, deltatx_log('reading.t', h.version) WITH ORDINALITY l (line, i) WHERE i = 1;

\echo == names that are not there
SELECT pg_temp.try(format('SELECT %s', call)) FROM (VALUES ('deltatx_files(''reading.nosuch'')'), ('deltatx_files(NULL)'), ('deltatx_files(''reading.nosuch'', 1)'), ('deltatx_history(''reading.nosuch'')'), ('deltatx_history(NULL)'),
	('deltatx_version(''reading.nosuch'')'), ('deltatx_version(NULL)'), ('deltatx_log(''Reading.t'', 0)')) c (call);

\echo == the own transaction
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('reading.t', pg_temp.day('f', '2026-11-01') || pg_temp.remove('a'));
SELECT pg_temp.files('reading.t'), pg_temp.files('reading.t', 5), pg_temp.files('reading.t', NULL, '{"day": "2026-11-01"}'), deltatx_version('reading.t');
SELECT version FROM deltatx_commit();
SELECT pg_temp.files('reading.t'), pg_temp.files('reading.t', 6), pg_temp.files('reading.t', NULL, '{"day": "2026-11-01"}'), deltatx_version('reading.t'), deltatx_version('reading.t', 'infinity');
SELECT count(*) FROM deltatx_log('reading.t', 6);
ROLLBACK;
SELECT pg_temp.files('reading.t');
SELECT pg_temp.try($$SELECT deltatx_log('reading.t', 6)$$);

\echo == within one query all is of one moment
SELECT deltatx_version('reading.t'), pg_temp.put('reading.t', pg_temp.day('g', NULL)), (SELECT count(*) FROM deltatx_files('reading.t'));
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT deltatx_version('reading.t');
SELECT pg_temp.files('reading.t');
COMMIT;

\echo == views
SELECT table_name, current_version, files, bytes, partition_columns, schema #>> '{fields,0,name}' FROM deltatx.tables WHERE table_name LIKE 'reading.%' ORDER BY 1;
SELECT count(*) = 7 FROM deltatx.transactions WHERE 'reading.t' = ANY (table_names);
SELECT table_name, current_version, state IN ('idle', 'pending'), attempts, error_class FROM deltatx.mirror WHERE table_name LIKE 'reading.%' ORDER BY 1;
-- What nobody asked for is not read: path and size come from the live set alone.
CREATE FUNCTION pg_temp.relations_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	result text[];
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		result := result || substring(line, ' on (dl_live_files|dl_add_files|dl_remove_files|dl_table_versions)\M');
	END LOOP;
	RETURN (SELECT string_agg(DISTINCT relation, ' ') FROM unnest(result) relation);
END
$$;
SELECT pg_temp.relations_of('SELECT path, size FROM deltatx.live_files WHERE table_id = 1');
SELECT pg_temp.relations_of($$SELECT path, size FROM deltatx_files('reading.t')$$);

\echo == values that jsonb can not hold
SELECT pg_temp.make('reading.odd');
SELECT pg_temp.put('reading.odd', pg_temp.add('a', '{"stats": "{\"maxValues\": {\"s\": \"\\u0000\"}}"}') || pg_temp.add('b', '{"stats": "{\"maxValues\": {\"d\": 1e999999}}"}') || pg_temp.add('c', '{"stats": "{\"maxValues\": {\"s\": \"\\\\u0000\"}}"}'));
SELECT path, stats, action IS NOT NULL FROM deltatx_files('reading.odd') ORDER BY path;
-- Only numbers are judged as such, and not what looks like them within a string.
SELECT pg_temp.put('reading.odd', pg_temp.add('part-00000-7e123456-1e99999.parquet', '{"stats": "{\"maxValues\": {\"s\": \"7e123456\", \"d\": -1.5E+3}}"}') || pg_temp.add(repeat('7', 2000)));
SELECT left(path, 40), stats, action #>> '{add,path}' = path FROM deltatx_files('reading.odd') WHERE added_version = 2 ORDER BY path;
SELECT line::json #>> '{add,stats}' FROM deltatx_log('reading.odd', 1) line WHERE line LIKE '{"add%';

SELECT pg_temp.problems();
