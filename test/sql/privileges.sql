-- Who may do what: the owner of a table, its members, strangers, monitors.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

CREATE ROLE regress_deltatx_owner IN ROLE pg_write_server_files;
CREATE ROLE regress_deltatx_member IN ROLE regress_deltatx_owner;
CREATE ROLE regress_deltatx_heir NOINHERIT IN ROLE regress_deltatx_owner;
CREATE ROLE regress_deltatx_stranger;
CREATE ROLE regress_deltatx_monitor IN ROLE pg_monitor;
CREATE ROLE regress_deltatx_other IN ROLE pg_write_server_files;
-- Every call there is about a table, named t; statement and what it comes to.
CREATE FUNCTION pg_temp.calls(t text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	call text;
BEGIN
	FOREACH call IN ARRAY ARRAY[
		'deltatx_version(%L)', 'deltatx_files(%L)', 'deltatx_files(%L, 0)', 'deltatx_history(%L)', 'deltatx_log(%L, 0)', 'deltatx_app_version(%L, ''a'')', 'deltatx_new_path(%L)',
		'deltatx_stage(%L, pg_temp.adds(''f''))', 'deltatx_read(%L)', 'deltatx_alter_table(%L, description => ''x'')', 'deltatx_rename_table(%L, ''privileges.new'')', 'deltatx_drop_table(%L)',
		'deltatx_wait(%L, timeout => ''0'')', 'deltatx_pause(%L)', 'deltatx_resume(%L)', 'deltatx_retry(%L)'] LOOP
		BEGIN
			IF call ~ 'stage|read' THEN
				PERFORM deltatx_begin();
			END IF;
			RETURN NEXT format('%s: %s', split_part(call, '(', 1), pg_temp.try(format('SELECT ' || call, t)));
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
			NULL;
		END;
	END LOOP;
END
$$;
-- How many of the rows of each view one sees.
CREATE FUNCTION pg_temp.seen() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	view text;
	n bigint;
BEGIN
	FOREACH view IN ARRAY '{tables,mirror,live_files,all_files,versions}'::text[] LOOP
		EXECUTE format('SELECT count(*) FROM deltatx.%I WHERE %s', view, CASE WHEN view = 'versions' THEN 'true' ELSE 'table_name LIKE ''privileges.%''' END) INTO n;
		RETURN NEXT format('%s: %s', view, CASE WHEN view = 'versions' THEN (n > 0)::text ELSE n::text END);
	END LOOP;
	SELECT count(*) INTO n FROM deltatx.transactions WHERE 'privileges.t' = ANY (table_names);
	RETURN NEXT 'transactions: ' || n;
	RETURN NEXT 'status: ' || pg_temp.try('SELECT * FROM deltatx.status');
EXCEPTION WHEN OTHERS THEN
	RETURN NEXT SQLERRM;
END
$$;

\echo == the owner
SET ROLE regress_deltatx_owner;
SELECT pg_temp.make('privileges.t');
SELECT owner FROM deltatx.tables WHERE table_name = 'privileges.t';
SELECT pg_temp.put('privileges.t', pg_temp.adds('a'));
SELECT user_name FROM deltatx_history('privileges.t');
SELECT pg_temp.calls('privileges.t');
SELECT pg_temp.seen();
\echo == a member
SET ROLE regress_deltatx_member;
SELECT pg_temp.calls('privileges.t');
SELECT pg_temp.put('privileges.t', pg_temp.adds('b'));
SELECT user_name FROM deltatx_history('privileges.t', 1);
SELECT pg_temp.seen();
\echo == a member who does not inherit, before and after SET ROLE
SET ROLE regress_deltatx_heir;
SELECT pg_temp.try($$SELECT deltatx_version('privileges.t')$$);
SET ROLE regress_deltatx_owner;
SELECT deltatx_version('privileges.t');
\echo == a stranger
SET ROLE regress_deltatx_stranger;
SELECT pg_temp.calls('privileges.t');
SELECT pg_temp.seen();
-- Whether a table exists, a stranger learns; no more.
SELECT pg_temp.try($$SELECT deltatx_version('privileges.nosuch')$$);
SELECT pg_temp.try('SELECT deltatx_create_table(''privileges.mine'', pg_temp.lake(''privileges/mine''), ''id bigint'')');
-- Waiting for all and pausing all means all that one may use.
SELECT deltatx_pause(), deltatx_resume();
\echo == a monitor sees, and no more
SET ROLE regress_deltatx_monitor;
SELECT pg_temp.calls('privileges.t');
SELECT pg_temp.seen();
\echo == another owner
SET ROLE regress_deltatx_other;
SELECT pg_temp.make('privileges.theirs');
SELECT table_name, owner FROM deltatx.tables WHERE table_name LIKE 'privileges.%';
-- Mixed with a table of somebody else's: refused, and nothing of it kept.
SELECT pg_temp.try($$SELECT deltatx_commit_batch(jsonb_build_object('privileges.theirs', pg_temp.adds('f'), 'privileges.t', pg_temp.adds('f')))$$);
SELECT deltatx_version('privileges.theirs');
SELECT pg_temp.try($$SELECT deltatx_rename_table('privileges.theirs', 'privileges.t')$$);
SELECT pg_temp.try('SELECT deltatx_create_table(''privileges.within'', pg_temp.lake(''privileges.t/within''), ''id bigint'')');
RESET ROLE;

\echo == the catalog
SET ROLE regress_deltatx_owner;
SELECT c.relname, pg_temp.try(format('SELECT * FROM deltatx.%I LIMIT 0', c.relname)), pg_temp.try(format('DELETE FROM deltatx.%I', c.relname))
FROM pg_class c WHERE c.relnamespace = 'deltatx'::regnamespace AND c.relkind = 'r' ORDER BY c.relname COLLATE "C";
SELECT c.relname, pg_temp.try(format('SELECT nextval(%L)', 'deltatx.' || c.relname)), pg_temp.try(format('SELECT last_value FROM deltatx.%I', c.relname))
FROM pg_class c WHERE c.relnamespace = 'deltatx'::regnamespace AND c.relkind = 'S' ORDER BY c.relname COLLATE "C";
SELECT pg_temp.try('CREATE TABLE deltatx.mine (i int)');
-- The functions that the views are made with, called with anything.
SELECT call, pg_temp.try('SELECT deltatx.' || call) FROM (VALUES ('add_line(''p'', NULL, NULL, NULL, NULL, NULL, NULL, NULL)'), ('add_line(NULL, ''x'', 1, 1, true, ''y'', ''z'', ''"'')'), ('jsonb_or_null(''no JSON'')'), ('jsonb_or_null(repeat(''['', 1000000))'),
	('partition_matches(''privileges.t'', ''{}'', ''no JSON'')'), ('partition_matches(''privileges.nosuch'', ''{}'', ''{}'')'), ('readable_table(NULL)'), ('readable_version(NULL, NULL, NULL)'), ('stamp_to_timestamptz(9223372036854775807)'),
	('may_use(''nosuch'')'), ('worker_status()'), ('library_version()'), ('staged_commits()')) c (call);
RESET ROLE;

\echo == in the name of another
-- A function runs as its owner, and so do the calls in it.
CREATE FUNCTION public.regress_deltatx_lend(path text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM public.deltatx_begin();
	PERFORM public.deltatx_stage('privileges.t', format('{"add":{"path":"%s","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}', path));
	RETURN (SELECT version FROM public.deltatx_commit());
END
$$;
ALTER FUNCTION public.regress_deltatx_lend OWNER TO regress_deltatx_owner;
SET ROLE regress_deltatx_stranger;
SELECT public.regress_deltatx_lend('lent');
RESET ROLE;
SELECT user_name FROM deltatx_history('privileges.t', 1);
-- Rights are asked when something is staged; the transaction is the session's.
BEGIN;
SET LOCAL ROLE regress_deltatx_owner;
SELECT deltatx_begin() IS NOT NULL;
SELECT deltatx_stage('privileges.t', pg_temp.adds('handed'));
SET LOCAL ROLE regress_deltatx_stranger;
SELECT pg_temp.try($$SELECT deltatx_stage('privileges.t', pg_temp.adds('more'), extend => true)$$);
SELECT version FROM deltatx_commit();
COMMIT;
SELECT user_name FROM deltatx_history('privileges.t', 1);

\echo == a role that goes
DROP FUNCTION public.regress_deltatx_lend;
DROP ROLE regress_deltatx_member, regress_deltatx_heir;
DROP OWNED BY regress_deltatx_owner;
DROP ROLE regress_deltatx_owner;
SET ROLE regress_deltatx_stranger;
SELECT pg_temp.try($$SELECT deltatx_version('privileges.t')$$);
RESET ROLE;
-- What is left of it belongs to superusers.
SELECT owner, current_version FROM deltatx.tables WHERE table_name = 'privileges.t';
SELECT pg_temp.put('privileges.t', pg_temp.adds('c'));
DROP ROLE regress_deltatx_stranger, regress_deltatx_monitor, regress_deltatx_other;
SELECT pg_temp.problems();
