# A statement that is interrupted, wherever it is, leaves nothing behind; a
# savepoint before it brings back what was there, and that commits.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files session refusal_in refusal_of poll);
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_enabled = off\n");
create_table($node, 'orders');
create_table($node, 'items');
commit_files($node, 'orders', map { "base-$_" } 1 .. 30);

my $remains = <<'SQL';
SELECT (SELECT count(*) FROM deltatx.dl_add_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_remove_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_live_files WHERE commit_id NOT IN (SELECT commit_id FROM deltatx.dl_table_versions)),
	(SELECT count(*) FROM deltatx.dl_idempotency_keys WHERE transaction_id NOT IN (SELECT transaction_id FROM deltatx.dl_transactions)),
	(SELECT count(*) FROM pg_locks WHERE relation = 'deltatx.dl_table_heads'::regclass AND pid <> pg_backend_pid())
SQL

# Where a transaction can be stuck: what it runs, and who is in its way.
my $commit = 'SELECT * FROM deltatx_commit();';
my %places = (
	'begin' => [ "SELECT deltatx_begin(idempotency_key => 'key');", "SELECT deltatx_begin(idempotency_key => 'key')" ],
	'stage' => [ stage('orders', 'more') . removes('orders', 'base-30'), 'LOCK TABLE deltatx.dl_remove_files IN SHARE MODE' ],
	'the wait for a table' => [ $commit, 'SELECT deltatx_begin(); ' . stage('orders', 'other') . $commit ],
	'the wait for a declared read' => [ "SELECT deltatx_read('items'); $commit", 'SELECT deltatx_begin(); ' . stage('items', 'other') . $commit ],
	'commit, at the versions' => [ $commit, 'LOCK TABLE deltatx.dl_table_versions IN SHARE MODE' ],
	'commit, at the head' => [ $commit, 'LOCK TABLE deltatx.dl_table_heads IN SHARE MODE' ],
	'alter' => [ "SELECT deltatx_alter_table('items', add_columns => 'c text');", 'LOCK TABLE deltatx.dl_table_heads IN EXCLUSIVE MODE' ]);

# Interrupt the session that is stuck, and say what it reports.
my %interrupts = (
	'statement_timeout' => [ "SET LOCAL statement_timeout = '100ms'; ", undef, '57014' ],
	'cancel' => [ '', 'pg_cancel_backend', '57014' ],
	'terminate' => [ '', 'pg_terminate_backend', '57P01' ]);

my $n = 0;
foreach my $place (sort keys %places)
{
	my ($sql, $blocking) = @{ $places{$place} };

	foreach my $interrupt (sort keys %interrupts)
	{
		my ($before, $signal, $expected) = @{ $interrupts{$interrupt} };
		my $what = "$interrupt in $place";
		my $session = session($node);
		my $blocker = session($node);
		my $file = 'f-' . ++$n;
		my $open = $place eq 'begin' || $place eq 'alter' ? '' : "SELECT deltatx_begin(idempotency_key => '$file');" . stage('orders', $file);

		$open .= removes('orders', "base-$n") if $place =~ /^commit/;
		$session->query_safe("BEGIN; $open SAVEPOINT s;");
		my $pid = $session->query_safe('SELECT pg_backend_pid()');
		$blocker->query_safe("BEGIN; $blocking");

		$session->{stderr} = '';
		$session->query_until(qr/sent/, "\\echo sent\n$before$sql\n");
		if ($signal)
		{
			poll($node, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid");
			$node->safe_psql('postgres', "SELECT $signal($pid)");
		}
		$session->{run}->pump until $session->{stderr} =~ /LOCATION:.*\n/ || $session->{timeout}->is_expired;
		is(refusal_of($session->{stderr}), $expected, $what);
		$session->{stdout} = $session->{stderr} = '';
		$blocker->query_safe('ROLLBACK');
		$blocker->quit;

		if ($interrupt eq 'terminate')
		{
			$session->{run}->finish;
		}
		elsif ($open)
		{
			is($session->query_safe("ROLLBACK TO s; SELECT version IS NOT NULL, files_added FROM deltatx_commit(); COMMIT"),
				't|1', 'what was staged before is committed');
			is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders') WHERE path IN ('$file', 'more')"), '1', 'and no more');
			$session->quit;
		}
		else
		{
			is($session->query_safe('ROLLBACK TO s; SELECT deltatx_transaction_id() IS NULL; COMMIT'), 't', 'no transaction is open');
			$session->quit;
		}
		poll($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
		is($node->safe_psql('postgres', $remains), '0|0|0|0|0', 'nothing remains');
	}
}

# One that is killed while idle gives its tables away at once.
my $idle = session($node);
my $waiting = session($node);
$idle->query_safe("SET idle_in_transaction_session_timeout = '300ms'; BEGIN; SELECT deltatx_begin(); " . stage('orders', 'idle') . $commit);
is($waiting->query_safe('BEGIN; SELECT deltatx_begin() IS NULL; ' . stage('orders', 'waiting') . 'SELECT files_added FROM deltatx_commit(); COMMIT'),
	"f\n1\n1", 'the next committer goes on when an idle one is ended');
$waiting->quit;
$idle->{run}->finish;
is($node->safe_psql('postgres', "SELECT path FROM deltatx_files('orders') WHERE path IN ('idle', 'waiting')"), 'waiting', 'which has left nothing');
is($node->safe_psql('postgres', $remains), '0|0|0|0|0', 'indeed nothing');

$node->stop;
done_testing();
