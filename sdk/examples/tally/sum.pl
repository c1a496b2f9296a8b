#!/usr/bin/perl
# sum: the end of tally's line, in Perl, with core modules only and no SDK.
#
# It is the least that a consumer of a channel can be (chapter 08): it joins, gives back as much credit as it uses, and
# is done when the channel is. Frames, JSON and the conversation are those of its neighbour perl-todo. Ids in brackets
# name sentences of the spec.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../perl-todo";
use Conversation qw(answer converse fail is_ready notify refuse_params request);
use Wire qw(integer is_object is_string is_true to_json);

use constant FAILED => 1;    # our own code [ERR-02]

my $has_channels = '';
my %collecting;              # by channel: the id of the request, and the counts by file

sub begin {
    my ($params) = @_;
    $has_channels = is_true($params->{capabilities}{channels});              # LIF-12
    return {
        plugin => { name => 'sum', version => '1.0.0' },
        capabilities => { concurrency => 8 },
        provides => [{ service => 'sum', version => '1.0.0', methods => ['collect'] }],
    };
}

# The answer to this comes when the channel is drained, so other messages are read in the meantime.
sub collect {
    my ($params, $id) = @_;
    my $channel = is_object($params->{counts}) ? $params->{counts}{'$channel'} : undef;      # CHN-04
    die refuse_params('$.counts', 'a channel') unless is_string($channel);
    die { code => FAILED, message => 'this host has no channels' } unless $has_channels;
    die { code => FAILED, message => 'this channel is summed up already' } if $collecting{$channel};      # CHN-09
    my %membership = (channel => $channel, role => 'consumer');
    request('channel/join', { %membership, credit => { items => 64, bytes => 1048576 } },
        sub { my (undef, $error) = @_; finish($channel, $error) if $error });
    $collecting{$channel} = { id => $id, counts => {} };
    return sub {                                   # CAL-20
        delete $collecting{$channel};
        request('channel/leave', \%membership) if is_ready();     # otherwise it ends with us [CHN-32]
    };
}

# Whoever has the channel may send, so what comes need not be a count; find.py sends something else, too.
sub is_count {
    my ($item) = @_;
    return is_object($item) && is_string($item->{file})
        && (is_string($item->{error}) || defined integer($item->{lines}) && defined integer($item->{words}));
}

sub take_batch {
    my ($channel, $items) = @_;
    my $bytes = 0;
    for my $item (@$items) {
        $bytes += length to_json($item);
        $collecting{$channel}{counts}{ $item->{file} } = $item if is_count($item);    # one that comes again counts once
    }
    my $count = @$items;
    notify('channel/credit', { channel => $channel, role => 'consumer', items => $count, bytes => $bytes });
}

sub finish {
    my ($channel, $error) = @_;
    my $of = delete $collecting{$channel} or return;
    return fail($of->{id}, { code => FAILED, message => $error->{message} }) if $error;
    my %sum = (files => 0, lines => 0, words => 0, unread => []);
    for my $count (map { $of->{counts}{$_} } sort keys %{ $of->{counts} }) {
        if (exists $count->{error}) { push @{ $sum{unread} }, $count->{file}; next }
        $sum{files}++;
        $sum{$_} += integer($count->{$_}) for qw(lines words);
    }
    answer($of->{id}, \%sum);
}

sub on_notification {
    my ($method, $params) = @_;
    my $channel = $params->{channel};
    return unless is_string($channel) && $collecting{$channel};
    take_batch($channel, $params->{items}) if $method eq 'channel/deliver';
    finish($channel, $params->{error}) if $method eq 'channel/closed';
}

converse(begin => \&begin, methods => { 'sum/collect' => \&collect }, on_notification => \&on_notification);
