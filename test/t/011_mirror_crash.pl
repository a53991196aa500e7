# Whatever dies between claim, transfer and record: each version is published
# once, with the bytes that were claimed, and nothing is lost.

use strict;
use warnings;

use DeltaMirror qw(create_table commit published new_node_with_faults with_faults fail_by worker_pid
  wait_until);
use DeltaTx qw(poll table_directory commit_file);
use File::stat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node_with_faults('main', conf => "restart_after_crash = on\n");
my $lake = table_directory('lake');
my $table = "$lake/orders";

# A version is on its way when the worker hangs in the store with it.
sub hang_with
{
	my ($fault, $version) = @_;

	fail_by($fault);
	commit($node, "v$version", 'orders');
	poll($node, "SELECT doing = 'publishing version $version of table \"orders\"' FROM deltatx.status");
	poll($node, "SELECT count(*) = 1 FROM deltatx.dl_published_versions WHERE version = $version");
}

sub facts
{
	my ($version) = @_;

	return $node->safe_psql('postgres', "SELECT length, encode(sha256, 'hex'), claimed_at
		FROM deltatx.dl_published_versions WHERE version = $version");
}

sub is_settled
{
	my ($version, $name) = @_;

	is($node->safe_psql('postgres', "SELECT deltatx_wait('orders', $version)"), 't', "$name: published");
	is(published($table), join(' ', 0 .. $version), "$name: each version once, and no leftovers");
	is($node->safe_psql('postgres', "SELECT state, attempts FROM deltatx.mirror WHERE table_name = 'orders'"), 'idle|0', "$name: all is well");
}

create_table($node, 'orders', $table);
is_settled(0, 'at first');

# The worker is killed after the claim, before the object exists.
hang_with('before', 1);
my $claimed = facts(1);
unlike(published($table), qr/\b1\b/, 'claimed, not yet there');
like(published($table), qr/\?\.\S+deltatx-tmp/, 'only under a hidden name');
kill 'KILL', worker_pid($node);
poll($node, 'SELECT true');
fail_by('');
is_settled(1, 'killed before the transfer');
is(facts(1), $claimed, 'the claim stands');

# Killed when the object exists and nobody knows.
hang_with('after', 2);
like(published($table), qr/\b2\b/, 'there, not yet recorded');
my $inode = stat(commit_file($table, 2))->ino;
kill 'KILL', worker_pid($node);
poll($node, 'SELECT true');
fail_by('');
is_settled(2, 'killed after the transfer');
is(stat(commit_file($table, 2))->ino, $inode, 'the file is the one that was there');

# The same with the whole server.
hang_with('before', 3);
kill 'KILL', worker_pid($node);
$node->stop('immediate');
fail_by('');
with_faults(sub { $node->start });
is_settled(3, 'server crashed before the transfer');

hang_with('after', 4);
kill 'KILL', worker_pid($node);
$node->stop('immediate');
fail_by('');
with_faults(sub { $node->start });
is_settled(4, 'server crashed after the transfer');

# The postmaster is killed; the worker is an orphan, and ends as soon as it can.
hang_with('after', 5);
my $orphan = worker_pid($node);
$node->kill9;
fail_by('');
wait_until(sub { !kill 0, $orphan });
with_faults(sub { $node->start });
is_settled(5, 'postmaster killed');

# In the middle of many.
$node->safe_psql('postgres', "SELECT deltatx_pause()");
commit($node, "v$_", 'orders') for 6 .. 9;
fail_by('after');
$node->safe_psql('postgres', "SELECT deltatx_resume()");
poll($node, "SELECT doing LIKE 'publishing 4 versions%' FROM deltatx.status");
poll($node, "SELECT count(*) = 4 FROM deltatx.dl_published_versions WHERE version BETWEEN 6 AND 9");
wait_until(sub { published($table) =~ /\b6\b/ });
kill 'KILL', worker_pid($node);
$node->stop('immediate');
fail_by('');
with_faults(sub { $node->start });
is_settled(9, 'killed among many');

# Visible is not durable: what the worker publishes was made durable by its claim.
$node->append_conf('postgresql.conf', "synchronous_commit = off\nwal_writer_delay = 10s\nwal_writer_flush_after = 1GB");
with_faults(sub { $node->restart });
hang_with('after', 10);
kill 'KILL', worker_pid($node);
$node->stop('immediate');
fail_by('');
with_faults(sub { $node->start });
is($node->safe_psql('postgres', "SELECT deltatx_version('orders')"), '10', 'a published version survives a crash');
is_settled(10, 'asynchronous commit');

# Ended by an administrator: another one starts.
my $pid = worker_pid($node);
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
commit($node, 'v11', 'orders');
is_settled(11, 'worker terminated');
isnt(worker_pid($node), $pid, 'another worker');

$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'deltatx launcher'");
commit($node, 'v12', 'orders');
is_settled(12, 'launcher terminated');
poll($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'deltatx launcher'");
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'deltatx worker'"),
	'1', 'the next launcher finds the worker and starts no other');

# One that fails again and again is started ever more slowly.
$node->safe_psql('postgres', 'ALTER TABLE deltatx.dl_mirror_queue RENAME TO gone');
my $before = -s $node->logfile;
my $errors = sub { scalar(() = slurp_file($node->logfile, $before) =~ /ERROR:  relation "deltatx.dl_mirror_queue" does not exist/g) };
wait_until(sub { $errors->() >= 3 });
my @starts = slurp_file($node->logfile, $before) =~ /(\d\d):(\d\d):([\d.]+) UTC \[\d+\] ERROR:  relation "deltatx.dl_mirror_queue"/g;
my @times = map { $starts[3 * $_] * 3600 + $starts[3 * $_ + 1] * 60 + $starts[3 * $_ + 2] } 0 .. 2;
cmp_ok($times[1] - $times[0], '>=', 0.9, 'a worker that fails is started again after a second');
cmp_ok($times[2] - $times[1], '>=', 1.9, 'and then after two');
$node->safe_psql('postgres', 'ALTER TABLE deltatx.gone RENAME TO dl_mirror_queue');
commit($node, 'mended', 'orders');
is_settled(13, 'mended');

# A session that holds the status row doesn't hold up the worker.
create_table($node, 'items', "$lake/items");
$node->safe_psql('postgres', "SELECT deltatx_wait('items')");
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; SELECT deltatx_pause('orders');");
commit($node, 'v13', 'orders', 'items');
is($node->safe_psql('postgres', "SELECT deltatx_wait('items', 1)"), 't', 'another table goes on');
$session->query_safe('ROLLBACK');
$session->quit;
is_settled(14, 'status row locked');

# The bytes that are made must be those that were claimed.
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'v14', 'orders');
$node->safe_psql('postgres', "INSERT INTO deltatx.dl_published_versions
	SELECT table_id, 15, 1, sha256(''), now() FROM deltatx.dl_tables WHERE table_name = 'orders';
	SELECT deltatx_resume('orders')");
poll($node, "SELECT state = 'diverged' FROM deltatx.mirror WHERE table_name = 'orders'");
like($node->safe_psql('postgres', "SELECT last_error FROM deltatx.mirror WHERE table_name = 'orders'"),
	qr/version 15 was claimed with 1 bytes, and now gives other/, 'other bytes than claimed are not published');
is(published($table), join(' ', 0 .. 14), 'so the version is not there');

$node->stop;
done_testing();
