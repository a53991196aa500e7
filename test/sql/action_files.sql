-- Files of a table: paths, deletion vectors, what the table forbids.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all
SELECT 1 FROM deltatx_create_table('action_files', 'file:///nowhere/action_files', 'id bigint');
SELECT 1 FROM deltatx_create_table('action_vectors', 'file:///nowhere/action_vectors', 'id bigint', properties => '{"delta.enableDeletionVectors": "true"}');
SELECT 1 FROM deltatx_create_table('action_frozen', 'file:///nowhere/action_frozen', 'id bigint', properties => '{"delta.appendOnly": "true"}');

CREATE FUNCTION pg_temp.staged(name text, document text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.outcome(format('SELECT deltatx_begin(); SELECT deltatx_stage(%L, %L)', name, document))$$;
CREATE FUNCTION pg_temp.add(path text, members text = '') RETURNS text LANGUAGE sql AS
	$$SELECT '{"add":{"path":' || to_json(path) || ',"partitionValues":{},"size":1,"modificationTime":1,"dataChange":true' || members || '}}'$$;

\echo == paths
SELECT path, pg_temp.staged('action_files', pg_temp.add(path)) FROM (VALUES
	('a.parquet'), ('p=a%20b/f'), ('p=a%2525b/f'), ('p=ü/f'), ('p=%C3%BC/f'), ('p=a+b/f'), ('p=a&b/f'), ('a''(b)*!~;@=$,'),
	('x/a:b'), ('.hidden'), ('...'), ('_delta_logs/x'), ('s3://bucket/k'), ('file:///a/b'), ('file:/a/b'), ('az://c@a.net/k'),
	(''), ('a b'), ('a%'), ('a%2'), ('a%zz'), ('a%00'), ('a%0a'), (E'a\tb'), (E'a\u00a0b'), (E'a\u2028b'), ('a%FF'), ('a%c3'),
	('/a'), ('//a/b'), ('a//b'), ('a/'), ('./a'), ('../a'), ('a/../b'), ('a/..'), ('a/%2e%2E/b'), ('a%2f..%2fb'), ('a%2F'),
	('_delta_log/x'), ('%5Fdelta_log/x'), ('%5fdelta%5flog/x'), ('x/_delta_log/y'), ('s3://b/t/_delta_log/x'), ('_change_data/x'), ('_change%5Fdata/x'),
	('a:b'), ('p=1:2/f'), ('s3:'), ('s3://b'), ('s3://b/'), ('s3://b/../c'), ('mailto:a'),
	('a{b'), ('a|b'), ('a#b'), ('a?b'), ('a\b'), ('a[b]'), ('a^b'), ('a"b'), ('a<b>'), ('a`b')
) paths (path);
SELECT pg_temp.staged('action_files', '{"remove":{"path":"../a"}}');

\echo == deletion vectors
SELECT vector, pg_temp.staged('action_vectors', pg_temp.add('a', ',"stats":"{\"numRecords\":5}","deletionVector":' || vector)) FROM (VALUES
	('{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"u","pathOrInlineDv":"^-aqEH.-t@S}K{vb[*k^","offset":null,"sizeInBytes":40,"cardinality":0,"maxRowIndex":3}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/deletion_vector.bin","offset":4,"sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":37,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":36,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L","sizeInBytes":41,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b=","offset":1,"sizeInBytes":4,"cardinality":5}'),
	('{"storageType":"i","pathOrInlineDv":"wi5b","sizeInBytes":4,"cardinality":5}'),
	('{"storageType":"u","pathOrInlineDv":"../^-aqEH.-t@S}K{vb[*k^","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"u","pathOrInlineDv":"-aqEH.-t@S}K{vb[*k^","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"u","pathOrInlineDv":"#####H.-t@S}K{vb[*k^","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"u","pathOrInlineDv":"^-aqEH.-t@S K{vb[*k^","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"p","pathOrInlineDv":"deletion_vector.bin","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"x","pathOrInlineDv":"a","sizeInBytes":40,"cardinality":5}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":40,"cardinality":6}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":0,"cardinality":5}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":2147483648,"cardinality":5}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/d","offset":-1,"sizeInBytes":1,"cardinality":5}'),
	('{"pathOrInlineDv":"s3://b/d","sizeInBytes":1,"cardinality":5}'), ('{"storageType":"p","sizeInBytes":1,"cardinality":5}'),
	('{"storageType":"p","pathOrInlineDv":"s3://b/d","cardinality":5}'), ('{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":1}'),
	('[]'), ('null')
) vectors (vector);
SELECT pg_temp.staged('action_vectors', pg_temp.add('a', ',"deletionVector":{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":1,"cardinality":5}'));
SELECT pg_temp.staged('action_files', pg_temp.add('a', ',"stats":"{\"numRecords\":5}","deletionVector":{"storageType":"p","pathOrInlineDv":"s3://b/d","sizeInBytes":1,"cardinality":5}'));

\echo == append-only tables, change data
SELECT pg_temp.staged('action_frozen', '{"remove":{"path":"a"}}');
SELECT pg_temp.staged('action_files', '{"cdc":{"path":"_change_data/a","partitionValues":{},"size":1,"dataChange":false}}');
SELECT pg_temp.staged('action_files', '{"cdc":{"path":"_change_data/a","partitionValues":{},"size":1,"dataChange":true}}');

\echo == NOT NULL within structs
SELECT 1 FROM deltatx_create_table('action_nested', 'file:///nowhere/action_nested',
	'id bigint, s struct<a: int NOT NULL, b: int> NOT NULL, n struct<a: int NOT NULL>');
SELECT counts, pg_temp.staged('action_nested', pg_temp.add('a', ',"stats":' || to_json('{"numRecords":5,"nullCount":' || counts || '}'))) FROM (VALUES
	('{"id":5,"s":{"a":0,"b":5},"n":{"a":5}}'), ('{"s":{"a":1}}'), ('{"s":1}'), ('{"s":{"a":null},"x":{"y":1}}'), ('null'), ('{"s":{"a":"1"}}'), ('5')
) null_counts (counts);

\echo == what is published
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_vectors', $$
{"commitInfo":{"operation":"MERGE","operationParameters":{"text":"a\"b","number":1.50,"list":[1, {"x" : "y"}],"nothing":null},"operationMetrics":{"numFiles":3},"userMetadata":"ü","tags":{"k":"v"},"engineInfo":"other","version":7}}
{"add":{"dataChange":true,"path":"ü/a%20b.parquet","modificationTime":2,"partitionValues":{ },"size":1,"stats":"{\"numRecords\": 5, \"minValues\":{\"id\":\"\\u0000\"}}","tags":{ "b" : "\u0041", "a" : null },"unknown" : [ 1.0 , "two words" , {"c" : null} ],"later":null,"clusteringProvider":null,"baseRowId":null,"deletionVector":{"storageType":"u", "pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":5}}}
{"add":{"path":"b","partitionValues":{},"size":0,"modificationTime":0,"dataChange":false,"stats":null}}
{"txn":{"appId":"tab\tquote\"back\\slash\u0001\u007f/","version":7,"lastUpdated":null,"more":1}}
{"domainMetadata":{"domain":"mine","configuration":"{\"a\":1}","removed":false}}$$);
SELECT deltatx_stage('action_files', pg_temp.add('c'));
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT line FROM deltatx_log('action_vectors', 1) line WHERE line NOT LIKE '{"commitInfo"%';
SELECT regexp_replace(line, '[0-9]{13}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|deltatx/[0-9.]+', '?', 'g') FROM deltatx_log('action_vectors', 1) line WHERE line LIKE '{"commitInfo"%';
SELECT bool_and(line::json IS NOT NULL) FROM generate_series(0, 1) v, deltatx_log('action_vectors', v) line;

BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_vectors', '[{"remove":{"path":"b"}},{"remove":{"path":"ü/a%20b.parquet","dataChange":false,"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":5}}}]');
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT regexp_replace(line, '[0-9]{13}', '?') FROM deltatx_log('action_vectors', 2) line WHERE line NOT LIKE '{"commitInfo"%';

-- The same actions as jsonb.
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_files', '[{"add":{"path":"d","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true,"stats":"{\"numRecords\": 5}","tags":{"b":"\u0041","a":null},"unknown":[1.0,"two words",{"c":null}]}}]'::jsonb);
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT line FROM deltatx_log('action_files', 2) line WHERE line NOT LIKE '{"commitInfo"%';
