
=head1 NAME

DeltaTx::Workload - scripts of random transactions

=head1 SYNOPSIS

  my $workload = DeltaTx::Workload->new(seed => 7, session => 1, tables => [ 'a', 'b' ], partitioned => [ 'p' ]);
  my $script = $workload->script(1000, '2026-11-01 12:00');

Each script is for a psql of its own.  Transactions append, remove, replace
and overwrite files of several tables, with savepoints, exceptions, aborts,
rollbacks of both kinds, keys, and prepared transactions; many of them are
meant to fail, or to collide with those of other sessions.  What a transaction
adds, removes and declares to have read it also writes to the table ledger,
with ordinary statements: so the ledger must agree with the catalog in the end.

=cut

package DeltaTx::Workload;

use strict;
use warnings;

# SQLSTATEs that a transaction may end with.  The rest is a fault.
our @expected = qw(40001 40P01 3B001 55P03 23505 23503 22004 22012 22023 42710 25001 25P02 42P01 42P07 42704 25P01 57014 57P01 57P02 57P03 08006);

sub new
{
	my ($class, %options) = @_;

	srand $options{seed} * 1000 + $options{session};
	return bless { %options, n => 0 }, $class;
}

# $count transactions, as many as there is time for.
sub script
{
	my ($self, $count, $end) = @_;

	my $script = join '', map { "SELECT clock_timestamp() > '$end' AS done \\gset\n\\if :done\n\\q\n\\endif\n" . $self->transaction } 1 .. $count;
	return "\\set VERBOSITY verbose\nSET synchronous_commit = " . one_of('on', 'off') . ";\n$script";
}

sub one_of { return $_[ int rand @_ ] }

# One of several things, each with a weight.
sub chosen
{
	my @choices = @_;

	my $sum = 0;
	$sum += $choices[ 2 * $_ ] foreach 0 .. $#choices / 2;
	my $at = rand $sum;
	while (@choices)
	{
		my ($weight, $choice) = splice @choices, 0, 2;
		return $choice if ($at -= $weight) < 0;
	}
	die;
}

sub transaction
{
	my ($self) = @_;

	$self->{n}++;
	my $method = chosen(70 => 'plain', 12 => 'in_plpgsql', 5 => 'twice', 5 => 'prepared', 4 => 'own_table', 4 => 'keyed');
	return $self->$method;
}

sub begin
{
	my ($self, $arguments) = @_;

	my $isolation = chosen(90 => '', 6 => ' ISOLATION LEVEL REPEATABLE READ', 4 => ' ISOLATION LEVEL SERIALIZABLE');
	return "BEGIN$isolation;\n" . $self->open($arguments);
}

sub open
{
	my ($self, $arguments) = @_;

	return "SELECT deltatx_begin(" . ($arguments // '') . ") AS id \\gset\n";
}

# The tables of a transaction, and what each is staged with.
sub work
{
	my ($self) = @_;

	my %tables = map { one_of(@{ $self->{tables} }, @{ $self->{partitioned} }) => 1 } 1 .. one_of(1, 1, 2, 3);
	my @statements = map { $self->stage($_, ':\'id\'') } sort keys %tables;
	unshift @statements, $self->read(one_of(@{ $self->{tables} })) if rand() < 0.25;
	return @statements;
}

sub read
{
	my ($self, $table) = @_;

	return "INSERT INTO ledger SELECT :'id', '$table', deltatx_read('$table')::text, 'read';\n";
}

sub plain
{
	my ($self) = @_;

	my @work = $self->work;
	my $extra = $self->stage(one_of(@{ $self->{tables} }), ':\'id\'');
	my $commit = "SELECT * FROM deltatx_commit();\n";
	my $rollback = "SELECT deltatx_rollback();\nDELETE FROM ledger WHERE transaction_id = :'id';\n";
	my $end = chosen(
		60 => $commit,
		6 => "SAVEPOINT s;\n${extra}ROLLBACK TO s;\n$commit",
		6 => "SAVEPOINT s;\n${extra}RELEASE s;\n$commit",
		6 => "SAVEPOINT s;\n${commit}ROLLBACK TO s;\n$extra$commit",
		4 => "SAVEPOINT s;\n${rollback}ROLLBACK TO s;\n$commit",
		4 => "SELECT deltatx_validate();\n$commit",
		6 => $rollback,
		4 => $rollback . $self->open . $extra . $commit,
		2 => '');

	return $self->begin . join('', @work) . $end . chosen(90 => 'COMMIT', 10 => 'ROLLBACK') . ";\n";
}

# Two deltatx transactions in one; they may deadlock with others.
sub twice
{
	my ($self) = @_;

	return $self->begin . join('', $self->work) . "SELECT * FROM deltatx_commit();\n"
	  . $self->open . join('', $self->work) . "SELECT * FROM deltatx_commit();\nCOMMIT;\n";
}

sub prepared
{
	my ($self) = @_;

	my $gid = "g-$self->{session}-$self->{n}";
	return $self->begin . join('', $self->work) . "SELECT * FROM deltatx_commit();\nPREPARE TRANSACTION '$gid';\n"
	  . chosen(70 => 'COMMIT', 30 => 'ROLLBACK') . " PREPARED '$gid';\n";
}

# Several sessions do the same work under the same key.
sub keyed
{
	my ($self) = @_;

	my $key = 'key-' . int rand 40;
	my $table = $self->{tables}[0];
	return $self->begin("idempotency_key => '$key'")
	  . "INSERT INTO ledger SELECT :'id', '$table', '$key', 'add' WHERE NOT deltatx_replayed();\n"
	  . "SELECT deltatx_stage('$table', '[" . add($key, undef, 7) . "]');\nSELECT * FROM deltatx_commit();\nCOMMIT;\n";
}

# A table of the session's own comes and goes.
sub own_table
{
	my ($self) = @_;

	my $name = "own-$self->{session}";
	my $path = "own-$self->{session}-$self->{n}";
	return "DROP TABLE IF EXISTS pg_temp.x;\n" . chosen(
		30 => "SELECT deltatx_drop_table('$name');\n",
		50 => "SELECT deltatx_create_table('$name', 'file://$self->{directory}/$path', 'id bigint');\n",
		20 => "SELECT deltatx_alter_table('$name', set_properties => '{\"x.y\": \"$self->{n}\"}');\n")
	  . $self->begin . "INSERT INTO ledger VALUES (:'id', '$name', '$path', 'add');\nSELECT deltatx_stage('$name', '["
	  . add($path) . "]');\n" . join('', $self->work) . "SELECT * FROM deltatx_commit();\nCOMMIT;\n";
}

# The same kinds of work in a block, where exceptions take parts of it back.
sub in_plpgsql
{
	my ($self) = @_;

	my @work = map { s/^SELECT/PERFORM/gmr =~ s/^WITH (.*?)\nPERFORM/PERFORM FROM (WITH $1\nSELECT/sr } $self->work_in_plpgsql;
	my $caught = sub {
		"BEGIN\n$_[0]" . chosen(40 => '', 30 => "PERFORM 1 / 0;\n", 30 => "PERFORM deltatx_stage('none', '[]');\n")
		  . "EXCEPTION WHEN division_by_zero OR undefined_table OR unique_violation OR foreign_key_violation OR invalid_parameter_value THEN NULL;\nEND;\n"
	};
	my $body = join '', map { rand() < 0.5 ? $caught->($_) : $_ } @work;
	my $commit = "PERFORM deltatx_commit();\n";
	my $end = chosen(
		70 => $commit,
		15 => "BEGIN\n${commit}PERFORM 1 / 0;\nEXCEPTION WHEN division_by_zero THEN NULL;\nEND;\n$commit",
		15 => "PERFORM deltatx_rollback();\nDELETE FROM ledger WHERE transaction_id = id;\n");
	return "DO \$\$\nDECLARE\n\tid uuid;\nBEGIN\nid := deltatx_begin();\n$body${end}END\n\$\$;\n";
}

sub work_in_plpgsql
{
	my ($self) = @_;

	my %tables = map { one_of(@{ $self->{tables} }) => 1 } 1 .. one_of(1, 2, 3);
	return map { $self->append($_, 'id') } sort keys %tables;
}

sub stage
{
	my ($self, $table, $id) = @_;

	my $partitioned = grep { $_ eq $table } @{ $self->{partitioned} };
	my $method = $partitioned
	  ? chosen(60 => 'append', 20 => 'remove', 10 => 'overwrite_partition', 10 => 'overwrite_partitions')
	  : chosen(50 => 'append', 25 => 'remove', 8 => 'replace', 8 => 'renew', 2 => 'overwrite', 5 => 'controls');
	return $self->$method($table, $id);
}

# Files with names of their own, or out of a few that all sessions use.
sub append
{
	my ($self, $table, $id) = @_;

	my @paths = map { "$self->{session}-$self->{n}-$_-" . int rand 1e6 } 1 .. one_of(1, 1, 2, 5);
	push @paths, 'shared-' . int rand 30 if rand() < 0.15;
	my @days = map { $self->day($table) } @paths;
	my $values = join ', ', map { "($id, '$table', '" . path($paths[$_], $days[$_]) . "', 'add')" } 0 .. $#paths;
	my $adds = join ',', map { add($paths[$_], $days[$_]) } 0 .. $#paths;
	return "INSERT INTO ledger VALUES $values;\nSELECT deltatx_stage('$table', '[$adds]', extend => true);\n";
}

sub day
{
	my ($self, $table) = @_;

	return undef unless grep { $_ eq $table } @{ $self->{partitioned} };
	return '2026-11-0' . one_of(1 .. 5);
}

sub path
{
	my ($path, $day) = @_;

	return defined $day ? "day=$day/$path" : $path;
}

sub add
{
	my ($path, $day, $size) = @_;

	my $values = defined $day ? qq({"day":"$day"}) : '{}';
	$size //= 1 + int rand 1000;
	$path = path($path, $day);
	return qq({"add":{"path":"$path","partitionValues":$values,"size":$size,"modificationTime":1,"dataChange":true}});
}

# Some of the files that are live when the statement runs.
sub some_files
{
	my ($self, $table, $n) = @_;

	return "SELECT path, size FROM deltatx_files('$table') ORDER BY md5(path || '" . int(rand 1e6) . "') LIMIT $n";
}

sub remove
{
	my ($self, $table, $id) = @_;

	my $files = $self->some_files($table, one_of(1, 1, 2, 8));
	return <<"SQL";
WITH f AS MATERIALIZED ($files), l AS (INSERT INTO ledger SELECT $id, '$table', path, 'remove' FROM f)
SELECT deltatx_stage('$table', (SELECT jsonb_agg(jsonb_build_object('remove', jsonb_build_object('path', path, 'dataChange', true))) FROM f), extend => true);
SQL
}

sub replace
{
	my ($self, $table, $id) = @_;

	return $self->remove($table, $id) . $self->append($table, $id);
}

# The very files again, with other statistics.
sub renew
{
	my ($self, $table, $id) = @_;

	my $files = $self->some_files($table, 2);
	return <<"SQL";
WITH f AS MATERIALIZED ($files), l AS (INSERT INTO ledger SELECT $id, '$table', path, 'add' FROM f)
SELECT deltatx_stage('$table', (SELECT jsonb_agg(jsonb_build_object('add', jsonb_build_object('path', path, 'partitionValues', '{}'::jsonb,
	'size', size, 'modificationTime', 1, 'dataChange', false, 'stats', '{"numRecords":$self->{n}}'))) FROM f), extend => true);
SQL
}

sub overwrite
{
	my ($self, $table, $id) = @_;

	my $path = "$self->{session}-$self->{n}-o";
	return "INSERT INTO ledger VALUES ($id, '$table', '$path', 'add'), ($id, '$table', '', 'overwrite');\n"
	  . "SELECT deltatx_stage('$table', '[" . add($path) . "]', mode => 'overwrite');\n";
}

sub overwrite_partition
{
	my ($self, $table, $id) = @_;

	my $day = $self->day($table);
	my $path = "$self->{session}-$self->{n}-f";
	return "INSERT INTO ledger VALUES ($id, '$table', 'day=$day/$path', 'add'), ($id, '$table', '', 'overwrite');\n"
	  . "SELECT deltatx_stage('$table', '[" . add($path, $day) . "]', mode => 'overwrite', partition_filter => '{\"day\": \"$day\"}');\n";
}

sub overwrite_partitions
{
	my ($self, $table, $id) = @_;

	return $self->append($table, $id) =~ s/extend => true\);\n$/mode => 'overwrite_partitions');\nINSERT INTO ledger VALUES ($id, '$table', '', 'overwrite');\n/r;
}

sub controls
{
	my ($self, $table, $id) = @_;

	return chosen(
		30 => "SELECT deltatx_alter_table('$table', set_properties => '{\"x.y\": \"$self->{session}\"}');\n",
		40 => "SELECT deltatx_stage('$table', '{\"txn\":{\"appId\":\"app-" . int(rand 3) . "\",\"version\":$self->{n}}}', extend => true);\n",
		30 => "SELECT deltatx_stage('$table', '{\"domainMetadata\":{\"domain\":\"d-" . int(rand 3) . "\",\"configuration\":\"$self->{n}\",\"removed\":false}}', extend => true);\n");
}

1;
