-- What the extension is made of: nothing of it without a comment or missing in
-- a dump, nothing open to PUBLIC but what is listed here, nothing that a
-- search_path can lead astray.
\pset null NULL

CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
WHERE e.extname = 'deltatx' AND d.deptype = 'e';

SELECT count(*) > 50 AS some FROM members;

-- Without a comment; indexes, toast tables and row types aside.
SELECT object FROM members
WHERE obj_description(objid, classid::regclass::name) IS NULL AND classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass);

-- Not in a dump: tables and sequences whose rows are users'.
SELECT object FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
WHERE c.relkind IN ('r', 'S') AND NOT c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'deltatx');
SELECT extcondition FROM pg_extension WHERE extname = 'deltatx' AND array_to_string(extcondition, '') <> '';

-- Relations that PUBLIC may read; none that it may write.
SELECT c.relname, c.relkind, a.privilege_type FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
WHERE c.relnamespace = 'deltatx'::regnamespace AND a.grantee = 0 ORDER BY c.relname COLLATE "C", 3;
-- They show each user his own rows: their conditions come before the user's.
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'deltatx'::regnamespace AND c.relkind = 'v' AND has_table_privilege('public', c.oid, 'SELECT')
	AND NOT coalesce(c.reloptions @> '{security_barrier=true}', false);
-- Roles other than the owner.
SELECT c.relname, a.grantee::regrole, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a
WHERE c.relnamespace = 'deltatx'::regnamespace AND a.grantee NOT IN (0, c.relowner) ORDER BY c.relname COLLATE "C";

-- Functions in the catalog's schema, and who may call them.
SELECT p.oid::regprocedure, has_function_privilege('public', p.oid, 'EXECUTE') AS public,
	(SELECT string_agg(a.grantee::regrole::text, ' ') FROM aclexplode(p.proacl) a WHERE a.grantee NOT IN (0, p.proowner)) AS others
FROM pg_proc p WHERE p.pronamespace = 'deltatx'::regnamespace ORDER BY p.proname COLLATE "C";
-- Functions that not everybody may call, elsewhere.
SELECT object FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
WHERE p.pronamespace <> 'deltatx'::regnamespace AND NOT has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1;

-- Functions whose body is looked up at run time, without a search_path of their own.
SELECT object FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL AND NOT coalesce(array_to_string(p.proconfig, ' ') ~ 'search_path=', false);
-- Functions that run as their owner.
SELECT object FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid WHERE p.prosecdef;
-- What writes must not run in parallel workers.
SELECT p.proname, p.provolatile, p.proparallel FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
WHERE p.proparallel = 's' OR (p.provolatile = 'v' AND p.proparallel <> 'u') ORDER BY p.proname COLLATE "C";
-- Operators in views and bodies come from pg_catalog.
SELECT DISTINCT o.oprnamespace::regnamespace FROM pg_depend d JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
WHERE d.objid IN (SELECT objid FROM members) AND o.oprnamespace <> 'pg_catalog'::regnamespace;
-- Nobody creates objects in the catalog's schema.
SELECT has_schema_privilege('public', 'deltatx', 'CREATE') AS create, has_schema_privilege('public', 'deltatx', 'USAGE') AS usage;
-- No trigger, rule or foreign key would run beside us; no column depends on a database's collation.
SELECT tgname FROM pg_trigger WHERE tgrelid IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass);
SELECT conname FROM pg_constraint WHERE connamespace = 'deltatx'::regnamespace AND contype = 'f';
SELECT i.indexrelid::regclass, a.attname FROM pg_index i, unnest(i.indkey, i.indcollation) k (attnum, collation_oid) JOIN pg_attribute a ON a.attnum = k.attnum
WHERE a.attrelid = i.indrelid AND i.indrelid IN (SELECT objid FROM members WHERE classid = 'pg_class'::regclass) AND k.collation_oid NOT IN (0, 'pg_catalog."C"'::regcollation);
