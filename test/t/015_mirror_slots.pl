# Too few worker slots: said once, tried again.  Not preloaded: nothing can be
# committed that nobody would publish.

use strict;
use warnings;

use DeltaMirror qw(create_table published);
use DeltaTx qw(new_node poll table_directory);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $lake = table_directory('lake');

# Room for the launcher and one worker.
my $node = new_node('main', conf => "max_worker_processes = 2\nmax_logical_replication_workers = 0\n");
poll($node, 'SELECT worker_pid IS NOT NULL FROM deltatx.status');
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION deltatx');
create_table($node, 'orders', "$lake/orders", 'other');
is($node->safe_psql('other', "SELECT deltatx_wait('orders', timeout => '3 s')"), 'f', 'no slot for another worker');
$node->safe_psql('other', "SELECT deltatx_pause(); SELECT deltatx_resume()");
my @complaints = slurp_file($node->logfile) =~ /all background worker slots are taken/g;
is(scalar @complaints, 1, 'the log says so, once');
like(slurp_file($node->logfile), qr/HINT:  Increase "max_worker_processes"/, 'and what to do');
$node->safe_psql('postgres', 'DROP EXTENSION deltatx');
is($node->safe_psql('other', "SELECT deltatx_wait('orders')"), 't', 'when one is free, it is taken');
is(published("$lake/orders"), '0', 'and the version published');
$node->stop;

# Not preloaded.
my $bare = PostgreSQL::Test::Cluster->new('bare');
$bare->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$bare->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$bare->start;
$bare->safe_psql('postgres', 'CREATE EXTENSION deltatx');
for my $call ("deltatx_wait('orders')", "deltatx_wait_transaction('00000000-0000-0000-0000-000000000000')",
	'deltatx_pause()', 'deltatx_resume()', 'deltatx_retry()')
{
	my ($status, $output, $error) = $bare->psql('postgres', "SELECT $call");
	like($error, qr/deltatx is not in shared_preload_libraries/, "not preloaded: $call");
}
is($bare->safe_psql('postgres', 'SELECT worker_pid IS NULL, backlog FROM deltatx.status'), 't|0', 'the status shows no worker');
is($bare->safe_psql('postgres', 'SELECT count(*) FROM deltatx.mirror'), '0', 'the views work');
$bare->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE template1; ALTER DATABASE copy RENAME TO again; DROP DATABASE again; DROP EXTENSION deltatx');
$bare->stop;

done_testing();
