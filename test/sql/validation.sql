-- Every field of every action, right and wrong, and what DETAIL says of it; files
-- that come twice, go twice, or come again.  Documents as such, paths, partition
-- values and deletion vectors are in action_*.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('validation.flat', 'id bigint NOT NULL, s struct<a: int NOT NULL, b: int>, note text'),
	pg_temp.make('validation.dv', 'id bigint', properties => '{"delta.enableDeletionVectors": true}');
SELECT pg_temp.put('validation.flat', pg_temp.adds('live'));

-- Stage an action with some members replaced, or left out.
CREATE FUNCTION pg_temp.try_with(table_name text, kind text, base jsonb, members jsonb) RETURNS text LANGUAGE sql AS
$$SELECT pg_temp.try_stage(table_name, jsonb_build_object(kind, (SELECT coalesce(jsonb_object_agg(key, value), '{}')
	FROM jsonb_each(base || members) WHERE value <> '"(none)"'))::text)$$;
CREATE FUNCTION pg_temp.try_add(members jsonb, table_name text = 'validation.flat') RETURNS text LANGUAGE sql AS
$$SELECT pg_temp.try_with(table_name, 'add', '{"path": "new", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true}', members)$$;

BEGIN;
SELECT deltatx_begin() IS NOT NULL;

\echo == add
SELECT members, pg_temp.try_add(members) FROM (VALUES
	('{}'::jsonb), ('{"path": "(none)"}'), ('{"path": ""}'), ('{"path": 5}'), ('{"path": null}'), ('{"path": ["x"]}'),
	('{"partitionValues": "(none)"}'), ('{"partitionValues": null}'), ('{"partitionValues": []}'), ('{"partitionValues": {"id": "1"}}'), ('{"partitionValues": {"x": 1}}'),
	('{"size": "(none)"}'), ('{"size": -1}'), ('{"size": 0}'), ('{"size": 1.5}'), ('{"size": 1.0}'), ('{"size": "1"}'), ('{"size": true}'), ('{"size": null}'),
	('{"size": 9223372036854775807}'), ('{"size": 9223372036854775808}'), ('{"size": 1e400}'),
	('{"modificationTime": "(none)"}'), ('{"modificationTime": -1}'), ('{"modificationTime": "now"}'), ('{"modificationTime": 0}'),
	('{"dataChange": "(none)"}'), ('{"dataChange": 1}'), ('{"dataChange": "true"}'), ('{"dataChange": null}'), ('{"dataChange": false}'),
	('{"tags": {"k": "v", "n": null}}'), ('{"tags": {"k": 5}}'), ('{"tags": []}'), ('{"tags": null}'),
	('{"baseRowId": 5}'), ('{"defaultRowCommitVersion": 5}'), ('{"baseRowId": "x"}'), ('{"baseRowId": null}'),
	('{"clusteringProvider": "liquid"}'), ('{"clusteringProvider": 5}'), ('{"unknown": {"deep": [1, {"er": null}]}}'),
	('{"stats": null}'), ('{"stats": ""}'), ('{"stats": "{}"}'), ('{"stats": "5"}'), ('{"stats": "[]"}'), ('{"stats": "{"}'), ('{"stats": "{} {}"}'), ('{"stats": {"numRecords": 1}}'), ('{"stats": 5}'),
	('{"stats": "{\"numRecords\": 0}"}'), ('{"stats": "{\"numRecords\": -1}"}'), ('{"stats": "{\"numRecords\": 1.5}"}'), ('{"stats": "{\"numRecords\": \"1\"}"}'), ('{"stats": "{\"numRecords\": null}"}'),
	('{"stats": "{\"numRecords\": 1, \"numRecords\": 2}"}'),
	('{"stats": "{\"numRecords\": 3, \"minValues\": {\"id\": 1}, \"nullCount\": {\"id\": 0, \"note\": 3}}"}'),
	('{"stats": "{\"nullCount\": {\"id\": 1}}"}'), ('{"stats": "{\"nullCount\": {\"id\": null}}"}'), ('{"stats": "{\"nullCount\": {\"id\": \"1\"}}"}'), ('{"stats": "{\"nullCount\": {\"nosuch\": 1}}"}'),
	('{"stats": "{\"nullCount\": {\"s\": {\"a\": 1}}}"}'), ('{"stats": "{\"nullCount\": 5}"}'), ('{"stats": "{\"nullCount\": null}"}'),
	('{"deletionVector": {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4, "sizeInBytes": 40, "cardinality": 6}, "stats": "{\"numRecords\": 9}"}')) a (members);
-- What is kept of it: unknown fields too, in the bytes of the log.
SELECT deltatx_stage('validation.flat', '{"add": {"zzz": {"deep": [1.50, 1E+2, null]}, "path": "kept%20as%2dit%20is", "partitionValues": {}, "size": 7, "modificationTime": 8, "dataChange": true, "stats": "{ \"numRecords\" : 9, \"maxValues\": {\"note\": \"\\u0000\"} }", "tags": {"b": "2", "a": null}}}');
SELECT 1 FROM deltatx_commit();
SELECT line FROM deltatx_log('validation.flat', 2) line WHERE line LIKE '{"add%';
SELECT path, size, partition_values, num_records, stats, modification_time AT TIME ZONE 'UTC', deletion_vector, added_version, uri LIKE '%/validation.flat/kept%20as%2dit%20is', action
FROM deltatx_files('validation.flat') WHERE added_version = 2;
COMMIT;

BEGIN;
SELECT deltatx_begin() IS NOT NULL;
\echo == duplicates
SELECT pg_temp.try_stage('validation.flat', pg_temp.adds('a', 'b', 'a')::text);
SELECT pg_temp.try_stage('validation.flat', pg_temp.adds('live')::text);
-- Beyond a batch of rows.
SET deltatx.max_files_per_table = 0;
SELECT pg_temp.try_stage('validation.flat', (SELECT string_agg((pg_temp.add('m' || i % 2500) -> 0)::text, E'\n' ORDER BY i) FROM generate_series(0, 2500) i));
SELECT pg_temp.try_stage('validation.flat', (SELECT string_agg((pg_temp.add('m' || i) -> 0)::text, E'\n' ORDER BY i) FROM generate_series(0, 2500) i) || E'\n' || (pg_temp.remove('m3') -> 0)::text);
RESET deltatx.max_files_per_table;
SELECT pg_temp.try_stage('validation.flat', (pg_temp.remove('live') || pg_temp.remove('live'))::text);
SELECT pg_temp.try_stage('validation.flat', (pg_temp.remove('live') || pg_temp.adds('live'))::text);
SELECT pg_temp.try_stage('validation.flat', (pg_temp.adds('live') || pg_temp.remove('live'))::text);
SELECT pg_temp.try_stage('validation.flat', (pg_temp.adds('x') || pg_temp.remove('x'))::text);

\echo == remove
SELECT members, pg_temp.try_with('validation.flat', 'remove', '{"path": "live"}', members) FROM (VALUES
	('{"dataChange": true, "deletionTimestamp": 5, "extendedFileMetadata": true, "partitionValues": {}, "size": 10, "stats": "{}", "tags": {}}'::jsonb),
	('{"path": "(none)"}'), ('{"path": "nosuch"}'), ('{"path": "LIVE"}'), ('{"path": "%6Cive"}'), ('{"path": "../live"}'),
	('{"dataChange": "yes"}'), ('{"deletionTimestamp": -1}'), ('{"deletionTimestamp": null}'), ('{"extendedFileMetadata": 5}'),
	('{"partitionValues": {"id": "1"}}'), ('{"size": -1}'), ('{"stats": {}}'), ('{"baseRowId": 1}'),
	('{"deletionVector": {"storageType": "i", "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", "sizeInBytes": 40, "cardinality": 6}}')) r (members);
SELECT pg_temp.try_stage('validation.flat', '[{"remove": {"path": "live"}}]');

\echo == txn, domainMetadata, cdc, commitInfo
SELECT action, pg_temp.try_stage('validation.flat', action) FROM (VALUES
	('{"txn": {}}'), ('{"txn": {"appId": "a"}}'), ('{"txn": {"version": 1}}'), ('{"txn": {"appId": "", "version": 1}}'), ('{"txn": {"appId": "a", "version": -1}}'), ('{"txn": {"appId": "a", "version": "1"}}'),
	('{"txn": {"appId": "a", "version": 1, "lastUpdated": -1}}'), ('{"txn": {"appId": "a", "version": 1, "lastUpdated": null, "more": [1]}}'),
	('[{"txn": {"appId": "a", "version": 1}}, {"txn": {"appId": "a", "version": 2}}]'),
	('{"domainMetadata": {}}'), ('{"domainMetadata": {"domain": "d", "configuration": "x"}}'), ('{"domainMetadata": {"domain": "d", "removed": false}}'), ('{"domainMetadata": {"configuration": "x", "removed": false}}'),
	('{"domainMetadata": {"domain": "", "configuration": "x", "removed": false}}'), ('{"domainMetadata": {"domain": "d", "configuration": {}, "removed": false}}'), ('{"domainMetadata": {"domain": "d", "configuration": "x", "removed": 0}}'),
	('{"domainMetadata": {"domain": "delta.clustering", "configuration": "{}", "removed": false}}'), ('{"domainMetadata": {"domain": "deltax", "configuration": "", "removed": true}}'),
	('[{"domainMetadata": {"domain": "d", "configuration": "1", "removed": false}}, {"domainMetadata": {"domain": "d", "configuration": "2", "removed": false}}]'),
	('{"cdc": {"path": "_change_data/x", "partitionValues": {}, "size": 1, "dataChange": false}}'), ('{"cdc": {}}'), ('{"cdc": {"path": "x", "partitionValues": {}, "size": 1, "dataChange": true}}'),
	('[{"commitInfo": {"operation": 5}}]'), ('[{"commitInfo": {"operation": ""}}]'), ('[{"commitInfo": {"operationParameters": []}}]'), ('[{"commitInfo": {"tags": {"a": 1}}}]'), ('[{"commitInfo": {"userMetadata": {}}}]')) a (action);
SELECT deltatx_rollback();
COMMIT;

\echo == metaData and protocol
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT line::jsonb -> 'metaData' AS metadata FROM deltatx_log('validation.flat', 0) line WHERE line LIKE '{"metaData%' \gset
SELECT line::jsonb -> 'protocol' AS protocol FROM deltatx_log('validation.flat', 0) line WHERE line LIKE '{"protocol%' \gset
SELECT members, pg_temp.try_with('validation.flat', 'metaData', :'metadata', members) FROM (VALUES
	('{}'::jsonb), ('{"id": "(none)"}'), ('{"id": ""}'), ('{"id": "11111111-1111-1111-1111-111111111111"}'),
	('{"format": "(none)"}'), ('{"format": {"provider": "orc", "options": {}}}'), ('{"format": {"provider": "parquet", "options": {"a": 1}}}'), ('{"format": {"provider": "parquet", "more": 1}}'), ('{"format": {"provider": "parquet"}}'),
	('{"schemaString": "(none)"}'), ('{"schemaString": ""}'), ('{"schemaString": "{}"}'), ('{"schemaString": "not json"}'), ('{"schemaString": {}}'), ('{"schemaString": "{\"type\":\"struct\",\"fields\":[]}"}'),
	('{"partitionColumns": "(none)"}'), ('{"partitionColumns": ["nosuch"]}'), ('{"partitionColumns": ["note"]}'), ('{"partitionColumns": ["note", "note"]}'), ('{"partitionColumns": "note"}'),
	('{"configuration": {"delta.nosuch": "1"}}'), ('{"configuration": {"a": 1}}'), ('{"configuration": {}}'), ('{"configuration": null}'), ('{"createdTime": -1}'), ('{"createdTime": null}'), ('{"name": 5}'), ('{"name": "x"}'), ('{"description": "x"}'), ('{"unknown": 1}')) m (members);
SELECT pg_temp.try_stage('validation.flat', jsonb_build_array(jsonb_build_object('metaData', :'metadata'::jsonb), jsonb_build_object('metaData', :'metadata'::jsonb))::text);
SELECT members, pg_temp.try_with('validation.flat', 'protocol', :'protocol', members) FROM (VALUES
	('{}'::jsonb), ('{"minReaderVersion": "(none)"}'), ('{"minWriterVersion": "(none)"}'), ('{"minReaderVersion": 0}'), ('{"minReaderVersion": 99}'), ('{"minWriterVersion": 8}'), ('{"minReaderVersion": "1"}'),
	('{"readerFeatures": []}'), ('{"minReaderVersion": 3}'), ('{"minReaderVersion": 3, "readerFeatures": []}'), ('{"minReaderVersion": 3, "readerFeatures": ["nosuch"]}'),
	('{"writerFeatures": "(none)"}'), ('{"writerFeatures": ["appendOnly", "appendOnly"]}'), ('{"writerFeatures": [5]}'), ('{"writerFeatures": []}'),
	('{"minWriterVersion": 2, "writerFeatures": "(none)"}'), ('{"unknown": 1}')) p (members);
SELECT pg_temp.try_stage('validation.flat', jsonb_build_array(jsonb_build_object('protocol', :'protocol'::jsonb), jsonb_build_object('protocol', :'protocol'::jsonb))::text);
SELECT deltatx_rollback();
COMMIT;

\echo == deletion vectors
-- A file's rows go one vector after the other: remove with the old one, add with the new one, in one call.
CREATE FUNCTION pg_temp.dv(n int) RETURNS jsonb LANGUAGE sql AS
$$SELECT CASE WHEN n > 0 THEN jsonb_build_object('deletionVector', jsonb_build_object('storageType', 'u', 'pathOrInlineDv', '^-aqEH.-t@S}K{vb[*k^', 'offset', n, 'sizeInBytes', 40, 'cardinality', n)) ELSE '{}' END
	|| '{"stats": "{\"numRecords\": 9}"}'$$;
SELECT pg_temp.put('validation.dv', pg_temp.add('f', pg_temp.dv(0)) || pg_temp.add('g', pg_temp.dv(0)));
SELECT pg_temp.put('validation.dv', pg_temp.remove('f') || pg_temp.add('f', pg_temp.dv(1)));
SELECT pg_temp.put('validation.dv', pg_temp.add('f', pg_temp.dv(2)) || pg_temp.remove('f', pg_temp.dv(1)));
SELECT path, num_records, deletion_vector ->> 'offset', added_version FROM deltatx_files('validation.dv') ORDER BY 1;
SELECT (line::jsonb #>> '{remove,deletionVector,offset}') FROM deltatx_log('validation.dv', 3) line WHERE line LIKE '{"remove%';
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
-- Without the remove; with the wrong one; with the same vector; to no vector; as the live one has it.
SELECT pg_temp.try_stage('validation.dv', actions::text) FROM (VALUES
	(pg_temp.add('f', pg_temp.dv(3))), (pg_temp.remove('f', pg_temp.dv(1)) || pg_temp.add('f', pg_temp.dv(3))), (pg_temp.remove('f') || pg_temp.add('f', pg_temp.dv(3))),
	(pg_temp.remove('f', pg_temp.dv(2)) || pg_temp.add('f', pg_temp.dv(2))), (pg_temp.remove('g', pg_temp.dv(1)))) a (actions);
SELECT deltatx_rollback();
COMMIT;
SELECT pg_temp.put('validation.dv', pg_temp.remove('f', pg_temp.dv(2)) || pg_temp.add('f', pg_temp.dv(0)));
-- The very file again, with other statistics or tags and no change of data: a renewal, not a new file.
SELECT pg_temp.put('validation.dv', pg_temp.add('f', '{"stats": "{\"numRecords\": 8}", "dataChange": false, "tags": {"k": "v"}}'));
SELECT path, num_records, added_version FROM deltatx_files('validation.dv') ORDER BY 1;
SELECT count(*) FILTER (WHERE line LIKE '{"remove%'), count(*) FILTER (WHERE line LIKE '{"add%') FROM deltatx_log('validation.dv', 5) line;
SELECT pg_temp.history('validation.dv');
-- New vectors only where the table allows them; old ones stay readable and removable.
SELECT deltatx_alter_table('validation.dv', set_properties => '{"delta.enableDeletionVectors": false}');
SELECT pg_temp.try($$SELECT pg_temp.put('validation.dv', pg_temp.remove('g') || pg_temp.add('g', pg_temp.dv(1)))$$);

\echo == nothing of it was kept
SELECT pg_temp.files('validation.flat');
SELECT pg_temp.problems();
