# A store that fails: one table waits, the others go on; what is broken is
# said once in the log, always in the view, and mended without losing anything.

use strict;
use warnings;

use DeltaMirror qw(create_table commit published new_node_with_faults fail_by);
use DeltaTx qw(poll table_directory commit_file);
use Errno qw(ENOSPC);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node_with_faults('main', conf => <<'CONF');
deltatx.mirror_backoff_min = 10ms
deltatx.mirror_backoff_max = 1s
deltatx.mirror_max_attempts = 4
CONF
my $lake = table_directory('lake');

sub mirror
{
	my ($columns, $table) = @_;

	return $node->safe_psql('postgres', "SELECT $columns FROM deltatx.mirror WHERE table_name = '$table'");
}

sub in_state
{
	my ($table, $state) = @_;

	poll($node, "SELECT state = '$state' FROM deltatx.mirror WHERE table_name = '$table'");
	return 1;
}

# How often the server's log has a line, since the last call for the same table.
my %seen;

sub logged
{
	my ($table, $pattern) = @_;
	my $log = slurp_file($node->logfile, $seen{$table} // 0);
	my @matches = $log =~ /(mirror of table "$table" $pattern)/g;

	return scalar @matches;
}

sub from_here
{
	my ($table) = @_;

	$seen{$table} = -s $node->logfile;
}

sub write_file
{
	my ($path, $content) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file $content;
	close $file;
}

create_table($node, $_, "$lake/$_") for qw(orders items);
$node->safe_psql('postgres', "SELECT deltatx_wait('$_')") for qw(orders items);

# Transient: tried again with growing delays, failed after some, and recovered.
fail_by('error ' . ENOSPC);
commit($node, 'full', 'orders');
ok(in_state('orders', 'failed'), 'no space: failed after some attempts');
is(mirror('attempts >= 4, error_class', 'orders'), 't|transient', 'the class is told');
like(mirror('last_error', 'orders'), qr/No space left on device.*Free space on the file system/, 'and what to do');
is(mirror('object', 'orders'), 'file://' . commit_file("$lake/orders", 1), 'and the object');
is(logged('orders', 'is retrying'), 1, 'the first failure is logged');
is(logged('orders', 'is failed'), 1, 'the last one too, and none in between');
like(slurp_file($node->logfile), qr/DETAIL:  table=orders version=1 transaction=[-0-9a-f]+ attempt=4 duration_ms=[0-9.]+ class=transient object=file:/,
	'with the facts');
my ($status, $output, $error) = $node->psql('postgres', "SELECT deltatx_wait('orders')");
like($error, qr/mirror of table "orders" is failed: .*No space left/, 'who waits is told');
commit($node, 'more', 'orders');
fail_by('');
is($node->safe_psql('postgres', "SELECT deltatx_retry('orders')"), '1', 'retry');
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'space again: published');
is(mirror('state, attempts, last_error IS NULL', 'orders'), 'idle|0|t', 'all is well');
is(logged('orders', 'works again'), 1, 'and logged');
is(published("$lake/orders"), '0 1 2', 'each version once');

fail_by('error ' . ENOSPC);
commit($node, 'again', 'orders');
in_state('orders', 'failed');
fail_by('');
poll($node, "SELECT state = 'idle' FROM deltatx.mirror WHERE table_name = 'orders'");
is(published("$lake/orders"), '0 1 2 3', 'a failed table is tried again by itself');

# Permanent: said at once.  Other tables go on, transactions are partial.
from_here('orders');
chmod 0555, "$lake/orders/_delta_log";
my $transaction = commit($node, 'closed', 'orders', 'items');
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'another table goes on');
ok(in_state('orders', 'failed'), 'no permission: failed');
is(mirror('error_class', 'orders'), 'permanent', 'the class is told');
like(mirror('last_error', 'orders'), qr/Permission denied.*let the operating system user/, 'and what to do');
is(logged('orders', 'is retrying'), 0, 'without a retry before');
is($node->safe_psql('postgres', "SELECT table_names, versions, state FROM deltatx.transactions WHERE transaction_id = '$transaction'"),
	'{orders,items}|{4,1}|partial', 'the transaction is partial');
($status, $output, $error) = $node->psql('postgres', "SELECT deltatx_wait_transaction('$transaction')");
like($error, qr/mirror of table "orders" is failed/, 'and who waits for it is told');
chmod 0755, "$lake/orders/_delta_log";
$node->safe_psql('postgres', "SELECT deltatx_retry()");
is($node->safe_psql('postgres', "SELECT deltatx_wait_transaction('$transaction')"), 't', 'permission again: published');

mkdir "$lake/locked";
chmod 0555, "$lake/locked";
create_table($node, 'locked', "$lake/locked/by/somebody");
ok(in_state('locked', 'failed'), 'a parent directory that is closed');
like(mirror('last_error', 'locked'), qr/could not create directory .*Permission denied/, 'is named');
chmod 0755, "$lake/locked";
$node->safe_psql('postgres', "SELECT deltatx_retry('locked')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('locked')"), 't', 'it is made when it can be');

# A log that has vanished, maybe with its file system, is not begun anew.
commit($node, 'mounted', 'locked');
is($node->safe_psql('postgres', "SELECT deltatx_wait('locked')"), 't', 'the log goes on');
rename "$lake/locked/by", "$lake/unmounted";
commit($node, 'unmounted', 'locked');
ok(in_state('locked', 'failed'), 'a log that has vanished: failed');
like(mirror('last_error', 'locked'), qr/No such file or directory.*See whether the file system is mounted/, 'and why');
ok(!-e "$lake/locked/by", 'none is made in its place');
rename "$lake/unmounted", "$lake/locked/by";
$node->safe_psql('postgres', "SELECT deltatx_retry('locked')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('locked')"), 't', 'it is back: published');
is(published("$lake/locked/by/somebody"), '0 1 2', 'where it belongs');

# Links are followed up to the table's directory, not below.
mkdir "$lake/elsewhere";
symlink "$lake/elsewhere", "$lake/link";
create_table($node, 'linked', "$lake/link/t");
is($node->safe_psql('postgres', "SELECT deltatx_wait('linked')"), 't', 'the lake may be behind a link');
is(published("$lake/elsewhere/t"), '0', 'where the link leads');
mkdir "$lake/trap";
symlink "$lake/elsewhere", "$lake/trap/_delta_log";
create_table($node, 'trap', "$lake/trap");
ok(in_state('trap', 'failed'), 'a log may not');
is(published("$lake/elsewhere"), '', 'nothing is written there');

# Paused.
is($node->safe_psql('postgres', "SELECT deltatx_pause('orders')"), '1', 'paused');
is($node->safe_psql('postgres', "SELECT deltatx_pause('orders')"), '0', 'it was already');
commit($node, 'paused', 'orders', 'items');
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'the others are not');
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders', timeout => '100 ms')"), 'f', 'nothing comes of waiting');
is(mirror('state, lag_versions', 'orders'), 'paused|1', 'it is shown');
is($node->safe_psql('postgres', 'SELECT deltatx_resume()'), '1', 'resumed');
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'and published');

# Diverged: somebody else has written the next version.
from_here('orders');
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
write_file(commit_file("$lake/orders", 6), '{"commitInfo":{}}');
commit($node, 'ours', 'orders');
$node->safe_psql('postgres', "SELECT deltatx_resume('orders')");
ok(in_state('orders', 'diverged'), 'a foreign version: diverged');
is(slurp_file(commit_file("$lake/orders", 6)), '{"commitInfo":{}}', 'it is not overwritten');
is(mirror('error_class, object', 'orders'), 'diverged|file://' . commit_file("$lake/orders", 6), 'the object is told');
is(logged('orders', 'is diverged'), 1, 'and logged');
($status, $output, $error) = $node->psql('postgres', "SELECT deltatx_wait('orders')");
like($error, qr/mirror of table "orders" is diverged/, 'who waits is told');
($status, $output, $error) = $node->psql('postgres',
	q{BEGIN; SELECT deltatx_begin(); SELECT deltatx_stage('orders', '{"add":{"path":"x.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}')});
like($error, qr/takes no commits: it is diverged/, 'no more commits');
is($node->safe_psql('postgres', "SELECT deltatx_retry('orders')"), '1', 'asked to try again');
poll($node, "SELECT next_attempt_at IS NULL FROM deltatx.mirror WHERE table_name = 'orders'");
is(mirror('state', 'orders'), 'diverged', 'it still is');
rename commit_file("$lake/orders", 6), "$lake/foreign";
$node->safe_psql('postgres', "SELECT deltatx_retry('orders')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'moved away: published');

# In the middle of many: those before are published, those after are not.
$node->safe_psql('postgres', "SELECT deltatx_pause()");
commit($node, "many$_", 'items') for 3 .. 8;
write_file(commit_file("$lake/items", 5), '{"commitInfo":{}}');
$node->safe_psql('postgres', "SELECT deltatx_resume()");
ok(in_state('items', 'diverged'), 'a foreign version among many: diverged');
is(mirror('mirrored_version, object', 'items'), '4|file://' . commit_file("$lake/items", 5), 'at that version');
is(published("$lake/items"), '0 1 2 3 4 5', 'nothing after it is published');
unlink commit_file("$lake/items", 5);
$node->safe_psql('postgres', "SELECT deltatx_retry('items')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'taken away: published');
is(published("$lake/items"), join(' ', 0 .. 8), 'all of them');

# What is in the way need not be a file that can be read.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
system_or_bail('mkfifo', commit_file("$lake/orders", 7));
commit($node, 'fifo', 'orders');
$node->safe_psql('postgres', "SELECT deltatx_resume('orders')");
ok(in_state('orders', 'diverged'), 'a pipe: diverged');
unlink commit_file("$lake/orders", 7);
$node->safe_psql('postgres', "SELECT deltatx_retry('orders')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'taken away: published');

# First contact: a new table's log must be empty, an old one's must end with ours.
mkdir "$lake/used";
mkdir "$lake/used/_delta_log";
write_file("$lake/used/_delta_log/_last_checkpoint", '{"version":10,"size":1}');
create_table($node, 'used', "$lake/used");
ok(in_state('used', 'diverged'), 'a log that is not empty: diverged');
like(mirror('last_error', 'used'), qr/the log of the new table is not empty/, 'and why');
is(published("$lake/used"), '?_last_checkpoint', 'nothing is written to it');
$node->safe_psql('postgres', "SELECT deltatx_rename_table('used', 'mistake')");
is($node->psql('postgres', "SELECT deltatx_drop_table('mistake')", stderr => \$error), 0, 'it can be dropped');
like($error, qr/NOTICE:  table "mistake" is dropped with 1 version unpublished/, 'and one is told what is lost');
poll($node, "SELECT count(*) = 0 FROM deltatx.mirror WHERE table_name = 'mistake'");
is(published("$lake/used"), '?_last_checkpoint', 'nothing is written to it even so');

write_file(commit_file("$lake/orders", 12), '{"commitInfo":{}}');
write_file("$lake/orders/_delta_log/.left.deltatx-tmp", 'x');
$node->restart;
commit($node, 'behind', 'orders');
ok(in_state('orders', 'diverged'), 'a log that goes on after our newest version: diverged');
like(mirror('last_error', 'orders'), qr/the log goes on after version 8/, 'and why');
is(published("$lake/orders"), '0 1 2 3 4 5 6 7 12', 'nothing is written to it, leftovers are tidied away');
unlink commit_file("$lake/orders", 12);
$node->safe_psql('postgres', "SELECT deltatx_retry('orders')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'taken away: published');

# What can't be made concerns one table only.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'sound', 'orders');
commit($node, 'broken', 'orders', 'items');
$node->safe_psql('postgres', q{INSERT INTO deltatx.dl_metadata_updates
	SELECT table_id, 10, '', NULL, NULL, 'parquet', '{}', '{}', '{NULL}', '{}', '{}', NULL, NULL
	FROM deltatx.dl_tables WHERE table_name = 'orders';
	SELECT deltatx_resume('orders')});
ok(in_state('orders', 'failed'), 'a version whose rows are broken: failed');
is(mirror('mirrored_version, attempts', 'orders'), '9|1', 'at that version, the one before it is published');
is(mirror('error_class, last_error', 'orders'), 'permanent|null array element not allowed in this context', 'and why');
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'another table goes on');
$node->safe_psql('postgres', "DELETE FROM deltatx.dl_metadata_updates WHERE delta_id = ''; SELECT deltatx_retry('orders')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'mended: published');

$node->stop;
done_testing();
