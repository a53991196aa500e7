# What a session keeps in memory stays small, however much it stages and
# however often that fails; and what it drops is not in use.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage session table_directory);
use Test::More;

my $node = new_node('main', conf => <<'CONF');
deltatx.mirror_enabled = off
deltatx.max_files_per_table = 0
deltatx.max_actions_per_transaction = 0
deltatx.max_tables_per_transaction = 0
deltatx.transaction_timeout = 0
CONF
create_table($node, 'orders');

# Bytes of a session's memory: all of it, and that of its transactions.
sub memory
{
	my ($session) = @_;

	return split /\|/, $session->query_safe(<<'SQL');
SELECT sum(total_bytes), sum(total_bytes) FILTER (WHERE name = 'TopTransactionContext' OR name LIKE 'deltatx%')
FROM pg_backend_memory_contexts
SQL
}

sub resident
{
	my ($pid) = @_;

	open my $status, '<', "/proc/$pid/status" or return 0;
	my ($kb) = map { /^RssAnon:\s+(\d+) kB/ ? $1 : () } <$status>;
	return $kb;
}

# A document of files of orders, made by the server.
my $document = <<'SQL';
CREATE FUNCTION pg_temp.document(first int, n int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('{"add":{"path":"f-%s.parquet","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":7,\"minValues\":{\"id\":1},\"maxValues\":{\"id\":9},\"nullCount\":{\"id\":0}}"}}', i), E'\n')
	FROM generate_series(first, first + n - 1) i
$$;
SQL

# Many files, in calls of ten thousand.
{
	my $session = session($node);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my @resident;
	my @total;

	$session->query_safe("$document BEGIN; SELECT deltatx_begin()");
	foreach my $call (0 .. 19)
	{
		my $first = $call * 10000;
		is($session->query_safe("SELECT deltatx_stage('orders', pg_temp.document($first, 10000), extend => true)"), '10000', "call $call");
		next if $call != 3 && $call != 19;
		push @resident, resident($pid);
		push @total, (memory($session))[0];
	}
	cmp_ok($total[1], '<', $total[0] + 200_000, '160,000 files more leave its contexts as they are');
	cmp_ok($resident[1], '<', $resident[0] + 8_000, 'and its memory');

	my $before = (memory($session))[0];
	is($session->query_safe('SELECT version, files_added FROM deltatx_commit(); COMMIT'), '1|200000', 'they commit');
	is($session->query_safe("SELECT count(*) FROM deltatx_log('orders', 1)"), '200001', 'the log has them');
	is($session->query_safe("BEGIN; SELECT deltatx_begin() IS NULL; SELECT deltatx_stage('orders', '[]', mode => 'overwrite'); SELECT files_removed FROM deltatx_commit(); COMMIT"),
		"f\n0\n200000", 'an overwrite removes them');
	cmp_ok((memory($session))[0], '<', $before + 1_000_000, 'all that takes no more than the plans of its statements');
	$session->quit;
}

# A loop of subtransactions that fail after they have staged.
{
	my $session = session($node);
	my $failing = <<'SQL';
DO $$
BEGIN
	FOR i IN 1..%d LOOP
		BEGIN
			PERFORM deltatx_stage('orders', format('[{"add":{"path":"x-%%s","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]', i), extend => true);
			%s
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
END
$$;
SQL
	foreach my $how (
		[ 'fail afterwards', 'PERFORM 1/0;' ],
		[ 'fail in stage', "PERFORM deltatx_stage('orders', '[{\"remove\":{\"path\":\"none\",\"dataChange\":true}}]', extend => true);" ],
		[ 'fail in commit', "PERFORM deltatx_commit(); PERFORM deltatx_stage('orders', '[]');" ])
	{
		my ($name, $statement) = @$how;

		$session->query_safe("BEGIN; SELECT deltatx_begin(idempotency_key => '$name'); " . stage('orders', "kept-$name" =~ s/ /-/gr));
		$session->query_safe(sprintf $failing, 500, $statement);
		my ($all, $transaction) = memory($session);
		$session->query_safe(sprintf $failing, 2000, $statement);
		my ($all_after, $transaction_after) = memory($session);

		# PostgreSQL notes who updated a row of the same transaction: 60 bytes each.
		cmp_ok($transaction_after, '<=', $transaction + 150_000, "2000 subtransactions that $name leave nothing behind");
		cmp_ok($all_after, '<=', $all + 200_000, "2000 subtransactions that $name leave nothing elsewhere");
		is($session->query_safe('SELECT files_added FROM deltatx_commit(); COMMIT'), '1', 'what was staged before is committed');
	}
	$session->quit;
}

# Transactions one after another.
{
	my $session = session($node);
	my $work = <<'SQL';
DO $$
BEGIN
	FOR i IN 1..%d LOOP
		PERFORM deltatx_begin(idempotency_key => format('%s-%%s', i), app_id => 'app-%s', app_version => i);
		PERFORM deltatx_stage('orders', format('[{"add":{"path":"%s-%%s","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]', i));
		PERFORM deltatx_commit();
		COMMIT;
	END LOOP;
END
$$;
SQL
	$session->query_safe(sprintf $work, 50, ('first') x 3);
	my ($before) = memory($session);
	$session->query_safe(sprintf $work, 400, ('second') x 3);
	my ($after) = memory($session);
	cmp_ok($after, '<=', $before + 50_000, '400 transactions leave nothing behind');
	$session->quit;
}

# More tables than a session remembers, in one transaction: each version must
# tell the identity of its own table.
{
	my $session = session($node);
	my $location = table_directory('many');

	$session->query_safe("DO \$\$ BEGIN FOR i IN 1..300 LOOP PERFORM deltatx_create_table('t' || i, 'file://$location/t' || i, 'id bigint'); END LOOP; END \$\$");
	is($session->query_safe(<<'SQL'), "f\n300\n300\n0", 'the participants of a transaction of 300 tables');
BEGIN;
SELECT deltatx_begin() IS NULL;
SELECT count(deltatx_stage('t' || i, '[{"add":{"path":"a","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]')) FROM generate_series(1, 300) i;
SELECT count(*) FROM deltatx_commit();
COMMIT;
SELECT count(*) FROM deltatx.dl_transactions x, unnest(table_ids, delta_ids) p (table_id, delta_id)
JOIN deltatx.dl_tables t USING (table_id) WHERE t.delta_id <> p.delta_id;
SQL
	is($session->query_safe("SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'deltatx table shape'"),
		'0', 'afterwards the session forgets them');
	$session->quit;
}

$node->stop;
done_testing();
