# pg_dump and pg_restore: the restored catalog gives the same answers, to the
# byte, and goes on counting where the old one was.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal answers);
use PostgreSQL::Test::Utils;
use Test::More;

# Two servers could not publish to one place; this is about the catalog.
my $node = new_node('main', conf => "deltatx.mirror_enabled = off\n");
$node->safe_psql('postgres', 'CREATE ROLE etl; GRANT pg_write_server_files TO etl');
create_table($node, 'shop.orders', columns => 'id bigint NOT NULL, day date, tags text[]',
	more => "partition_columns => '{day}', properties => '{\"delta.appendOnly\": \"false\", \"a\": \"ü\"}', description => 'it''s the \"orders\"'");
create_table($node, 'items');
create_table($node, 'dropped');
$node->safe_psql('postgres', <<"SQL");
SET ROLE etl;
SELECT deltatx_create_table('etl', 'file:///tmp/deltatx-dump/etl', 'id bigint');
RESET ROLE;
BEGIN;
SELECT deltatx_begin(idempotency_key => 'k', app_id => 'app', app_version => 7, user_metadata => 'tab\t "quoted"');
SELECT deltatx_stage('shop.orders', '{"add":{"path":"day=2026-11-01/a%20b","partitionValues":{"day":"2026-11-01"},"size":10,"modificationTime":1,"dataChange":true,"stats":"{\\"numRecords\\":3,\\"nullCount\\":{\\"id\\":0},\\"x\\":\\"\\\\u0000\\"}","tags":{"k":"v"},"unknown":{"deep":[1,2.50]}}}
{"domainMetadata":{"domain":"d","configuration":"{}","removed":false}}
{"txn":{"appId":"other","version":3}}');
@{[stage('items', 'a', 'b', 'c')]}
SELECT * FROM deltatx_commit();
COMMIT;
BEGIN; SELECT deltatx_begin(); @{[removes('items', 'b')]} SELECT deltatx_commit(); COMMIT;
BEGIN; SELECT deltatx_begin(); SELECT deltatx_stage('items', '[]', mode => 'overwrite'); SELECT deltatx_commit(); COMMIT;
SELECT deltatx_alter_table('items', add_columns => 'more text');
SELECT deltatx_drop_table('dropped');
SQL
commit_files($node, 'items', 'd');

my $before = answers($node);
my $sequences = 'SELECT (SELECT last_value FROM deltatx.dl_table_id_seq), (SELECT last_value FROM deltatx.dl_commit_id_seq)';
my $numbers = $node->safe_psql('postgres', $sequences);
my $catalog = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(format('SELECT %L, count(*), md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM deltatx.%I t',
	relname, relname), ' UNION ALL ' ORDER BY relname)
FROM pg_class WHERE relnamespace = 'deltatx'::regnamespace AND relkind = 'r'
SQL
my $rows = $node->safe_psql('postgres', $catalog);

my $directory = PostgreSQL::Test::Utils::tempdir('dump');
my @connection = ('-h', $node->host, '-p', $node->port);
my %restore = (
	plain => sub { $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', @connection, '-d', $_[0], '-f', "$directory/plain" ], 'psql') },
	custom => sub { $node->command_ok([ 'pg_restore', '--exit-on-error', @connection, '-d', $_[0], "$directory/custom" ], 'pg_restore') },
	directory => sub { $node->command_ok([ 'pg_restore', '--exit-on-error', '-j', '2', @connection, '-d', $_[0], "$directory/directory" ], 'pg_restore -j') });

foreach my $format (sort keys %restore)
{
	my $database = "restored_$format";

	$node->command_ok([ 'pg_dump', @connection, '-F', $format, '-f', "$directory/$format", 'postgres' ], "pg_dump -F $format");
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
	$restore{$format}->($database);
	is(answers($node, $database), $before, "$format: files, history, log and tables are the same");
	is($node->safe_psql($database, $catalog), $rows, "$format: all rows of the catalog are there");
	is($node->safe_psql($database, $sequences), $numbers, "$format: the sequences go on");
	is(refusal($node, "SELECT deltatx_begin(idempotency_key => 'k', on_replay => 'error')", dbname => $database),
		'42710 AlreadyCommitted', "$format: keys are known");
	is($node->safe_psql($database, "SELECT deltatx_app_version('items', 'app')"), '7', "$format: and so are applications");
	is($node->safe_psql($database, 'BEGIN; SELECT deltatx_begin() IS NULL; ' . stage('items', "new")
			  . 'SELECT version FROM deltatx_commit(); COMMIT'),
		"f\n1\n6", "$format: the next version follows");
	is(refusal($node, "SELECT deltatx_create_table('another', 'file:///tmp/deltatx-dump/another', 'id bigint')", dbname => $database),
		'', "$format: the next table, too");
	is(refusal($node, "SET ROLE etl; SELECT deltatx_version('etl')", dbname => $database), '', "$format: the owner may use his table");
	is(refusal($node, "SET ROLE etl; SELECT deltatx_version('items')", dbname => $database), '42501 PermissionDenied', "$format: and no others");
}

# Only the data, into an extension that is there.
$node->safe_psql('postgres', 'CREATE DATABASE again TEMPLATE template0');
$node->safe_psql('again', 'CREATE EXTENSION deltatx');
$node->command_ok([ 'pg_restore', '--data-only', '--exit-on-error', @connection, '-d', 'again', "$directory/custom" ], 'pg_restore --data-only');
is(answers($node, 'again'), $before, 'data only: the same answers');

$node->stop;
done_testing();
