# A store that fails, in each way that one can: what passes is retried, what
# doesn't says what to do, and no version is lost, doubled or replaced.

use strict;
use warnings;

use DeltaMirror qw(commit published);
use DeltaStores;
use DeltaTx qw(new_node poll commit_file);
use PostgreSQL::Test::Utils;
use Test::More;

# This store takes a file that lies in its directory for an object.
my $kind = 's3proxy';
my $store = DeltaStores->start($kind);
my $lake = $store->directory($kind);
my $node = new_node('main', conf => <<'CONF');
deltatx.mirror_backoff_min = 10ms
deltatx.mirror_backoff_max = 2s
deltatx.mirror_max_attempts = 1000
deltatx.store_timeout = 1s
CONF

sub psql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub mirror
{
	my ($columns, $table) = @_;

	return psql("SELECT $columns FROM deltatx.mirror WHERE table_name = '$table'");
}

sub in_state
{
	my ($table, $state) = @_;

	poll($node, "SELECT state = '$state' FROM deltatx.mirror WHERE table_name = '$table'");
	return 1;
}

sub create_table
{
	my ($table, $location) = @_;

	return psql("SELECT deltatx_create_table('$table', 's3://$kind/" . ($location // $table) . "', 'id bigint')");
}

$store->create_server($node, 'lake', $kind);
create_table($_) for qw(orders items);
psql("SELECT deltatx_wait('$_')") for qw(orders items);

# Each fault on the way to a version of its own.
my @faults = (
	[ 'answer 500', 'an internal error' ],
	[ 'answer 503 SlowDown', 'too many requests' ],
	[ 'answer 429', 'too many requests, by another status' ],
	[ 'answer 409 ConditionalRequestConflict', 'a conflict of two conditions' ],
	[ 'redo 500', 'stored, then an error' ],
	[ 'lose', 'stored, then no answer' ],
	[ 'cut', 'stored, then half an answer' ],
	[ 'close', 'a closed connection' ],
	[ 'hang 3', 'no answer in time' ],
	[ 'wrong', 'an answer from something else' ]);
my $version = 0;

for my $case (@faults)
{
	my ($fault, $name) = @$case;

	$version++;
	$store->requests;
	$store->fail(sprintf 'PUT orders/_delta_log/%020d.json 2 %s', $version, $fault);
	commit($node, "v$version", 'orders', 'items');
	is(psql("SELECT deltatx_wait('orders', $version, '30 s')"), 't', "$name: published in the end");
	like($store->requests, qr/^PUT \S* \d+ \Q$fault\E$/m, "$name: not at once");
}
is(published("$lake/orders"), join(' ', 0 .. $version), 'every version is there once');
is(slurp_file(commit_file("$lake/orders", $_)), $node->safe_psql('postgres', "SELECT deltatx_log('orders', $_)") . "\n",
	"version $_ is what was committed")
  for 1 .. $version;

# The other requests.
$store->fail('GET list-type 1 answer 503', 'GET list-type 1 cut', 'GET list-type 1 wrong', 'GET list-type 1 close');
$node->restart;
commit($node, 'listed', 'orders');
is(psql("SELECT deltatx_wait('orders')"), 't', 'a listing that fails in several ways: published in the end');
$version++;

my $next = sprintf '%020d.json', $version + 1;
$store->fail("PUT $next 1 lose", "GET $next 1 cut", "GET $next 1 answer 500", "GET $next 1 close");
commit($node, 'compared', 'orders');
is(psql("SELECT deltatx_wait('orders')"), 't', 'a lost answer and a comparison that fails: published in the end');
$version++;

# A pause that the store asks for.
$next = sprintf '%020d.json', $version + 1;
$store->fail("PUT $next 1 answer 503 SlowDown");
commit($node, 'slow', 'orders');
in_state('orders', 'retrying');
is(mirror(q{next_attempt_at - state_since > interval '900 ms'}, 'orders'), 't', 'Retry-After is kept');
like(mirror('last_error', 'orders'), qr/could not write "s3:.*$next": HTTP status 503, SlowDown/, 'what it said is shown');
is(psql("SELECT deltatx_wait('orders')"), 't', 'and then it is published');
$version++;

# Gone, and back.
$store->stop_store;
commit($node, 'down', 'orders');
ok(in_state('orders', 'retrying'), 'the store is down: retrying');
$store->start_store;
is(psql("SELECT deltatx_wait('orders')"), 't', 'up again: published');
$version++;
is(published("$lake/orders"), join(' ', 0 .. $version), 'every version is there once');

# Tables of several kinds of stores in turn: none of its versions overtakes another.
my $directory = PostgreSQL::Test::Utils::tempdir('lake');
psql("SELECT deltatx_create_table('local', 'file://$directory/local', 'id bigint')");
psql('SELECT deltatx_pause()');
commit($node, "turn$_", 'orders', 'local') for 1 .. 3;
$store->requests;
$store->fail(sprintf 'PUT orders/_delta_log/%020d.json 2 answer 500', $version + 1);
psql('SELECT deltatx_resume()');
is(psql("SELECT deltatx_wait('orders')"), 't', 'in turn with another kind of store: published');
is(join(' ', map { int } $store->requests =~ m{^PUT \S*/orders/_delta_log/(\d+)\.json}mg),
	join(' ', ($version + 1) x 3, $version + 2, $version + 3), 'and in order');
is(psql("SELECT deltatx_wait('local')"), 't', 'so is the other');
$version += 3;

# What somebody has to mend.
sub mended
{
	my ($name, $break, $message, $hint, $mend) = @_;

	psql($break);
	commit($node, "broken$version", 'orders');
	ok(in_state('orders', 'failed'), "$name: failed");
	is(mirror('error_class', 'orders'), 'permanent', "$name: at once");
	like(mirror('last_error', 'orders'), qr/$message/, "$name: it says what");
	like(mirror('last_error', 'orders'), qr/$hint/, "$name: and what to do");
	psql("$mend; SELECT deltatx_retry('orders')");
	is(psql("SELECT deltatx_wait('orders')"), 't', "$name: mended, published");
	$version++;
}

my $secret = DeltaStores::SECRET_KEY;
my $key = DeltaStores::ACCESS_KEY;
mended('wrong secret', "ALTER USER MAPPING FOR PUBLIC SERVER lake OPTIONS (SET secret_access_key 'WrongSecretThatMayNotShow')",
	'403, SignatureDoesNotMatch', 'Correct secret_access_key in the user mapping of server "lake"',
	"ALTER USER MAPPING FOR PUBLIC SERVER lake OPTIONS (SET secret_access_key '$secret')");
mended('wrong key', "ALTER USER MAPPING FOR PUBLIC SERVER lake OPTIONS (SET access_key_id 'NOSUCHKEY')",
	'403, InvalidAccessKeyId', 'Correct access_key_id',
	"ALTER USER MAPPING FOR PUBLIC SERVER lake OPTIONS (SET access_key_id '$key')");
mended('no mapping', 'DROP USER MAPPING FOR PUBLIC SERVER lake',
	'there are no credentials for server "lake"', 'CREATE USER MAPPING',
	"CREATE USER MAPPING FOR PUBLIC SERVER lake OPTIONS (access_key_id '$key', secret_access_key '$secret')");
mended("the owner's own mapping", "CREATE USER MAPPING FOR postgres SERVER lake OPTIONS (access_key_id '$key', secret_access_key 'AlsoWrongMayNotShow')",
	'SignatureDoesNotMatch', 'secret_access_key', 'DROP USER MAPPING FOR postgres SERVER lake');
mended('the location of the server', "ALTER SERVER lake OPTIONS (SET location 's3://elsewhere')",
	'server "lake" does not cover', 'Set option location', "ALTER SERVER lake OPTIONS (SET location 's3://$kind')");

my $file = PostgreSQL::Test::Utils::tempdir('keys') . '/credentials';
append_to_file($file, "[default]\naws_access_key_id = x\n\n[etl]\naws_access_key_id = $key\naws_secret_access_key=$secret\n");
mended('no such profile', "CREATE USER MAPPING FOR postgres SERVER lake OPTIONS (credentials_file '$file', profile 'nobody')",
	'has no key for profile "nobody"', 'aws_secret_access_key',
	"ALTER USER MAPPING FOR postgres SERVER lake OPTIONS (SET profile 'etl')");
mended('no such file', "ALTER USER MAPPING FOR postgres SERVER lake OPTIONS (SET credentials_file '$file.not')",
	'could not read credentials file ".*": No such file', 'Let the operating system user',
	"DROP USER MAPPING FOR postgres SERVER lake");

# A bucket that isn't there, and what a store may say otherwise.
$store->create_server($node, 'nowhere', 'no-such-bucket');
psql("SELECT deltatx_create_table('nowhere', 's3://no-such-bucket/t', 'id bigint')");
ok(in_state('nowhere', 'failed'), 'no such bucket: failed');
like(mirror('last_error', 'nowhere'), qr/404, NoSuchBucket. Create the bucket/, 'and what to do');
$store->make_bucket('no-such-bucket');
psql("SELECT deltatx_retry('nowhere')");
is(psql("SELECT deltatx_wait('nowhere')"), 't', 'made: published');

for my $answer ([ '301 PermanentRedirect', 'Set option region of server "lake"' ],
	[ '403 AccessDenied', 'Allow the key in the user mapping of server "lake"' ],
	[ '404', 'options endpoint and path_style of server "lake"' ],
	[ '501 NotImplemented', 'If-None-Match' ])
{
	my ($status, $hint) = @$answer;

	$next = sprintf '%020d.json', $version + 1;
	$store->fail("PUT $next 1 answer $status");
	commit($node, "refused$version", 'orders');
	ok(in_state('orders', 'failed'), "$status: failed");
	like(mirror('last_error', 'orders'), qr/\Q$hint\E/, 'and what to do');
	psql("SELECT deltatx_retry('orders')");
	is(psql("SELECT deltatx_wait('orders')"), 't', 'mended: published');
	$version++;
}
is(published("$lake/orders"), join(' ', 0 .. $version), 'every version is there once');

# A store that doesn't know the condition must not be used.
$node->restart;
$next = sprintf '%020d.json', $version + 1;
$store->fail("PUT $next 2 pretend");
commit($node, 'overwritten', 'orders');
ok(in_state('orders', 'failed'), 'a store that would overwrite: failed');
like(mirror('last_error', 'orders'), qr/overwrites objects.*If-None-Match/, 'and what to do');
psql("SELECT deltatx_retry('orders')");
is(psql("SELECT deltatx_wait('orders')"), 't', 'better: published');
$version++;

# Somebody else's.
psql("SELECT deltatx_pause(server => 'lake')");
is(mirror('state', 'orders'), 'paused', 'all tables of a server are paused');
is(mirror('state', 'nowhere'), 'idle', 'those of another one are not');
append_to_file(commit_file("$lake/orders", $version + 1), '{"commitInfo":{}}');
commit($node, 'ours', 'orders');
psql("SELECT deltatx_resume(server => 'lake')");
ok(in_state('orders', 'diverged'), 'a foreign version: diverged');
is(slurp_file(commit_file("$lake/orders", $version + 1)), '{"commitInfo":{}}', 'it is not overwritten');
is(mirror('object', 'orders'), sprintf('s3://%s/orders/_delta_log/%020d.json', $kind, $version + 1), 'the object is told');

mkdir "$lake/used";
mkdir "$lake/used/_delta_log";
append_to_file("$lake/used/_delta_log/_last_checkpoint", '{"version":10,"size":1}');
create_table('used');
ok(in_state('used', 'diverged'), 'a log that is not empty: diverged');

is(psql("SELECT deltatx_wait('items')"), 't', 'other tables went on');
$node->stop;

my $log = slurp_file($node->logfile);
$log =~ s/^.* statement: .*\n(?:\t.*\n)*//mg;
unlike($log, qr/MayNotShow|Signature=|Credential=/, 'no secret and no signature is in the log');
done_testing();
