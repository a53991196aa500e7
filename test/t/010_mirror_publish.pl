# What is committed is published: in order, once, with the commit's time, to
# whoever may read the directory; what is not committed is not.

use strict;
use warnings;

use DeltaMirror qw(create_table commit published);
use DeltaTx qw(new_node poll table_directory commit_file);
use File::stat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $lake = table_directory('lake');

poll($node, 'SELECT worker_pid IS NOT NULL FROM deltatx.status');
ok(1, 'a worker runs after CREATE EXTENSION');

# In order, and all of it.
create_table($node, 'orders', "$lake/orders");
create_table($node, 'items', "$lake/items");
my $transaction = commit($node, 'a', 'orders', 'items');
is($node->safe_psql('postgres', "SELECT deltatx_wait_transaction('$transaction')"),
	't', 'a transaction is published');
commit($node, "n$_", 'orders') for 2 .. 20;
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'so are many');
is(published("$lake/orders"), join(' ', 0 .. 20), 'each version has its file, and there is nothing else');
is(published("$lake/items"), '0 1', 'also of the other table');
is($node->safe_psql('postgres', "SELECT state FROM deltatx.transactions WHERE transaction_id = '$transaction'"),
	'mirrored', 'the transaction is shown as mirrored');
is($node->safe_psql('postgres', 'SELECT backlog FROM deltatx.status'), '0', 'no backlog is left');

my $file = commit_file("$lake/orders", 1);
my $log = $node->safe_psql('postgres', "SELECT deltatx_log('orders', 1)");
is(slurp_file($file), "$log\n", 'the file is what deltatx_log shows');
is($node->safe_psql('postgres', "SELECT length, encode(sha256, 'hex') FROM deltatx.dl_published_versions p
		JOIN deltatx.dl_tables USING (table_id) WHERE table_name = 'orders' AND version = 1"),
	$node->safe_psql('postgres',
		"SELECT length(file), encode(sha256(file), 'hex') FROM pg_read_binary_file('$file') file"),
	'what was claimed is what was published');
is(stat($file)->mtime,
	$node->safe_psql('postgres', "SELECT floor(stamp / 1000) FROM deltatx.dl_table_versions
		JOIN deltatx.dl_tables USING (table_id) WHERE table_name = 'orders' AND version = 1"),
	'its time is that of the commit');

# The directory's mode decides who reads.
mkdir "$lake/$_" for qw(open closed);
chmod 0755, "$lake/open";
chmod 0700, "$lake/closed";
create_table($node, "$_/t", "$lake/$_/t") for qw(open closed);
$node->safe_psql('postgres', "SELECT deltatx_wait('$_/t')") for qw(open closed);
is(sprintf('%o', stat("$lake/open/t/_delta_log")->mode & 0777), '755', 'an open directory stays open');
is(sprintf('%o', stat(commit_file("$lake/open/t", 0))->mode & 0777), '644', 'with readable files');
is(sprintf('%o', stat("$lake/closed/t/_delta_log")->mode & 0777), '700', 'a closed one closed');
is(sprintf('%o', stat(commit_file("$lake/closed/t", 0))->mode & 0777), '600', 'with private files');

# A version of more than the memory that a worker spends on it.
$node->safe_psql('postgres', q{SET deltatx.max_files_per_table = 0; SET deltatx.max_actions_per_transaction = 0;
	BEGIN; SELECT deltatx_begin();
	SELECT deltatx_stage('items', string_agg(format('{"add":{"path":"big-%s-%s.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}',
		repeat('x', 200), i), E'\n')) FROM generate_series(1, 40000) i;
	SELECT FROM deltatx_commit(); COMMIT;});
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'a large version is published');
cmp_ok(-s commit_file("$lake/items", 2), '>', 10 * 1024 * 1024, 'all of it');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_ls_tmpdir()"), '0', 'no temporary file is left');

# What is not committed.
my ($status, $output, $error) = $node->psql('postgres', q{BEGIN; SELECT deltatx_begin();
	SELECT deltatx_stage('orders', '[{"add":{"path":"own.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}]');
	SELECT FROM deltatx_commit(); SELECT deltatx_wait('orders', timeout => '1 s');});
like($error, qr/cannot wait for a version of the current transaction/, 'a version of the own transaction is not waited for');
is(published("$lake/orders"), join(' ', 0 .. 20), 'and not published');

# A prepared transaction: nobody wakes the worker at its end.
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 1');
$node->restart;
$node->safe_psql('postgres', q{BEGIN; SELECT deltatx_begin();
	SELECT deltatx_stage('orders', '[{"add":{"path":"2pc.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}]');
	SELECT FROM deltatx_commit(); PREPARE TRANSACTION 'x';});
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders', timeout => '2 s')"), 't', 'it shows nothing before');
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders', 21)"), 't', 'and is published after COMMIT PREPARED');

# Errors of waiting.
($status, $output, $error) = $node->psql('postgres', "SELECT deltatx_wait('orders', 99)");
like($error, qr/has no version 99/, 'no such version');
($status, $output, $error) = $node->psql('postgres',
	"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT deltatx_wait('orders')");
like($error, qr/keeps its snapshot/, 'not at REPEATABLE READ');
($status, $output, $error) = $node->psql('postgres', "SELECT deltatx_pause(server => 'lake')");
like($error, qr/server "lake" does not exist/, 'no such server');

# Who may.
$node->safe_psql('postgres', 'CREATE ROLE stranger; CREATE ROLE watcher IN ROLE pg_monitor');
($status, $output, $error) = $node->psql('postgres', "SET ROLE stranger; SELECT deltatx_pause('orders')");
like($error, qr/permission denied for Delta table "orders"/, 'a stranger may not pause a table');
($status, $output, $error) = $node->psql('postgres', "SET ROLE stranger; SELECT deltatx_wait('orders')");
like($error, qr/permission denied for Delta table "orders"/, 'nor wait for it');
is($node->safe_psql('postgres', 'SET ROLE stranger; SELECT deltatx_pause()'), '0', 'all tables are none for him');
is($node->safe_psql('postgres', 'SET ROLE stranger; SELECT count(*) FROM deltatx.mirror'), '0', 'he sees no table');
is($node->safe_psql('postgres', 'SET ROLE stranger; SELECT count(*) FROM deltatx.transactions'), '0', 'no transaction');
($status, $output, $error) = $node->psql('postgres', 'SET ROLE stranger; SELECT * FROM deltatx.status');
like($error, qr/permission denied/, 'no status');
is($node->safe_psql('postgres', 'SET ROLE watcher; SELECT count(*) FROM deltatx.mirror'), '4', 'a monitor sees all tables');
is($node->safe_psql('postgres', 'SET ROLE watcher; SELECT library_version = extension_version FROM deltatx.status'),
	't', 'and the status');

# Dropped: its versions go out first, then its rows go.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'last', 'orders');
$node->safe_psql('postgres', "SELECT deltatx_drop_table('orders')");
is($node->safe_psql('postgres', "SELECT state FROM deltatx.mirror WHERE table_name = 'orders'"),
	'paused', 'a paused table that is dropped waits');
is($node->safe_psql('postgres', "SELECT deltatx_resume('orders')"), '1', 'until it is resumed');
poll($node, "SELECT count(*) = 0 FROM deltatx.dl_tables WHERE table_name = 'orders'");
is(published("$lake/orders"), join(' ', 0 .. 22), 'its last version is published');
is($node->safe_psql('postgres', q{SELECT count(*) FROM deltatx.dl_table_versions v
		LEFT JOIN deltatx.dl_tables t USING (table_id) WHERE t.table_id IS NULL}),
	'0', 'its versions are gone');
is($node->safe_psql('postgres', q{SELECT count(*) FROM deltatx.dl_add_files a
		LEFT JOIN deltatx.dl_table_versions v USING (commit_id) WHERE v.commit_id IS NULL}),
	'0', 'its files are gone');
is($node->safe_psql('postgres', q{SELECT count(*) FROM deltatx.dl_live_files l
		LEFT JOIN deltatx.dl_tables t USING (table_id) WHERE t.table_id IS NULL}),
	'0', 'also from the live set');

# Off.
$node->append_conf('postgresql.conf', 'deltatx.mirror_enabled = off');
$node->reload;
poll($node, 'SHOW deltatx.mirror_enabled', 'off');
commit($node, 'off', 'items');
is($node->safe_psql('postgres', "SELECT deltatx_wait('items', timeout => '1500 ms')"),
	'f', 'nothing is published when the mirror is off');
is($node->safe_psql('postgres', "SELECT state, lag_versions, lag > interval '1 s' FROM deltatx.mirror WHERE table_name = 'items'"),
	'pending|1|t', 'and it shows');
$node->append_conf('postgresql.conf', 'deltatx.mirror_enabled = on');
$node->reload;
is($node->safe_psql('postgres', "SELECT deltatx_wait('items')"), 't', 'until it is on again');

# Many rows, and a table that shares a transaction with one that waits.
$node->safe_psql('postgres', "SELECT deltatx_pause('open/t')");
commit($node, 'shared', 'items', 'open/t');
$node->safe_psql('postgres', "SELECT deltatx_wait('items'); SELECT deltatx_drop_table('items')");
poll($node, "SELECT count(*) = 0 FROM deltatx.dl_tables WHERE table_name = 'items'");
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM deltatx.dl_add_files), (SELECT count(*) FROM deltatx.dl_live_files)'),
	'1|1', 'of a large table nothing is left, either');
$node->safe_psql('postgres', "SELECT deltatx_resume('open/t')");
is($node->safe_psql('postgres', "SELECT deltatx_wait('open/t')"), 't', 'the other table of the transaction is published');
is(() = slurp_file(commit_file("$lake/open/t", 1)) =~ /"tableId"/g, 2, 'and names them both');

$node->stop;
done_testing();
