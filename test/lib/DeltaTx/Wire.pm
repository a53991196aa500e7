
=head1 NAME

DeltaTx::Wire - a client that speaks the extended query protocol

=head1 SYNOPSIS

  my $client = DeltaTx::Wire->new($node);
  $client->execute('SELECT deltatx_begin()');
  $client->execute('SELECT deltatx_stage($1, $2)', arguments => [ 'orders', '[]' ]);
  my @answers = $client->sync;

Messages are sent when sync() is called, all at once, as a pipelined client
does.  It returns an answer for each execute(): { rows => [ ... ] }, with
suspended => 1 when there are more rows than were asked for, or { error =>
'25001 NotFinished' }; what the server skips after an error has no answer, and
an error of the end of the pipeline comes as one more.

=cut

package DeltaTx::Wire;

use strict;
use warnings;

use IO::Socket::UNIX;

sub new
{
	my ($class, $node) = @_;

	my $socket = IO::Socket::UNIX->new($node->host . '/.s.PGSQL.' . $node->port) or die "could not connect: $!";
	my $self = bless { socket => $socket, out => '', user => scalar getpwuid $< }, $class;
	my $startup = pack 'N(Z*)*x', 3 << 16, user => $self->{user}, database => 'postgres', client_encoding => 'UTF8';
	$socket->syswrite(pack('N', 4 + length $startup) . $startup);
	$self->answers;
	return $self;
}

# Queue a statement; the options:
#   arguments  of its parameters, in text form and of no declared type
#   rows       how many are fetched at most
#   portal     the name that it keeps, for fetch()
sub execute
{
	my ($self, $sql, %options) = @_;

	my $portal = $options{portal} // '';
	my @arguments = @{ $options{arguments} // [] };
	$self->send_message('P', pack 'Z*Z*n', '', $sql, 0);
	$self->send_message('B', pack('Z*Z*nn', $portal, '', 0, scalar @arguments)
		  . join('', map { pack 'N/a*', $_ } @arguments) . pack('n', 0));
	return $self->fetch($portal, $options{rows});
}

# Queue the fetching of rows from a portal.
sub fetch
{
	my ($self, $portal, $rows) = @_;

	$self->send_message('E', pack 'Z*N', $portal, $rows // 0);
	return $self;
}

# Send what is queued, and collect the answers.
sub sync
{
	my ($self) = @_;

	$self->send_message('S', '');
	$self->{socket}->print($self->{out});
	$self->{socket}->flush;
	$self->{out} = '';
	return $self->answers;
}

sub close
{
	my ($self) = @_;

	$self->send_message('X', '');
	$self->{socket}->print($self->{out});
	$self->{socket}->close;
	return;
}

sub send_message
{
	my ($self, $type, $body) = @_;

	$self->{out} .= $type . pack('N', 4 + length $body) . $body;
	return;
}

# All answers until the server is ready for a query.
sub answers
{
	my ($self) = @_;

	my (@answers, @rows);
	for (;;)
	{
		my ($type, $length) = unpack 'aN', $self->read_bytes(5);
		my $body = $self->read_bytes($length - 4);

		return @answers if $type eq 'Z';
		push @rows, join '|', map { $_ // '' } row($body) if $type eq 'D';
		push @answers, { error => refusal($body) } if $type eq 'E';
		next unless $type eq 'C' || $type eq 's';
		push @answers, { rows => [@rows], $type eq 's' ? (suspended => 1) : () };
		@rows = ();
	}
}

sub row
{
	my ($body) = @_;

	my $n = unpack 'n', $body;
	my $at = 2;
	return map {
		my $length = unpack 'l>', substr $body, $at, 4;
		my $value = $length < 0 ? undef : substr $body, $at + 4, $length;

		$at += 4 + ($length < 0 ? 0 : $length);
		$value
	} 1 .. $n;
}

# SQLSTATE and condition of an error's fields.
sub refusal
{
	my ($body) = @_;

	my %fields = map { /^(.)(.*)$/s ? ($1 => $2) : () } split /\0/, $body;
	return join ' ', grep { defined } @fields{ 'C', 'n' };
}

sub read_bytes
{
	my ($self, $n) = @_;

	my $bytes = '';
	while (length $bytes < $n)
	{
		$self->{socket}->sysread($bytes, $n - length $bytes, length $bytes) or die 'the server has gone';
	}
	return $bytes;
}

1;
