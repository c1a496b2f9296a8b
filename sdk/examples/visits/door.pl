#!/usr/bin/perl
# door: what desk.py does, in Perl, with core modules and line framing, and no SDK.
#
# It shows how little a plugin needs to share state and locks: send a request of its own, and read on until its answer
# comes. What a careful reader of frames has to refuse is left out; ../perl-todo shows that. Ids in brackets name
# sentences of the spec.
use strict;
use warnings;
use IO::Handle;
use JSON::PP ();
use Time::HiRes ();

open my $wire, '>&', \*STDOUT or die "door: cannot keep standard output: $!\n";
open STDOUT, '>&', \*STDERR or die "door: cannot redirect standard output: $!\n";    # FRM-04
binmode $_ for \*STDIN, $wire;
$wire->autoflush(1);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my ($book, $last_id, $is_stopping) = ('', 0, 0);
my @waiting;    # requests that came while we waited for an answer of our own

sub tell_host { print {$wire} $json->encode({ jsonrpc => '2.0', @_ }), "\n" }

sub next_message {
    my $line = <STDIN>;
    return unless defined $line;
    return $json->decode($line);
}

# A request to the host. Dies with its error; what else comes meanwhile waits.
sub ask_host {
    my ($method, $params) = @_;
    my $id = ++$last_id;
    tell_host(id => $id, method => $method, params => $params);
    while (my $message = next_message()) {
        if (exists $message->{method}) { push @waiting, $message; next }
        next unless $message->{id} == $id;
        die $message->{error} if $message->{error};
        return $message->{result};
    }
    exit 1;
}

sub count_lines {
    open my $file, '<', $book or return 0;
    my $lines = () = <$file>;
    return $lines;
}

sub write_line {
    my ($text) = @_;
    open my $file, '>>', $book or die "cannot open $book: $!\n";
    print {$file} $text;
    close $file or die "cannot write $book: $!\n";
}

sub visit {
    my ($page) = @_;
    my $visits = ask_host('state/increment', { key => "visits/$page" })->{value};
    my $asked = Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC());
    my $lock = ask_host('lock/acquire', { name => 'visits/book', leaseMs => 10000 });
    my $line = eval {
        my $line = count_lines() + 1;
        # LCK-14: when the lease has passed, the lock is lost, told or not.
        die { code => 1, message => 'the lock was lost' }
            if Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - $asked >= $lock->{leaseMs} / 1000;
        write_line("$line $page door\n");
        $line;
    };
    my $error = $@;
    ask_host('lock/release', { name => 'visits/book', token => $lock->{token} });
    die $error unless defined $line;
    return { visits => $visits, line => $line };
}

sub initialize {
    my ($params) = @_;
    $book = $params->{config}{book} // 'book.txt';
    return {
        protocolVersion => '1.0',
        plugin => { name => 'door', version => '1.0.0' },
        provides => [{ service => 'door', version => '1.0.0', methods => ['visit'] }],
    };
}

sub answer {
    my ($message) = @_;
    my ($method, $params) = ($message->{method}, $message->{params} // {});
    return initialize($params) if $method eq 'initialize';
    return undef if $method eq 'ping';
    if ($method eq 'shutdown') { $is_stopping = 1; return undef }
    die { code => -32601, message => "door has no method $method" } if $method ne 'door/visit';
    my $problem = { path => '$.page', message => 'expected a string' };
    die { code => -32602, message => 'the params do not fit', data => { problems => [$problem] } }
        if !defined $params->{page} || ref $params->{page};
    return visit($params->{page});
}

while (my $message = shift @waiting // next_message()) {
    if (!exists $message->{id}) {
        exit($is_stopping ? 0 : 1) if $message->{method} eq 'exit';                   # LIF-15
        next;
    }
    next unless exists $message->{method};
    my $result = eval { [answer($message)] };
    if ($result) { tell_host(id => $message->{id}, result => $result->[0]); next }
    my $error = ref $@ eq 'HASH' ? $@ : { code => -32603, message => 'door failed' };   # ERR-03
    print STDERR "door: $@" unless ref $@;
    tell_host(id => $message->{id}, error => $error);
}
exit 1;                                                                               # LIF-16
