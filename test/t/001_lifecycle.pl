# The extension comes and goes while the server runs, and survives a restart.

use strict;
use warnings;

use DeltaTx qw(new_node);
use Test::More;

my $node = new_node('main');

is($node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'deltatx'"),
	'1', 'created');
$node->restart;
is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM pg_class WHERE relnamespace = 'deltatx'::regnamespace"),
	't', 'the catalog is there after a restart');
$node->safe_psql('postgres', 'DROP EXTENSION deltatx');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_namespace WHERE nspname = 'deltatx'"),
	'0', 'dropped with its schema');
$node->safe_psql('postgres', 'CREATE EXTENSION deltatx');
$node->stop;

done_testing();
