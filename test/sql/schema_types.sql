-- Columns of a table: column lists, LIKE, schemaString.
\pset format unaligned
\pset tuples_only on
\set ECHO none
\i test/lib/outcome.sql
\set ECHO all

-- The schema that columns make, a field a line.
CREATE FUNCTION pg_temp.made(columns text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	made json;
BEGIN
	BEGIN
		PERFORM deltatx_create_table('types', 'file:///nowhere/types', columns);
		SELECT line::json #>> '{metaData,schemaString}' INTO made
		FROM deltatx_log('types', 0) line WHERE line LIKE '{"metaData"%';
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION
		WHEN SQLSTATE 'ZZ000' THEN NULL;
	END;
	RETURN QUERY SELECT field::text FROM json_array_elements(made -> 'fields') field;
END
$$;

CREATE FUNCTION pg_temp.refused(columns text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.outcome(format('SELECT deltatx_create_table(''types'', ''file:///nowhere/types'', %L)', columns))$$;

\echo == column lists, both dialects
SELECT pg_temp.made('a bigint, b int8, c long, d integer, e int, f int4, g smallint, h int2, i short, j tinyint, k byte');
SELECT pg_temp.made('a real, b float4, c float, d double precision, e double, f float8, g float(24), h float(53)');
SELECT pg_temp.made('a numeric(10,2), b decimal(38), c DEC(1,1), d boolean, e bool, f text, g string, h bytea, i binary, j date');
SELECT pg_temp.made('a timestamp, b timestamptz, c timestamp with time zone, d timestamp(3) without time zone, e timestamp_ntz, f timestamp_ltz');
SELECT pg_temp.made('a varchar, b varchar(5), c character varying(6), d char, e character(7), f bpchar, g array<varchar(3)>, h variant');
SELECT pg_temp.made('a text[], b text[][], c int array, d int[3], e array<array<date>>, f map<string,array<long>>');
SELECT pg_temp.made('s struct<a: int, b: struct<c text NOT NULL COMMENT ''inner''>>, t STRUCT<`x.y` : char(2)>');
SELECT pg_temp.made($$ "Id" bigint NOT NULL COMMENT 'it''s "one"', `Tick` text NULL, -- a comment
	/* and another */ "check" int, storage int $$);

\echo == column lists, refused
SELECT columns, pg_temp.refused(columns) FROM (VALUES
	(''), ('id'), ('id bigint,'), ('id bigint day date'), ('(id bigint)'), ('id bigint;'),
	('"id bigint'), ('id text COMMENT ''x'), ('id bigint /* x'), ('id bigint NOT'), ('id text COMMENT x'),
	('id bigint, ID text'), ('s struct<a int, A int>'), ('"" int'), ('"a b" int'), ('"a=b" int'), ('s struct<"x,y" int>'),
	('id numeric'), ('id decimal'), ('id numeric(0)'), ('id numeric(39,2)'), ('id numeric(3,4)'), ('id numeric(1000000000000)'),
	('id varchar(0)'), ('id float(0)'), ('id float(54)'), ('id timestamp(7)'), ('id array'), ('id array<>'), ('id map<int>'), ('id struct<>'),
	('id serial'), ('id uuid'), ('id json'), ('id jsonb'), ('id money'), ('id interval'), ('id time'), ('id inet'), ('id int4range'),
	('id xml'), ('id void'), ('id mood'), ('id array<uuid>'), ('s struct<x: uuid>'),
	('id bigint DEFAULT 1'), ('id bigint PRIMARY KEY'), ('id bigint CHECK (id > 0)'), ('id bigint GENERATED ALWAYS AS (1) STORED'),
	('id bigint UNIQUE'), ('id bigint REFERENCES t'), ('id bigint, PRIMARY KEY (id)'), ('id text COLLATE "C"'), ('id bigint, LIKE t')
) refused (columns);

\echo == nesting
SELECT count(*) FROM pg_temp.made('a int' || repeat('[]', 31));
SELECT pg_temp.refused('a int' || repeat('[]', 32));
SELECT pg_temp.refused('a ' || repeat('array<', 100000));

\echo == LIKE
CREATE SCHEMA likes;
CREATE TYPE likes.point AS (x real, label varchar(4), tags text[]);
CREATE DOMAIN likes.amount AS numeric(12,2) CHECK (VALUE > 0);
CREATE TABLE likes.all_types (
	a bigint PRIMARY KEY, gone text, b smallint NOT NULL, c integer DEFAULT 7, d real, e double precision,
	f numeric(20,5), g boolean, h text, i varchar(10), j char(3), k bytea, l date, m timestamp, n timestamptz(3),
	o text[], p int[][], q likes.point, r likes.point[], s likes.amount, t likes.amount[]);
ALTER TABLE likes.all_types DROP COLUMN gone;
COMMENT ON COLUMN likes.all_types.h IS 'a "text"';
SELECT pg_temp.made('LIKE likes.all_types');
CREATE VIEW likes.some AS SELECT a, h FROM likes.all_types;
SELECT pg_temp.made(E' like\n"likes"."some" ');
SET search_path = likes, public;
SELECT count(*) FROM pg_temp.made('LIKE some');
RESET search_path;

CREATE TYPE likes.mood AS ENUM ('good');
CREATE TABLE likes.t_enum (id int, m likes.mood);
CREATE TABLE likes.t_numeric (n numeric);
CREATE TABLE likes.t_wide (n numeric(39,1));
CREATE TABLE likes.t_negative (n numeric(5,-2));
CREATE TABLE likes.t_name ("a b" int);
CREATE TABLE likes.t_empty ();
CREATE TABLE likes.t_uuid (id uuid);
SELECT columns, pg_temp.refused(columns) FROM (VALUES
	('LIKE'), ('LIKE a.b.c.d'), ('LIKE likes.some, id int'), ('LIKE likes.missing'), ('LIKE missing.missing'), ('LIKE some'),
	('LIKE likes.all_types_pkey'), ('LIKE likes.point'), ('LIKE likes.t_enum'), ('LIKE likes.t_numeric'), ('LIKE likes.t_wide'),
	('LIKE likes.t_negative'), ('LIKE likes.t_name'), ('LIKE likes.t_empty'), ('LIKE likes.t_uuid')
) refused (columns);

-- Whoever may not read the columns doesn't learn them.
CREATE ROLE likes_reader IN ROLE pg_write_server_files;
GRANT USAGE ON SCHEMA likes TO likes_reader;
GRANT SELECT (a) ON likes.some TO likes_reader;
SET ROLE likes_reader;
SELECT pg_temp.refused('LIKE likes.some');
RESET ROLE;
GRANT SELECT (h) ON likes.some TO likes_reader;
SET ROLE likes_reader;
SELECT pg_temp.made('LIKE likes.some');
RESET ROLE;

\echo == schemaString
SELECT pg_temp.made(' {"type":"struct","fields":[
	{"name":"id","type":"long","nullable":false,"metadata":{"b":1.50,"a":[1, {"x y":null}],"c":"\u00e9"}},
	{"metadata":{},"nullable":true,"type":{"containsNull":false,"elementType":{"fields":[{"name":"x","type":"decimal( 5 , 1 )","nullable":true}],"type":"struct"},"type":"array"},"name":"s"},
	{"name":"m","type":{"type":"map","keyType":"string","valueType":"timestamp_ntz","valueContainsNull":false},"nullable":true,"metadata":{},"other":1}]}');
SELECT columns, pg_temp.refused(columns) FROM (
	SELECT '{"type":"struct","fields":[' || field || ']}' FROM (VALUES
		(''), ('1'), ('{}'), ('{"name":"a"}'), ('{"name":1,"type":"long","nullable":true}'),
		('{"name":"a","type":"long"}'), ('{"name":"a","type":"long","nullable":"true"}'), ('{"name":"a","type":"long","nullable":true,"metadata":[]}'),
		('{"name":"a","name":"b","type":"long","nullable":true}'), ('{"name":"a","type":"long","nullable":true,"metadata":{"x":1,"x":2}}'),
		('{"name":"a","type":"void","nullable":true}'), ('{"name":"a","type":"varchar(3)","nullable":true}'), ('{"name":"a","type":{"type":"udt"},"nullable":true}'),
		('{"name":"a","type":"decimal(39,0)","nullable":true}'), ('{"name":"a","type":"decimal(x)","nullable":true}'), ('{"name":"a","type":7,"nullable":true}'),
		('{"name":"a","type":{"type":"array","elementType":"long"},"nullable":true}'), ('{"name":"a","type":{"type":"map","keyType":"long","valueType":"long","containsNull":true},"nullable":true}'),
		('{"name":"a","type":"long","nullable":true},{"name":"A","type":"long","nullable":true}'), ('{"name":"a b","type":"long","nullable":true}'),
		('{"name":"a\u0000","type":"long","nullable":true}'), ('{"name":"a","type":"long","nullable":true'), ('{"name":"a","type":{"type":"struct","fields":[]},"nullable":true}')
	) fields (field)
	UNION ALL VALUES ('{'), ('{"type":"struct"}'), ('{"type":"array","elementType":"long","containsNull":true}'), ('{"type":"struct","fields":[]} x')
) refused (columns);

SET client_min_messages = warning;
DROP SCHEMA likes CASCADE;
DROP ROLE likes_reader;
