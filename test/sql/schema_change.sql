-- How the shape of a table may change, with and without data files in it.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all

-- The outcome of giving a table of columns "old" the columns "new" by a staged metaData action.
CREATE FUNCTION pg_temp.changed(old text, new text, has_files boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	new_metadata jsonb;
	result text;
BEGIN
	BEGIN
		PERFORM deltatx_create_table('wanted', 'file:///nowhere/wanted', new);
		PERFORM deltatx_create_table('changed', 'file:///nowhere/changed', old);
		IF has_files THEN
			PERFORM deltatx_begin();
			PERFORM deltatx_stage('changed', '[{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}]'::jsonb);
			PERFORM deltatx_commit();
		END IF;

		SELECT jsonb_build_object('metaData', (c::jsonb -> 'metaData') || jsonb_build_object('schemaString', w::jsonb #> '{metaData,schemaString}'))
		INTO new_metadata
		FROM deltatx_log('changed', 0) c, deltatx_log('wanted', 0) w
		WHERE c LIKE '{"metaData"%' AND w LIKE '{"metaData"%';
		result := pg_temp.outcome(format('SELECT deltatx_begin(), deltatx_stage(''changed'', %L::jsonb), deltatx_rollback()',
			jsonb_build_array(new_metadata)));
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION
		WHEN SQLSTATE 'ZZ000' THEN RETURN result;
	END;
END
$$;

SELECT old, new, 'empty: ' || pg_temp.changed(old, new, false), 'with files: ' || pg_temp.changed(old, new, true) FROM (VALUES
	('a int', 'a int'), ('a int', 'a int, b text'), ('a int', 'b text, a int'), ('a int, b text', 'b text, a int'),
	('a int', 'a int, b text NOT NULL'), ('a int', 'a int, s struct<x: int NOT NULL>'),
	('a int', 'a int COMMENT ''x'''), ('a int COMMENT ''x''', 'a int'),
	('a int NOT NULL', 'a int'), ('a int', 'a int NOT NULL'),
	('a int, b int', 'a int'), ('a int', 'b int'), ('a int', 'A int'),
	('a int', 'a bigint'), ('a numeric(5,2)', 'a numeric(6,2)'), ('a numeric(5,2)', 'a numeric(5,1)'), ('a text', 'a varchar(3)'),
	('a struct<x: int>', 'a struct<x: int, y: int>'), ('a struct<x: int>', 'a struct<x: int, y: int NOT NULL>'), ('a struct<x: int, y: int>', 'a struct<x: int>'),
	('a struct<x: int>', 'a struct<X: int>'), ('a int[]', 'a bigint[]'), ('a map<int,int>', 'a map<bigint,int>'), ('a map<int,int>', 'a map<int,text>'),
	('a array<struct<x: int>>', 'a array<struct<x: int, y: int>>'), ('a array<struct<x: int>>', 'a array<struct<x: int NOT NULL>>'), ('a map<int,struct<x: int>>', 'a map<int,struct<y: int>>'),
	('a int', 'a int[]')
) change (old, new);

\echo == identity and partitioning
BEGIN;
SELECT 1 FROM deltatx_create_table('identity', 'file:///nowhere/identity', 'a int, d date', '{d}');
CREATE FUNCTION pg_temp.with_metadata(change jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.outcome(format('SELECT deltatx_begin(), deltatx_stage(''identity'', %L::jsonb), deltatx_rollback()',
		jsonb_build_array(jsonb_build_object('metaData', (line::jsonb -> 'metaData') || change))))
	FROM deltatx_log('identity', 0) line WHERE line LIKE '{"metaData"%'
$$;
SELECT pg_temp.with_metadata('{}');
SELECT pg_temp.with_metadata('{"name": "n", "description": "d"}');
SELECT split_part(pg_temp.with_metadata('{"id": "00000000-0000-4000-8000-000000000000"}'), ' | ', 1);
SELECT pg_temp.with_metadata('{"createdTime": 1}');
SELECT pg_temp.with_metadata('{"format": {"provider": "orc", "options": {}}}');
SELECT change, pg_temp.with_metadata(change) FROM (VALUES
	('{"partitionColumns": []}'::jsonb), ('{"partitionColumns": ["a"]}'), ('{"partitionColumns": ["a", "d"]}'), ('{"partitionColumns": ["d", "d"]}'),
	('{"partitionColumns": ["D"]}'), ('{"partitionColumns": ["x"]}')) given (change);
SELECT change, pg_temp.with_metadata(change) FROM (VALUES
	('{"configuration": {"delta.enableInCommitTimestamps": "true", "delta.appendOnly": "true"}}'::jsonb), ('{"configuration": {}}'),
	('{"configuration": {"delta.enableInCommitTimestamps": "false"}}'), ('{"configuration": {"delta.enableInCommitTimestamps": "true", "deltatx.fence": "false"}}')) given (change);
ROLLBACK;

\echo == alter
BEGIN;
SELECT 1 FROM deltatx_create_table('altered', 'file:///nowhere/altered', 'a int');
SELECT deltatx_alter_table('altered', add_columns => 'b text COMMENT ''new'', c struct<x: int>', description => 'two columns more');
SELECT jsonb_pretty(schema) FROM deltatx.tables WHERE table_name = 'altered';
SELECT pg_temp.outcome($$SELECT deltatx_alter_table('altered', add_columns => 'A text')$$);
SELECT pg_temp.outcome($$SELECT deltatx_alter_table('altered', add_columns => 'd uuid')$$);
ROLLBACK;

\echo == partition columns of a new table
SELECT partition_columns, pg_temp.outcome(format('SELECT deltatx_create_table(''parts'', ''file:///nowhere/parts'', %L, %L)',
	'a int, d date, s struct<x: int>, l int[], m map<int,int>, v variant, b binary', partition_columns))
FROM (VALUES ('{d}'), ('{d,a}'), ('{b}'), ('{D}'), ('{x}'), ('{s.x}'), ('{s}'), ('{l}'), ('{m}'), ('{v}'), ('{d,d}')) given (partition_columns);
SELECT pg_temp.outcome($$SELECT deltatx_create_table('parts', 'file:///nowhere/parts', 'a int, d date', '{a,d}')$$);
