
=head1 NAME

DeltaTx - servers with deltatx for the tests in test/t

=head1 SYNOPSIS

  use DeltaTx qw(new_node poll table_directory commit_file);

  my $node = new_node('primary');
  my $location = table_directory('orders');
  $node->safe_psql('postgres',
      "SELECT deltatx_create_table('orders', 'file://$location', 'id bigint')");
  poll($node, "SELECT deltatx_wait('orders')");

The directory that holds the extension, and preloading, come from the file
that TEMP_CONFIG names: PostgreSQL::Test::Cluster puts it into every node.

=cut

package DeltaTx;

use strict;
use warnings;

use Carp qw(croak);
use Exporter qw(import);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT_OK = qw(new_node poll table_directory commit_file);

# A running node whose database postgres has the extension.
#   conf      more lines of postgresql.conf
#   init      arguments of init(), such as [ allows_streaming => 1 ]
sub new_node
{
	my ($name, %options) = @_;

	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--no-locale' ], @{ $options{init} // [] });
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION deltatx');
	return $node;
}

# Wait until a query returns what is expected ('t' by default); die, with
# what the mirror says about its tables, when it does not.
sub poll
{
	my ($node, $query, $expected) = @_;

	return if $node->poll_query_until('postgres', $query, $expected // 't');
	my $mirror = $node->psql('postgres', 'SELECT * FROM deltatx.mirror',
		on_error_stop => 0, extra_params => ['-x'])
	  // '';
	croak "still not: $query\n$mirror";
}

# A fresh directory for the tables of a test, writable by its nodes.
sub table_directory
{
	my ($name) = @_;

	return PostgreSQL::Test::Utils::tempdir($name);
}

# The path of a version's file in a table's log.
sub commit_file
{
	my ($location, $version) = @_;

	return sprintf '%s/_delta_log/%020d.json', $location, $version;
}

1;
