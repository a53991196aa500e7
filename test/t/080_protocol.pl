# Clients that are not psql: pipelines, parameters without a type, portals
# that are fetched in pieces while the transaction goes on, autocommit.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage removes commit_files refusal);
use DeltaTx::Wire;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main', conf => "deltatx.mirror_enabled = off\n");
create_table($node, 'orders');
create_table($node, 'items');
commit_files($node, 'orders', 'a', 'b', 'c', 'd', 'e');

my $client = DeltaTx::Wire->new($node);
my $add = sub { qq([{"add":{"path":"$_[0]","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]) };

sub rows { return [ map { $_->{error} // "@{ $_->{rows} }" } @_ ] }

# A transaction in one go, with parameters of no declared type.
$client->execute('BEGIN');
$client->execute('SELECT deltatx_begin(idempotency_key => $1) IS NULL', arguments => ['first']);
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', $add->('p-1') ]);
$client->execute('SELECT deltatx_stage($1, $2, extend => $3)', arguments => [ 'items', $add->('p-1'), 'true' ]);
$client->execute('SELECT table_name, version FROM deltatx_commit()');
$client->execute('COMMIT');
is_deeply(rows($client->sync), [ '', 'f', '1', '1', 'items|1 orders|2', '' ], 'a pipelined transaction');

# Without BEGIN, what is sent before the sync is one transaction.
$client->execute('SELECT deltatx_begin() IS NULL');
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', $add->('p-2') ]);
$client->execute('SELECT table_name, version FROM deltatx_commit()');
is_deeply(rows($client->sync), [ 'f', '1', 'orders|3' ], 'an implicit transaction');

$client->execute('SELECT deltatx_begin() IS NULL');
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', $add->('p-3') ]);
is_deeply(rows($client->sync), [ 'f', '1', '25001 NotFinished' ], 'one that is not finished fails at the sync');
is($node->safe_psql('postgres', "SELECT deltatx_version('orders')"), '3', 'and leaves nothing');

$client->execute('SELECT deltatx_begin() IS NULL');
is_deeply(rows($client->sync), [ 'f', '25001 NotFinished' ], 'deltatx_begin on its own');
is(refusal($node, 'SELECT deltatx_begin()'), '25001 NotFinished', 'deltatx_begin in autocommit');
is($node->safe_psql('postgres', 'SELECT version FROM deltatx_commit_batch(\'{"items": [{"add":{"path":"b","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]}\')'),
	'2', 'a batch in autocommit');

# An error in the middle: what follows is skipped.
$client->execute('BEGIN');
$client->execute('SELECT deltatx_begin() IS NULL');
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', $add->('a') ]);
$client->execute('SELECT * FROM deltatx_commit()');
$client->execute('COMMIT');
is_deeply(rows($client->sync), [ '', 'f', '23505 DuplicateFile' ], 'an error in a pipeline');
$client->execute('ROLLBACK');
$client->execute('SELECT deltatx_transaction_id() IS NULL');
is_deeply(rows($client->sync), [ '', 't' ], 'nothing is open afterwards');

# Portals see what was there when they were opened, whatever is staged and
# committed between fetches.
my $paths = "SELECT path FROM deltatx_files('orders')";
$client->execute('BEGIN');
$client->execute($paths, portal => 'live', rows => 2);
$client->execute("SELECT path FROM deltatx_files('orders', 3)", portal => 'version', rows => 2);
$client->execute('SELECT deltatx_log($1, 1)', arguments => ['orders'], portal => 'log', rows => 2);
$client->execute('SELECT deltatx_begin() IS NULL');
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', $add->('p-4') ]);
$client->fetch('live', 1);
$client->execute('SELECT deltatx_stage($1, $2, extend => true)',
	arguments => [ 'orders', '[' . join(',', map { qq({"remove":{"path":"$_","dataChange":true}}) } 'a', 'b', 'c', 'd', 'e') . ']' ]);
$client->fetch($_, 1) foreach 'live', 'version', 'log';
$client->execute('SELECT version, files_added, files_removed FROM deltatx_commit()');
$client->fetch($_) foreach 'live', 'version', 'log';
$client->execute("$paths ORDER BY path");
$client->execute('COMMIT');
my @answers = $client->sync;
is_deeply([ grep { defined } map { $_->{error} } @answers ], [], 'portals, staging and commit side by side');
is(join(' ', sort map { @{ $answers[$_]{rows} } } 1, 6, 8, 12), 'a b c d e p-1 p-2', 'the portal of live files');
is(join(' ', sort map { @{ $answers[$_]{rows} } } 2, 9, 13), 'a b c d e p-1 p-2', 'the portal of a version\'s files');
is(scalar(map { @{ $answers[$_]{rows} } } 3, 10, 14), 6, 'the portal of a log');
is("@{ $answers[11]{rows} }", '4|1|5', 'the commit');
is("@{ $answers[15]{rows} }", 'p-1 p-2 p-4', 'what is live after it');

# Half of what deltatx_commit returns is not half a commit.
$client->execute('BEGIN');
$client->execute('SELECT deltatx_begin() IS NULL');
$client->execute('SELECT deltatx_stage($1, $2)', arguments => [ $_, $add->('p-5') ]) foreach 'orders', 'items';
$client->execute('SELECT table_name FROM deltatx_commit()', rows => 1);
$client->execute('COMMIT');
is_deeply(rows($client->sync), [ '', 'f', '1', '1', 'items', '' ], 'one row of two is fetched from deltatx_commit');
is($node->safe_psql('postgres', "SELECT deltatx_version('orders'), deltatx_version('items')"), '5|3', 'both tables are committed');

# A cursor that outlives its transaction.
is($node->safe_psql('postgres', <<"SQL"), "p-1\nf\n1\n6\np-2\np-4\np-5", 'a cursor WITH HOLD over live files');
BEGIN;
DECLARE held CURSOR WITH HOLD FOR $paths ORDER BY path;
FETCH 1 FROM held;
SELECT deltatx_begin() IS NULL;
@{[ removes('orders', 'p-2') ]}
SELECT version FROM deltatx_commit();
COMMIT;
FETCH ALL FROM held;
SQL

# pgbench, as the client that pipelines out of the box.
my $script = PostgreSQL::Test::Utils::tempdir('pgbench') . '/script.sql';
PostgreSQL::Test::Utils::append_to_file($script, <<'SQL');
\set n random(1, 1000000000)
\startpipeline
BEGIN;
SELECT deltatx_begin();
SELECT deltatx_stage('items', '[{"add":{"path":"' || :n || '-' || :client_id || '","partitionValues":{},"size": 10,"modificationTime": 1,"dataChange": true}}]');
SELECT * FROM deltatx_commit();
COMMIT;
\endpipeline
SQL
foreach my $protocol ('extended', 'prepared')
{
	my $before = $node->safe_psql('postgres', "SELECT deltatx_version('items')");
	$node->command_ok([ 'pgbench', '-n', '-M', $protocol, '-c', '2', '-t', '20', '-f', $script, $node->connstr('postgres') ],
		"pgbench with pipelines, $protocol");
	is($node->safe_psql('postgres', "SELECT deltatx_version('items')"), $before + 40, 'made each version');
}

# A procedure that commits in a loop.
is($node->safe_psql('postgres', <<'SQL'), '5', 'transactions in a procedure');
CREATE PROCEDURE load(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		PERFORM deltatx_begin();
		PERFORM deltatx_stage('orders', format('[{"add":{"path":"q-%s","partitionValues":{},"size":10,"modificationTime":1,"dataChange":true}}]', i));
		PERFORM deltatx_commit();
		COMMIT;
	END LOOP;
END
$$;
CALL load(5);
SELECT count(*) FROM deltatx_files('orders') WHERE path LIKE 'q-%';
SQL
$client->close;

$node->stop;
done_testing();
