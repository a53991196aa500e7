# Tables in S3: published in order, each version once, whatever their keys look like.

use strict;
use warnings;

use DeltaMirror qw(commit published);
use DeltaStores;
use DeltaTx qw(new_node poll commit_file);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_backoff_min = 10ms\ndeltatx.mirror_backoff_max = 1s");

sub create_table
{
	my ($table, $location) = @_;

	return $node->safe_psql('postgres', "SELECT deltatx_create_table('$table', '$location', 'id bigint')");
}

sub wait_for
{
	my ($table) = @_;

	return $node->safe_psql('postgres', "SELECT deltatx_wait('$table')");
}

for my $kind (DeltaStores::kinds())
{
	my $store = DeltaStores->start($kind);
	my $directory = $store->directory("$kind/lake");

	$store->create_server($node, $kind, "$kind/lake", ", region 'us-east-1'");
	create_table("$kind.$_", "s3://$kind/lake/$_") for qw(orders items);
	my $transaction = commit($node, 'first', "$kind.orders", "$kind.items");
	is($node->safe_psql('postgres', "SELECT deltatx_wait_transaction('$transaction')"), 't', "$kind: a transaction is published");
	commit($node, "n$_", "$kind.orders") for 2 .. 20;
	is(wait_for("$kind.orders"), 't', "$kind: so are many");
	is(published("$directory/orders"), join(' ', 0 .. 20), "$kind: each version has its object, and there is nothing else");
	is(published("$directory/items"), '0 1', "$kind: also of the other table");
	is(slurp_file(commit_file("$directory/orders", 7)),
		$node->safe_psql('postgres', "SELECT deltatx_log('$kind.orders', 7)") . "\n",
		"$kind: an object is what deltatx_log shows");

	my $requests = $store->requests;
	is(() = $requests =~ m{^PUT \S*/orders/_delta_log/\d+\.json 200}mg, 21, "$kind: each was put once");
	is(() = $requests =~ m{ 412}g, 1, "$kind: once it is tried whether the store would overwrite");

	# A new worker lists the log past the head, over several pages or one.
	$node->restart;
	commit($node, 'restarted', "$kind.orders");
	is(wait_for("$kind.orders"), 't', "$kind: published after a restart");
	like($store->requests, qr{^GET \S*list-type=2\S*start-after=lake%2Forders%2F_delta_log%2F0+21\.json}m,
		"$kind: which looks at the log past the table's head");

	# More than the memory that a worker spends on it.
	$node->safe_psql('postgres', qq{SET deltatx.max_files_per_table = 0; SET deltatx.max_actions_per_transaction = 0;
		BEGIN; SELECT deltatx_begin();
		SELECT deltatx_stage('$kind.items', string_agg(format('{"add":{"path":"big-%s-%s.parquet","partitionValues":{},"size":1,"modificationTime":0,"dataChange":true}}',
			repeat('x', 200), i), E'\\n')) FROM generate_series(1, 40000) i;
		SELECT FROM deltatx_commit(); COMMIT;});
	is(wait_for("$kind.items"), 't', "$kind: a large version is published");
	cmp_ok(-s commit_file("$directory/items", 2), '>', 10 * 1024 * 1024, "$kind: all of it");

	# What is to be encoded, in paths and queries.
	my $number = 0;
	for my $name ("p=1", "a+b", "a,b;c:d", "(a)!'~*", '$a&b@c', "\x{c3}\x{bc}ber", 'A.b-c_d')
	{
		(my $quoted = $name) =~ s/'/''/g;
		create_table("$kind.odd$number", "s3://$kind/lake/$quoted/t");
		is(wait_for("$kind.odd$number"), 't', "$kind: $name is published");
		is(published("$directory/$name/t"), '0', "$kind: as $name");
		$number++;
	}
}

$node->stop;
done_testing();
