# Many sessions do at random, for a while, all that one can do to a few
# tables: whatever came of it, afterwards the catalog agrees with itself, every
# error was one that such a race may end in, and all of it is published.

use strict;
use warnings;

use DeltaTx qw(new_node create_table poll);
use Test::More;

use constant CLIENTS => 8;
use constant TRANSACTIONS => 150;

my $node = new_node('main', conf => "max_connections = 30\nlog_min_messages = fatal");
create_table($node, "t$_", columns => 'id bigint, p text', more => "partition_columns => '{p}'") foreach 1 .. 4;
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE outcomes (state text, condition text, message text);
CREATE SEQUENCE numbers;
CREATE FUNCTION add(p text) RETURNS jsonb LANGUAGE sql VOLATILE AS
$$SELECT jsonb_build_object('add', jsonb_build_object('path', 'p=' || p || '/' || nextval('numbers'),
	'partitionValues', jsonb_build_object('p', p), 'size', 10, 'modificationTime', 1, 'dataChange', true))$$;

-- One of the things to do to a table; some of them find nothing to do.
CREATE FUNCTION change(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kind float := random();
	read_version bigint := CASE WHEN random() < 0.2 THEN deltatx_version(name) END;
	actions jsonb;
BEGIN
	CASE
		WHEN kind < 0.1 THEN
			PERFORM deltatx_read(name);
		WHEN kind < 0.2 THEN
			PERFORM deltatx_stage(name, add('a'), 'overwrite', read_version, partition_filter => '{"p": "a"}');
		WHEN kind < 0.3 THEN
			PERFORM deltatx_stage(name, jsonb_build_array(add('b'), add('c')), 'overwrite_partitions', read_version);
		WHEN kind < 0.33 THEN
			PERFORM deltatx_stage(name, '[]'::jsonb, 'overwrite', read_version);
		WHEN kind < 0.36 THEN
			PERFORM deltatx_alter_table(name, description => random()::text);
		WHEN kind < 0.6 THEN
			SELECT jsonb_agg(jsonb_build_object('remove', jsonb_build_object('path', path))) || jsonb_agg(add('a')) INTO actions
			FROM (SELECT path FROM deltatx_files(name) ORDER BY random() LIMIT 3) f;
			PERFORM deltatx_stage(name, actions, 'actions', read_version) WHERE actions IS NOT NULL;
		WHEN kind < 0.7 THEN
			-- The same files again, with nothing changed.
			SELECT jsonb_agg(jsonb_set(action, '{add,dataChange}', 'false')) INTO actions
			FROM (SELECT action FROM deltatx_files(name) ORDER BY random() LIMIT 2) f;
			PERFORM deltatx_stage(name, actions, 'actions', read_version) WHERE actions IS NOT NULL;
		ELSE
			PERFORM deltatx_stage(name, jsonb_build_array(add('a'), add('b')), 'append', read_version);
	END CASE;
END
$$;

CREATE FUNCTION transact() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text;
	tables int := 1 + floor(random() * 3);
BEGIN
	PERFORM deltatx_begin(idempotency_key => CASE WHEN random() < 0.1 THEN 'k' || floor(random() * 20) END);
	IF deltatx_replayed() THEN
		PERFORM deltatx_rollback();
		RETURN;
	END IF;
	FOR name IN SELECT 't' || i FROM generate_series(1, 4) i ORDER BY random() LIMIT tables LOOP
		BEGIN
			PERFORM change(name);
			IF random() < 0.1 THEN
				RAISE division_by_zero;
			END IF;
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
	IF random() < 0.05 THEN
		PERFORM deltatx_rollback();
		RETURN;
	END IF;
	BEGIN
		PERFORM deltatx_commit();
		IF random() < 0.05 THEN
			RAISE division_by_zero;
		END IF;
	EXCEPTION WHEN division_by_zero THEN
		-- Taken back, and open again.
		PERFORM deltatx_rollback();
	END;
	IF random() < 0.05 THEN
		RAISE division_by_zero;
	END IF;
END
$$;

CREATE PROCEDURE try() LANGUAGE plpgsql AS $$
DECLARE
	about text;
BEGIN
	PERFORM transact();
	INSERT INTO outcomes VALUES ('00000', '', '');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS about = CONSTRAINT_NAME;
	INSERT INTO outcomes VALUES (SQLSTATE, about, SQLERRM);
END
$$;
SQL

# Most callers see what is committed, some keep their snapshot.
my $scripts = PostgreSQL::Test::Utils::tempdir();
PostgreSQL::Test::Utils::append_to_file("$scripts/committed", "CALL try();\n");
PostgreSQL::Test::Utils::append_to_file("$scripts/repeatable", "BEGIN ISOLATION LEVEL REPEATABLE READ;\nCALL try();\nCOMMIT;\n");
$node->command_ok(
	[ 'pgbench', '--no-vacuum', '--client=' . CLIENTS, '--jobs=2', '--transactions=' . TRANSACTIONS,
		"--file=$scripts/committed\@4", "--file=$scripts/repeatable\@1", 'postgres' ],
	'all sessions came to their end');

sub count
{
	my ($condition) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM outcomes WHERE $condition");
}

is(count('true'), CLIENTS * TRANSACTIONS, 'every transaction has ended');
cmp_ok(count("state = '00000'"), '>', CLIENTS * TRANSACTIONS / 10, 'a good part of them was committed');
cmp_ok(count("condition IN ('VersionMismatch', 'ConcurrentDeleteDelete', 'SerializationFailure')"), '>', 0, 'some of them lost a race');
is( $node->safe_psql('postgres', <<'SQL'),
SELECT DISTINCT state, condition, message FROM outcomes
WHERE state NOT IN ('00000', '22012')
	AND condition NOT IN ('VersionMismatch', 'ConcurrentDeleteDelete', 'MetadataChanged', 'SerializationFailure')
	-- Gone between the caller's look and stage.
	AND condition NOT IN ('FileNotFound', 'DuplicateFile')
SQL
	'', 'no other error');
is($node->safe_psql('postgres', "\\i test/lib/regress.sql\nSELECT pg_temp.problems()") =~ s/^(?:Output format|Tuples only|Null display).*\n//gmr,
	'', 'the catalog agrees with itself');

foreach my $table (map { "t$_" } 1 .. 4)
{
	poll($node, "SELECT deltatx_wait('$table')");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM deltatx.dl_mirror_queue'), '0', 'all of it is published');

$node->stop;
done_testing();
