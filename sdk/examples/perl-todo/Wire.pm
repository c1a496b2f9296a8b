# Frames and JSON as chapters 01 and 02 of the spec want them, from bytes to values and back, with core modules only.
# It knows nothing of methods or of the connection's state: that is Conversation.pm. Ids in brackets name sentences of
# the spec.
package Wire;
use strict;
use warnings;
no warnings 'recursion';    # perl warns from 100 levels on; maxDepth bounds them
use Exporter 'import';
use IO::Handle;
use JSON::PP ();

our @EXPORT_OK = qw(id_text integer is_object is_string is_true read_frame read_json send_body to_json);

use constant {
    MAX_HEADER => 4096,              # FRM-15
    MAX_INTEGER => 9007199254740991, # 2^53 - 1 [MSG-11]
};

# Only frames may reach standard output [FRM-04]. We keep it under another name and let every stray `print` go to
# standard error instead.
open my $wire, '>&', \*STDOUT or die "cannot keep standard output: $!\n";
open STDOUT, '>&', \*STDERR or die "cannot redirect standard output: $!\n";
binmode $_ for \*STDIN, $wire;       # bytes: the length counts them, not characters [FRM-02]
$wire->autoflush(1);

my $in_lines = ($ENV{PLUGWIRE_FRAMING} // '') eq 'line';    # MAN-09

my $buffer = '';

# FRM-10: when nobody knows where the next frame begins, saying why and leaving is all that is left.
sub lose_boundary { my ($why) = @_; print STDERR "$0: $why\n"; exit 2 }

# sysread gives what is there, in whatever pieces it comes [FRM-09]. False at the end of the input.
sub fill_buffer {
    my $count = sysread STDIN, $buffer, 65536, length $buffer;
    lose_boundary("cannot read: $!") unless defined $count;
    return $count;
}

# The next line without its end, and how many bytes it took with it. LF alone will do [FRM-07, FRM-25]. Nothing at the
# end of the input.
sub read_line {
    my ($most, $rule) = @_;
    my ($at, $seen) = (-1, 0);
    while (($at = index $buffer, "\n", $seen) < 0) {
        $seen = length $buffer;
        lose_boundary($rule) if $seen - ($buffer =~ /\r\z/) > $most;
        next if fill_buffer();
        return if $buffer eq '';
        lose_boundary('the input ended inside a line [FRM-18]');
    }
    my $line = substr($buffer, 0, $at + 1, '') =~ s/\r?\n\z//r;
    lose_boundary($rule) if length $line > $most;
    return ($line, $at + 1);
}

# A name is printable ASCII without blanks, right up to its colon [FRM-16].
sub read_header {
    my ($line) = @_;
    my ($name, $value) = $line =~ /\A([!-9;-~]+):[ \t]*(.*?)[ \t]*\z/s
        or lose_boundary('a header line has no proper name and colon [FRM-16]');
    return (lc $name, $value);       # FRM-05
}

# The length of the next body; nothing at the end of the input between two frames.
sub read_length {
    my ($most) = @_;
    my ($length, $used) = (undef, 0);
    while (1) {
        my ($line, $count) = read_line(MAX_HEADER - $used, 'the header block has more than 4096 bytes [FRM-15]');
        return if !defined $line && $used == 0;
        lose_boundary('the input ended inside a header block [FRM-18]') unless defined $line;
        $used += $count;
        lose_boundary('the header block has more than 4096 bytes [FRM-15]') if $used > MAX_HEADER;
        last if $line eq '';
        my ($name, $value) = read_header($line);
        next if $name ne 'content-length';         # FRM-06
        lose_boundary('Content-Length stands twice [FRM-13]') if defined $length;
        # [0-9], not \d, which may take digits of other scripts; \z, not $, which lets a line end through [FRM-12].
        lose_boundary('the length is not 1 to 10 digits [FRM-12]') unless $value =~ /\A[0-9]{1,10}\z/;
        lose_boundary('the length is above maxFrameBytes [FRM-17]') if $value > $most;
        $length = $value;
    }
    return $length // lose_boundary('a header block has no Content-Length [FRM-14]');
}

# The next body of at most so many bytes; nothing at the end of the input.
sub read_frame {
    my ($most) = @_;
    if ($in_lines) {
        my $line = '';
        while (defined $line && $line eq '') { ($line) = read_line($most, 'a line is above maxFrameBytes [FRM-26]') }
        return $line;
    }
    my $length = read_length($most) // return;
    while (length $buffer < $length) { fill_buffer() or lose_boundary('the input ended inside a body [FRM-18]') }
    return substr $buffer, 0, $length, '';
}

# JSON::PP writes no line ends between values, and escapes those in strings [FRM-24].
sub send_body {
    my ($body) = @_;
    print {$wire} $in_lines ? ($body, "\n") : ('Content-Length: ', length $body, "\r\n\r\n", $body);     # FRM-01
}

# JSON::PP would read a body too, but afterwards nobody could tell 1.0 from 1, or 1 from "1". This reader keeps what it
# needs: a string becomes a Perl string, an object a hash (so the last of two equal names counts [MSG-09]), an array an
# array, and anything else a reference to its text. It dies on what is not JSON [MSG-22].

my %unescaped = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", '"' => '"', '\\' => '\\', '/' => '/');
my $pair = qr/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}/;    # MSG-23: both halves or none
my $unit = qr/\\u(?:[0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})/;

sub unescape {
    my ($escape) = @_;
    return $unescaped{substr $escape, 1} if length $escape == 2;
    return chr hex substr $escape, 2 if length $escape == 6;
    return chr(0x10000 + ((hex(substr $escape, 2, 4) - 0xD800) << 10) + hex(substr $escape, 8) - 0xDC00);
}

# Reads one string at pos(). Piece by piece and not with one expression: Perl bounds how often a group may repeat.
sub read_string {
    my ($text) = @_;
    my $string = '';
    $$text =~ /\G"/gc or die "a string was expected\n";
    while ($$text !~ /\G"/gc) {
        if ($$text =~ /\G([^"\\\x00-\x1f]+)/gc) { $string .= $1 }
        elsif ($$text =~ /\G(\\["\\\/bfnrt]|$unit|$pair)/gc) { $string .= unescape($1) }
        else { die "a string is broken\n" }
    }
    return $string;
}

sub read_value {
    my ($text, $levels) = @_;
    $$text =~ /\G[ \t\r\n]+/gc;        # + and not *: Perl allows no two empty matches at one place
    return read_string($text) if $$text =~ /\G(?=")/gc;
    return \(my $word = $1) if $$text =~ /\G(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/gc;
    $$text =~ /\G([\[{])/gc or die "a value was expected\n";
    my ($closing, $value) = $1 eq '{' ? (qr/\G[ \t\r\n]*\}/, {}) : (qr/\G[ \t\r\n]*\]/, []);
    die "nested too deep\n" if $levels == 0;                                 # MSG-24
    return $value if $$text =~ /$closing/gc;
    while (1) {
        if (ref $value eq 'HASH') {
            $$text =~ /\G[ \t\r\n]+/gc;
            my $name = read_string($text);
            $$text =~ /\G[ \t\r\n]*:/gc or die "a colon was expected\n";
            $value->{$name} = read_value($text, $levels - 1);
        }
        else { push @$value, read_value($text, $levels - 1) }
        return $value if $$text =~ /$closing/gc;
        $$text =~ /\G[ \t\r\n]*,/gc or die "a comma was expected\n";
    }
}

# The value of a body with at most so many levels of arrays and objects.
sub read_json {
    my ($body, $levels) = @_;
    # utf8::decode refuses overlong forms, but it lets surrogates and values above U+10FFFF through [MSG-21].
    utf8::decode($body) or die "the body is not UTF-8\n";
    die "the body is not UTF-8\n" if $body =~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    pos($body) = 0;
    my $value = read_value(\$body, $levels);
    $body =~ /\G[ \t\r\n]*\z/ or die "something follows the value\n";
    return $value;
}

my $writer = JSON::PP->new->utf8->allow_nonref;

# The text of a value, be it one of ours or one that was read: this one goes out as it came in, whatever Perl can hold.
sub to_json {
    my ($value) = @_;
    return $$value if ref $value eq 'SCALAR';
    return '[' . join(',', map { to_json($_) } @$value) . ']' if ref $value eq 'ARRAY';
    return $writer->encode($value) unless ref $value eq 'HASH';
    return '{' . join(',', map { $writer->encode("$_") . ':' . to_json($value->{$_}) } sort keys %$value) . '}';
}

# What a value is that was read.
sub is_string { my ($value) = @_; return defined $value && !ref $value }
sub is_object { my ($value) = @_; return ref $value eq 'HASH' }
sub is_true { my ($value) = @_; return ref $value eq 'SCALAR' && $$value eq 'true' }

# The number, or undef: 1.0 and 1e0 are no integers here [MSG-11].
sub integer {
    my ($value) = @_;
    return undef unless ref $value eq 'SCALAR' && $$value =~ /\A-?[0-9]{1,16}\z/ && abs $$value <= MAX_INTEGER;
    return 0 + $$value;
}

# The id as it is to be sent, or undef if it is none.
sub id_text {
    my ($id) = @_;
    return is_string($id) && length $id <= 128 || defined integer($id) ? to_json($id) : undef;
}

1;
