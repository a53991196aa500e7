# The extension as an object of a database: where it can be made and where
# not, what goes with it, and what must not survive it.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage commit_files refusal session refusal_in table_directory);
use Test::More;

my $node = new_node('main');

# Not where it can't work, and not in what somebody has prepared for it.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
is(refusal($node, 'CREATE EXTENSION deltatx', dbname => 'latin'), '55000', 'not in a database in LATIN1');
$node->safe_psql('postgres', 'CREATE DATABASE other');
is(refusal($node, 'CREATE EXTENSION deltatx SCHEMA deltatx', dbname => 'other'), '3F000', 'not in a schema deltatx that is not there');
$node->safe_psql('other', 'CREATE SCHEMA deltatx');
is(refusal($node, 'CREATE EXTENSION deltatx', dbname => 'other'), '42P06', 'not beside a schema deltatx that somebody made');
is(refusal($node, 'CREATE EXTENSION deltatx SCHEMA deltatx', dbname => 'other'), '42P06', 'nor in it');
is(refusal($node, 'CREATE EXTENSION IF NOT EXISTS deltatx', dbname => 'other'), '42P06', 'nor if it does not exist');
is($node->safe_psql('other', "SELECT count(*) FROM pg_extension WHERE extname = 'deltatx'"), '0', 'nothing is left of the attempts');
$node->safe_psql('other', 'DROP SCHEMA deltatx; CREATE ROLE somebody; GRANT ALL ON DATABASE other TO somebody');
is(refusal($node, 'SET ROLE somebody; CREATE EXTENSION deltatx', dbname => 'other'), '42501', 'not by who is no superuser');

# In a schema of its own; nothing depends on search_path.
$node->safe_psql('other', 'CREATE SCHEMA "Lake House"; CREATE EXTENSION deltatx SCHEMA "Lake House"');
is(refusal($node, 'SELECT deltatx_begin()', dbname => 'other'), '42883', 'the functions are in the schema that was named');
my $lake = table_directory('other');
is($node->safe_psql('other', <<"SQL"), "f\n1\norders|1\na|1\nf", 'all works from there');
SET search_path = 'Lake House';
CREATE TEMP TABLE ignored AS SELECT deltatx_create_table('orders', 'file://$lake/orders', 'id bigint');
BEGIN;
SELECT deltatx_begin() IS NULL;
@{[stage('orders', 'a')]}
SELECT table_name, version FROM deltatx_commit();
COMMIT;
SELECT path, added_version FROM deltatx_files('orders');
RESET search_path;
SELECT "Lake House".deltatx_wait('orders') AND false;
SQL
is($node->safe_psql('other', <<'SQL'), '', 'what is visible from there is named deltatx_');
SELECT p.oid::regprocedure FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'deltatx'
JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass
WHERE (p.proname LIKE 'deltatx\_%') <> (p.pronamespace = '"Lake House"'::regnamespace)
SQL
is(refusal($node, 'ALTER EXTENSION deltatx SET SCHEMA public', dbname => 'other'), '0A000', 'it stays in its schema');
is(refusal($node, 'ALTER EXTENSION deltatx UPDATE', dbname => 'other'), '', 'ALTER EXTENSION UPDATE to the same version');
is(refusal($node, 'DROP SCHEMA deltatx CASCADE', dbname => 'other'), '2BP01', 'its schema goes with the extension only');
is(refusal($node, 'DROP TABLE deltatx.dl_live_files', dbname => 'other'), '2BP01', 'and so do its tables');

# What users have built on it is in the way, or goes.
$node->safe_psql('other', 'CREATE VIEW live AS SELECT path FROM "Lake House".deltatx_files(\'orders\')');
is(refusal($node, 'DROP EXTENSION deltatx', dbname => 'other'), '2BP01', 'not dropped from under a view');
is(refusal($node, 'DROP EXTENSION deltatx CASCADE', dbname => 'other'), '', 'dropped with the view');
is($node->safe_psql('other', "SELECT count(*) FROM pg_class WHERE relname = 'live'"), '0', 'which is gone');
is($node->safe_psql('other', "SELECT count(*) FROM pg_namespace WHERE nspname = 'deltatx'"), '0', 'and so is the schema');
is($node->safe_psql('other', "SELECT count(*) FROM pg_proc WHERE proname LIKE 'deltatx%'"), '0', 'and each function');

# A transaction that is under way is waited for.
create_table($node, 'orders');
my $session = session($node);
my $dropper = session($node);
$session->query_safe('BEGIN; SELECT deltatx_begin(); ' . stage('orders', 'a'));
$dropper->query_until(qr/sent/, "\\echo sent\nDROP EXTENSION deltatx;\n");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'DROP EXTENSION%' AND wait_event_type = 'Lock'"),
	'DROP EXTENSION waits for an open transaction');
is($session->query_safe('SELECT version FROM deltatx_commit(); COMMIT'), '1', 'which commits');
$dropper->query_safe('SELECT 1');
is(refusal_in($session, 'SELECT deltatx_version(\'orders\')'), '42883', 'then it is dropped');

# Made anew, its numbers start anew; what a session knew is of the old one.
my $location = table_directory('new');
is($session->query_safe(<<"SQL"), "t\nt", 'a table in a new extension is not mistaken for an old one');
CREATE EXTENSION deltatx;
SELECT deltatx_create_table('old', 'file://$location/old', 'id bigint, day date', partition_columns => '{day}') IS NOT NULL;
SELECT deltatx_new_path('old', '{"day":null}') LIKE 'day=%';
SQL
is($session->query_safe(<<"SQL"), "t\nt", 'nor is one in the extension after that');
DROP EXTENSION deltatx;
CREATE EXTENSION deltatx;
SELECT deltatx_create_table('new', 'file://$location/new', 'id bigint, hour int', partition_columns => '{hour}') IS NOT NULL;
SELECT deltatx_new_path('new', '{"hour":null}') LIKE 'hour=%';
SQL
is($session->query_safe(<<"SQL"), "t\nt", 'nor when the extension was made in a transaction that was rolled back');
DROP EXTENSION deltatx;
BEGIN;
CREATE EXTENSION deltatx;
DO \$\$ BEGIN PERFORM deltatx_create_table('a', 'file://$location/a', 'a int', partition_columns => '{}'); PERFORM deltatx_new_path('a'); END \$\$;
ROLLBACK;
CREATE EXTENSION deltatx;
SELECT deltatx_create_table('b', 'file://$location/b', 'id bigint, minute int', partition_columns => '{minute}') IS NOT NULL;
SELECT deltatx_new_path('b', '{"minute":null}') LIKE 'minute=%';
SQL
is($session->query_safe('BEGIN; SELECT deltatx_begin() IS NULL; SELECT version FROM deltatx_commit(); DROP EXTENSION deltatx; COMMIT'),
	'f', 'a transaction that is finished may drop the extension');
$session->quit;
$dropper->quit;

$node->stop;
done_testing();
