# A statement sees one state of all tables, whatever others commit while it
# runs: each transaction wholly or not at all, and every function the same.

use strict;
use warnings;

use DeltaTx qw(new_node create_table);
use IPC::Run qw(start finish);
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = 6;
my $node = new_node('main', conf => "log_statement = none\n");
create_table($node, $_) foreach 'a', 'b';

# Each transaction adds a file to both tables, and says so as an application.
my $directory = PostgreSQL::Test::Utils::tempdir('pgbench');
append_to_file("$directory/write.sql", <<'SQL');
BEGIN;
SELECT deltatx_begin(app_id => 'app-' || :client_id, app_version => 1 + COALESCE(deltatx_app_version('a', 'app-' || :client_id), 0));
SELECT deltatx_stage(t, '[{"add":{"path":"' || gen_random_uuid() || '","partitionValues":{},"size": 10,"modificationTime": 1,"dataChange": true}}]') FROM unnest('{b,a}'::text[]) t;
SELECT * FROM deltatx_commit();
COMMIT;
SQL

# One row: what functions and views say is the same number.
append_to_file("$directory/read.sql", <<'SQL');
SELECT 1 / (count(DISTINCT n) = 1)::int FROM (
	SELECT count(*) FROM deltatx_files('a')
	UNION ALL SELECT count(*) FROM deltatx_files('b')
	UNION ALL SELECT deltatx_version('a')
	UNION ALL SELECT deltatx_version('b', as_of => 'infinity')
	UNION ALL SELECT count(*) FROM deltatx_files('a', deltatx_version('b'))
	UNION ALL SELECT count(*) FROM deltatx_files('b', as_of => 'infinity')
	UNION ALL SELECT max(version) FROM deltatx_history('a')
	UNION ALL SELECT current_version FROM deltatx.tables
	UNION ALL SELECT files FROM deltatx.tables
	UNION ALL SELECT current_version FROM deltatx.mirror
	UNION ALL SELECT count(*) FROM deltatx.transactions WHERE cardinality(table_names) = 2
	UNION ALL SELECT sum(deltatx_app_version('b', 'app-' || c)) FROM generate_series(0, 1) c
	UNION ALL SELECT sum(deltatx_app_version('a', 'app-' || c)) FROM generate_series(0, 1) c) all_of_them (n);
SQL

# The newest version's log is there as soon as the version is.
append_to_file("$directory/log.sql", <<'SQL');
SELECT 1 / (count(*) = 3)::int FROM deltatx_log('a', (SELECT deltatx_version('b')));
SQL

my $write = sub { [ 'pgbench', '-n', '-c', '2', @_, '-f', "$directory/write.sql", $node->connstr('postgres') ] };
$node->command_ok($write->('-t', '1'), 'the first versions');

my $writers = start $write->('-T', $seconds), '>', '/dev/null', '2>', '/dev/null';
foreach my $what ('read', 'log')
{
	$node->command_ok([ 'pgbench', '-n', '-T', $seconds / 2, '-f', "$directory/$what.sql", $node->connstr('postgres') ],
		"each $what is of one state");
}
ok(finish($writers), 'the writers were not disturbed');
cmp_ok($node->safe_psql('postgres', "SELECT deltatx_version('a')"), '>', 50, 'and wrote');

$node->stop;
done_testing();
