
=head1 NAME

DeltaTx::Audit - is what the catalog says consistent?

=head1 SYNOPSIS

  use DeltaTx::Audit qw(audit);

  is_deeply([ audit($node) ], [], 'the catalog is consistent');

Replays the log of every version of every table, as a reader of Delta would
that knows nothing of the catalog, and compares what comes of it with what the
catalog answers: the files of each version and of now, counters, history,
participants of transactions, and what is published.  Each contradiction is a
sentence.

=cut

package DeltaTx::Audit;

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter qw(import);
use JSON::PP;
use PostgreSQL::Test::Utils;

our @EXPORT_OK = qw(audit replay);

my $json = JSON::PP->new;

sub audit
{
	my ($node, %options) = @_;

	my $tables = eval { replay($node) } or return "the logs can't be read: $@";
	my @problems = map { @{ $_->{problems} } } values %$tables;
	push @problems, wrong_answers($node, $tables), wrong_transactions($node, $tables), orphans($node);
	push @problems, wrongly_published($tables) if $options{published};
	return sort @problems;
}

# All tables by name, each with its versions as its log tells them.
sub replay
{
	my ($node) = @_;

	my %tables;
	foreach my $row (rows($node, 'SELECT table_name, table_id, location, current_version, files, bytes FROM deltatx.tables'))
	{
		my ($name, $id, $location, $current, $files, $bytes) = @$row;

		$tables{$name} = {
			name => $name, id => $id, directory => $location =~ s{^file://}{}r, current => $current,
			files => $files, bytes => $bytes, live => {}, versions => [], problems => [] };
	}
	foreach my $row (rows($node, <<'SQL', 3))
SELECT t.table_name, v, l.line FROM deltatx.tables t, generate_series(0, t.current_version) v,
	deltatx_log(t.table_name, v) WITH ORDINALITY l (line, n) ORDER BY t.table_name, v, l.n
SQL
	{
		my ($name, $version, $line) = @$row;

		push @{ $tables{$name}{versions}[$version]{lines} }, $line;
	}
	foreach my $table (values %tables)
	{
		replay_version($table, $_) foreach 0 .. $table->{current};
	}
	return \%tables;
}

sub replay_version
{
	my ($table, $number) = @_;

	my $version = $table->{versions}[$number];
	my $place = "$table->{name} version $number";
	my @actions = map { $json->decode($_) } @{ $version->{lines} };
	my $info = $actions[0]{commitInfo};
	my (%added, %removed, %ended);
	my $problem = sub { push @{ $table->{problems} }, "$place: $_[0]" };

	return $problem->('no commitInfo at its begin') unless $info;
	$version->{transaction} = $info->{deltatx}{transactionId} // $info->{txnId};
	$version->{participants} = join ' ', sort map { "$_->{tableId}:$_->{version}" } @{ $info->{deltatx}{participants} // [] };
	$version->{stamp} = $info->{inCommitTimestamp};
	$problem->('its stamp does not rise')
	  if $number > 0 && $version->{stamp} <= ($table->{versions}[ $number - 1 ]{stamp} // 0);

	foreach my $remove (map { $_->{remove} // () } @actions)
	{
		my $path = $remove->{path};

		$problem->("removes $path twice") if $removed{$path}++;
		$problem->("removes $path, which is not live") unless exists $table->{live}{$path};
		$ended{$path} = delete $table->{live}{$path};
	}
	foreach my $add (map { $_->{add} // () } @actions)
	{
		my $path = $add->{path};

		$problem->("adds $path twice") if $added{$path}++;
		$problem->("adds $path, which is live") if exists $table->{live}{$path} && $add->{dataChange};
		$table->{live}{$path} = $add->{size};
	}
	$version->{added} = \%added;
	$version->{removed} = \%removed;
	$version->{count} = keys %{ $table->{live} };
	$version->{bytes} = 0;
	$version->{bytes} += $_ foreach values %{ $table->{live} };
	$version->{digest} = md5_hex(join ' ', sort keys %{ $table->{live} });
	return;
}

# What deltatx_files and deltatx_history answer, and the counters of the head.
sub wrong_answers
{
	my ($node, $tables) = @_;

	my @problems;
	my $files = q{count(f.path), COALESCE(sum(f.size), 0), md5(COALESCE(string_agg(f.path, ' ' ORDER BY f.path COLLATE "C"), ''))};
	foreach my $row (rows($node, <<"SQL"))
SELECT t.table_name, v, $files FROM deltatx.tables t CROSS JOIN generate_series(0, t.current_version) v
LEFT JOIN LATERAL deltatx_files(t.table_name, v) f ON true GROUP BY t.table_name, v
UNION ALL
SELECT t.table_name, NULL, $files FROM deltatx.tables t
LEFT JOIN LATERAL deltatx_files(t.table_name) f ON true GROUP BY t.table_name
SQL
	{
		my ($name, $number, $count, $bytes, $digest) = @$row;
		my $version = $tables->{$name}{versions}[ $number eq '' ? -1 : $number ];

		push @problems, "files of $name at '$number' are $count with $bytes bytes, by the log $version->{count} with $version->{bytes}"
		  unless "$count $bytes $digest" eq "$version->{count} $version->{bytes} $version->{digest}";
	}
	foreach my $table (values %$tables)
	{
		my $last = $table->{versions}[-1];

		push @problems, "head of $table->{name} counts $table->{files} files with $table->{bytes} bytes, there are $last->{count} with $last->{bytes}"
		  unless $table->{files} == $last->{count} && $table->{bytes} == $last->{bytes};
	}
	foreach my $row (rows($node, <<'SQL'))
SELECT t.table_name, h.version, h.files_added, h.files_removed, h.transaction_id,
	(extract(epoch FROM h.commit_timestamp) * 1000)::bigint
FROM deltatx.tables t, deltatx_history(t.table_name) h
SQL
	{
		my ($name, $number, $added, $removed, $transaction, $stamp) = @$row;
		my $version = $tables->{$name}{versions}[$number];

		$version->{in_history}++;
		push @problems, "history of $name version $number: $added added, $removed removed, by $transaction at $stamp"
		  unless $added == keys %{ $version->{added} } && $removed == keys %{ $version->{removed} }
		  && $transaction eq $version->{transaction} && $stamp == $version->{stamp};
	}
	foreach my $table (values %$tables)
	{
		push @problems, "history of $table->{name} is not 0 to $table->{current}"
		  if grep { ($_->{in_history} // 0) != 1 } @{ $table->{versions} };
	}
	return @problems;
}

# Each version must name all versions of its transaction as participants, and
# share their stamp.  Tables that were dropped are participants still.
sub wrong_transactions
{
	my ($node, $tables) = @_;

	my (%members, %stamps, @problems);
	my %known = map { $_->{id} => 1 } values %$tables;
	foreach my $table (values %$tables)
	{
		foreach my $number (0 .. $table->{current})
		{
			my $version = $table->{versions}[$number];

			push @{ $members{ $version->{transaction} } }, "$table->{id}:$number";
			$stamps{ $version->{transaction} }{ $version->{stamp} } = 1;
		}
	}
	foreach my $table (values %$tables)
	{
		foreach my $number (0 .. $table->{current})
		{
			my $version = $table->{versions}[$number];
			my $members = join ' ', sort @{ $members{ $version->{transaction} } };
			my $named = join ' ', grep { /^(.*):/ && $known{$1} } split / /, $version->{participants};

			# A version on its own may say so or not.
			push @problems, "$table->{name} version $number names participants '$named', there are '$members'"
			  unless $named eq $members || ($version->{participants} eq '' && $members !~ / /);
		}
	}
	push @problems, map { "transaction $_ has several stamps" } grep { keys %{ $stamps{$_} } > 1 } keys %stamps;
	push @problems, map { "$_->[0] versions of transaction $_->[1] are not in dl_transactions" } rows($node, <<'SQL');
SELECT count(*), v.transaction_id FROM deltatx.dl_table_versions v
WHERE NOT EXISTS (SELECT FROM deltatx.dl_transactions x WHERE x.transaction_id = v.transaction_id
	AND (v.table_id, v.version) IN (SELECT t, n FROM unnest(x.table_ids, x.versions) u (t, n)))
GROUP BY v.transaction_id
SQL
	return @problems;
}

# Rows that nothing refers to, and references to nothing.
sub orphans
{
	my ($node) = @_;

	my $bound = '(SELECT FROM deltatx.dl_table_versions v WHERE v.commit_id = x.commit_id)';
	my %queries = (
		'staged adds' => "deltatx.dl_add_files x WHERE NOT EXISTS $bound",
		'staged removes' => "deltatx.dl_remove_files x WHERE NOT EXISTS $bound",
		'staged live files' => "deltatx.dl_live_files x WHERE NOT EXISTS $bound",
		'live files without an add' => 'deltatx.dl_live_files x WHERE NOT EXISTS (SELECT FROM deltatx.dl_add_files a
			WHERE a.commit_id = x.commit_id AND a.ord = x.ord AND a.path = x.path AND a.size = x.size)',
		'live files that were removed' => 'deltatx.dl_live_files x WHERE EXISTS (SELECT FROM deltatx.dl_remove_files r
			WHERE r.add_commit_id = x.commit_id AND r.add_ord = x.ord)',
		'keys without a transaction' => 'deltatx.dl_idempotency_keys x WHERE NOT EXISTS
			(SELECT FROM deltatx.dl_transactions t WHERE t.transaction_id = x.transaction_id)',
		'application versions without a transaction' => 'deltatx.dl_app_transactions x WHERE NOT EXISTS
			(SELECT FROM deltatx.dl_transactions t WHERE t.transaction_id = x.transaction_id)',
		'versions beyond the head' => 'deltatx.dl_table_versions x JOIN deltatx.dl_table_heads h USING (table_id)
			WHERE x.version > h.current_version',
		'versions without a head' => 'deltatx.dl_table_versions x WHERE NOT EXISTS
			(SELECT FROM deltatx.dl_table_heads h WHERE h.table_id = x.table_id)',
		(map {
			("$_ without a version" => "deltatx.$_ x WHERE NOT EXISTS
				(SELECT FROM deltatx.dl_table_versions v WHERE v.table_id = x.table_id AND v.version = x.version)")
		} qw(dl_metadata_updates dl_protocol_updates dl_txn_actions dl_domain_metadata dl_mirror_queue)));

	return map { $_->[0] ? "$_->[0] $_->[1]" : () }
	  rows($node, join ' UNION ALL ', map { "SELECT count(*), '$_' FROM $queries{$_}" } sort keys %queries);
}

# Files of the log in the store, against deltatx_log.
sub wrongly_published
{
	my ($tables) = @_;

	my @problems;
	foreach my $table (values %$tables)
	{
		my $log = "$table->{directory}/_delta_log";
		my @names = sort map { m{/(\d{20}\.json)$} ? $1 : () } glob "$log/*.json";

		push @problems, "$table->{name} is published as " . scalar(@names) . " files, its head is $table->{current}"
		  unless "@names" eq join ' ', map { sprintf '%020d.json', $_ } 0 .. $table->{current};
		foreach my $name (@names)
		{
			my $lines = $table->{versions}[ $name + 0 ]{lines} // [];

			push @problems, "$table->{name}: $name is not what deltatx_log says"
			  unless PostgreSQL::Test::Utils::slurp_file("$log/$name") eq join '', map { "$_\n" } @$lines;
		}
	}
	return @problems;
}

# Rows of a query.  The last column may hold a bar where their number is given.
sub rows
{
	my ($node, $sql, $columns) = @_;

	return map { [ split /\|/, $_, $columns // -1 ] } split /\n/, $node->safe_psql('postgres', $sql);
}

1;
