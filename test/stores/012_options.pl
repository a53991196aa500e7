# What options make of a request, and credentials that are not in a mapping.

use strict;
use warnings;

use DeltaMirror qw(commit published);
use DeltaStores;
use DeltaTx qw(new_node poll);
use PostgreSQL::Test::Utils;
use Test::More;

my ($kind) = DeltaStores::kinds();
my $store = DeltaStores->start($kind);
my ($key, $secret) = (DeltaStores::ACCESS_KEY, DeltaStores::SECRET_KEY);
my $file = PostgreSQL::Test::Utils::tempdir('keys') . '/credentials';

delete @ENV{ grep { /^AWS_/ } keys %ENV };
$ENV{AWS_SHARED_CREDENTIALS_FILE} = $file;
my $node = new_node('main', conf => "deltatx.mirror_backoff_min = 10ms\ndeltatx.mirror_backoff_max = 200ms");

sub psql
{
	return $node->safe_psql('postgres', $_[0]);
}

sub fails_with
{
	my ($table, $message, $name) = @_;

	poll($node, "SELECT last_error ~ '$message' FROM deltatx.mirror WHERE table_name = '$table'");
	pass($name);
}

# The platform's credentials, only where a superuser has allowed it.
append_to_file($file, "; keys\n[other]\naws_access_key_id = x\naws_secret_access_key = y\n"
	  . "[default]\n\taws_access_key_id\t=\t$key\r\naws_secret_access_key = $secret\n");
psql("CREATE SERVER lake FOREIGN DATA WRAPPER deltatx_store
	OPTIONS (type 's3', location 's3://$kind', endpoint '" . $store->endpoint . "')");
psql("SELECT deltatx_create_table('t', 's3://$kind/t', 'id bigint')");
fails_with('t', 'there are no credentials for server "lake"', 'the environment is not used unasked');
psql("ALTER SERVER lake OPTIONS (ADD platform_identity 'true')");
psql("SELECT deltatx_retry('t')");
is(psql("SELECT deltatx_wait('t')"), 't', 'asked to: by the file that it names');

$node->stop;
unlink $file;
{
	local @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} = ($key, $secret);
	$node->start;
	commit($node, 'environment', 't');
	is(psql("SELECT deltatx_wait('t')"), 't', 'or by the variables with the key');
	$node->stop;
}
{
	local $ENV{AWS_WEB_IDENTITY_TOKEN_FILE} = '/nonexistent';
	$node->start;
	commit($node, 'identity', 't');
	fails_with('t', 'can.t use credentials by AWS_WEB_IDENTITY_TOKEN_FILE', 'an identity that is not known yet is refused');
}
psql("CREATE USER MAPPING FOR postgres SERVER lake OPTIONS (access_key_id '$key', secret_access_key '$secret')");
psql("SELECT deltatx_retry('t')");
is(psql("SELECT deltatx_wait('t')"), 't', 'a mapping comes first');
is(published($store->directory("$kind/t")), '0 1 2', 'each version is there once');

# What is sent with these options; no answer is of interest.
$store->fail('GET / 1000 answer 503');
(my $endpoint = $store->endpoint) =~ s/127\.0\.0\.1/localhost/;
$store->requests;
psql("CREATE SERVER virtual FOREIGN DATA WRAPPER deltatx_store
	OPTIONS (type 's3', location 's3://virtual', endpoint '$endpoint', path_style 'false')");
psql("CREATE USER MAPPING FOR PUBLIC SERVER virtual
	OPTIONS (access_key_id 'x', secret_access_key 'y', session_token 'token+/=')");
psql("SELECT deltatx_create_table('virtual', 's3://virtual/a=b/t', 'id bigint')");
fails_with('virtual', 'HTTP status 503', 'a bucket in the name of the host');
(my $host = $endpoint) =~ s{^http://}{virtual.};
like($store->requests, qr{^GET /\?delimiter=%2F&list-type=2&prefix=a%3Db%2Ft%2F_delta_log%2F&start-after=\S+ 503}m, 'is not in the path');
like($store->headers, qr/^host: \Q$host\E$/m, 'but in the header');
like($store->headers, qr{^x-amz-security-token: token\+/=$}m, 'the token is sent');

psql("ALTER SERVER lake OPTIONS (ADD sse 'aws:kms', ADD sse_kms_key_id 'arn:aws:kms:x:1:key/2')");
$store->fail('PUT 0003.json 1 pretend', 'PUT 0003.json 1 answer 412');
unlike($store->headers, qr/^x-amz-server-side-encryption/m, 'no encryption is asked for by itself');
commit($node, 'encrypted', 't');
is(psql("SELECT deltatx_wait('t')"), 't', 'encryption');
like($store->headers, qr/^x-amz-server-side-encryption: aws:kms$/m, 'is asked for');
like($store->headers, qr{^x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:x:1:key/2$}m, 'by that key');
unlike($store->headers, qr/^expect:/m, 'no answer to the headers is waited for');

$node->stop;
done_testing();
