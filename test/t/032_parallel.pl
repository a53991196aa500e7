# Reading functions in parallel queries, and what a parallel query must not do.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal answers);
use Test::More;

my $node = new_node('main', conf => <<'CONF');
deltatx.mirror_enabled = off
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
min_parallel_index_scan_size = 0
CONF
create_table($node, 'orders', columns => 'id bigint, day date', more => "partition_columns => '{day}'");
create_table($node, 'items');
commit_files($node, 'items', map { "f-$_" } 1 .. 50);
$node->safe_psql('postgres', "BEGIN; SELECT deltatx_begin(app_id => 'app', app_version => 1); " . removes('items', 'f-1') . "SELECT deltatx_commit(); COMMIT");
$node->safe_psql('postgres', 'CREATE TABLE numbers AS SELECT i FROM generate_series(1, 50000) i; VACUUM ANALYZE');

my $setting = $node->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query';
my $serial = answers($node);
foreach my $value ('on', 'regress')
{
	local $ENV{PGOPTIONS} = "-c $setting=$value";
	is(answers($node), $serial, "the same answers with $setting = $value");
}
is($node->safe_psql('postgres', "EXPLAIN (COSTS OFF) SELECT count(*) FROM numbers") =~ /Gather/ ? 'yes' : 'no', 'yes', 'counting is parallel');

# Within a parallel query, which may be one that writes.
my @questions = (
	[ "SELECT deltatx_version('items')", '2' ],
	[ "SELECT deltatx_version('items', as_of => 'infinity')", '2' ],
	[ "SELECT count(*) FROM deltatx_log('items', 1)", '51' ],
	[ "SELECT count(*) FROM deltatx_files('items')", '49' ],
	[ "SELECT count(*) FROM deltatx_files('items', 1)", '50' ],
	[ "SELECT count(*) FROM deltatx_files('orders', partition_filter => '{\"day\": \"2026-11-01\"}')", '0' ],
	[ "SELECT max(version) FROM deltatx_history('items')", '2' ],
	[ "SELECT deltatx_app_version('items', 'app')", '1' ],
	[ "SELECT deltatx_new_path('orders', '{\"day\":null}') LIKE 'day=%'", 't' ],
	[ "SELECT deltatx_transaction_id() IS NULL", 't' ],
	[ "SELECT sum(files) FROM deltatx.tables", '49' ],
	[ "SELECT count(*) FROM deltatx.mirror", '2' ],
	[ "SELECT count(*) FROM deltatx.transactions", '4' ]);
foreach my $question (@questions)
{
	my ($sql, $answer) = @$question;

	is($node->safe_psql('postgres', "SELECT count(*), ($sql) FROM numbers"), "50000|$answer", "$sql, in parallel");
	is($node->safe_psql('postgres', "CREATE TEMP TABLE result AS SELECT count(*) AS n, ($sql) AS answer FROM numbers; TABLE result"),
		"50000|$answer", "$sql, in a parallel CREATE TABLE AS");
}

# What is staged stays out of sight of the leader and of workers.
is($node->safe_psql('postgres', "SET $setting = on; BEGIN; SELECT deltatx_begin() IS NULL; " . stage('items', 'staged')
		  . "SELECT count(*), (SELECT count(*) FROM deltatx_files('items')) FROM numbers; ROLLBACK"),
	"f\n1\n50000|49", 'staged files are not live');

# Functions that write, which somebody declares safe.
my %writing = (
	begin => 'deltatx_begin()::text', rollback => 'deltatx_rollback()::text', validate => 'deltatx_validate()::text',
	stage => q(deltatx_stage('items', '[]')::text), read => q(deltatx_read('items')::text),
	alter => q(deltatx_alter_table('items', description => 'x')::text),
	create => q(deltatx_create_table('new', 'file:///tmp/new', 'id bigint')::text),
	rename => q(deltatx_rename_table('items', 'new')::text), drop => q(deltatx_drop_table('items')::text));
foreach my $name (sort keys %writing)
{
	is(refusal($node, "CREATE FUNCTION pg_temp.lie(int) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN $writing{$name}; END'; SELECT count(pg_temp.lie(i)) FROM numbers" =~ s/AS '(.*)'; SELECT/AS \$\$$1\$\$; SELECT/r),
		'25000', "$name in a parallel query");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM deltatx.dl_tables'), '2', 'nothing came of it');

$node->stop;
done_testing();
