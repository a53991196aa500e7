-- Every object of the extension is documented, and everything in the catalog
-- that users fill goes into a dump.
BEGIN;
SELECT plan(3);

CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend d
JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'deltatx' AND d.deptype = 'e';

SELECT isnt_empty('SELECT object FROM members', 'the extension has objects');

SELECT is_empty(
	$$SELECT object FROM members
	WHERE classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
		AND obj_description(objid, classid::regclass::name) IS NULL$$,
	'every table, view, sequence, function and schema has a comment');

SELECT is_empty(
	$$SELECT object FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	WHERE c.relkind IN ('r', 'S')
		AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'deltatx' AND c.oid = ANY (e.extconfig))$$,
	'every table and sequence is dumped');

SELECT * FROM finish();
ROLLBACK;
