-- Partition values: types, directories, filters.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all
SET deltatx.hive_paths = off;

\echo == values and types
-- A table with one partition column, and a file with one value.
CREATE FUNCTION pg_temp.partitioned(type text, value text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format($f$
		SELECT deltatx_create_table('action_values', 'file:///nowhere/action_values', 'id bigint, p %s', '{p}');
		SELECT deltatx_begin();
		SELECT deltatx_stage('action_values', %L) $f$, type,
		json_build_object('add', json_build_object('path', 'a', 'partitionValues', json_build_object('p', value),
			'size', 1, 'modificationTime', 1, 'dataChange', true))))
$$;
SELECT type, value, pg_temp.partitioned(type, value) FROM (VALUES
	('bigint', '-9223372036854775808'), ('bigint', '9223372036854775808'), ('bigint', '007'), ('bigint', '+7'), ('bigint', '7.0'), ('bigint', ' 7'), ('bigint', '-'),
	('integer', '2147483647'), ('integer', '-2147483649'), ('smallint', '32767'), ('smallint', '32768'), ('byte', '-128'), ('byte', '128'),
	('boolean', 'true'), ('boolean', 'false'), ('boolean', 'TRUE'), ('boolean', '1'),
	('float', '1.5'), ('float', '1e39'), ('double', '1e39'), ('double', '1e999'), ('double', 'NaN'), ('double', '-Infinity'), ('double', 'inf'), ('double', '0x1p3'), ('double', '1.0E10'), ('double', '.'),
	('decimal(5,2)', '999.99'), ('decimal(5,2)', '-1.5'), ('decimal(5,2)', '1.500'), ('decimal(5,2)', '1.505'), ('decimal(5,2)', '1000'), ('decimal(5,2)', '1e2'), ('decimal(5,2)', '1.'),
	('decimal(38,0)', repeat('9', 38)), ('decimal(38,0)', '1' || repeat('0', 38)),
	('date', '2024-02-29'), ('date', '2026-02-29'), ('date', '2026-2-8'), ('date', '0000-01-01'), ('date', '2026-01-01T'),
	('timestamp', '2026-01-01 12:30:00'), ('timestamp', '2026-01-01 12:30:00.123456'), ('timestamp', '2026-01-01T12:30:00.000000Z'),
	('timestamp', '2026-01-01T12:30:00'), ('timestamp', '2026-01-01 12:30:00Z'), ('timestamp', '2026-01-01T12:30:00+00:00'), ('timestamp', '2026-01-01'),
	('timestamp', '2026-01-01 24:00:00'), ('timestamp', '2026-01-01 12:30:00.'), ('timestamp', '2026-01-01 12:30:00.1234567'),
	('timestamp_ntz', '2026-01-01 12:30:00.5'), ('timestamp_ntz', '2026-01-01T12:30:00Z'),
	('text', 'any "thing"'), ('text', ''), ('text', NULL), ('binary', E'\u0001\u00ff'), ('bigint', ''), ('bigint', NULL),
	('bigint NOT NULL', NULL), ('text NOT NULL', '')
) typed (type, value);

\echo == columns
SELECT 1 FROM deltatx_create_table('action_parts', 'file:///nowhere/action_parts', 'id bigint, day date, n integer, s text', '{day,n,s}');
CREATE FUNCTION pg_temp.staged(partition_values text, path text = 'a') RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format('SELECT deltatx_begin(); SELECT deltatx_stage(''action_parts'', %L)',
		'{"add":{"path":' || to_json(path) || ',"partitionValues":' || partition_values || ',"size":1,"modificationTime":1,"dataChange":true}}'))
$$;
SELECT given, pg_temp.staged(given) FROM (VALUES
	('{"day":"2026-11-01","n":"1","s":"x"}'), ('{"s":null,"n":null,"day":null}'), ('{}'), ('{"day":"2026-11-01","n":"1"}'),
	('{"day":"2026-11-01","n":"1","s":"x","t":"y"}'), ('{"Day":"2026-11-01","n":"1","s":"x"}'),
	('{"day":"2026-11-01","n":1,"s":"x"}'), ('{"day":"2026-11-01","n":"1","n":"1","s":"x"}'), ('[]'), ('"{}"')
) columns (given);

\echo == directories
SET deltatx.hive_paths = error;
SELECT path, s, pg_temp.staged(json_build_object('day', '2026-11-01', 'n', '7', 's', s)::text, path) FROM (VALUES
	('day=2026-11-01/n=7/s=x/f', 'x'), ('s=x/n=007/day=2026-11-01/f', 'x'), ('ab/day=2026-11-01/n=7/s=x/f', 'x'), ('file:///t/day=2026-11-01/n=7/s=x/f', 'x'),
	('f', 'x'), ('day=2026-11-01/n=7/f', 'x'), ('day=2026-11-01/n=7/s=x', 'x'), ('day=2026-11-02/n=7/s=x/f', 'x'), ('day=2026-11-01/n=7/s=x/s=y/f', 'x'),
	('day=2026-11-01/n=7/s=__HIVE_DEFAULT_PARTITION__/f', NULL), ('day=2026-11-01/n=7/s=__HIVE_DEFAULT_PARTITION__/f', ''), ('day=2026-11-01/n=7/s=/f', ''),
	-- As Spark and as delta-rs write them.
	('day=2026-11-01/n=7/s=a%20b/f', 'a b'), ('day=2026-11-01/n=7/s=a%2520b/f', 'a b'), ('day=2026-11-01/n=7/s=a%2525b/f', 'a%b'), ('day=2026-11-01/n=7/s=a%252520b/f', 'a%20b'),
	('day=2026-11-01/n=7/s=a%253Db/f', 'a=b'), ('day=2026-11-01/n=7/s=ü/f', 'ü'), ('day=2026-11-01/n=7/s=%25C3%25BC/f', 'ü'), ('day=2026-11-01/n=7/s=a+b/f', 'a+b'), ('day=2026-11-01/n=7/s=a%252Bb/f', 'a+b'),
	('day=2026-11-01/n=7/s=a%257Bb%7D/f', 'a{b}')
) paths (path, s);

-- One warning a document.
SET deltatx.hive_paths = warning;
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_parts', E'{"add":{"path":"a","partitionValues":{"day":null,"n":null,"s":null},"size":1,"modificationTime":1,"dataChange":true}}\n{"add":{"path":"b","partitionValues":{"day":null,"n":null,"s":null},"size":1,"modificationTime":1,"dataChange":true}}');
ROLLBACK;
SET deltatx.hive_paths = error;

\echo == new paths
SELECT regexp_replace(deltatx_new_path('action_parts', '{"day":"2026-11-01","n":"7","s":"x"}'), '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '?');
SELECT s, regexp_replace(path, '^day=2026-11-01/n=__HIVE_DEFAULT_PARTITION__/(.*)/part-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}.zstd.parquet', '\1'),
	pg_temp.staged(json_build_object('day', '2026-11-01', 'n', NULL, 's', s)::text, path)
FROM unnest(ARRAY['a b', 'a%b', 'a%20b', 'a=b', 'a/b', 'a:b', 'ü', 'a+b', 'a&b', 'a{b}', E'a\tb', '..', '.', 'a?b#c', 'a\b', '"^`|<>[]', '', NULL]) s,
	deltatx_new_path('action_parts', jsonb_build_object('day', '2026-11-01', 'n', NULL, 's', s), '.zstd.parquet') path;
SELECT deltatx_new_path('action_parts', '{"day":"2026-11-01","n":"1","s":"x"}') = deltatx_new_path('action_parts', '{"day":"2026-11-01","n":"1","s":"x"}');
SELECT pg_temp.outcome(format('SELECT deltatx_new_path(''action_parts'', %L, %L)', given, suffix)) FROM (VALUES
	('{}', '.parquet'), ('{"day":"2026-11-01","n":1,"s":"x"}', '.parquet'), ('{"day":"x","n":"1","s":"x"}', '.parquet'), ('[]', '.parquet'),
	('{"day":null,"n":null,"s":null}', ''), ('{"day":null,"n":null,"s":null}', '/x'), ('{"day":null,"n":null,"s":null}', ' x'), ('{"day":null,"n":null,"s":null}', '%')
) bad (given, suffix);
SELECT 1 FROM deltatx_create_table('action_instants', 'file:///nowhere/action_instants', 'id bigint, t timestamp', '{t}');
SELECT substring(deltatx_new_path('action_instants', jsonb_build_object('t', t)) FROM '[^/]*') FROM (VALUES
	('2026-01-01T12:30:00.5Z'), ('2026-01-01 12:30:00')
) instants (t);

\echo == filters
SET deltatx.hive_paths = off;
SELECT 1 FROM deltatx_create_table('action_filtered', 'file:///nowhere/action_filtered',
	'id bigint, day date, n integer, s text, d decimal(10,2), t timestamp, b boolean, r double', '{day,n,s,d,t,b,r}');
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_filtered', string_agg(json_build_object('add', json_build_object('path', path, 'size', 1, 'modificationTime', 1, 'dataChange', true,
	'partitionValues', json_build_object('day', day, 'n', n, 's', s, 'd', d, 't', t, 'b', b, 'r', r)))::text, E'\n'))
FROM (VALUES
	('one', '2026-11-01', '9', 'a', '1.50', '2026-01-01T00:00:00.000000Z', 'true', '-0.0'),
	('two', '2026-11-02', '10', 'B', '-2', '2026-01-01 00:00:00.5', 'false', 'NaN'),
	('three', '2026-12-01', '010', 'ab', '10', '2026-01-02 00:00:00', NULL, '1e300'),
	('null', NULL, NULL, '', NULL, NULL, NULL, NULL)
) files (path, day, n, s, d, t, b, r);
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT filter, (SELECT string_agg(path, ' ' ORDER BY path) FROM deltatx_files('action_filtered', partition_filter => filter::jsonb)) FROM (VALUES
	('{}'), ('{"day":"2026-11-01"}'), ('{"day":["2026-11-01","2026-12-01"]}'), ('{"day":[]}'), ('{"day":null}'), ('{"day":["2026-11-01",null]}'), ('{"s":""}'),
	('{"n":10}'), ('{"n":"10"}'), ('{"n":{"gt":9}}'), ('{"n":{"gte":9,"lt":10}}'), ('{"n":{"lte":9}}'), ('{"s":{"lt":"a"}}'), ('{"s":{"gte":"a"}}'),
	('{"d":1.5}'), ('{"d":{"lt":1.5}}'), ('{"d":{"gt":-2.01,"lte":10.00}}'), ('{"t":"2026-01-01 00:00:00"}'), ('{"t":{"gt":"2026-01-01T00:00:00Z"}}'),
	('{"b":true}'), ('{"b":"false"}'), ('{"r":0}'), ('{"r":"NaN"}'), ('{"r":{"gt":1e299}}'), ('{"n":10,"s":"ab"}'), ('{"n":10,"s":"a"}')
) filters (filter);
SELECT filter, pg_temp.outcome(format('SELECT count(*) FROM deltatx_files(''action_filtered'', partition_filter => %L)', filter)) FROM (VALUES
	('5'), ('[]'), ('{"x":1}'), ('{"id":1}'), ('{"N":1}'), ('{"n":"x"}'), ('{"n":1.5}'), ('{"n":true}'), ('{"n":3000000000}'), ('{"n":{}}'), ('{"n":{"eq":1}}'), ('{"n":{"GT":1}}'),
	('{"n":{"gt":null}}'), ('{"n":{"gt":[1]}}'), ('{"n":[[1]]}'), ('{"n":[{"gt":1}]}'), ('{"d":1.005}'), ('{"day":"2026-02-30"}'), ('{"t":"2026-01-01"}'), ('{"b":1}')
) bad (filter);
