-- What a call reads grows with what it is given, not with the table, whatever
-- the statistics and the caller's settings are: sessions keep their plans.
\pset format unaligned
\pset tuples_only on
SET deltatx.max_files_per_table = 0;
SET deltatx.max_actions_per_transaction = 0;

-- Statistics of a day when the catalog was small.
SELECT 1 FROM deltatx_create_table('plans', 'file:///nowhere/plans', 'id bigint, p text', '{p}');
ANALYZE deltatx.dl_live_files, deltatx.dl_add_files, deltatx.dl_remove_files, deltatx.dl_table_versions;

CREATE FUNCTION pg_temp.actions(kind text, first int, last int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(json_build_object(kind, json_build_object('path', 'p=' || n % 2 || '/' || n,
		'partitionValues', json_build_object('p', (n % 2)::text),
		'size', 1, 'modificationTime', 1, 'dataChange', true))::text, E'\n')
	FROM generate_series(first, last) n
$$;
-- Rows of a table that this transaction has read.
CREATE FUNCTION pg_temp.read_from(relation text) RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_tuples_fetched(relation::regclass) + pg_stat_get_xact_tuples_returned(relation::regclass)
$$;

\echo == staging in many calls: new paths are in no index entry
SET enable_indexscan = off;
SET enable_nestloop = off;
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT sum(deltatx_stage('plans', pg_temp.actions('add', n * 1000 + 1, n * 1000 + 1000), extend => true))
FROM generate_series(0, 4) n;
SELECT pg_temp.read_from('deltatx.dl_live_files'), pg_temp.read_from('deltatx.dl_add_files');
SELECT version, files_added FROM deltatx_commit();
SELECT pg_temp.read_from('deltatx.dl_live_files'), pg_temp.read_from('deltatx.dl_add_files');
COMMIT;

\echo == ten removes read ten files, a few times
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('plans', pg_temp.actions('remove', 2001, 2010));
SELECT version, files_removed FROM deltatx_commit();
SELECT pg_temp.read_from('deltatx.dl_live_files') < 100, pg_temp.read_from('deltatx.dl_add_files') < 100;
COMMIT;

\echo == so does taking back ten adds
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('plans', pg_temp.actions('add', 9001, 9010));
SELECT deltatx_rollback();
SELECT pg_temp.read_from('deltatx.dl_live_files') < 100, pg_temp.read_from('deltatx.dl_add_files') < 100;
COMMIT;

\echo == overwriting a partition reads each live file once or twice
BEGIN;
SELECT 1 FROM deltatx_begin();
SELECT deltatx_stage('plans', pg_temp.actions('add', 9000, 9000), 'overwrite_partitions');
SELECT version, files_removed FROM deltatx_commit();
SELECT pg_temp.read_from('deltatx.dl_live_files') < 4 * 5000, pg_temp.read_from('deltatx.dl_add_files') < 4 * 5000;
COMMIT;

SELECT deltatx_drop_table('plans');
