-- Documents of actions: their forms, and what is refused in them.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all
SELECT 1 FROM deltatx_create_table('action_documents', 'file:///nowhere/action_documents', 'id bigint NOT NULL, note text');

CREATE FUNCTION pg_temp.staged(document text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.outcome(format('SELECT deltatx_begin(); SELECT deltatx_stage(''action_documents'', %L)', document))$$;

-- An add with further members.
CREATE FUNCTION pg_temp.add(members text) RETURNS text LANGUAGE sql AS
	$$SELECT '{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true' || members || '}}'$$;

\echo == forms
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_documents', E'\n  {"txn":{"appId":"a","version":1}}  \r\n\r\n{"txn":{"appId":"b","version":1}}', extend => true);
SELECT deltatx_stage('action_documents', E' [ {"txn":{"appId":"c","version":1}}\n, {"txn":\n{"appId":"d","version":1}} ] ', extend => true);
SELECT deltatx_stage('action_documents', E'{"txn":{\n  "appId": "e",\n  "version": 1\n}}\n{"txn":\n{"appId":"f","version":1}}', extend => true);
SELECT deltatx_stage('action_documents', '[{"txn":{"appId":"g","version":1}}, {"txn":{"appId":"h","version":1}}]'::jsonb, extend => true);
SELECT deltatx_stage('action_documents', '{"txn":{"appId":"i","version":1}}'::jsonb, extend => true);
SELECT deltatx_stage('action_documents', '[{"txn":{"appId":"j","version":1}}]'::json, extend => true);
SELECT deltatx_stage('action_documents', '{"txn":{"appId":"\ud83d\ude00\u00e9","version":9223372036854775807}}', extend => true);
ROLLBACK;

\echo == an error in full
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('action_documents', E'{"txn":{"appId":"a","version":1}}\n{"txn":{"appId":"a","version":1.5}}');
ROLLBACK;

\echo == not JSON
SELECT document, pg_temp.staged(document) FROM (VALUES
	('{"txn":{"appId":"a","version":1}'),
	('{"txn":{"appId":"a","version":1}]'),
	('{"txn":{"appId":"a","version":1,}}'),
	('{"txn":{"appId":"a" "version":1}}'),
	('{"txn":{"appId":"a","version":01}}'),
	('{"txn":{"appId":"a","version":1}} x'),
	('[{"txn":{"appId":"a","version":1}},]'),
	('[{"txn":{"appId":"a","version":1}}'),
	('[{"txn":{"appId":"a","version":1}}] []'),
	(E'{"txn":{"appId":"a","version":1}},\n{"txn":{"appId":"b","version":1}}'),
	(E'{"txn":{"appId":"a","version":1}}\n{"txn":{"appId":"b\n","version":1}}'),
	('{"txn":{"appId":"a\u0000","version":1}}'),
	('{"txn":{"appId":"\ud83d","version":1}}'),
	('{"txn":{"appId":"\ude00","version":1}}'),
	('{"txn":{"appId":"\x","version":1}}'),
	('nonsense')
) bad (document);

\echo == not actions
SELECT document, pg_temp.staged(document) FROM (VALUES
	('5'), ('"add"'), ('null'), ('[5]'), ('[[]]'), ('{}'), ('[{}]'),
	('{"txn":{"appId":"a","version":1}} {"txn":{"appId":"b","version":1}}'),
	('{"txn":{"appId":"a","version":1},"remove":{"path":"b"}}'),
	('{"sidecar":{"path":"x"}}'), ('{"checkpointMetadata":{"version":1}}'), ('{"Add":{}}'), ('{"":{}}'),
	('{"add":null}'), ('{"add":[]}'), ('{"add":{}}')
) bad (document);
SELECT pg_temp.outcome($$SELECT deltatx_begin(); SELECT deltatx_stage('action_documents', '5'::jsonb)$$);
SELECT pg_temp.outcome($$SELECT deltatx_begin(); SELECT deltatx_stage('action_documents', '[{"txn":{"appId":"a","version":1}}, []]'::jsonb)$$);

\echo == nothing
SELECT document, pg_temp.staged(document) FROM (VALUES (''), (E' \n '), ('[]'), (' [ ] ')) empty (document);

\echo == members twice
SELECT document, pg_temp.staged(document) FROM (VALUES
	(pg_temp.add(',"size":1')), (pg_temp.add(',"\u0073ize":1')), (pg_temp.add(',"x":1,"x":2')),
	(pg_temp.add(',"tags":{"a":"b","\u0061":"c"}')), (pg_temp.add(',"x":{"a":1,"a":2}')),
	(pg_temp.add(',"stats":"{\"numRecords\":1,\"numRecords\":1}"')),
	(pg_temp.add(',"stats":"{\"numRecords\":1,\"\\u006eumRecords\":1}"'))
) twice (document);
-- Many members take another way.
SELECT pg_temp.staged(pg_temp.add(',"tags":{' || string_agg(format('"k%s":"v"', i), ',') || '}')) FROM generate_series(1, 1000) i;
SELECT pg_temp.staged(pg_temp.add(',"tags":{' || string_agg(format('"k%s":"v"', i), ',') || ',"\u006b77":""}')) FROM generate_series(1, 1000) i;

\echo == depth
SELECT pg_temp.staged(pg_temp.add(',"x":' || repeat('[', 64) || repeat(']', 64)));
SELECT pg_temp.staged(pg_temp.add(',"x":' || repeat('[', 65) || repeat(']', 65)));
SELECT pg_temp.staged(pg_temp.add(',"x":' || repeat('{"a":', 1000000)));
SELECT pg_temp.staged(repeat('[', 1000000));
SELECT pg_temp.staged(pg_temp.add(',"stats":"{\"a\":' || repeat('[', 1000000) || '"'));

\echo == size
SELECT pg_temp.staged('{"txn":{"appId":"a","version":1,"x":"' || repeat('x', 10000000) || '"}}');
SELECT length(pg_temp.staged('{"txn":{"appId":"' || repeat('x', 10000000))) < 500;
SELECT length(pg_temp.staged('{"txn":{"appId":5' || repeat('5', 10000000))) < 500;
SELECT length(pg_temp.staged('{"' || repeat('x', 10000000) || '":{}}')) < 500;

\echo == integers
SELECT size, pg_temp.staged('{"add":{"path":"a","partitionValues":{},"size":' || size || ',"modificationTime":1,"dataChange":true}}') FROM (VALUES
	('0'), ('9223372036854775807'), ('9223372036854775808'), ('-1'), ('-0'), ('1.0'), ('1e3'), ('"5"'), ('true'), ('null'), ('{}')
) sizes (size);

\echo == required fields
SELECT document, pg_temp.staged(document) FROM (VALUES
	('{"add":{"partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}'),
	('{"add":{"path":"a","size":1,"modificationTime":1,"dataChange":true}}'),
	('{"add":{"path":"a","partitionValues":null,"size":1,"modificationTime":1,"dataChange":true}}'),
	('{"add":{"path":"a","partitionValues":{},"modificationTime":1,"dataChange":true}}'),
	('{"add":{"path":"a","partitionValues":{},"size":1,"dataChange":true}}'),
	('{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":1}}'),
	('{"remove":{}}'),
	('{"txn":{"version":1}}'), ('{"txn":{"appId":"","version":1}}'), ('{"txn":{"appId":"a"}}'), ('{"txn":{"appId":"a","version":-1}}'),
	('{"domainMetadata":{"configuration":"","removed":false}}'), ('{"domainMetadata":{"domain":"a","removed":false}}'),
	('{"domainMetadata":{"domain":"a","configuration":""}}'), ('{"domainMetadata":{"domain":"a","configuration":{},"removed":false}}'),
	('{"domainMetadata":{"domain":"delta.clustering","configuration":"","removed":false}}')
) incomplete (document);

\echo == other types
SELECT members, pg_temp.staged(pg_temp.add(members)) FROM (VALUES
	(',"tags":{"a":null}'), (',"tags":{"a":5}'), (',"tags":[]'), (',"clusteringProvider":5'), (',"x":null'),
	(',"stats":{"numRecords":1}'), (',"stats":"[]"'), (',"stats":""'), (',"stats":"{"'), (',"stats":"{} {}"'), (',"stats":null'),
	(',"stats":"{\"numRecords\":1.5}"'), (',"stats":"{\"numRecords\":-1}"'), (',"stats":"{\"numRecords\":null}"'),
	(',"stats":"{\"minValues\":{\"note\":\"\\u0000\"}}"'),
	(',"stats":"{\"nullCount\":{\"id\":1,\"note\":5}}"'), (',"stats":"{\"nullCount\":{\"id\":0,\"note\":5}}"'),
	(',"baseRowId":1'), (',"baseRowId":null'), (',"defaultRowCommitVersion":1')
) further (members);

\echo == metaData and protocol
SELECT document, pg_temp.staged(document) FROM (VALUES
	('{"metaData":{"format":{"provider":"parquet"},"schemaString":"{}","partitionColumns":[]}}'),
	('{"metaData":{"id":"","format":{"provider":"parquet"},"schemaString":"{}","partitionColumns":[]}}'),
	('{"metaData":{"id":"a","schemaString":"{}","partitionColumns":[]}}'),
	('{"metaData":{"id":"a","format":{"provider":"orc"},"schemaString":"{}","partitionColumns":[]}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet","x":1},"schemaString":"{}","partitionColumns":[]}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"partitionColumns":[]}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"schemaString":{},"partitionColumns":[]}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"schemaString":"{}"}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"schemaString":"{}","partitionColumns":["a","a"]}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"schemaString":"{}","partitionColumns":[],"configuration":{"a":true}}}'),
	('{"metaData":{"id":"a","format":{"provider":"parquet"},"schemaString":"{}","partitionColumns":[],"configuration":{"a":"1","a":"2"}}}'),
	('{"protocol":{"minReaderVersion":1}}'), ('{"protocol":{"minReaderVersion":0,"minWriterVersion":2}}'),
	('{"protocol":{"minReaderVersion":1,"minWriterVersion":7}}'),
	('{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"readerFeatures":[],"writerFeatures":[]}}'),
	('{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["a","a"],"writerFeatures":["a"]}}'),
	('{"protocol":{"minReaderVersion":3,"minWriterVersion":6,"readerFeatures":["a"]}}')
) bad (document);
