# A transaction that commits after the worker has begun to look and before it
# reads its queue: the version is in the queue that it reads, so the files
# must be in what it publishes.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files session poll commit_file);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_naptime = 50ms\n");
my $orders = create_table($node, 'orders');
commit_files($node, 'orders', 'a', 'b');
poll($node, "SELECT deltatx_wait('orders')");

my $session = session($node);
$session->query_safe('BEGIN; SELECT deltatx_begin(); ' . stage('orders', 'c', 'd') . removes('orders', 'a')
	  . 'SELECT deltatx_commit(); LOCK TABLE deltatx.dl_mirror_queue');
poll($node, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE backend_type = 'deltatx worker'");
$session->query_safe('COMMIT');
$session->quit;

poll($node, "SELECT deltatx_wait('orders')");
my $log = $node->safe_psql('postgres', "SELECT deltatx_log('orders', 2)");
like($log, qr/"remove":\{"path":"a".*\n.*"add":\{"path":"c".*\n.*"add":\{"path":"d"/, 'the log has the files');
is(slurp_file(commit_file($orders, 2)), "$log\n", 'and so has what is published');

$node->stop;
done_testing();
