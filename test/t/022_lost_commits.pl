# With synchronous_commit off a crash may lose the last commits, although
# others have seen them.  What comes next takes the same version numbers for
# other content, and nothing of the lost versions may shine through.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage commit_files refusal answers);
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs signals to stop a process' if $PostgreSQL::Test::Utils::windows_os;

# Only the WAL writer would make asynchronous commits durable.
my $node = new_node('main', conf => <<'CONF');
restart_after_crash = on
autovacuum = off
deltatx.mirror_enabled = off
CONF
create_table($node, 'orders');
commit_files($node, 'orders', 'kept');

# Run $sql asynchronously, then crash before anything of it is on disk.
sub lose
{
	my ($sql) = @_;

	my $writer = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
	kill 'STOP', $writer;
	my $output = $node->safe_psql('postgres', "SET synchronous_commit = off; $sql");
	my $log = -s $node->logfile;
	kill 'KILL', $writer;
	$node->wait_for_log(qr/database system is ready to accept connections/, $log);
	return $output;
}

my $before = answers($node);
is(lose("BEGIN; SELECT deltatx_begin(); " . stage('orders', 'lost')
		  . "SELECT version FROM deltatx_commit() AS c; COMMIT; SELECT path FROM deltatx_files('orders') ORDER BY path")
	  =~ /^(2\nkept\nlost)$/m ? $1 : '', "2\nkept\nlost", 'a commit was visible');
is(answers($node), $before, 'the crash lost it');
is(commit_files($node, 'orders', 'other'), '2', 'another one takes its version');
is($node->safe_psql('postgres', "SELECT string_agg(path, ' ' ORDER BY path) FROM deltatx_files('orders')"),
	'kept other', 'the lost file stays lost');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx.dl_add_files a LEFT JOIN deltatx.dl_table_versions v USING (commit_id) WHERE v.commit_id IS NULL"),
	'0', 'no file is left without a version');

# An ALTER that is lost, then another one: who knows the table by version
# number or by the number of its commit sees the wrong columns.
$before = answers($node);
is(lose("SELECT deltatx_alter_table('orders', add_columns => 'lost int')"), '3', 'an ALTER was made');
is(answers($node), $before, 'the crash lost it');
is($node->safe_psql('postgres', <<'SQL'), "3\nt\n3", 'the next ALTER takes its version');
SELECT deltatx_alter_table('orders', add_columns => 'kept date');
SELECT schema::text LIKE '%"kept"%' AND schema::text NOT LIKE '%"lost"%' FROM deltatx.tables;
SELECT deltatx_version('orders');
SQL
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_log('orders', 3) l WHERE l LIKE '{\"metaData\"%kept%'"),
	'1', 'the log has the new column');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_log('orders', 3) l WHERE l LIKE '%lost%'"),
	'0', 'and not the lost one');

# A table that is lost, then another one with the same internal number.
my $lost = lose("SELECT deltatx_create_table('new', 'file:///tmp/lost', 'id bigint, lost int'); SELECT table_id FROM deltatx.dl_tables WHERE table_name = 'new'");
is(refusal($node, "SELECT deltatx_version('new')"), '42P01 TableNotFound', 'the crash lost a table');
create_table($node, 'new', columns => 'id bigint, day date', more => "partition_columns => '{day}'");
is($node->safe_psql('postgres', "SELECT partition_columns FROM deltatx.tables WHERE table_name = 'new'"),
	'{day}', 'another one has its own columns');
is($node->safe_psql('postgres', "SELECT deltatx_new_path('new', '{\"day\":\"2026-11-01\"}') LIKE 'day=2026-11-01/%'"),
	't', 'and its own partitions');

# A key that is lost may be taken again, by other work.
lose("BEGIN; SELECT deltatx_begin(idempotency_key => 'k'); " . stage('orders', 'first') . "SELECT deltatx_commit(); COMMIT");
is($node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(idempotency_key => 'k') IS NULL; " . stage('orders', 'second')
		  . "SELECT version, replayed FROM deltatx_commit(); COMMIT"),
	"f\n1\n4|f", 'a lost key is free');

$node->stop;
done_testing();
