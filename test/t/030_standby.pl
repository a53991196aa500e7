# A standby answers questions and takes no commits; promoted, it is a server
# like any other.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal session refusal_in answers poll commit_file);
use PostgreSQL::Test::Utils;
use PostgreSQL::Test::Cluster;
use Test::More;

my $primary = new_node('primary', init => [ allows_streaming => 1 ], conf => <<'CONF');
deltatx.mirror_naptime = 100ms
max_prepared_transactions = 5
CONF
my $orders = create_table($primary, 'orders', columns => 'id bigint, day date', more => "partition_columns => '{day}'");
my $items = create_table($primary, 'items');
commit_files($primary, 'items', 'a', 'b');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

my $session = session($standby);
is($session->query("SELECT deltatx_version('items')"), '1', 'the standby answers');
commit_files($primary, 'items', 'c');
$primary->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(); " . removes('items', 'a') . "SELECT deltatx_commit(); COMMIT");
$primary->safe_psql('postgres', "SELECT deltatx_alter_table('orders', add_columns => 'more text')");
poll($primary, "SELECT deltatx_wait('items') AND deltatx_wait('orders')");
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

is(answers($standby), answers($primary), 'files, history, log and tables are the same');
is($session->query("SELECT deltatx_version('items')"), '3', 'a session sees what came meanwhile');
is($standby->safe_psql('postgres', "SELECT deltatx_version('items', as_of => 'infinity')"), '3', 'version as of a time');
is($standby->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders', partition_filter => '{\"day\": \"2026-11-01\"}')"),
	'0', 'files of a partition');
is($standby->safe_psql('postgres', "SELECT count(*) FROM deltatx.mirror WHERE lag_versions = 0"), '2', 'view mirror');
is($standby->safe_psql('postgres', "SELECT count(*) FROM deltatx.transactions WHERE state = 'mirrored'"), '6', 'view transactions');
is($standby->safe_psql('postgres', "SELECT backlog FROM deltatx.status"), '0', 'view status');
is($standby->safe_psql('postgres', "SELECT deltatx_wait('items', 3)"), 't', 'deltatx_wait of a published version');
is($standby->safe_psql('postgres', "SELECT deltatx_app_version('items', 'app') IS NULL"), 't', 'deltatx_app_version');
is($standby->safe_psql('postgres', "SELECT deltatx_transaction_id() IS NULL"), 't', 'deltatx_transaction_id');
is($standby->safe_psql('postgres', "SELECT deltatx_new_path('orders', '{\"day\":\"2026-11-01\"}') LIKE 'day=2026-11-01/%'"), 't', 'deltatx_new_path');
is(refusal($standby, "SELECT deltatx_files('none')"), '42P01 TableNotFound', 'a table that does not exist');

my @writing = (
	"deltatx_begin()", "deltatx_begin(idempotency_key => 'k')", "deltatx_stage('items', '[]')",
	"deltatx_read('items')", "deltatx_validate()", "deltatx_commit()", "deltatx_rollback()",
	"deltatx_commit_batch('{\"items\": []}')", "deltatx_create_table('new', 'file:///tmp/new', 'id bigint')",
	"deltatx_alter_table('items', description => 'new')", "deltatx_rename_table('items', 'new')",
	"deltatx_drop_table('items')", "deltatx_pause('items')", "deltatx_resume('items')", "deltatx_retry('items')");
is(refusal($standby, "SELECT $_"), '25006 ReadOnlyServer', "$_ is refused") foreach @writing;
is(refusal_in($session, 'BEGIN; SELECT deltatx_begin()'), '25006 ReadOnlyServer', 'in a transaction, too');
$session->query_safe('ROLLBACK');
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'deltatx%'"),
	'0', 'no worker runs there');

# A transaction that is prepared there when the primary goes.
$primary->safe_psql('postgres', 'BEGIN; SELECT deltatx_begin(); ' . stage('items', 'prepared')
	  . "SELECT deltatx_commit(); PREPARE TRANSACTION 'left'");
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$primary->stop;
$standby->promote;

is(refusal($standby, "SET deltatx.lock_timeout = '50ms'; BEGIN; SELECT deltatx_begin(); " . stage('items', 'other') . 'SELECT deltatx_commit()'),
	'55P03 LockTimeout', 'what was prepared on the primary holds its table on the standby');
$standby->safe_psql('postgres', "COMMIT PREPARED 'left'");

is($session->query_safe("BEGIN; SELECT deltatx_begin() IS NULL; " . stage('items', 'promoted')
		  . "SELECT version FROM deltatx_commit(); COMMIT"),
	"f\n1\n5", 'after promotion a session that was there before can commit');
is(commit_files($standby, 'items', 'more'), '6', 'and so can a new one');
poll($standby, "SELECT deltatx_wait('items')");
is(slurp_file(commit_file($items, 4)), $standby->safe_psql('postgres', "SELECT deltatx_log('items', 4)") . "\n",
	'the prepared version is published from there');
create_table($standby, 'new');
is($standby->safe_psql('postgres', "SELECT deltatx_alter_table('orders', add_columns => 'again text')"),
	'2', 'tables can be altered');
is($standby->safe_psql('postgres', "SELECT deltatx_rename_table('items', 'things'); SELECT deltatx_version('things')"),
	"\n6", 'and renamed');
is(refusal($standby, "SELECT deltatx_drop_table('new')"), '', 'and dropped');
$session->quit;

$standby->stop;
done_testing();
