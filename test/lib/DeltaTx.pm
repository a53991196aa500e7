
=head1 NAME

DeltaTx - servers with deltatx for the tests in test/t

=head1 SYNOPSIS

  use DeltaTx qw(new_node create_table commit_files refusal poll);

  my $node = new_node('primary');
  create_table($node, 'orders');
  commit_files($node, 'orders', 'a.parquet', 'b.parquet');
  is(refusal($node, 'SELECT deltatx_commit()'), '25P01 NoTransaction', 'nothing to commit');
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

our @EXPORT_OK = qw(new_node create_table stage removes commit_files refusal session
  refusal_in refusal_of answers poll table_directory commit_file);

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

# A table in a fresh directory; returns the directory.
#   columns   a column list, by default one bigint
#   more      further arguments of deltatx_create_table, as SQL
sub create_table
{
	my ($node, $table, %options) = @_;

	my $directory = table_directory($table);
	my $columns = $options{columns} // 'id bigint';
	my $more = defined $options{more} ? ", $options{more}" : '';
	$node->safe_psql('postgres',
		"SELECT deltatx_create_table('$table', 'file://$directory', '$columns'$more)");
	return $directory;
}

# The statement that stages files of a table, 10 bytes each.
sub stage
{
	my ($table, @paths) = @_;

	my $adds = join ',', map {
		qq({"add":{"path":"$_","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}})
	} @paths;
	return "SELECT deltatx_stage('$table', '[$adds]', extend => true);";
}

# The statement that stages the removal of files of a table.
sub removes
{
	my ($table, @paths) = @_;

	my $removes = join ',', map { qq({"remove":{"path":"$_","dataChange":true}}) } @paths;
	return "SELECT deltatx_stage('$table', '[$removes]', extend => true);";
}

# Commit files of a table; returns the version.
sub commit_files
{
	my ($node, $table, @paths) = @_;

	my $output = $node->safe_psql('postgres',
		"BEGIN; SELECT deltatx_begin(); " . stage($table, @paths)
		  . " SELECT version FROM deltatx_commit(); COMMIT;");
	return (split /\n/, $output)[-1];
}

# What a statement is refused with: SQLSTATE and, of our own errors, the
# condition; '' when it is not refused.  Of several statements, the first.
sub refusal
{
	my ($node, $sql, %options) = @_;

	my $stderr;
	$node->psql($options{dbname} // 'postgres', $sql,
		stderr => \$stderr, on_error_stop => 1,
		extra_params => [ '-v', 'VERBOSITY=verbose', @{ $options{extra_params} // [] } ]);
	return refusal_of($stderr);
}

# The same, of what psql wrote to its standard error.
sub refusal_of
{
	my ($stderr) = @_;

	return '' unless $stderr =~ /^(?:psql:.*?)?(?:ERROR|FATAL):\s+(\w{5}):/m;
	my $refusal = $1;
	$refusal .= " $1" if $stderr =~ /^CONSTRAINT NAME:\s+(\w+)$/m;
	return $refusal;
}

# A session that stays open, for statements one by one.
sub session
{
	my ($node, $dbname) = @_;

	my $session = $node->background_psql($dbname // 'postgres', on_error_stop => 0);
	$session->query_safe('\set VERBOSITY verbose');
	return $session;
}

# refusal() in an open session; what the statement answers is lost.
sub refusal_in
{
	my ($session, $sql) = @_;

	$session->{stderr} = '';
	$session->query($sql);
	my $refusal = refusal_of($session->{stderr});
	$session->{stderr} = '';
	return $refusal;
}

# All that the reading functions say about the tables of a database: for
# comparison before and after.
sub answers
{
	my ($node, $dbname) = @_;

	return $node->safe_psql($dbname // 'postgres', <<'SQL');
SELECT * FROM deltatx.tables ORDER BY table_name;
SELECT t.table_name, f.* FROM deltatx.tables t, deltatx_files(t.table_name) f ORDER BY t.table_name, f.path;
SELECT t.table_name, v, f.* FROM deltatx.tables t, generate_series(0, t.current_version) v,
	deltatx_files(t.table_name, v) f ORDER BY t.table_name, v, f.path;
SELECT t.table_name, h.version, h.commit_timestamp, h.transaction_id, h.operation, h.operation_parameters,
	h.user_name, h.files_added, h.files_removed, h.is_blind_append
FROM deltatx.tables t, deltatx_history(t.table_name) h ORDER BY t.table_name, h.version;
SELECT t.table_name, v, l.* FROM deltatx.tables t, generate_series(0, t.current_version) v,
	deltatx_log(t.table_name, v) WITH ORDINALITY l ORDER BY t.table_name, v, l.ordinality;
SQL
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
