# PREPARE TRANSACTION: refused before deltatx_commit; afterwards the versions
# wait, with their tables locked, for COMMIT PREPARED or ROLLBACK PREPARED, on
# the far side of a restart too.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal session refusal_in poll commit_file);
use Test::More;

my $node = new_node('main', conf => <<'CONF');
max_prepared_transactions = 5
deltatx.mirror_naptime = 100ms
CONF
my $orders = create_table($node, 'orders');
create_table($node, 'items');

sub prepare
{
	my ($gid, $file) = @_;

	$node->safe_psql('postgres',
		"BEGIN; SELECT deltatx_begin(); "
		  . stage('orders', $file) . stage('items', $file)
		  . " SELECT * FROM deltatx_commit(); PREPARE TRANSACTION '$gid'");
}

sub versions
{
	return $node->safe_psql('postgres',
		"SELECT string_agg(table_name || ' ' || current_version || ' ' || files, ', ' ORDER BY table_name) FROM deltatx.tables");
}

# Not finished: no COMMIT and no PREPARE, and nothing remains.
is(refusal($node, 'SELECT deltatx_begin()'), '25001 NotFinished', 'begun, and the statement ends');
is(refusal($node, 'BEGIN; SELECT deltatx_begin(); ' . stage('orders', 'early') . 'COMMIT'),
	'25001 NotFinished', 'COMMIT of a staged transaction');
is(refusal($node, "BEGIN; SELECT deltatx_begin(); PREPARE TRANSACTION 'early'"),
	'25001 NotFinished', 'PREPARE of a transaction without a file');
is(refusal($node, "BEGIN; SELECT deltatx_begin(); " . stage('orders', 'early') . "PREPARE TRANSACTION 'early'"),
	'25001 NotFinished', 'PREPARE of a staged transaction');
is(refusal($node, "BEGIN; SELECT deltatx_begin(); " . stage('orders', 'early')
		  . "SAVEPOINT s; SELECT deltatx_commit(); ROLLBACK TO s; PREPARE TRANSACTION 'early'"),
	'25001 NotFinished', 'PREPARE of a commit that was taken back');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'none is prepared');
is($node->safe_psql('postgres', 'SELECT count(*) FROM deltatx.dl_add_files'), '0', 'no row is left');

# The session that prepared is free for other work.
my $session = session($node);
$session->query_safe("BEGIN; SELECT deltatx_begin(); " . stage('orders', 'mine')
	  . "SELECT * FROM deltatx_commit(); PREPARE TRANSACTION 'mine'");
is($session->query('SELECT deltatx_transaction_id() IS NULL'), 't', 'nothing is open after PREPARE');
is(refusal_in($session, "SET deltatx.lock_timeout = '50ms'; BEGIN; SELECT deltatx_begin(); "
		  . stage('orders', 'other') . "SELECT * FROM deltatx_commit()"),
	'55P03 LockTimeout', 'the table is locked for the session itself, too');
$session->query_safe("ROLLBACK; ROLLBACK PREPARED 'mine'");
$session->quit;
is(versions(), 'items 0 0, orders 0 0', 'ROLLBACK PREPARED');

foreach my $stop (undef, 'fast', 'immediate')
{
	my $how = defined $stop ? "after a restart ($stop)" : 'without a restart';
	my $file = defined $stop ? $stop : 'same';
	my $before = versions();

	prepare('commit', $file);
	if (defined $stop)
	{
		$node->stop($stop);
		$node->start;
	}

	is(versions(), $before, "prepared is not committed, $how");
	is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders') WHERE path = '$file'"),
		'0', "its file is not live, $how");
	is(refusal($node, "SET deltatx.lock_timeout = '50ms'; BEGIN; SELECT deltatx_begin(); "
			  . stage('items', 'other') . "SELECT * FROM deltatx_commit()"),
		'55P03 LockTimeout', "its tables are locked, $how");
	is(refusal($node, "SET deltatx.lock_timeout = '50ms'; SELECT deltatx_drop_table('orders')"),
		'55P03 LockTimeout', "and can't be dropped, $how");

	my $head = $node->safe_psql('postgres', "SELECT deltatx_version('orders')");
	$node->safe_psql('postgres', "COMMIT PREPARED 'commit'");
	is($node->safe_psql('postgres', "SELECT deltatx_version('orders')"),
		$head + 1, "COMMIT PREPARED, $how");
	is($node->safe_psql('postgres', "SELECT added_version FROM deltatx_files('orders') WHERE path = '$file'"),
		$head + 1, "the file is live, $how");

	# Nobody woke the worker.
	poll($node, "SELECT deltatx_wait('orders')");
	ok(-e commit_file($orders, $head + 1), "published, $how");
}

prepare('rollback', 'rolled-back');
$node->stop('immediate');
$node->start;
my $before = versions();
$node->safe_psql('postgres', "ROLLBACK PREPARED 'rollback'");
is(versions(), $before, 'ROLLBACK PREPARED after an immediate stop');
is(commit_files($node, 'orders', 'rolled-back'), '4', 'the next version follows the last committed one');
is($node->safe_psql('postgres',
		"SELECT count(*) FROM deltatx.dl_add_files a LEFT JOIN deltatx.dl_table_versions v USING (commit_id) WHERE v.commit_id IS NULL"),
	'0', 'no file is left without a version');

# A removal waits likewise: until COMMIT PREPARED the file is live.
$node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(); " . removes('orders', 'same')
	  . "SELECT * FROM deltatx_commit(); PREPARE TRANSACTION 'remove'");
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders') WHERE path = 'same'"),
	'1', 'a file whose removal is prepared is live');
$node->restart;
$node->safe_psql('postgres', "COMMIT PREPARED 'remove'");
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders') WHERE path = 'same'"),
	'0', 'it is gone after COMMIT PREPARED');

# Creating, altering and dropping a table are prepared like anything else.
$node->safe_psql('postgres', "BEGIN; SELECT deltatx_create_table('new', 'file://$orders-new', 'id bigint'); PREPARE TRANSACTION 'create'");
is(refusal($node, "SELECT deltatx_version('new')"), '42P01 TableNotFound', 'a prepared table does not exist');
$node->restart;
$node->safe_psql('postgres', "COMMIT PREPARED 'create'");
is($node->safe_psql('postgres', "SELECT deltatx_version('new')"), '0', 'COMMIT PREPARED creates it');

# A key that a prepared transaction holds is waited for.
$node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(idempotency_key => 'k'); " . stage('new', 'keyed')
	  . "SELECT * FROM deltatx_commit(); PREPARE TRANSACTION 'key'");
is(refusal($node, "SET statement_timeout = '200ms'; SELECT deltatx_begin(idempotency_key => 'k')"),
	'57014', 'the key is waited for');
$node->safe_psql('postgres', "COMMIT PREPARED 'key'");
is($node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(idempotency_key => 'k') IS NULL; " . stage('new', 'keyed')
		  . "SELECT version, replayed FROM deltatx_commit(); COMMIT"),
	"f\n0\n1|t", 'and then replays');

$node->stop;
done_testing();
