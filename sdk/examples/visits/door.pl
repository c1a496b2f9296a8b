#!/usr/bin/perl
# door: what desk.py does, in Perl, with core modules only and no SDK.
#
# It shows what a plugin needs to share state and locks: send a request of its own, and read on until its answer comes.
# Frames, JSON and the conversation are those of its neighbour perl-todo. Ids in brackets name sentences of the spec.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../perl-todo";
use Time::HiRes ();
use Conversation qw(ask converse refuse_params);
use Wire qw(integer is_object is_string is_true);

use constant FAILED => 1;    # our own code [ERR-02]

my ($book, $can_share) = ('book.txt', '');

sub begin {
    my ($params) = @_;
    my ($config, $capabilities) = @$params{qw(config capabilities)};
    $book = $config->{book} if is_object($config) && is_string($config->{book});
    utf8::encode($book);     # a file's name is bytes
    $can_share = is_true($capabilities->{state}) && is_true($capabilities->{locks});      # LIF-12
    return {
        plugin => { name => 'door', version => '1.0.0' },
        provides => [{ service => 'door', version => '1.0.0', methods => ['visit'] }],
    };
}

sub now { return Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) }

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

# The number of the line that it has written.
sub sign_book {
    my ($page, $held_until) = @_;
    my $line = count_lines() + 1;
    # LCK-14: when the lease has passed, the lock is lost, told or not.
    die { code => FAILED, message => 'the lock was lost' } if now() >= $held_until;
    write_line("$line $page door\n");
    return 0 + $line;        # a number again: some versions of Perl would send it as a string now
}

sub visit {
    my ($params) = @_;
    my $page = $params->{page};
    die refuse_params('$.page', 'a string') unless is_string($page);
    die { code => FAILED, message => 'this host has no state or no locks' } unless $can_share;
    my $visits = ask('state/increment', { key => "visits/$page" })->{value};
    my $asked = now();
    my $lock = ask('lock/acquire', { name => 'visits/book', leaseMs => 10000 });
    my $line = eval { sign_book($page, $asked + integer($lock->{leaseMs}) / 1000) };
    my $error = $@;
    ask('lock/release', { name => 'visits/book', token => $lock->{token} });
    die $error unless defined $line;
    return { visits => $visits, line => $line };
}

converse(begin => \&begin, methods => { 'door/visit' => \&visit });
