# A server that doesn't preload the library can read what it has, and must not
# take commits that nobody would publish.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal answers);
use Test::More;

my $node = new_node('main');
create_table($node, 'orders', columns => 'id bigint, day date', more => "partition_columns => '{day}'");
create_table($node, 'items');
commit_files($node, 'items', 'a', 'b');
$node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(); " . removes('items', 'a') . "SELECT deltatx_commit(); COMMIT");
my $before = answers($node);

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->restart;

is(answers($node), $before, 'files, history, log and tables are as before');
is($node->safe_psql('postgres', "SELECT deltatx_version('items')"), '2', 'deltatx_version');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_files('orders', partition_filter => '{\"day\": \"2026-11-01\"}')"),
	'0', 'files of a partition');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx.mirror"), '2', 'view mirror');
is($node->safe_psql('postgres', "SELECT worker_pid IS NULL FROM deltatx.status"), 't', 'view status');
is($node->safe_psql('postgres', "SELECT deltatx_transaction_id() IS NULL"), 't', 'deltatx_transaction_id');

my @writing = (
	"deltatx_begin()", "deltatx_begin(idempotency_key => 'k')", "deltatx_stage('items', '[]')",
	"deltatx_read('items')", "deltatx_validate()", "deltatx_commit()", "deltatx_rollback()",
	"deltatx_commit_batch('{\"items\": []}')", "deltatx_create_table('new', 'file:///tmp/new', 'id bigint')",
	"deltatx_alter_table('items', description => 'new')", "deltatx_rename_table('items', 'new')",
	"deltatx_drop_table('items')", "deltatx_wait('items')");
is(refusal($node, "SELECT $_"), '55000 NotPreloaded', "$_ is refused") foreach @writing;
is($node->safe_psql('postgres', 'SELECT count(*) FROM deltatx.dl_idempotency_keys'), '0', 'no key was taken');

# Settings exist as soon as the library is loaded, and hold before.
is($node->safe_psql('postgres', "SET deltatx.lock_timeout = '3s'; SELECT deltatx_version('items'); SHOW deltatx.lock_timeout"),
	"2\n3s", 'a setting made before the library is loaded');
is(refusal($node, "SELECT deltatx_version('items'); SET deltatx.no_such_setting = 1"), '42602', 'the prefix is reserved');

# The extension can be made, and dropped.
$node->safe_psql('postgres', 'CREATE DATABASE other');
is(refusal($node, 'CREATE EXTENSION deltatx', dbname => 'other'), '', 'CREATE EXTENSION');
is(refusal($node, "SELECT deltatx_create_table('new', 'file:///tmp/new', 'id bigint')", dbname => 'other'),
	'55000 NotPreloaded', 'a table in it');
is(refusal($node, 'DROP EXTENSION deltatx', dbname => 'other'), '', 'DROP EXTENSION');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'deltatx'\n");
$node->restart;
is(commit_files($node, 'items', 'c'), '3', 'preloaded again, it takes commits');

$node->stop;
done_testing();
