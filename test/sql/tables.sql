-- Create, alter, rename, drop; all of it is transactional.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

\echo == create
SELECT deltatx_create_table('tables.orders', pg_temp.lake('tables/orders'),
	'id bigint NOT NULL, day date, price numeric(10,2), tags text[]', '{day}',
	'{"delta.appendOnly": false, "owner": "sales"}', 'all orders') AS id \gset
SELECT deltatx_version('tables.orders');
SELECT table_id = :'id', current_version, files, bytes, partition_columns, properties, owner = current_user
FROM deltatx.tables WHERE table_name = 'tables.orders';
SELECT jsonb_pretty(schema) FROM deltatx.tables WHERE table_name = 'tables.orders';
SELECT protocol FROM deltatx.tables WHERE table_name = 'tables.orders';
SELECT location = pg_temp.lake('tables/orders') FROM deltatx.tables WHERE table_name = 'tables.orders';
SELECT pg_temp.history('tables.orders');
SELECT string_agg((SELECT string_agg(key, '') FROM jsonb_object_keys(line::jsonb) key), ' ')
FROM deltatx_log('tables.orders', 0) line;

-- A slash at the end of the location says nothing.
SELECT 'made' FROM deltatx_create_table('tables.slash', pg_temp.lake('tables/deep/slash///'), 'id bigint');
SELECT location = pg_temp.lake('tables/deep/slash') FROM deltatx.tables WHERE table_name = 'tables.slash';

\echo == names
SELECT pg_temp.try(format('SELECT pg_temp.make(%L)', name)) FROM (VALUES
	(''), ('a.b.c.d'), ('.a'), ('a.'), ('a..b'), ('"a"'), ('a''b'), ('a`b'), (E'a\tb'), (E'a\x7fb'),
	(repeat('x', 64)), ('a.' || repeat('x', 64)), ('tables.orders')) n (name);
SELECT pg_temp.try(format('SELECT deltatx_create_table(%L, pg_temp.lake(%L), ''id bigint'')', name, location))
FROM (VALUES ('TABLES.ORDERS', 'tables/upper'), ('tables.Größe 2', 'tables/size'), (repeat('x', 63), 'tables/x63'),
	('a.b.' || repeat('é', 31), 'tables/e31'), ('a.b.' || repeat('é', 32), 'tables/e32')) n (name, location);
SELECT table_name FROM deltatx.tables WHERE table_name ~ '(?i)^tables|xx|é' ORDER BY table_name COLLATE "C";
SELECT pg_temp.try('SELECT deltatx_create_table(NULL, pg_temp.lake(''n''), ''id bigint'')');

\echo == locations
SELECT pg_temp.try(format('SELECT deltatx_create_table(''tables.located'', %L, ''id bigint'')', location))
FROM (VALUES
	(NULL), (''), ('/srv/lake/t'), ('lake'), ('file:/srv/t'), ('file://host/srv/t'), ('file:///'), ('file:////'),
	('FILE:///srv/t'), ('http://example.com/t'),
	('file:///srv//t'), ('file:///srv/./t'), ('file:///srv/../t'), ('file:///srv/..'),
	('file:///srv/t/_delta_log'), ('file:///srv/_delta_log/t'),
	('file:///srv/a b'), ('file:///srv/a%20b'), ('file:///srv/a?b'), ('file:///srv/a#b'), (E'file:///srv/a\nb'),
	('s3://bucket/t'), ('s3a://bucket/t'), ('abfss://c@a.dfs.core.windows.net/t'), ('az://c/t'), ('gs://bucket/t'),
	(pg_temp.lake('tables/orders')), (pg_temp.lake('tables/orders/')), (pg_temp.lake('tables/orders/within')),
	(pg_temp.lake('tables/orders/with/in')), (pg_temp.lake('tables/deep'))) l (location);
-- A neighbour whose name begins alike is fine.
BEGIN;
SELECT pg_temp.try(format('SELECT deltatx_create_table(%L, pg_temp.lake(%L), ''id bigint'')', 'tables.n' || i, location))
FROM (VALUES (1, 'tables/order'), (2, 'tables/orders2'), (3, 'tables/orders-2'), (4, 'tables/orders.2')) l (i, location);
ROLLBACK;

\echo == definitions
SELECT pg_temp.try(format('SELECT pg_temp.make(''tables.defined'', %L, %L, %L)', columns, partitions, properties))
FROM (VALUES
	(NULL, '{}', '{}'),
	('', '{}', '{}'),
	('id bigint, ID text', '{}', '{}'),
	('id nosuchtype', '{}', '{}'),
	('id bigint', '{nosuch}', '{}'),
	('id bigint', '{id}', '{}'),
	('id bigint, day date', '{day,day}', '{}'),
	('id bigint, tags text[]', '{tags}', '{}'),
	('id bigint, day date', '{NULL}', '{}'),
	('id bigint', '{}', '[]'),
	('id bigint', '{}', '{"delta.appendOnly": "perhaps"}'),
	('id bigint', '{}', '{"delta.nosuch": "1"}'),
	('id bigint', '{}', '{"delta.enableChangeDataFeed": true}'),
	('id bigint', '{}', '{"mine": {"nested": 1}}')) d (columns, partitions, properties);
SELECT count(*) FROM deltatx.tables WHERE table_name = 'tables.defined';

\echo == create is transactional
BEGIN;
SELECT pg_temp.make('tables.rolled');
SELECT deltatx_version('tables.rolled');
ROLLBACK;
SELECT pg_temp.try($$SELECT deltatx_version('tables.rolled')$$);
-- Files that are staged in the same transaction are version 1.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.make('tables.born');
SELECT deltatx_stage('tables.born', pg_temp.adds('a', 'b'));
SELECT table_name, version, files_added, files_removed, replayed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.history('tables.born');
SELECT count(DISTINCT commit_timestamp), count(DISTINCT transaction_id) FROM deltatx_history('tables.born');
-- deltatx_rollback() keeps the table.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.make('tables.kept');
SELECT deltatx_stage('tables.kept', pg_temp.adds('a'));
SELECT deltatx_rollback();
COMMIT;
SELECT pg_temp.history('tables.kept');
-- A savepoint takes a table along.
BEGIN;
SAVEPOINT s;
SELECT pg_temp.make('tables.gone');
ROLLBACK TO s;
SELECT pg_temp.make('tables.gone', 'other text');
COMMIT;
SELECT schema->'fields'->0->>'name' FROM deltatx.tables WHERE table_name = 'tables.gone';

\echo == alter
SELECT deltatx_alter_table('tables.born', add_columns => 'note text, amount numeric(8,2)');
SELECT deltatx_alter_table('tables.born', set_properties => '{"delta.appendOnly": true, "team": "blue"}');
SELECT deltatx_alter_table('tables.born', unset_properties => '{delta.appendOnly}', description => 'newborn');
SELECT pg_temp.history('tables.born');
SELECT (SELECT string_agg(f->>'name', ' ') FROM jsonb_array_elements(schema->'fields') f), properties
FROM deltatx.tables WHERE table_name = 'tables.born';
SELECT operation_parameters FROM deltatx_history('tables.born') WHERE version > 1 ORDER BY version;
SELECT line::jsonb #> '{metaData,description}' FROM deltatx_log('tables.born', 4) line WHERE line LIKE '{"metaData%';
-- The table's id stays, its creation time too.
SELECT count(DISTINCT line::jsonb #> '{metaData,id}'), count(DISTINCT line::jsonb #> '{metaData,createdTime}')
FROM generate_series(0, 4) v, deltatx_log('tables.born', v) line WHERE line LIKE '{"metaData%';
SELECT pg_temp.try(format('SELECT deltatx_alter_table(%s)', arguments)) FROM (VALUES
	($$'tables.nosuch', 'x text'$$),
	($$NULL, 'x text'$$),
	($$'tables.born'$$),
	($$'tables.born', 'ID text'$$),
	($$'tables.born', 'x text NOT NULL'$$),
	($$'tables.born', 'x nosuchtype'$$),
	($$'tables.born', NULL, '{"delta.nosuch": 1}'$$),
	($$'tables.born', NULL, '{"delta.enableInCommitTimestamps": false}'$$),
	($$'tables.born', NULL, '{"deltatx.fence": false}'$$),
	($$'tables.born', NULL, '[1]'$$),
	($$'tables.born', NULL, NULL, '{nosuch}'$$),
	($$'tables.born', NULL, NULL, '{delta.enableInCommitTimestamps}'$$),
	($$'tables.born', NULL, NULL, '{NULL}'$$)) a (arguments);
SELECT deltatx_version('tables.born');
-- In an open transaction it is staged: version and commit come with the rest.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_alter_table('tables.born', add_columns => 'more int');
SELECT pg_temp.try_stage('tables.born', pg_temp.adds('c')::text);
SELECT deltatx_stage('tables.born', pg_temp.adds('c'), extend => true);
SELECT pg_temp.try($$SELECT deltatx_alter_table('tables.born', description => 'again')$$);
SELECT table_name, version, files_added, files_removed, replayed FROM deltatx_commit();
COMMIT;
SELECT pg_temp.history('tables.born');
-- Version and schema go back together.
BEGIN;
SELECT deltatx_alter_table('tables.born', add_columns => 'undone int');
ROLLBACK;
SELECT deltatx_version('tables.born'), schema::text LIKE '%undone%' FROM deltatx.tables WHERE table_name = 'tables.born';
SELECT pg_temp.put('tables.born', pg_temp.adds('d'));
-- An alter that waits for nobody takes the table as it finds it.
BEGIN;
SELECT deltatx_alter_table('tables.born', add_columns => 'first int');
SELECT deltatx_alter_table('tables.born', add_columns => 'second int');
COMMIT;

\echo == rename
SELECT deltatx_rename_table('tables.born', 'tables.grown');
SELECT pg_temp.files('tables.grown');
SELECT pg_temp.try($$SELECT deltatx_version('tables.born')$$);
SELECT pg_temp.try(format('SELECT deltatx_rename_table(%L, %L)', old, new)) FROM (VALUES
	('tables.nosuch', 'tables.other'), ('tables.grown', 'tables.orders'), ('tables.grown', 'a.b.c.d'),
	('tables.grown', ''), ('tables.grown', NULL), (NULL, 'tables.other'), ('tables.grown', 'tables.grown')) r (old, new);
-- The location stays; the old name is free.
SELECT location = pg_temp.lake('tables.born') FROM deltatx.tables WHERE table_name = 'tables.grown';
BEGIN;
SELECT pg_temp.try('SELECT deltatx_create_table(''tables.born'', pg_temp.lake(''tables/born2''), ''id bigint'')');
-- Names change hands within a transaction.
SELECT deltatx_rename_table('tables.born', 'tables.swap');
SELECT deltatx_rename_table('tables.grown', 'tables.born');
SELECT deltatx_rename_table('tables.swap', 'tables.grown');
SELECT table_name, files FROM deltatx.tables WHERE table_name IN ('tables.born', 'tables.grown') ORDER BY 1;
ROLLBACK;
-- Not a table that is staged; that of another is fine.
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('tables.grown', pg_temp.adds('e'));
SELECT pg_temp.try($$SELECT deltatx_rename_table('tables.grown', 'tables.other')$$);
SELECT pg_temp.try($$SELECT deltatx_rename_table('tables.kept', 'tables.other')$$);
SELECT table_name, version FROM deltatx_commit();
SELECT deltatx_rename_table('tables.grown', 'tables.renamed');
COMMIT;
SELECT pg_temp.files('tables.renamed');

\echo == drop
BEGIN;
SELECT deltatx_drop_table('tables.renamed');
SELECT pg_temp.try($$SELECT deltatx_version('tables.renamed')$$);
SELECT pg_temp.try($$SELECT deltatx_drop_table('tables.renamed')$$);
SELECT count(*) FROM deltatx.tables WHERE table_name = 'tables.renamed';
ROLLBACK;
SELECT pg_temp.files('tables.renamed');
SELECT pg_temp.try(format('SELECT deltatx_drop_table(%s)', arguments)) FROM (VALUES
	($$'tables.nosuch'$$), ('NULL'), ($$'tables.renamed', true$$)) a (arguments);
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('tables.renamed', pg_temp.adds('f'));
SELECT pg_temp.try($$SELECT deltatx_drop_table('tables.renamed')$$);
SELECT deltatx_rollback();
SELECT deltatx_drop_table('tables.renamed');
-- The name is free at once, the location only when the last version is published.
SELECT pg_temp.try('SELECT deltatx_create_table(''tables.renamed'', pg_temp.lake(''tables.born''), ''id bigint'')');
SELECT pg_temp.try('SELECT deltatx_create_table(''tables.renamed'', pg_temp.lake(''tables/renamed''), ''id bigint'')');
COMMIT;
SELECT pg_temp.history('tables.renamed');

SELECT pg_temp.problems();
