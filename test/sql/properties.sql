-- Table properties: names and values.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all

CREATE FUNCTION pg_temp.set_to(properties jsonb) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.outcome(format('SELECT deltatx_create_table(''properties'', ''file:///nowhere/properties'', ''id bigint'', ''{}'', %L)', properties))$$;

\echo == accepted
SELECT properties, pg_temp.set_to(properties) FROM (VALUES
	('{}'::jsonb), ('{"delta.appendOnly": true}'), ('{"delta.appendOnly": "false"}'), ('{"mine": 1.50, "team": "a", "Delta": "b"}'),
	('{"delta.checkpointInterval": 1}'), ('{"delta.dataSkippingNumIndexedCols": -1}'),
	('{"delta.logRetentionDuration": "interval 30 days"}'), ('{"delta.deletedFileRetentionDuration": "2 Weeks 1 hour"}'),
	('{"delta.targetFileSize": 104857600}'), ('{"delta.targetFileSize": "100mb"}'), ('{"delta.isolationLevel": "Serializable"}'),
	('{"delta.enableInCommitTimestamps": true}'), ('{"delta.enableChangeDataFeed": false}'), ('{"delta.columnMapping.mode": "none"}'),
	('{"delta.constraints.positive": "id > 0"}'), ('{"delta.feature.DeletionVectors": "supported"}'), ('{"deltatx.fence": false}')
) given (properties);

\echo == refused
SELECT properties, pg_temp.set_to(properties) FROM (VALUES
	('[]'::jsonb), ('"x"'), ('{"": "x"}'), ('{"mine": null}'), ('{"mine": {}}'), ('{"mine": []}'),
	('{"delta.appendonly": true}'), ('{"DELTA.appendOnly": true}'), ('{"delta.appendOnly ": true}'), ('{"delta.unheard": 1}'), ('{"deltatx.unheard": 1}'), ('{"delta.": 1}'),
	('{"delta.appendOnly": "yes"}'), ('{"delta.appendOnly": 1}'), ('{"deltatx.fence": "off"}'),
	('{"delta.checkpointInterval": 0}'), ('{"delta.checkpointInterval": "ten"}'), ('{"delta.checkpointInterval": 1.5}'), ('{"delta.checkpointInterval": 99999999999}'), ('{"delta.dataSkippingNumIndexedCols": -2}'),
	('{"delta.logRetentionDuration": "1 month"}'), ('{"delta.logRetentionDuration": "30"}'), ('{"delta.logRetentionDuration": "interval"}'), ('{"delta.logRetentionDuration": "-1 day"}'),
	('{"delta.targetFileSize": "big"}'), ('{"delta.isolationLevel": "serializable"}'), ('{"delta.checkpointPolicy": "v3"}'), ('{"delta.parquet.compression.codec": "zip"}'), ('{"delta.dataSkippingStatsColumns": ""}'),
	('{"delta.enableChangeDataFeed": true}'), ('{"delta.enableRowTracking": true}'), ('{"delta.enableTypeWidening": true}'), ('{"delta.columnMapping.mode": "name"}'), ('{"delta.enableIcebergCompatV2": true}'),
	('{"delta.universalFormat.enabledFormats": "iceberg"}'), ('{"delta.coordinatedCommits.commitCoordinator-preview": "x"}'), ('{"delta.redirectReaderWriter-preview": "x"}'),
	('{"delta.enableInCommitTimestamps": false}'), ('{"delta.inCommitTimestampEnablementVersion": 1}'), ('{"delta.minReaderVersion": 1}'), ('{"delta.requireCheckpointProtectionBeforeVersion": 1}'),
	('{"delta.constraints.": "id > 0"}'), ('{"delta.constraints.positive": ""}'),
	('{"delta.feature.rowTracking": "supported"}'), ('{"delta.feature.unheard": "supported"}'), ('{"delta.feature.deletionVectors": "enabled"}')
) given (properties);

\echo == stored, set and unset
BEGIN;
SELECT 1 FROM deltatx_create_table('stored', 'file:///nowhere/stored', 'id bigint', '{}',
	'{"team": "a", "delta.checkpointInterval": 20}');
SELECT properties FROM deltatx.tables WHERE table_name = 'stored';
SELECT deltatx_alter_table('stored', set_properties => '{"delta.appendOnly": true, "team": "b"}', unset_properties => '{delta.checkpointInterval}');
SELECT properties FROM deltatx.tables WHERE table_name = 'stored';
SELECT pg_temp.outcome($$SELECT deltatx_alter_table('stored', set_properties => '{"delta.unheard": 1}')$$);
SELECT pg_temp.outcome($$SELECT deltatx_alter_table('stored', unset_properties => '{delta.enableInCommitTimestamps}')$$);
SELECT pg_temp.outcome($$SELECT deltatx_alter_table('stored', set_properties => '{"deltatx.fence": false}')$$);
ROLLBACK;
