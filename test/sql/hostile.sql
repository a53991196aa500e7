-- Input made to hurt: a clear error, or the truth; never a crash, never a table
-- that can't be read afterwards.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('hostile.t');
-- An add with one member replaced or added, both as JSON text.
CREATE FUNCTION pg_temp.add_with(name text, value text) RETURNS text LANGUAGE sql AS
$$SELECT '{"add": {"path": "x", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true, ' || name || ': ' || value || '}}'$$;
SET deltatx.transaction_timeout = 0;
BEGIN;
SELECT deltatx_begin() IS NOT NULL;

\echo == strings of 100 MB, documents that are long otherwise
SELECT pg_temp.try_stage('hostile.t', pg_temp.add_with('"stats"', '"{\"a\": \"' || repeat('x', 100000000) || '\"}"'));
SELECT pg_temp.try_stage('hostile.t', '{"add": {"path": "' || repeat('x', 100000000));
SELECT name, pg_temp.try_stage('hostile.t', document) FROM (VALUES
	('path', replace(pg_temp.add_with('"zzz"', '1'), '"x"', '"' || repeat('x', 20000) || '"')),
	('number', pg_temp.add_with('"zzz"', repeat('1', 1000000))),
	('size', replace(pg_temp.add_with('"zzz"', '1'), '"size": 1', '"size": ' || repeat('1', 1000000))),
	('kind', '{"' || repeat('x', 1000000) || '": {}}'),
	('value', '"' || repeat('x', 1000000) || '"'),
	('blanks', repeat(' ', 1000000)),
	('no JSON', repeat('x', 1000000)),
	('members', pg_temp.add_with('"zzz"', '{' || (SELECT string_agg('"m' || i || '": 1', ', ') FROM generate_series(1, 100000) i) || '}')),
	('one of them twice', pg_temp.add_with((SELECT string_agg('"m' || i % 99999 || '": 1', ', ') FROM generate_series(1, 100000) i) || ', "last"', '1'))) d (name, document);
-- Short enough to be staged, published and read again.
SELECT deltatx_stage('hostile.t', pg_temp.add_with('"zzz"', '"' || repeat('x', 1000000) || '"'));
SELECT version FROM deltatx_commit();
SELECT length(line) FROM deltatx_log('hostile.t', 1) line WHERE line LIKE '{"add%';
SELECT length(action #>> '{add,zzz}') FROM deltatx_files('hostile.t');
ROLLBACK;

\echo == nesting
BEGIN;
SELECT deltatx_begin() IS NOT NULL;
SELECT pg_temp.try_stage('hostile.t', document) FROM (VALUES
	(repeat('[', 1000000)), (repeat('{"add": ', 1000000)), (pg_temp.add_with('"zzz"', repeat('[', 1000000) || repeat(']', 1000000))),
	(pg_temp.add_with('"tags"', repeat('{"a": ', 1000000))), (pg_temp.add_with('"stats"', '"' || repeat('[', 1000000) || '"'))) d (document);
SELECT pg_temp.try('SELECT deltatx_stage(''hostile.t'', ''[]'', ''overwrite'', partition_filter => $1::jsonb)', '{"x": ' || repeat('[', 1000) || repeat(']', 1000) || '}');

\echo == what does not go into text or jsonb
SELECT document, pg_temp.try_stage('hostile.t', document) FROM (VALUES
	(pg_temp.add_with('"zzz"', '"\u0000"')), (pg_temp.add_with('"a\u0000b"', '1')), (pg_temp.add_with('"stats"', '"{\"a\": \"\u0000\"}"')),
	(pg_temp.add_with('"stats"', '"{\"numRecords\": 1, \"maxValues\": {\"a\": \"\\u0000\"}}"')),
	(pg_temp.add_with('"zzz"', '"\ud800"')), (pg_temp.add_with('"zzz"', '"\udc00\ud800"')), (pg_temp.add_with('"zzz"', '"\ud83d\ude00"')), (pg_temp.add_with('"zzz"', '"\u12"')), (pg_temp.add_with('"zzz"', '"\x41"')),
	(pg_temp.add_with('"zzz"', E'"a\nb"')), (pg_temp.add_with('"zzz"', E'"a\x01b"')), (pg_temp.add_with('"zzz"', '01')), (pg_temp.add_with('"zzz"', '-')), (pg_temp.add_with('"zzz"', '1e')), (pg_temp.add_with('"zzz"', 'NaN')), (pg_temp.add_with('"zzz"', '1e999999'))) d (document);
-- Text that isn't UTF-8 doesn't come to us.
SELECT pg_temp.try('SELECT deltatx_stage(''hostile.t'', convert_from($1::bytea, ''UTF8''))', '\xff');

\echo == names twice
SELECT pg_temp.try_stage('hostile.t', document) FROM (VALUES
	('{"add": {"path": "x", "path": "y", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true}}'),
	('{"add": {"path": "x", "p\u0061th": "y", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true}}'),
	('{"add": {"path": "x", "partitionValues": {"a": "1", "a": "2"}, "size": 1, "modificationTime": 1, "dataChange": true}}'),
	('{"add": {"path": "x", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true, "tags": {"a": "1", "a": "2"}}}'),
	('{"txn": {"appId": "a", "version": 1}, "txn": {"appId": "b", "version": 1}}')) d (document);
SELECT pg_temp.try('SELECT deltatx_stage(''hostile.t'', $1::json)', '{"add": {"path": "x", "path": "y", "partitionValues": {}, "size": 1, "modificationTime": 1, "dataChange": true}}');

\echo == numbers whose sum, or whose date, runs over
SELECT pg_temp.try_stage('hostile.t', (pg_temp.add('a', '{"size": 9223372036854775807}') || pg_temp.add('b', '{"size": 1}'))::text);
SELECT deltatx_stage('hostile.t', pg_temp.add('a', '{"size": 9223372036854775807}'));
SELECT pg_temp.try('SELECT deltatx_stage($1, $2, extend => true)', 'hostile.t', pg_temp.add('b', '{"size": 1}')::text);
SELECT version FROM deltatx_commit();
SELECT pg_temp.try('SELECT pg_temp.put($1, pg_temp.adds($2))', 'hostile.t', 'b');
SELECT bytes FROM deltatx.tables WHERE table_name = 'hostile.t';
SELECT pg_temp.put('hostile.t', pg_temp.add('c', '{"size": 9223372036854775807, "modificationTime": 253402300799999}'), 'overwrite');
SELECT path, size, date_trunc('second', modification_time AT TIME ZONE 'UTC') FROM deltatx_files('hostile.t');
SELECT pg_temp.try('SELECT pg_temp.put($1, pg_temp.add($2, ''{"modificationTime": 253402300800000}''), ''overwrite'')', 'hostile.t', 'd');
SELECT pg_temp.put('hostile.t', pg_temp.remove('c', '{"deletionTimestamp": 9223372036854775807}') || '[{"txn": {"appId": "a", "version": 9223372036854775807, "lastUpdated": 9223372036854775807}}]');
SELECT deltatx_app_version('hostile.t', 'a');
SELECT pg_temp.history('hostile.t');
ROLLBACK;

\echo == batches
SELECT pg_temp.try('SELECT deltatx_commit_batch($1)', batch) FROM (VALUES
	(repeat('{"hostile.t": ', 1000000)), (repeat('[', 1000000)),
	('{"hostile.t": {"actions": [], "mode": "overwrite"}, "hostile.t": {"actions": [], "mode": "overwrite"}}'),
	('{"hostile.t": {"actions": [], "mode": "overwrite"}, "hostile\u002et": {"actions": [], "mode": "overwrite"}}'),
	('{"hostile.t": {"actions": [], "actions": []}}'), ('{"hostile\u0000t": []}'),
	('{"hostile.t": {"actions": [], "mode": "overwrite"}'), ('{"hostile.t": {"actions": [], "mode": "overwrite"}} x'), ('{"hostile.t": {"actions": [], "mode": "overwrite"}, }'),
	('{"hostile.t": {"actions": [], "partition_filter": ' || repeat('[', 100000) || '}}')) b (batch);

\echo == names that want to be code
SELECT 'made' FROM deltatx_create_table('hostile.$$; DROP TABLE x', pg_temp.lake('hostile/code'), 'id bigint');
SELECT pg_temp.put('hostile.$$; DROP TABLE x', pg_temp.adds('%27;DROP-TABLE-x', '%22);--'));
SELECT pg_temp.files('hostile.$$; DROP TABLE x');
SET search_path = pg_temp, public;
CREATE TABLE pg_temp.dl_tables (x int);
CREATE FUNCTION pg_temp.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS 'BEGIN RAISE ''ran as %'', current_user; END';
CREATE FUNCTION pg_temp.count(anyelement) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE ''ran as %'', current_user; END';
SELECT pg_temp.put('hostile.t', pg_temp.adds('s1'));
SELECT path FROM deltatx_files('hostile.t', 1), deltatx_history('hostile.t', 1);
RESET search_path;

-- Nothing of all this is in the table.
SELECT pg_temp.files('hostile.t');
SELECT pg_temp.problems();
