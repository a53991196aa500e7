# How long publication takes: over the last minutes only, and without reading
# what is older.

use strict;
use warnings;

use DeltaMirror qw(create_table commit);
use DeltaTx qw(new_node table_directory);
use Test::More;

my $node = new_node('main');
my $lake = table_directory('lake');

sub latency
{
	my ($columns, $table) = @_;

	return $node->safe_psql('postgres', "SELECT $columns FROM deltatx.mirror_latency WHERE table_name = '$table'");
}

# Let the versions have been published that long after their commit; those
# before the first recent one, ten minutes ago.
sub published_after
{
	my ($table, $first_recent, $delay) = @_;

	$node->safe_psql('postgres', qq{UPDATE deltatx.dl_published_versions p
		SET mirrored_at = CASE WHEN p.version < $first_recent THEN now() - interval '10 min'
			ELSE to_timestamp(v.stamp / 1000.0) + $delay END
		FROM deltatx.dl_table_versions v JOIN deltatx.dl_tables t USING (table_id)
		WHERE v.table_id = p.table_id AND v.version = p.version AND t.table_name = '$table'});
}

create_table($node, $_, "$lake/$_") for qw(orders items);
commit($node, "n$_", 'orders') for 1 .. 20;
$node->safe_psql('postgres', "SELECT deltatx_wait('$_')") for qw(orders items);
is(latency(q{published, p50 > interval '0', p50 <= p95, p95 <= p99, p99 < interval '1 min'}, 'orders'),
	'21|t|t|t|t', 'what was published just now');

published_after('orders', 0, "v.version * interval '1 s'");
is(latency('p50, p95, p99', 'orders'), '00:00:10|00:00:19|00:00:19.8', 'the quantiles');
published_after('orders', 0, "interval '-3 s'");
is(latency('p50, p99', 'orders'), '00:00:00|00:00:00', 'a stamp ahead of the clock is no time at all');

my @published;
foreach my $first (0 .. 21)
{
	published_after('orders', $first, "interval '1 s'");
	push @published, latency('published', 'orders');
}
is("@published", join(' ', reverse 0 .. 21), 'older versions are left out, however many there are');
is(latency('published, p50 IS NULL', 'orders'), '0|t', 'none may be left');

# What is queued has not been published.
published_after('orders', 0, "interval '1 s'");
$node->safe_psql('postgres', "SELECT deltatx_pause('orders')");
commit($node, 'paused', 'orders');
is(latency('published', 'orders'), '21', 'a version that waits does not count');

# A long history is not read.
$node->safe_psql('postgres', q{
	INSERT INTO deltatx.dl_published_versions
	SELECT table_id, v, 1, '', now() - interval '1 h', now() - interval '1 h'
	FROM deltatx.dl_tables, generate_series(1, 50000) v WHERE table_name = 'items';
	INSERT INTO deltatx.dl_table_versions (table_id, version, commit_id, stamp, transaction_id, user_name, operation,
		isolation, is_blind_append, files_added, files_removed, bytes_added, bytes_removed, controls, engine_info, serializer)
	SELECT table_id, version, -version, 0, gen_random_uuid(), '', '', '', false, 0, 0, 0, 0, 0, '', 0
	FROM deltatx.dl_published_versions JOIN deltatx.dl_tables USING (table_id) WHERE table_name = 'items' AND version > 0;
	UPDATE deltatx.dl_published_versions SET mirrored_at = now() WHERE version > 49900;
	UPDATE deltatx.dl_mirror_status SET mirrored_version = 50000
	WHERE table_id = (SELECT table_id FROM deltatx.dl_tables WHERE table_name = 'items');
	ANALYZE deltatx.dl_published_versions; ANALYZE deltatx.dl_table_versions});
is(latency('published', 'items'), '100', 'the end of a long history');
is($node->safe_psql('postgres', q{BEGIN;
	SELECT FROM deltatx.mirror_latency;
	SELECT relname, seq_tup_read, idx_tup_fetch < 500 FROM pg_stat_xact_user_tables
	WHERE relname IN ('dl_published_versions', 'dl_table_versions') ORDER BY relname}),
	"dl_published_versions|0|t\ndl_table_versions|0|t", 'only that was read');

# Who may.
$node->safe_psql('postgres', 'CREATE ROLE stranger; CREATE ROLE watcher IN ROLE pg_monitor');
is($node->safe_psql('postgres', 'SET ROLE stranger; SELECT count(*) FROM deltatx.mirror_latency'), '0', 'a stranger sees no table');
is($node->safe_psql('postgres', 'SET ROLE watcher; SELECT count(*) FROM deltatx.mirror_latency'), '2', 'a monitor sees all');

$node->stop;
done_testing();
