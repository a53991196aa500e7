
=head1 NAME

DeltaStores - object stores for the tests in test/stores

=head1 SYNOPSIS

  use DeltaStores;

  for my $kind (DeltaStores::kinds())
  {
	  my $store = DeltaStores->start($kind);
	  $store->create_server($node, 'lake', $kind);      # and a mapping for PUBLIC
	  is(published($store->directory("$kind/t")), '0 1');
  }

  $store->fail('PUT 0001.json 1 lose');     # see store_proxy.py
  like($store->requests, qr/^PUT/m);

Stores run on loopback, and keep objects as files, so that tests can look at
what is there and put something in the way.  Requests go through a proxy.

=cut

package DeltaStores;

use strict;
use warnings;

use Carp qw(croak);
use File::Basename qw(dirname);
use IO::Socket::INET;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(usleep);

use constant {
	ACCESS_KEY => 'AKIATESTKEY',
	SECRET_KEY => 'test+secret/ThatMayNotShow='
};

# The stores that there are here: S3PROXY always, VERSITYGW where Go can build it.
sub kinds
{
	my @kinds = grep { $ENV{ uc $_ } } qw(s3proxy versitygw);

	croak 'S3PROXY names no store' unless @kinds;
	return @kinds;
}

# A running store with a bucket of its kind's name.
sub start
{
	my ($class, $kind) = @_;

	my $directory = PostgreSQL::Test::Utils::tempdir($kind);
	my $self = bless {
		kind => $kind,
		objects => "$directory/objects",
		faults => "$directory/faults",
		log => "$directory/requests",
		port => PostgreSQL::Test::Cluster::get_free_port(),
		store_port => PostgreSQL::Test::Cluster::get_free_port(),
	}, $class;

	mkdir $self->{objects};
	$self->make_bucket($kind);
	$self->start_store;
	$self->run_process('proxy', 'python3', dirname(__FILE__) . '/store_proxy.py',
		$self->{port}, $self->{store_port}, $self->{faults}, $self->{log});
	wait_for_port($self->{port});
	return $self;
}

# A directory is a bucket, to these stores.
sub make_bucket
{
	my ($self, $bucket) = @_;

	mkdir "$self->{objects}/$bucket" or croak "$bucket: $!";
}

sub start_store
{
	my ($self) = @_;

	if ($self->{kind} eq 'versitygw')
	{
		local $ENV{ROOT_ACCESS_KEY} = ACCESS_KEY;
		local $ENV{ROOT_SECRET_KEY} = SECRET_KEY;
		$self->run_process('store', $ENV{VERSITYGW}, '--port', "127.0.0.1:$self->{store_port}",
			'--keep-alive', '--quiet', 'posix', $self->{objects});
	}
	else
	{
		my $configuration = dirname($self->{objects}) . '/s3proxy.conf';

		PostgreSQL::Test::Utils::append_to_file($configuration, $self->s3proxy_configuration)
		  unless -e $configuration;
		$self->run_process('store', 'java', '-Xmx128m', '-jar', $ENV{S3PROXY}, '--properties', $configuration);
	}
	wait_for_port($self->{store_port});
}

sub s3proxy_configuration
{
	my ($self) = @_;

	return join "\n", "s3proxy.endpoint=http://127.0.0.1:$self->{store_port}",
	  's3proxy.authorization=aws-v4', 's3proxy.identity=' . ACCESS_KEY, 's3proxy.credential=' . SECRET_KEY,
	  'jclouds.provider=filesystem-nio2', "jclouds.filesystem.basedir=$self->{objects}",
	  'jclouds.identity=x', 'jclouds.credential=x', '';
}

sub stop_store
{
	my ($self) = @_;

	$self->stop_process('store');
}

sub run_process
{
	my ($self, $name, @command) = @_;

	my $pid = fork;
	croak "fork: $!" unless defined $pid;
	if ($pid == 0)
	{
		open STDOUT, '>>', "$self->{objects}.$name.log";
		open STDERR, '>&', \*STDOUT;
		exec @command or exit 127;
	}
	$self->{$name} = $pid;
}

sub stop_process
{
	my ($self, $name) = @_;

	my $pid = delete $self->{$name} or return;
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;

	$self->stop_process($_) for qw(store proxy);
}

sub wait_for_port
{
	my ($port) = @_;

	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
		usleep(100_000);
	}
	croak "nothing listens on port $port";
}

sub endpoint
{
	my ($self) = @_;

	return "http://127.0.0.1:$self->{port}";
}

# A server for a bucket or a prefix, and a mapping for PUBLIC with the right key.
sub create_server
{
	my ($self, $node, $name, $prefix, $more) = @_;

	my ($endpoint, $access_key, $secret_key) = ($self->endpoint, ACCESS_KEY, SECRET_KEY);
	$more //= '';
	$node->safe_psql('postgres', <<SQL);
CREATE SERVER $name FOREIGN DATA WRAPPER deltatx_store
	OPTIONS (type 's3', location 's3://$prefix', endpoint '$endpoint'$more);
CREATE USER MAPPING FOR PUBLIC SERVER $name
	OPTIONS (access_key_id '$access_key', secret_access_key '$secret_key');
SQL
}

# Where the objects of a bucket or prefix are.
sub directory
{
	my ($self, $prefix) = @_;

	return "$self->{objects}/$prefix";
}

# What becomes of the next requests; replaces what was said before.
sub fail
{
	my ($self, @faults) = @_;

	open my $file, '>', "$self->{faults}.new" or croak "faults: $!";
	print $file map { "$_\n" } @faults;
	close $file;
	rename "$self->{faults}.new", $self->{faults} or croak "faults: $!";
}

# The requests since the last call.
sub requests
{
	my ($self) = @_;

	my $log = -e $self->{log} ? PostgreSQL::Test::Utils::slurp_file($self->{log}, $self->{seen} // 0) : '';
	$self->{seen} = -s $self->{log} // 0;
	return $log;
}

# The headers of all requests, a line each.
sub headers
{
	my ($self) = @_;

	return -e "$self->{log}.headers" ? PostgreSQL::Test::Utils::slurp_file("$self->{log}.headers") : '';
}

1;
