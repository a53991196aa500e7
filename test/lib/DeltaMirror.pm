
=head1 NAME

DeltaMirror - tables, commits and a failing store for the tests of the mirror

=head1 SYNOPSIS

  use DeltaMirror qw(create_table commit published fail_by);

  create_table($node, 'orders', "$lake/orders");
  my $transaction = commit($node, 'name', 'orders', 'items');
  is(published("$lake/orders"), '0 1');

  my $node = new_node_with_faults('main');
  fail_by('before');     # see store_faults.c
  fail_by('');           # works again
  with_faults(sub { $node->restart });

=cut

package DeltaMirror;

use strict;
use warnings;

use Carp qw(croak);
use DeltaTx qw(new_node);
use Exporter qw(import);
use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

my $library;

our @EXPORT_OK = qw(create_table commit stage published new_node_with_faults with_faults fail_by worker_pid
  wait_until);

# A table in a directory, with one column.
sub create_table
{
	my ($node, $table, $directory, $database) = @_;

	return $node->safe_psql($database // 'postgres',
		"SELECT deltatx_create_table('$table', 'file://$directory', 'id bigint')");
}

# A transaction that adds a file to each of the tables; its id.
sub commit
{
	my ($node, $name, @tables) = @_;
	my $stage = join '', map { stage($name, $_) } @tables;
	my $output = $node->safe_psql('postgres',
		"BEGIN; SELECT deltatx_begin();\n${stage}SELECT FROM deltatx_commit(); COMMIT;");

	return (split /\n/, $output)[0];
}

# The statement that stages a file of that name.
sub stage
{
	my ($name, $table) = @_;

	my $add = qq({"add":{"path":"$name.parquet","partitionValues":{},"size":1,)
	  . q("modificationTime":0,"dataChange":true}});

	return "SELECT deltatx_stage('$table', '[$add]');\n";
}

# The versions in a table's log, and whatever else is there with a question mark.
sub published
{
	my ($directory) = @_;
	opendir my $log, "$directory/_delta_log" or return '';

	return join ' ', map { /^(\d{20})\.json$/ ? int $1 : "?$_" }
	  sort grep { !/^\.\.?$/ } readdir $log;
}

# As new_node; fail_by says what the store does.
sub new_node_with_faults
{
	my ($name, %options) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir('faults');

	system_or_bail('cc', '-shared', '-fPIC', '-o', "$directory/store_faults.so",
		dirname(__FILE__) . '/store_faults.c', '-ldl');
	$ENV{STORE_FAULT} = "$directory/fault";
	$library = "$directory/store_faults.so";
	return with_faults(sub { new_node($name, %options) });
}

# Run something that starts the server again.
sub with_faults
{
	my ($start) = @_;

	local $ENV{LD_PRELOAD} = $library;
	return $start->();
}

sub fail_by
{
	my ($fault) = @_;

	open my $file, '>', "$ENV{STORE_FAULT}.new" or die "$ENV{STORE_FAULT}: $!";
	print $file $fault;
	close $file;
	rename "$ENV{STORE_FAULT}.new", $ENV{STORE_FAULT} or die "$ENV{STORE_FAULT}: $!";
}

sub worker_pid
{
	my ($node, $database) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'deltatx worker' AND datname = '"
		  . ($database // 'postgres') . "'");
}

# What no query tells; dies when it doesn't come.
sub wait_until
{
	my ($condition) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if $condition->();
		usleep(100_000);
	}
	croak 'waited in vain';
}

1;
