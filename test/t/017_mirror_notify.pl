# Notifications: one when the worker takes up a version, one when that is
# recorded as published; none unless they are asked for.

use strict;
use warnings;

use DeltaMirror qw(create_table commit wait_until);
use DeltaTx qw(new_node poll session table_directory commit_file);
use Test::More;
use Time::HiRes qw(usleep);

my $node = new_node('main', conf => "max_prepared_transactions = 1\n");
my $lake = table_directory('lake');
my $listener = session($node);
my @received;

# Wait for that many notifications; all there are, as "channel payload".
sub received
{
	my ($count) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $output = $listener->query("SELECT ''");

		push @received, "$1 $2" while $output =~ /Asynchronous notification "(\w+)" with payload "(.*)" received/g;
		last if @received >= $count;
		usleep(100_000);
	}
	return join "\n", splice @received;
}

sub payload
{
	my ($table, $version, $transaction) = @_;

	return qq({"table":"$table","version":$version,"transaction_id":"$transaction"});
}

create_table($node, $_, "$lake/$_") for qw(orders items);
$listener->query_safe('LISTEN deltatx_commit; LISTEN deltatx_mirrored');
my $silent = commit($node, 'silent', 'orders');
$node->safe_psql('postgres', "SELECT deltatx_wait('$_')") for qw(orders items);

$node->append_conf('postgresql.conf', 'deltatx.notify = on');
$node->reload;
poll($node, 'SHOW deltatx.notify', 'on');
# The worker reads its configuration before it next looks for work.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
my $heartbeat = $node->safe_psql('postgres', 'SELECT heartbeat FROM deltatx.status');
poll($node, "SELECT heartbeat > '$heartbeat' FROM deltatx.status");

my $both = commit($node, 'both', 'orders', 'items');
is(received(2), join("\n", 'deltatx_commit ' . payload('items', 1, $both), 'deltatx_mirrored ' . payload('items', 1, $both)),
	'of each version, in order; of none before, and none that is not taken up');
$node->safe_psql('postgres', "SELECT deltatx_resume('orders')");
is(received(2), join("\n", 'deltatx_commit ' . payload('orders', 2, $both), 'deltatx_mirrored ' . payload('orders', 2, $both)),
	'of a paused table when it is resumed');

# Published, but not recorded.
my $locker = session($node);
$locker->query_safe(q{BEGIN; SELECT 1 FROM deltatx.dl_mirror_status s JOIN deltatx.dl_tables USING (table_id)
	WHERE table_name = 'orders' FOR UPDATE OF s});
my $locked = commit($node, 'locked', 'orders');
wait_until(sub { -e commit_file("$lake/orders", 3) });
my $next = commit($node, 'next', 'items');
is(received(3), join("\n", 'deltatx_commit ' . payload('orders', 3, $locked),
		'deltatx_commit ' . payload('items', 2, $next), 'deltatx_mirrored ' . payload('items', 2, $next)),
	'not published as long as that is not recorded');
$locker->query_safe('COMMIT');
$locker->quit;
is(received(1), 'deltatx_mirrored ' . payload('orders', 3, $locked), 'and once after that');

# JSON, whatever the name.
$node->safe_psql('postgres', qq{SELECT deltatx_create_table('back\\slash', 'file://$lake/strange', 'id bigint')});
like(received(2), qr/^deltatx_commit \{"table":"back\\\\slash","version":0,.*\ndeltatx_mirrored \{"table":"back\\\\slash",/,
	'names are escaped');

# A committer that doesn't notify can prepare.
$node->safe_psql('postgres', q{BEGIN; SELECT deltatx_begin();
	SELECT deltatx_stage('orders', '[{"add":{"path":"2pc.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}]');
	SELECT FROM deltatx_commit(); PREPARE TRANSACTION 'x'});
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
like(received(2), qr/^deltatx_commit \{"table":"orders","version":4,.*\ndeltatx_mirrored \{"table":"orders","version":4,/,
	'of a prepared transaction, too');

$listener->quit;
$node->stop;
done_testing();
