#!/usr/bin/perl
# todo: a plugwire plugin in Perl, with core modules only. It finds TODO, FIXME, XXX and HACK markers in a text.
#
# It is the plainest shape that a plugin can have: read a frame, answer it, read the next. It declares no capability,
# so the host never has more than one request open here, and there is nothing to cancel. Conversation.pm has what the
# plugins in Perl have in common, Wire.pm the frames and the JSON.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Conversation qw(converse refuse_params);
use Wire 'is_string';

my $tag = qr/TODO|FIXME|XXX|HACK/;
# Where a comment begins in most languages. A blank or the line's start before it keeps URLs out.
my $leader = qr{(?:^|(?<=\s))(?:\#+|//+|/\*+|\*|--+|;+|%+|<!--)};

# One marker in a line: its offset, the word, and what there is to do. Either it ends with a colon and stands free, as
# in `TODO:` or `FIXME(ada):`, or it is the first word of a comment. In quotes it is only talked about.
sub find_marker {
    my ($line) = @_;
    $line =~ /(?<![\w`"'\$.\/-])($tag)(?:\([^()]{1,64}\))?:(?=\s|\z)(.*)/
        or $line =~ /$leader[ \t]*($tag)(?:\([^()]{1,64}\))?(?=\s|\z)(.*)/
        or return;
    my ($offset, $word, $rest) = ($-[1], $1, $2);
    $rest =~ s{\s*(?:\*/|-->)?\s*\z}{};
    return ($offset, $word, $rest =~ s/\A\s+//r);
}

sub scan {
    my ($params) = @_;
    die refuse_params('$.text', 'a string') unless is_string($params->{text});
    my ($number, @items) = (0);
    for my $line (split /\r\n?|\n/, $params->{text}) {
        $number++;
        my ($offset, $word, $rest) = find_marker($line) or next;
        push @items, { line => $number, column => $offset + 1, tag => $word, text => $rest };
    }
    return { items => \@items };
}

sub begin {
    return {
        plugin => { name => 'todo', version => '1.0.0' },
        provides => [{ service => 'todo', version => '1.0.0', methods => ['scan'] }],
    };
}

converse(begin => \&begin, methods => { 'todo/scan' => \&scan });
