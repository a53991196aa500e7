# A standby publishes nothing; once promoted, it does.

use strict;
use warnings;

use DeltaMirror qw(create_table commit published);
use DeltaTx qw(new_node poll table_directory);
use PostgreSQL::Test::Cluster;
use Test::More;

my $lake = table_directory('lake');
my $primary = new_node('primary', init => [ allows_streaming => 1 ]);
create_table($primary, 'orders', "$lake/orders");
$primary->safe_psql('postgres', "SELECT deltatx_wait('orders')");

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Committed, replicated, and published by the primary only.
$primary->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($primary, 'v1', 'orders');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT state, lag_versions FROM deltatx.mirror'), 'paused|1',
	'the standby shows the mirror');
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'deltatx%'"),
	'0', 'and runs nothing of it');
is($standby->safe_psql('postgres', "SELECT deltatx_wait('orders', 0)"), 't', 'there, too, one can wait');
my ($status, $output, $error) = $standby->psql('postgres', "SELECT deltatx_resume('orders')");
like($error, qr/cannot execute deltatx_resume\(\) on a standby/, 'but steer nothing');
$primary->safe_psql('postgres', "SELECT deltatx_resume('orders')");
is($primary->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'the primary publishes');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'the standby hears of it');

# A version that the primary committed and did not publish.
$primary->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($primary, 'v2', 'orders');
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
is(published("$lake/orders"), '0 1', 'the primary is gone before it published');
$standby->promote;
poll($standby, "SELECT deltatx_resume('orders') = 1");
is($standby->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'the promoted standby does');
commit($standby, 'v3', 'orders');
is($standby->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'and goes on');
is(published("$lake/orders"), '0 1 2 3', 'each version once');

$standby->stop;
done_testing();
