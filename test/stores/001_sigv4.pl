# Signatures: the examples that AWS publishes, and others against the same
# algorithm written down a second time.

use strict;
use warnings;

use DeltaTx qw(new_node);
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('main');
my $tree = dirname(__FILE__) . '/../..';
my $library = PostgreSQL::Test::Utils::tempdir('sigv4') . '/sigv4.so';

chomp(my $include = `pg_config --includedir-server`);
system_or_bail('cc', '-shared', '-fPIC', "-I$include", "-I$tree/src", '-o', $library,
	"$tree/test/lib/sigv4_functions.c", "$tree/src/store/sigv4.c", '-lcrypto');
$node->safe_psql('postgres', <<SQL);
CREATE FUNCTION authorization_of(text, text, text[], text[], text, text, text, text, text, text) RETURNS text
	AS '$library', 'test_sigv4_authorization' LANGUAGE C STRICT;
CREATE FUNCTION encode_uri(text, boolean) RETURNS text AS '$library', 'test_uri_encode' LANGUAGE C STRICT;
SQL

sub quoted
{
	return join ', ', map { (my $text = $_) =~ s/'/''/g; "'$text'" } @_;
}

sub authorization
{
	my (%request) = @_;

	return $node->safe_psql('postgres', 'SELECT authorization_of('
		  . quoted($request{method}, $request{path})
		  . ', ARRAY[' . quoted(@{ $request{query} // [] }) . ']::text[]'
		  . ', ARRAY[' . quoted(@{ $request{headers} }) . ']::text[], '
		  . quoted(@request{qw(hash time region service key secret)}) . ')');
}

# A GET of the root with nothing, from the suite of test vectors.
my %vanilla = (
	method => 'GET', path => '/', hash => sha256_hex(''), time => '20150830T123600Z',
	region => 'us-east-1', service => 'service', key => 'AKIDEXAMPLE',
	secret => 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
	headers => [ 'host', 'example.amazonaws.com', 'x-amz-date', '20150830T123600Z' ]);

is(authorization(%vanilla),
	'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, '
	  . 'Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31', 'get-vanilla');
like(authorization(%vanilla, query => [ 'Param2', 'value2', 'Param1', 'value1' ]),
	qr/Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500$/, 'get-vanilla-query-order-key-case');

# The examples of the S3 documentation.
my %example = (
	method => 'GET', time => '20130524T000000Z', region => 'us-east-1', service => 's3', hash => sha256_hex(''),
	key => 'AKIAIOSFODNN7EXAMPLE', secret => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY');
my @headers = ('host', 'examplebucket.s3.amazonaws.com', 'x-amz-content-sha256', sha256_hex(''), 'x-amz-date', '20130524T000000Z');

like(authorization(%example, path => '/test.txt', headers => [ @headers, 'range', 'bytes=0-9' ]),
	qr/SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
	'get an object');
like(authorization(%example, path => '/', query => [ 'lifecycle', '' ], headers => \@headers),
	qr/Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543$/, 'a parameter without a value');
like(authorization(%example, path => '/', query => [ 'prefix', 'J', 'max-keys', '2' ], headers => \@headers),
	qr/Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/, 'list objects');
my $content = sha256_hex('Welcome to Amazon S3.');
like(authorization(%example, method => 'PUT', hash => $content,
		path => $node->safe_psql('postgres', q{SELECT encode_uri('/test$file.text', true)}),
		headers => [ 'date', 'Fri, 24 May 2013 00:00:00 GMT', 'host', 'examplebucket.s3.amazonaws.com',
			'x-amz-content-sha256', $content, 'x-amz-date', '20130524T000000Z', 'x-amz-storage-class', 'REDUCED_REDUNDANCY' ]),
	qr/Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/, 'put an object');

# Encoding, and signatures of what is encoded.
sub encoded
{
	my ($text, $kept) = @_;

	$text =~ s/([^A-Za-z0-9\-._~$kept])/sprintf '%%%02X', ord $1/ge;
	return $text;
}

sub expected_signature
{
	my (%request) = @_;
	my %query = @{ $request{query} };
	my %headers = @{ $request{headers} };
	my $date = substr $request{time}, 0, 8;

	my $canonical = join "\n", $request{method}, $request{path},
	  join('&', sort map { encoded($_, '') . '=' . encoded($query{$_}, '') } keys %query),
	  (map { "$_:$headers{$_}" } sort keys %headers), '', join(';', sort keys %headers), $request{hash};
	my $key = "AWS4$request{secret}";
	$key = hmac_sha256($_, $key) for $date, $request{region}, $request{service}, 'aws4_request';
	return hmac_sha256_hex(join("\n", 'AWS4-HMAC-SHA256', $request{time},
			"$date/$request{region}/$request{service}/aws4_request", sha256_hex($canonical)), $key);
}

my $all = join '', map { chr } 32 .. 126;

for my $key ($all, "\x{c3}\x{bc}ber/p=1/a+b%20c", '/', '~._-')
{
	is($node->safe_psql('postgres', 'SELECT encode_uri(' . quoted($key) . ', true)'), encoded($key, '/'), 'a path is encoded');
	is($node->safe_psql('postgres', 'SELECT encode_uri(' . quoted($key) . ', false)'), encoded($key, ''), 'a value is encoded');

	my %request = (%example, path => encoded("/$key", '/'), query => [ 'prefix', $key, 'a', '', 'B=', '&' ],
		headers => [ @headers, 'x-amz-security-token', 'abc/+=' ]);
	like(authorization(%request), qr/Signature=\Q${\ expected_signature(%request)}\E$/, 'and signed');
}

$node->stop;
done_testing();
