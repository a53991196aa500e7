# The audit that other tests rely on must find what is wrong.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files poll commit_file);
use DeltaTx::Audit qw(audit);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_naptime = 50ms\n");
my $orders = create_table($node, 'orders');
create_table($node, 'items');
commit_files($node, 'orders', 'a', 'b', 'c');
$node->safe_psql('postgres', 'BEGIN; SELECT deltatx_begin(); ' . stage('orders', 'd') . removes('orders', 'a') . stage('items', 'a')
	  . 'SELECT deltatx_commit(); COMMIT');
poll($node, "SELECT deltatx_wait('orders') AND deltatx_wait('items')");
is_deeply([ audit($node, published => 1) ], [], 'nothing is wrong');

# Each fault in a transaction of its own, put right again by its opposite.
my @faults = (
	[ 'a live file is lost', "DELETE FROM deltatx.dl_live_files WHERE path = 'b'", qr/^files of orders at '' are 2 / ],
	[ 'a head miscounts', 'UPDATE deltatx.dl_table_heads SET num_files = num_files + 1', qr/^head of items counts 2 / ],
	[ 'a head loses bytes', 'UPDATE deltatx.dl_table_heads SET num_bytes = num_bytes - 1', qr/^head of orders counts 3 files with 29 bytes/ ],
	[ 'staged rows are left', "INSERT INTO deltatx.dl_live_files SELECT table_id, path_hash, size, 9999, ord, path FROM deltatx.dl_live_files WHERE path = 'c'", qr/^1 staged live files/ ],
	[ 'an add is lost', "DELETE FROM deltatx.dl_add_files WHERE path = 'c'", qr/^the logs can't be read: .*instead of 3/s ],
	[ 'a remove is lost', 'DELETE FROM deltatx.dl_remove_files', qr/^the logs can't be read: .*instead of 1/s ],
	[ 'a removed file is live', "INSERT INTO deltatx.dl_live_files SELECT v.table_id, 0, 10, a.commit_id, a.ord, a.path FROM deltatx.dl_add_files a JOIN deltatx.dl_table_versions v USING (commit_id) WHERE path = 'a' AND v.version = 1 AND EXISTS (SELECT FROM deltatx.dl_remove_files r WHERE r.add_commit_id = a.commit_id AND r.add_ord = a.ord)", qr/^1 live files that were removed/ ],
	[ 'stamps differ', 'UPDATE deltatx.dl_table_versions SET stamp = stamp + 1 WHERE files_removed = 1', qr/has several stamps/ ],
	[ 'a stamp falls', 'UPDATE deltatx.dl_table_versions SET stamp = 1 WHERE version = 1 AND files_added = 3', qr/^orders version 1: its stamp does not rise/ ],
	[ 'a participant is missing', 'UPDATE deltatx.dl_transactions SET table_ids = table_ids[1:1], delta_ids = delta_ids[1:1], versions = versions[1:1]', qr/names participants/ ],
	[ 'published bytes differ', "UPDATE deltatx.dl_add_files SET size = 11 WHERE path = 'c'", qr/00001\.json is not what deltatx_log says/ ]);
foreach my $fault (@faults)
{
	my ($name, $sql, $finding) = @$fault;

	$node->safe_psql('postgres', "CREATE SCHEMA saved; " . join '; ', (map { "CREATE TABLE saved.$_ AS TABLE deltatx.$_" } saved_tables()), $sql);
	is(scalar(grep { /$finding/ } audit($node, published => 1)) > 0, 1, "found: $name");
	$node->safe_psql('postgres', 'BEGIN; ' . join('; ', map { "DELETE FROM deltatx.$_; INSERT INTO deltatx.$_ TABLE saved.$_" } saved_tables()) . '; DROP SCHEMA saved CASCADE; COMMIT');
}
is_deeply([ audit($node, published => 1) ], [], 'all is right again');

unlink commit_file($orders, 2) or die;
is_deeply([ audit($node, published => 1) ], ['orders is published as 2 files, its head is 2'], 'found: a file of the log is lost');

sub saved_tables
{
	return qw(dl_add_files dl_remove_files dl_live_files dl_table_versions dl_table_heads dl_transactions);
}

$node->stop;
done_testing();
