# Many sessions at random, with cancelled statements, worker restarts and a
# crash of the server in between.  Then an audit replays every log: whatever
# happened, what is there must be consistent, complete, and published.
#
# DELTATX_TEST_SEED repeats a choice of transactions (not their interleaving),
# DELTATX_TEST_SECONDS makes it run longer.

use strict;
use warnings;

use DeltaTx qw(new_node create_table table_directory poll);
use DeltaTx::Audit qw(audit replay);
use DeltaTx::Workload;
use IPC::Run qw(start finish pump timer);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seed = $ENV{DELTATX_TEST_SEED} || int rand 1e6;
my $seconds = $ENV{DELTATX_TEST_SECONDS} || 16;
my $sessions = 8;
diag("DELTATX_TEST_SEED=$seed");

my $node = new_node('main', conf => <<'CONF');
max_prepared_transactions = 20
deltatx.mirror_naptime = 100ms
deltatx.lock_timeout = 2s
log_min_messages = warning
log_statement = none
log_min_error_statement = panic
log_error_verbosity = verbose
autovacuum_naptime = 1s
CONF
my @tables = ('a', 'b', 'c');
my @partitioned = ('p');
create_table($node, $_) foreach @tables;
create_table($node, $_, columns => 'id bigint, day date', more => "partition_columns => '{day}'") foreach @partitioned;
$node->safe_psql('postgres', 'CREATE TABLE ledger (transaction_id uuid, table_name text, path text, kind text)');
my $directory = table_directory('own');

# All sessions until a time; $disturb is called again and again meanwhile.
my $workload = 0;
sub run_sessions
{
	my ($duration, $disturb) = @_;

	my $end = $node->safe_psql('postgres', "SELECT clock_timestamp() + interval '$duration s'");
	my @running;
	foreach my $session (1 .. $sessions)
	{
		my $script = DeltaTx::Workload->new(
			seed => $seed, session => $session + $sessions * $workload, tables => \@tables,
			partitioned => \@partitioned, directory => $directory)->script(60 * $duration, $end);
		my $file = PostgreSQL::Test::Utils::tempdir("script") . '/script.sql';
		PostgreSQL::Test::Utils::append_to_file($file, $script);
		push @running, start([ 'psql', '-X', '-q', '-At', '-f', $file, '-d', $node->connstr('postgres') . ' application_name=random' ],
			'>', '/dev/null', '2>', '/dev/null');
	}
	$workload++;
	my $until = time + $duration;
	while (time < $until)
	{
		select undef, undef, undef, 0.2;
		$disturb->();
	}
	return @running;
}

# Statements are cancelled, and workers ended.
sub disturb
{
	$node->psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'random' AND state <> 'idle' ORDER BY random() LIMIT 1");
	$node->psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'deltatx worker'") if rand() < 0.03;
	return;
}

# The server goes down in the midst of it, and loses what was not yet durable.
my @lost = run_sessions($seconds / 2, \&disturb);
$node->stop('immediate');
finish $_ foreach @lost;
$node->start;
$node->safe_psql('postgres', "ROLLBACK PREPARED '$_'") foreach split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');
is_deeply([ audit($node) ], [], 'after a crash the catalog is consistent');

finish $_ foreach run_sessions($seconds / 2, \&disturb);
$node->safe_psql('postgres', "ROLLBACK PREPARED '$_'") foreach split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');

# No error but those that a transaction may meet.
my %errors;
my $expected = join '|', @DeltaTx::Workload::expected;
foreach my $line (split /\n/, PostgreSQL::Test::Utils::slurp_file($node->logfile))
{
	$errors{$1}++ if $line =~ /random (?:ERROR|FATAL|PANIC):\s+(\w{5}):/;
	$errors{"unexpected: $1"}++ if $line =~ /random ((?:ERROR|FATAL|PANIC):\s+(\w{5}):.*)/ && $2 !~ /^(?:$expected)$/;
	$errors{"unexpected: $1"}++ if $line =~ /((?:WARNING|PANIC):.*)/ && $line !~ /terminating connection|because of crash/;
}
note("$_: $errors{$_}") foreach sort keys %errors;
is_deeply([ grep { /^unexpected/ } sort keys %errors ], [], 'no error is a fault');

poll($node, 'SELECT count(*) = 0 FROM deltatx.mirror WHERE lag_versions > 0 OR state <> \'idle\'');
is_deeply([ audit($node, published => 1) ], [], 'the catalog is consistent, and published as it is');

# The ledger shares the fate of the transactions that wrote it.
my $replayed = replay($node);
my (%done, %told);
foreach my $table (values %$replayed)
{
	foreach my $version (@{ $table->{versions} })
	{
		$done{"$version->{transaction} $table->{name} add $_"}++ foreach keys %{ $version->{added} };
		$done{"$version->{transaction} $table->{name} remove $_"}++ foreach keys %{ $version->{removed} };
	}
}
my %overwritten;
foreach my $row (split /\n/, $node->safe_psql('postgres', 'SELECT transaction_id, table_name, kind, path FROM ledger'))
{
	my ($transaction, $table, $kind, $path) = split /\|/, $row, 4;

	next unless $replayed->{$table};
	next if $table =~ /^own/ && !exists $done{"$transaction $table add $path"} && $kind eq 'add';
	$overwritten{"$transaction $table"} = 1 if $kind eq 'overwrite';
	$told{"$transaction $table $kind $path"}++ if $kind eq 'add' || $kind eq 'remove';
}
is_deeply([ grep { !$done{$_} } sort keys %told ], [], 'all that the ledger tells was done');
is_deeply([ grep { /^(\S+ \S+) (add|remove)/; !$told{$_} && !($2 eq 'remove' && $overwritten{$1}) } sort keys %done ],
	[], 'all that was done is in the ledger');

# What a transaction declared to have read was still so when it committed.
is($node->safe_psql('postgres', <<'SQL'), 't|0', 'what was read held until the commit');
SELECT count(*) > 10, count(*) FILTER (WHERE NOT (
	EXISTS (SELECT FROM unnest(x.read_table_ids, x.read_versions) r (id, v) WHERE r.id = t.table_id AND r.v = l.path::bigint)
	OR EXISTS (SELECT FROM unnest(x.table_ids, x.versions) w (id, v) WHERE w.id = t.table_id AND w.v = l.path::bigint + 1)))
FROM ledger l JOIN deltatx.dl_transactions x USING (transaction_id) JOIN deltatx.dl_tables t USING (table_name)
WHERE l.kind = 'read'
SQL

my $versions = 0;
$versions += $_->{current} foreach values %$replayed;
my $live = join ', ', map { "$_->{name} $_->{files}" } values %$replayed;
diag("$versions versions; live files: $live");
cmp_ok($versions, '>', 5 * $seconds, 'that was something');

$node->stop;
done_testing();
