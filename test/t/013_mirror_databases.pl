# Workers follow the extension from database to database, and get out of the
# way of commands that need a database for themselves.

use strict;
use warnings;

use DeltaMirror qw(create_table commit published stage new_node_with_faults fail_by worker_pid);
use DeltaTx qw(poll table_directory);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node_with_faults('main', conf => "deltatx.mirror_naptime = 1h\n");
my $lake = table_directory('lake');

sub has_worker
{
	my ($database, $how_many) = @_;

	poll($node, "SELECT count(*) = $how_many FROM pg_stat_activity
		WHERE backend_type = 'deltatx worker' AND datname = '$database'");
	return 1;
}

sub make_database
{
	my ($name) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION deltatx');
}

sub succeeds
{
	my ($command, $name, $database) = @_;
	my $started = time;

	is(scalar $node->psql($database // 'postgres', $command), 0, $name);
	cmp_ok(time - $started, '<', 4, 'at once');
}

# They come with the extension.
make_database('one');
ok(has_worker('one', 1), 'a worker for another database');
create_table($node, 'orders', "$lake/one", 'one');
is($node->safe_psql('one', "SELECT deltatx_wait('orders')"), 't', 'which publishes');
is(published("$lake/one"), '0', 'its version');

$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->safe_psql('bare', 'BEGIN; CREATE EXTENSION deltatx; ROLLBACK');
$node->safe_psql('bare', 'BEGIN; CREATE EXTENSION deltatx; SELECT pg_sleep(0); COMMIT');
ok(has_worker('bare', 1), 'CREATE EXTENSION in a transaction');

# Commands on databases with a worker.
succeeds('ALTER DATABASE one RENAME TO two', 'rename');
ok(has_worker('two', 1), 'the worker comes back');
create_table($node, 'items', "$lake/two", 'two');
is($node->safe_psql('two', "SELECT deltatx_wait('items')"), 't', 'and publishes');

succeeds('BEGIN; ALTER DATABASE two RENAME TO three; ROLLBACK', 'rename and roll back');
ok(has_worker('two', 1), 'the worker comes back');

mkdir "$lake/space";
$node->safe_psql('postgres', "CREATE TABLESPACE space LOCATION '$lake/space'");
succeeds('ALTER DATABASE two SET TABLESPACE space', 'move');
ok(has_worker('two', 1), 'the worker comes back');

$node->safe_psql('two', "SELECT deltatx_pause()");
succeeds('CREATE DATABASE copy TEMPLATE two', 'use as a template');
ok(has_worker('two', 1), 'the worker comes back');
ok(has_worker('copy', 1), 'and the copy, which has the extension, gets one');

succeeds('DROP DATABASE copy', 'drop');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'deltatx worker' AND datname = 'copy'"),
	'0', 'no worker is left');

# A command that fails lets it come back as well.
my $session = $node->background_psql('two');
isnt(scalar $node->psql('postgres', "SET statement_timeout = '1s'; ALTER DATABASE two RENAME TO four"),
	0, 'a database that somebody else uses is not renamed');
$session->quit;
ok(has_worker('two', 1), 'the worker comes back');
my $pid = worker_pid($node, 'two');
$node->safe_psql('postgres', 'CREATE ROLE stranger');
isnt(scalar $node->psql('postgres', 'SET ROLE stranger; DROP DATABASE two'), 0, 'a stranger drops nothing');
isnt(scalar $node->psql('postgres', 'SET ROLE stranger; CREATE DATABASE x TEMPLATE two'), 0, 'and copies nothing');
is(worker_pid($node, 'two'), $pid, 'and does not even stop the worker');

# The extension goes while the worker is in the middle of something.
create_table($node, 'orders', "$lake/orders");
$node->safe_psql('postgres', "SELECT deltatx_wait('orders')");
fail_by('before');
commit($node, 'busy', 'orders');
poll($node, "SELECT doing LIKE 'publishing%' FROM deltatx.status");
$session = $node->background_psql('postgres');
$session->query_until(qr/go/, "\\echo go\nDROP EXTENSION deltatx;\n\\echo dropped\n");
poll($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'DROP EXTENSION%' AND wait_event IN ('Extension', 'DeltatxWorkerStop')");
fail_by('');
$session->query_until(qr/dropped/, '');
$session->quit;
ok(has_worker('postgres', 0), 'DROP EXTENSION ends a busy worker');

$node->safe_psql('postgres', 'CREATE EXTENSION deltatx');
ok(has_worker('postgres', 1), 'CREATE EXTENSION brings another');
create_table($node, 'orders', "$lake/again");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'which publishes');

$node->safe_psql('postgres', 'BEGIN; DROP EXTENSION deltatx; ROLLBACK');
create_table($node, 'more', "$lake/more");
is($node->safe_psql('postgres', "SELECT deltatx_wait('more')"), 't', 'a DROP EXTENSION that is rolled back stops nothing');

$node->safe_psql('postgres', 'DROP EXTENSION deltatx; CREATE SCHEMA s; CREATE EXTENSION deltatx SCHEMA s');
ok(has_worker('postgres', 1), 'the extension in a schema');
$node->safe_psql('postgres', 'DROP SCHEMA s CASCADE');
$node->safe_psql('postgres', 'CREATE EXTENSION deltatx');
create_table($node, 'orders', "$lake/third");
is($node->safe_psql('postgres', "SELECT deltatx_wait('orders')"), 't', 'dropped with it and made anew');

# A restart finds them all.
$node->restart;
ok(has_worker($_, 1), "after a restart there is a worker for $_") for qw(postgres two bare);
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'deltatx worker'"),
	'3', 'and no other');

$node->stop;
done_testing();
