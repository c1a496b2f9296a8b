#!/usr/bin/perl
# sum: the end of tally's line, in Perl, with core modules and line framing, and no SDK.
#
# It is the least that a consumer of a channel can be (chapter 08): it joins, gives back as much credit as it uses, and
# is done when the channel is. What a careful reader of frames has to refuse is left out; ../perl-todo shows that. Ids
# in brackets name sentences of the spec.
use strict;
use warnings;
use IO::Handle;
use JSON::PP ();

open my $wire, '>&', \*STDOUT or die "sum: cannot keep standard output: $!\n";
open STDOUT, '>&', \*STDERR or die "sum: cannot redirect standard output: $!\n";    # FRM-04
binmode $_ for \*STDIN, $wire;
$wire->autoflush(1);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my ($last_id, $is_stopping) = (0, 0);
my %collecting;    # by channel: the id of the request, and the counts by file
my %joining;       # by the id of our request to join: the channel

sub tell_host { print {$wire} $json->encode({ jsonrpc => '2.0', @_ }), "\n" }
sub refuse { my ($id, $code, $message) = @_; tell_host(id => $id, error => { code => $code, message => $message }) }

# The answer to this comes when the channel is drained, so other messages are read in the meantime.
sub collect {
    my ($id, $params) = @_;
    my $channel = ref $params->{counts} eq 'HASH' ? $params->{counts}{'$channel'} : undef;
    return refuse($id, -32602, '$.counts: expected a channel') unless defined $channel && !ref $channel;
    $collecting{$channel} = { id => $id, counts => {} };
    $joining{ ++$last_id } = $channel;
    my $credit = { items => 64, bytes => 1048576 };
    tell_host(id => $last_id, method => 'channel/join',
        params => { channel => $channel, role => 'consumer', credit => $credit });
}

sub take_batch {
    my ($params) = @_;
    my $of = $collecting{ $params->{channel} } or return;
    my $bytes = 0;
    for my $count (@{ $params->{items} }) {
        $bytes += length $json->encode($count);
        next if $count->{folder};
        $of->{counts}{ $count->{file} } = $count;    # a file that comes again counts once
    }
    tell_host(method => 'channel/credit', params => {
        channel => $params->{channel}, role => 'consumer', items => scalar @{ $params->{items} }, bytes => $bytes,
    });
}

sub finish {
    my ($channel, $error) = @_;
    my $of = delete $collecting{$channel} or return;
    return refuse($of->{id}, 1, $error->{message}) if $error;
    my %sum = (files => 0, lines => 0, words => 0, unread => []);
    for my $count (map { $of->{counts}{$_} } sort keys %{ $of->{counts} }) {
        if ($count->{error}) { push @{ $sum{unread} }, $count->{file}; next }
        $sum{files}++;
        $sum{$_} += $count->{$_} for qw(lines words);
    }
    tell_host(id => $of->{id}, result => \%sum);
}

sub receive_request {
    my ($id, $method, $params) = @_;
    return tell_host(id => $id, result => undef) if $method eq 'ping';
    return collect($id, $params) if $method eq 'sum/collect';
    if ($method eq 'initialize') {
        return tell_host(id => $id, result => {
            protocolVersion => '1.0',
            plugin => { name => 'sum', version => '1.0.0' },
            capabilities => { concurrency => 8 },
            provides => [{ service => 'sum', version => '1.0.0', methods => ['collect'] }],
        });
    }
    return refuse($id, -32601, "sum has no method $method") if $method ne 'shutdown';
    $is_stopping = 1;
    finish($_, { message => 'sum is stopping' }) for keys %collecting;     # LIF-13
    tell_host(id => $id, result => undef);
}

while (defined(my $line = <STDIN>)) {
    my $message = $json->decode($line);
    my ($id, $method, $params) = @$message{qw(id method params)};
    if (defined $method && defined $id) { receive_request($id, $method, $params // {}) }
    elsif (!defined $method) {
        my $channel = delete $joining{ $id // 0 };
        finish($channel, $message->{error}) if $channel && $message->{error};
    }
    elsif ($method eq 'exit') { exit($is_stopping ? 0 : 1) }               # LIF-15
    elsif ($method eq 'channel/deliver') { take_batch($params) }
    elsif ($method eq 'channel/closed') { finish($params->{channel}, $params->{error}) }
}
exit 1;                                                                    # LIF-16
