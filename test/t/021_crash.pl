# Crashes.  A backend is killed at every point of a transaction, which takes
# the whole server down with it: after recovery the catalog says what it said
# before, nothing is left of what was staged, and the next version follows the
# last committed one.  The points are where the backend waits for somebody who
# holds a lock on the table that it writes next.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files session answers poll);
use Test::More;

my $node = new_node('main', conf => <<'CONF');
restart_after_crash = on
deltatx.mirror_naptime = 100ms
CONF
create_table($node, 'orders');
create_table($node, 'items');
commit_files($node, 'orders', 'a', 'b', 'c');
commit_files($node, 'items', 'a');

my $work = "BEGIN; SELECT deltatx_begin(idempotency_key => 'work', app_id => 'app', app_version => 1); "
  . stage('orders', 'new') . removes('orders', 'a') . stage('items', 'new');
my $commit = 'SELECT * FROM deltatx_commit();';

# What would be left behind.
my $remains = <<'SQL';
SELECT (SELECT count(*) FROM deltatx.dl_add_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_remove_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_live_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_idempotency_keys), (SELECT count(*) FROM deltatx.dl_app_transactions),
	(SELECT count(*) FROM deltatx.dl_table_versions WHERE transaction_id NOT IN (SELECT transaction_id FROM deltatx.dl_transactions))
SQL

# Kill a backend, and wait for the server to be back.
sub kill_backend
{
	my ($pid) = @_;

	my $log = -s $node->logfile;
	kill 'KILL', $pid;
	$node->wait_for_log(qr/database system is ready to accept connections/, $log);
}

# Kill a session while it is at what $sql says; $blocker holds what it waits
# for.  The catalog must be as before.
sub crash
{
	my ($where, $sql, $blocker) = @_;

	my $before = answers($node);
	my $session = session($node);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my $other;

	if ($blocker)
	{
		$other = session($node);
		$other->query_safe("BEGIN; $blocker");
		$session->query_until(qr/sent/, "\\echo sent\n$sql\n");
		poll($node, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
	}
	else
	{
		$session->query_safe($sql);
	}
	kill_backend($pid);
	$_->{run}->kill_kill foreach grep { defined } $session, $other;

	is(answers($node), $before, "killed $where: nothing happened");
	is($node->safe_psql('postgres', $remains), '0|0|0|0|0|0', "killed $where: nothing remains");
}

crash('when begun', "BEGIN; SELECT deltatx_begin(idempotency_key => 'work')");
crash('with files staged', $work);
crash("in stage, before $_", $work, "LOCK TABLE deltatx.$_ IN SHARE MODE")
  foreach qw(dl_add_files dl_live_files dl_remove_files);
crash('waiting for a table that another one commits', "$work $commit",
	"SELECT deltatx_begin(); " . stage('orders', 'other') . $commit);
crash("in commit, before $_", "$work $commit", "LOCK TABLE deltatx.$_ IN SHARE MODE")
  foreach qw(dl_table_versions dl_mirror_queue dl_transactions dl_txn_actions dl_table_heads);
crash('between commit and COMMIT', "$work $commit");
crash('after a commit that was taken back', "$work SAVEPOINT s; $commit ROLLBACK TO s");
crash('after a rollback', "$work SELECT deltatx_rollback()");
crash('with a table created, altered and dropped',
	"BEGIN; SELECT deltatx_create_table('new', 'file:///tmp/new', 'id bigint'); "
	  . "SELECT deltatx_alter_table('items', add_columns => 'more text'); SELECT deltatx_drop_table('orders')");

# The whole server.
my $before = answers($node);
my $session = session($node);
$session->query_safe("$work $commit");
$node->stop('immediate');
$session->{run}->kill_kill;
$node->start;
is(answers($node), $before, 'an immediate stop: nothing happened');
is($node->safe_psql('postgres', $remains), '0|0|0|0|0|0', 'an immediate stop: nothing remains');

# What was lost can be done again, under the same key.
is($node->safe_psql('postgres', "$work SELECT table_name, version, replayed FROM deltatx_commit(); COMMIT")
	  =~ /^(items\|2\|f\norders\|2\|f)$/m ? $1 : '', "items|2|f\norders|2|f", 'the next version follows');
$before = answers($node);
$node->stop('immediate');
$node->start;
is(answers($node), $before, 'what was committed survives an immediate stop');
is($node->safe_psql('postgres', "$work SELECT table_name, version, replayed FROM deltatx_commit(); COMMIT")
	  =~ /^(items\|2\|t\norders\|2\|t)$/m ? $1 : '', "items|2|t\norders|2|t", 'and is replayed');

$node->stop;
done_testing();
