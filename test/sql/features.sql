-- Table features: what a protocol lists, what uses them, who vouches.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all

-- The protocol of a new table.
CREATE FUNCTION pg_temp.protocol_of(columns text, properties jsonb = '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	made text;
BEGIN
	BEGIN
		PERFORM deltatx_create_table('features', 'file:///nowhere/features', columns, '{}', properties);
		SELECT line INTO made FROM deltatx_log('features', 0) line WHERE line LIKE '{"protocol"%';
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION
		WHEN SQLSTATE 'ZZ000' THEN RETURN made;
	END;
END
$$;

\echo == protocols of new tables
SELECT pg_temp.protocol_of('id bigint');
SELECT pg_temp.protocol_of('id bigint', '{"deltatx.fence": false}');
SELECT pg_temp.protocol_of('id bigint, t timestamp_ntz');
SELECT pg_temp.protocol_of('id bigint, s struct<a: array<map<string,variant>>>', '{"delta.enableDeletionVectors": true}');
SELECT pg_temp.protocol_of('id bigint', '{"delta.constraints.c": "id > 0", "delta.checkpointPolicy": "v2", "delta.feature.vacuumprotocolcheck": "supported"}');
SELECT pg_temp.protocol_of('id bigint', '{"delta.enableVariantShredding": true}');
SELECT pg_temp.protocol_of('{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{"delta.generationExpression":"1","CURRENT_DEFAULT":"1","delta.identity.start":1,"delta.invariants":"x"}}]}');
SELECT pg_temp.outcome($$SELECT deltatx_create_table('features', 'file:///nowhere/features', '{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{"delta.typeChanges":[]}}]}')$$);
SELECT pg_temp.outcome($$SELECT deltatx_create_table('features', 'file:///nowhere/features', '{"type":"struct","fields":[{"name":"id","type":"string","nullable":true,"metadata":{"__COLLATIONS":{"id":"ICU.UNICODE"}}}]}')$$);

\echo == alter adds what is needed
BEGIN;
SELECT 1 FROM deltatx_create_table('altered', 'file:///nowhere/altered', 'id bigint');
SELECT deltatx_alter_table('altered', add_columns => 'note text');
SELECT protocol FROM deltatx.tables WHERE table_name = 'altered';
SELECT deltatx_alter_table('altered', add_columns => 't timestamp_ntz');
SELECT protocol FROM deltatx.tables WHERE table_name = 'altered';
SELECT deltatx_alter_table('altered', set_properties => '{"delta.enableDeletionVectors": true}');
SELECT protocol FROM deltatx.tables WHERE table_name = 'altered';
ROLLBACK;

\echo == staged protocols
BEGIN;
SELECT 1 FROM deltatx_create_table('staged', 'file:///nowhere/staged', 'id bigint');
CREATE FUNCTION pg_temp.staged(reader int, readers text, writer int, writers text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format(
		'SELECT deltatx_begin(), deltatx_stage(''staged'', %L::jsonb), deltatx_rollback()',
		jsonb_build_array(jsonb_build_object('protocol', jsonb_strip_nulls(jsonb_build_object(
			'minReaderVersion', reader, 'minWriterVersion', writer,
			'readerFeatures', string_to_array(readers, ','),
			'writerFeatures', '{appendOnly,invariants,inCommitTimestamp,domainMetadata}'::text[] || string_to_array(writers, ',')))))))
$$;
SELECT pg_temp.staged(1, NULL, 7, 'deltatxManaged');
SELECT pg_temp.staged(3, 'deletionVectors', 7, 'deltatxManaged,deletionVectors');
SELECT pg_temp.staged(1, NULL, 7, 'deltatxManaged,checkpointProtection,checkConstraints');
SELECT reader, readers, writer, writers, pg_temp.staged(reader, readers, writer, writers) FROM (VALUES
	(1, NULL, 7, 'checkConstraints'), (3, 'deletionVectors', 7, 'deltatxManaged'), (1, NULL, 7, 'deltatxManaged,deletionVectors'),
	(3, 'appendOnly', 7, 'deltatxManaged'), (3, 'variantShredding', 7, 'deltatxManaged,variantShredding'), (1, '', 7, 'deltatxManaged'),
	(3, NULL, 7, 'deltatxManaged'), (1, NULL, 7, 'deltatxManaged,appendOnly'), (2, NULL, 7, 'deltatxManaged'), (3, '', 8, 'deltatxManaged')
) refused (reader, readers, writer, writers);
SELECT name, pg_temp.staged(CASE WHEN reader THEN 3 ELSE 1 END, CASE WHEN reader THEN name END, 7, 'deltatxManaged,' || name)
FROM (VALUES ('changeDataFeed', false), ('columnMapping', true), ('rowTracking', false), ('clustering', false), ('typeWidening', true),
	('typeWidening-preview', true), ('catalogManaged', true), ('coordinatedCommits-preview', false), ('redirectReaderWriter-preview', true),
	('icebergCompatV2', false), ('collations', true), ('geospatial', true), ('appendonly', false), ('unheard', false)) refused (name, reader);
SELECT deltatx_alter_table('staged', set_properties => '{"delta.enableDeletionVectors": true}');
SELECT pg_temp.staged(1, NULL, 7, 'deltatxManaged');
ROLLBACK;

\echo == vouching
BEGIN;
SELECT 1 FROM deltatx_create_table('vouched', 'file:///nowhere/vouched', 'id bigint, day date', '{day}',
	'{"delta.feature.generatedColumns": "supported"}');
CREATE FUNCTION pg_temp.add_with(enforced text[]) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format($f$SELECT deltatx_begin(), deltatx_stage('vouched',
		'[{"add":{"path":"day=2026-11-01/a.parquet","partitionValues":{"day":"2026-11-01"},"size":1,"modificationTime":1,"dataChange":true}}]'::jsonb,
		enforced => %L), deltatx_rollback()$f$, enforced))
$$;
SELECT pg_temp.add_with(NULL);
SELECT pg_temp.add_with('{unheard}');
SELECT pg_temp.add_with('{appendOnly}');
SELECT deltatx_alter_table('vouched', set_properties => '{"delta.constraints.c": "id > 0"}');
SELECT pg_temp.add_with(NULL);
SELECT pg_temp.add_with('{invariants}');
SELECT pg_temp.add_with('{checkConstraints}');
SELECT deltatx_alter_table('vouched', set_properties => '{"delta.feature.materializePartitionColumns": "supported"}');
SELECT pg_temp.add_with('{checkConstraints}');
SELECT pg_temp.add_with('{checkConstraints,materializePartitionColumns}');
ROLLBACK;

\echo == a schema that uses what the protocol does not list
BEGIN;
SELECT 1 FROM deltatx_create_table('unlisted', 'file:///nowhere/unlisted', 'id bigint');
CREATE FUNCTION pg_temp.with_metadata(change jsonb, before jsonb = '[]', after jsonb = '[]') RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format('SELECT deltatx_begin(), deltatx_stage(''unlisted'', %L::jsonb), deltatx_rollback()',
		before || jsonb_build_array(jsonb_build_object('metaData', (line::jsonb -> 'metaData') || change)) || after))
	FROM deltatx_log('unlisted', 0) line WHERE line LIKE '{"metaData"%'
$$;
\set with_ntz '{"schemaString": "{\\"type\\":\\"struct\\",\\"fields\\":[{\\"name\\":\\"id\\",\\"type\\":\\"long\\",\\"nullable\\":true,\\"metadata\\":{}},{\\"name\\":\\"t\\",\\"type\\":\\"timestamp_ntz\\",\\"nullable\\":true,\\"metadata\\":{}}]}"}'
SELECT pg_temp.with_metadata('{}');
SELECT pg_temp.with_metadata(:'with_ntz');
\set listing_ntz '[{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz"],"writerFeatures":["appendOnly","invariants","inCommitTimestamp","domainMetadata","deltatxManaged","timestampNtz"]}}]'
SELECT pg_temp.with_metadata(:'with_ntz', before => :'listing_ntz');
SELECT pg_temp.with_metadata(:'with_ntz', after => :'listing_ntz');
ROLLBACK;
