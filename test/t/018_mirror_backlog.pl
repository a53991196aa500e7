# Commits to a table that has too many unpublished versions: warned, made to
# wait without being in anybody's way, or refused.

use strict;
use warnings;

use DeltaMirror qw(create_table commit stage);
use DeltaTx qw(new_node poll refusal refusal_in refusal_of session table_directory);
use Test::More;

my $node = new_node('main');
my $lake = table_directory('lake');
my $n = 0;

# A transaction that adds a file to each of the tables, after some settings.
sub transaction
{
	my ($settings, @tables) = @_;
	my $stage = join '', map { stage('f-' . ++$n, $_) } @tables;

	return "$settings BEGIN; SELECT deltatx_begin(); $stage SELECT FROM deltatx_commit(); COMMIT;";
}

sub settings
{
	my ($limit, $action) = @_;

	return "SET deltatx.max_mirror_backlog = $limit; SET deltatx.mirror_backlog_action = $action;";
}

sub version
{
	return $node->safe_psql('postgres', "SELECT deltatx_version('$_[0]')");
}

# Have a session run something and wait for the mirror; its process.
sub blocked
{
	my ($session, $sql) = @_;
	my $pid = $session->query_safe('SELECT pg_backend_pid()');

	$session->query_until(qr/sent/, "\\echo sent\n$sql\n");
	poll($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND wait_event_type IN ('Extension', 'IPC')
		AND query LIKE '%deltatx_commit%'");
	return $pid;
}

create_table($node, $_, "$lake/$_") for qw(orders items);
$node->safe_psql('postgres', "SELECT deltatx_wait('$_')") for qw(orders items);
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, "n$_", 'orders') for 1 .. 2;

# The bound is what may be unpublished.
is(refusal($node, transaction(settings(2, 'error'), 'orders')), '53400 BacklogFull', 'refused at the limit');
is(version('orders'), '2', 'nothing was committed');
is(refusal($node, transaction(settings(3, 'error'), 'orders')), '', 'not below it');
is(refusal($node, transaction(settings(0, 'error'), 'orders')), '', 'nor where there is none');
is(refusal($node, transaction(settings(1, 'error'), 'items')), '', 'nor for a table that is published');
$node->safe_psql('postgres', "SELECT deltatx_wait('items')");
is(refusal($node, transaction(settings(2, 'error'), 'items', 'orders')), '53400 BacklogFull', 'one of the tables is enough');
is(refusal($node, settings(2, 'error') . "BEGIN; SELECT deltatx_begin(); SELECT deltatx_read('orders'); "
		. stage('reader', 'items') . 'SELECT FROM deltatx_commit(); COMMIT'), '', 'a table that is only read is none of them');
$node->safe_psql('postgres', "SELECT deltatx_wait('items')");

my ($status, $output, $error) = $node->psql('postgres', transaction(settings(2, 'error'), 'orders'),
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($error, qr/table "orders" has 4 unpublished versions\nDETAIL:  backlog=4 limit=2\nHINT:  See view deltatx.mirror/, 'and why');
like($error, qr/^TABLE NAME:  orders$/m, 'with the table');

# Warned.
($status, $output, $error) = $node->psql('postgres', transaction(settings(2, 'warning'), 'orders'));
is($status, 0, 'a warning only');
like($error, qr/WARNING:  table "orders" has 4 unpublished versions/, 'tells as much');
is(version('orders'), '5', 'committed');

# Waited: nobody else has to, and the end of the wait is the end of the backlog.
my $waiting = session($node);
my $blocked = blocked($waiting, transaction(settings(3, 'wait'), 'items', 'orders'));
is(refusal($node, transaction("SET deltatx.lock_timeout = '100ms';", 'items', 'orders')), '', 'who waits locks no table');
$node->safe_psql('postgres', "SELECT deltatx_resume('orders')");
like($waiting->query_safe("SELECT deltatx_version('orders')"), qr/^7$/m, 'goes on when the versions are published');
$node->safe_psql('postgres', "SELECT deltatx_wait('$_')") for qw(orders items);

# In a transaction that keeps its snapshot, too, and that may last for ever.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'once', 'orders');
my $begun = settings(1, 'wait') . 'SET deltatx.transaction_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT deltatx_begin(); ' . stage('rr', 'orders');
$blocked = blocked($waiting, "$begun SELECT FROM deltatx_commit(); COMMIT;");
$node->safe_psql('postgres', "SELECT deltatx_resume('orders')");
like($waiting->query_safe("SELECT deltatx_version('orders')"), qr/^9$/m, 'also at REPEATABLE READ');
$node->safe_psql('postgres', "SELECT deltatx_wait('orders')");

# Not for ever.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'late', 'orders');
is(refusal($node, transaction(settings(1, 'wait') . "SET deltatx.transaction_timeout = '300ms';", 'orders')),
	'53400 BacklogFull', 'refused when the time of the transaction is over');
is(refusal($node, transaction(settings(1, 'wait') . "SET statement_timeout = '300ms';", 'orders')), '57014', 'statement_timeout');
$waiting->{stderr} = '';
$blocked = blocked($waiting, transaction(settings(1, 'wait'), 'orders'));
$node->safe_psql('postgres', "SELECT pg_cancel_backend($blocked)");
$waiting->{run}->pump until $waiting->{stderr} =~ /LOCATION:.*\n/ || $waiting->{timeout}->is_expired;
is(refusal_of($waiting->{stderr}), '57014', 'cancelled');
$waiting->quit;

# What is committed in the same transaction can't be published before its end.
$node->safe_psql('postgres', "SELECT deltatx_resume('orders'); SELECT deltatx_wait('orders')");
is(refusal($node, settings(1, 'wait') . "SET deltatx.transaction_timeout = '1min'; BEGIN; "
		. join('', map { "SELECT deltatx_begin(); " . stage("twice-$_", 'orders') . 'SELECT FROM deltatx_commit(); ' } 1 .. 2) . 'COMMIT'),
	'', 'the own versions are not waited for');

# A diverged table takes no commits; that is not a matter of waiting.
$node->safe_psql('postgres', "SELECT deltatx_wait('orders'); SELECT deltatx_pause('orders')");
commit($node, 'diverges', 'orders');
is(refusal($node, settings(1, 'wait') . 'BEGIN; SELECT deltatx_begin(); ' . stage('diverged', 'orders')
		. q{UPDATE deltatx.dl_mirror_status s SET state = 'diverged' FROM deltatx.dl_tables t
			WHERE t.table_id = s.table_id AND table_name = 'orders'; SELECT FROM deltatx_commit()}),
	'55000 LogDiverged', 'a diverged table refuses at once');

# Who decides.
$node->safe_psql('postgres', 'CREATE ROLE stranger');
is(refusal($node, 'SET ROLE stranger; SET deltatx.max_mirror_backlog = 0'), '42501', 'a user cannot lift the limit');
is(refusal($node, "SET ROLE stranger; SET deltatx.mirror_backlog_action = 'warning'"), '42501', 'nor change what happens');

$node->stop;
done_testing();
