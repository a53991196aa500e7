# Nothing that a user can put into a search_path runs with our rights, or
# changes what we do: operators, functions, types, tables and temporary ones.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage commit_files refusal answers table_directory);
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_naptime = 100ms\n");
my $location = table_directory('lake');

# Whatever is called leaves a trace, outside of the transaction.
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE eve;
GRANT pg_write_server_files TO eve;
CREATE SCHEMA evil AUTHORIZATION eve;
SET ROLE eve;
CREATE SEQUENCE evil.trace;
CREATE FUNCTION evil.int8_trap(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN true; END $$;
CREATE FUNCTION evil.text_trap(text, text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN true; END $$;
CREATE FUNCTION evil.int_trap(bigint, int) RETURNS bigint LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN 0; END $$;
DO $do$
DECLARE
	operator text;
BEGIN
	FOREACH operator IN ARRAY '{=,<>,<,>,<=,>=}'::text[] LOOP
		EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.int8_trap)', operator);
		EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.text_trap)', operator);
	END LOOP;
	EXECUTE 'CREATE OPERATOR evil.+ (LEFTARG = bigint, RIGHTARG = int, FUNCTION = evil.int_trap)';
	EXECUTE 'CREATE OPERATOR evil.- (LEFTARG = bigint, RIGHTARG = int, FUNCTION = evil.int_trap)';
END
$do$;
CREATE FUNCTION evil.hashtextextended(text, bigint) RETURNS bigint LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN 0; END $$;
CREATE FUNCTION evil.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); END $$;
CREATE FUNCTION evil.count(bigint) RETURNS bigint LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN 0; END $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN 'epoch'; END $$;
CREATE FUNCTION evil.may_use(text) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN true; END $$;
CREATE FUNCTION evil.staged_commits() RETURNS bigint[] LANGUAGE plpgsql AS
	$$ BEGIN PERFORM nextval('evil.trace'); RETURN '{}'; END $$;
CREATE DOMAIN evil.int8 AS text CHECK (evil.text_trap(VALUE, VALUE));
CREATE DOMAIN evil.jsonb AS text CHECK (evil.text_trap(VALUE, VALUE));
CREATE DOMAIN evil.uuid AS text CHECK (evil.text_trap(VALUE, VALUE));
CREATE TABLE evil.dl_tables (table_id bigint, table_name text);
CREATE TABLE evil.dl_table_heads (table_id bigint, current_version bigint);
CREATE TABLE evil.dl_live_files (table_id bigint);
CREATE VIEW evil.tables AS SELECT evil.int8_trap(1, 1);
SQL

my $hijack = <<'SQL';
SET ROLE eve;
SET search_path = evil, pg_catalog, public;
CREATE TEMP TABLE dl_tables (table_id bigint, table_name text);
CREATE TEMP TABLE dl_table_heads (table_id bigint, current_version bigint);
CREATE TEMP TABLE dl_table_versions (table_id bigint, version bigint);
CREATE TEMP TABLE dl_live_files (table_id bigint);
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (evil.text_trap(VALUE, VALUE));
SET search_path = evil, pg_temp, pg_catalog, public;
SQL
my $work = <<"SQL";
DO \$\$
BEGIN
	PERFORM deltatx_create_table('%s', 'file://$location/%s', 'id bigint, day date', partition_columns => '{day}');
	PERFORM deltatx_alter_table('%s', add_columns => 'more text', set_properties => '{"a.b": "c"}');
	PERFORM deltatx_begin(idempotency_key => '%s', app_id => '%s', app_version => 1);
	PERFORM deltatx_stage('%s', '[{"add":{"path":"day=2026-11-01/a","partitionValues":{"day":"2026-11-01"},"size":10,"modificationTime":1,"dataChange":true}},
		{"add":{"path":"day=2026-11-02/b","partitionValues":{"day":"2026-11-02"},"size":10,"modificationTime":1,"dataChange":true}}]');
	PERFORM deltatx_validate();
	PERFORM deltatx_commit();
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('%s', '[{"remove":{"path":"day=2026-11-01/a","dataChange":true}}]');
	PERFORM deltatx_commit();
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('%s', '[]', mode => 'overwrite', partition_filter => '{"day": "2026-11-02"}');
	PERFORM deltatx_rollback();
	PERFORM deltatx_commit_batch('{"%s": [{"add":{"path":"day=2026-11-03/c","partitionValues":{"day":"2026-11-03"},"size":10,"modificationTime":1,"dataChange":true}}]}');
	PERFORM deltatx_rename_table('%s', '%s-renamed');
END
\$\$;
SELECT * FROM deltatx_files('%s-renamed');
SELECT * FROM deltatx_files('%s-renamed', 3, partition_filter => '{"day": {"gte": "2026-11-02"}}');
SELECT * FROM deltatx_history('%s-renamed', 10);
SELECT * FROM deltatx_log('%s-renamed', 3);
SELECT deltatx_version('%s-renamed', as_of => pg_catalog.now()), deltatx_app_version('%s-renamed', 'app'), deltatx_new_path('%s-renamed', '{"day":null}');
SELECT * FROM deltatx.tables;
SELECT * FROM deltatx.mirror;
SELECT * FROM deltatx.transactions;
SELECT deltatx_pause('%s-renamed');
SELECT deltatx_resume('%s-renamed');
SELECT deltatx_wait('%s-renamed');
SQL

# Once as it is, once with everything in the way: the same.
my $plain = "SET ROLE eve;\n" . $work =~ s/%s/plain/gr;
my $hijacked = "$hijack\n" . $work =~ s/%s/other/gr;
is(refusal($node, $plain), '', 'a session without more');
is(refusal($node, $hijacked), '', 'a session full of traps');
is($node->safe_psql('postgres', 'SELECT is_called FROM evil.trace'), 'f', 'nothing of the user was called');

my $question = <<'SQL';
SELECT f.path, f.size, f.added_version FROM deltatx_files('%s-renamed') f ORDER BY path;
SELECT version, operation, files_added, files_removed, is_blind_append FROM deltatx_history('%s-renamed');
SELECT count(*) FROM generate_series(0, 4) v, deltatx_log('%s-renamed', v);
SELECT current_version, files, bytes, partition_columns, properties, protocol FROM deltatx.tables WHERE table_name = '%s-renamed';
SQL
is($node->safe_psql('postgres', $question =~ s/%s/other/gr), $node->safe_psql('postgres', $question =~ s/%s/plain/gr),
	'both tables are the same');

# The catalog itself is out of reach, and so are internal functions that could write.
is(refusal($node, "SET ROLE eve; $_"), '42501', $_)
  foreach 'SELECT * FROM deltatx.dl_tables', 'INSERT INTO deltatx.dl_table_heads VALUES (1)',
  'DELETE FROM deltatx.dl_live_files', 'CREATE TABLE deltatx.mine ()', "SELECT nextval('deltatx.dl_commit_id_seq')",
  'TRUNCATE deltatx.dl_mirror_queue', 'CREATE TRIGGER t BEFORE INSERT ON deltatx.dl_live_files EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  'SELECT * FROM deltatx.status', "CREATE FUNCTION deltatx.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'";

# What runs in between as the extension's owner leaves the session as it was.
is($node->safe_psql('postgres', <<'SQL'), "eve|evil, public|on|55ms", 'role and settings are the caller\'s afterwards');
SET ROLE eve; SET search_path = evil, public; SET lock_timeout = '55ms';
DO $$ BEGIN PERFORM public.deltatx_version('none'); EXCEPTION WHEN undefined_table THEN NULL; END $$;
DO $$ BEGIN PERFORM public.deltatx_begin(); PERFORM public.deltatx_stage('none', '[]'); EXCEPTION WHEN OTHERS THEN NULL; END $$;
DO $$ BEGIN PERFORM public.deltatx_begin(); PERFORM public.deltatx_stage('plain-renamed', '[]', mode => 'overwrite'); PERFORM public.deltatx_commit(); END $$;
SELECT pg_catalog.concat_ws('|', current_user, current_setting('search_path'), current_setting('enable_seqscan'), current_setting('lock_timeout'));
SQL

$node->stop;
done_testing();
