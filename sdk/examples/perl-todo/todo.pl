#!/usr/bin/perl
# todo: a plugwire plugin in Perl, with core modules only. It finds TODO, FIXME, XXX and HACK markers in a text.
#
# It is the plainest shape that a plugin can have: read a frame, answer it, read the next. It declares no capability,
# so the host never has more than one request open here, and there is nothing to cancel. Ids in brackets name
# sentences of the spec.
use strict;
use warnings;
no warnings 'recursion';    # perl warns from 100 levels on; maxDepth bounds them
use JSON::PP ();

use constant {
    PARSE_ERROR => -32700, INVALID_REQUEST => -32600, METHOD_NOT_FOUND => -32601, INVALID_PARAMS => -32602,
    INTERNAL_ERROR => -32603, NOT_INITIALIZED => -32002, PAYLOAD_TOO_LARGE => -32016, UNSUPPORTED_VERSION => -32017,
    MAX_HEADER => 4096,              # FRM-15
    MAX_INTEGER => 9007199254740991, # 2^53 - 1 [MSG-11]
};

# Only frames may reach standard output [FRM-04]. We keep it under another name and let every stray `print` go to
# standard error instead.
open my $wire, '>&', \*STDOUT or die "todo: cannot keep standard output: $!\n";
open STDOUT, '>&', \*STDERR or die "todo: cannot redirect standard output: $!\n";
binmode $_ for \*STDIN, $wire;       # bytes: the length counts them, not characters [FRM-02]
$wire->autoflush(1);

my $state = 'created';
my %limits = (maxFrameBytes => 4194304, maxDepth => 128);    # until `initialize` says otherwise
my %range = (maxFrameBytes => [4096, 1073741824], maxDepth => [16, 512]);
my $writer = JSON::PP->new->utf8->canonical->allow_nonref;

# ---- Frames ----------------------------------------------------------------------------------------------------------

my $buffer = '';

# FRM-10: when nobody knows where the next frame begins, saying why and leaving is all that is left.
sub lose_boundary { my ($why) = @_; print STDERR "todo: $why\n"; exit 2 }

# sysread gives what is there, in whatever pieces it comes [FRM-09]. False at the end of the input.
sub fill_buffer {
    my $count = sysread STDIN, $buffer, 65536, length $buffer;
    lose_boundary("cannot read: $!") unless defined $count;
    return $count;
}

# The next header line without its end, and the bytes that it took; nothing at the end of the input between two frames.
sub read_line {
    my ($used) = @_;
    my $at;
    while (($at = index $buffer, "\n") < 0) {
        lose_boundary('the header block has more than 4096 bytes [FRM-15]') if $used + length $buffer > MAX_HEADER;
        next if fill_buffer();
        return if $used == 0 && $buffer eq '';
        lose_boundary('the input ended inside a header block [FRM-18]');
    }
    lose_boundary('the header block has more than 4096 bytes [FRM-15]') if $used + $at + 1 > MAX_HEADER;
    my $line = substr $buffer, 0, $at + 1, '';
    return ($line =~ s/\r?\n\z//r, $at + 1);       # LF alone will do [FRM-07]
}

sub read_frame {
    my ($length, $used) = (undef, 0);
    while (1) {
        my ($line, $count) = read_line($used);
        return unless defined $line;
        last if $line eq '';
        $used += $count;
        # A name is printable ASCII without blanks, right up to its colon [FRM-16].
        my ($name, $value) = $line =~ /\A([!-9;-~]+):[ \t]*(.*?)[ \t]*\z/s
            or lose_boundary('a header line has no proper name and colon [FRM-16]');
        next if lc $name ne 'content-length';      # FRM-05, FRM-06
        lose_boundary('Content-Length stands twice [FRM-13]') if defined $length;
        # [0-9], not \d, which may take digits of other scripts; \z, not $, which lets a line end through [FRM-12].
        lose_boundary('the length is not 1 to 10 digits [FRM-12]') unless $value =~ /\A[0-9]{1,10}\z/;
        lose_boundary('the length is above maxFrameBytes [FRM-17]') if $value > $limits{maxFrameBytes};
        $length = $value;
    }
    lose_boundary('a header block has no Content-Length [FRM-14]') unless defined $length;
    while (length $buffer < $length) { fill_buffer() or lose_boundary('the input ended inside a body [FRM-18]') }
    return substr $buffer, 0, $length, '';
}

sub send_body {
    my ($body) = @_;
    print {$wire} 'Content-Length: ', length $body, "\r\n\r\n", $body;      # FRM-01
}

# An id is sent as the text that it came as, so it cannot change on its way through Perl [MSG-13].
sub send_result {
    my ($id, $result) = @_;
    my $body = qq({"jsonrpc":"2.0","id":$id,"result":) . $writer->encode($result) . '}';
    return send_body($body) if length $body <= $limits{maxFrameBytes};
    send_error($id, PAYLOAD_TOO_LARGE, 'the result does not fit into one frame',      # ERR-06
        { size => length $body, limit => $limits{maxFrameBytes} });
}

sub send_error {
    my ($id, $code, $message, $data) = @_;
    my $error = $writer->encode({ code => $code, message => $message, defined $data ? (data => $data) : () });
    send_body(qq({"jsonrpc":"2.0","id":$id,"error":$error}));
}

# ---- JSON ------------------------------------------------------------------------------------------------------------
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
    my ($text, $depth) = @_;
    $$text =~ /\G[ \t\r\n]+/gc;        # + and not *: Perl allows no two empty matches at one place
    return read_string($text) if $$text =~ /\G(?=")/gc;
    return \(my $word = $1) if $$text =~ /\G(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)/gc;
    $$text =~ /\G([\[{])/gc or die "a value was expected\n";
    my ($closing, $value) = $1 eq '{' ? (qr/\G[ \t\r\n]*\}/, {}) : (qr/\G[ \t\r\n]*\]/, []);
    die "nested too deep\n" if $depth >= $limits{maxDepth};                  # MSG-24
    return $value if $$text =~ /$closing/gc;
    while (1) {
        if (ref $value eq 'HASH') {
            $$text =~ /\G[ \t\r\n]+/gc;
            my $name = read_string($text);
            $$text =~ /\G[ \t\r\n]*:/gc or die "a colon was expected\n";
            $value->{$name} = read_value($text, $depth + 1);
        }
        else { push @$value, read_value($text, $depth + 1) }
        return $value if $$text =~ /$closing/gc;
        $$text =~ /\G[ \t\r\n]*,/gc or die "a comma was expected\n";
    }
}

sub read_json {
    my ($body) = @_;
    # utf8::decode refuses overlong forms, but it lets surrogates and values above U+10FFFF through [MSG-21].
    utf8::decode($body) or die "the body is not UTF-8\n";
    die "the body is not UTF-8\n" if $body =~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    pos($body) = 0;
    my $value = read_value(\$body, 0);
    $body =~ /\G[ \t\r\n]*\z/ or die "something follows the value\n";
    return $value;
}

sub is_string { return defined $_[0] && !ref $_[0] }
sub is_object { return ref $_[0] eq 'HASH' }

# The number, or undef: 1.0 and 1e0 are no integers here [MSG-11].
sub integer {
    my ($value) = @_;
    return unless ref $value eq 'SCALAR' && $$value =~ /\A-?[0-9]{1,16}\z/ && abs $$value <= MAX_INTEGER;
    return $$value;
}

# The id as it is to be sent, or undef if it is none.
sub id_text {
    my ($id) = @_;
    return integer($id) unless is_string($id);
    return length $id <= 128 ? $writer->encode("$id") : undef;
}

# ---- What this plugin does -------------------------------------------------------------------------------------------

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
    my ($number, @items) = (0);
    for my $line (split /\r\n|\n|\r/, $params->{text}) {
        $number++;
        my ($offset, $word, $rest) = find_marker($line) or next;
        push @items, { line => $number, column => $offset + 1, tag => $word, text => $rest };
    }
    return { items => \@items };
}

# ---- The conversation ------------------------------------------------------------------------------------------------

# ERR-05: says which path was wrong.
sub refuse_params {
    my ($id, $path, $expected) = @_;
    my $problem = { path => $path, message => "expected $expected" };
    send_error($id, INVALID_PARAMS, 'the params do not fit the method', { problems => [$problem] });
}

sub answer_initialize {
    my ($id, $params) = @_;
    return send_error($id, INVALID_REQUEST, 'initialize was sent before') if $state ne 'created';      # LIF-01
    my ($version, $wanted) = @$params{qw(protocolVersion limits)};
    return refuse_params($id, '$.protocolVersion', 'two numbers like 1.0 in a string')
        unless is_string($version) && $version =~ /\A(0|[1-9][0-9]{0,4})\.(?:0|[1-9][0-9]{0,4})\z/;
    return send_error($id, UNSUPPORTED_VERSION, 'this plugin speaks version 1', { supported => ['1.0'] })
        if $1 != 1;                                # LIF-05; minor versions differ freely [LIF-07]
    return refuse_params($id, '$.limits', 'an object') unless is_object($wanted);
    for my $name (sort keys %range) {
        my ($least, $most) = @{ $range{$name} };
        my $value = integer($wanted->{$name});
        return refuse_params($id, "\$.limits.$name", "an integer from $least to $most")
            unless defined $value && $value >= $least && $value <= $most;
    }
    $limits{$_} = integer($wanted->{$_}) for keys %range;
    $state = 'initializing';
    send_result($id, {
        protocolVersion => '1.0',
        plugin => { name => 'todo', version => '1.0.0' },
        provides => [{ service => 'todo', version => '1.0.0', methods => ['scan'] }],
    });
}

sub answer_scan {
    my ($id, $params) = @_;
    return refuse_params($id, '$.text', 'a string') unless is_string($params->{text});
    my $result = eval { scan($params) };
    return send_result($id, $result) if $result;
    print STDERR "todo: $@";                       # the details are for us, not for the caller [ERR-04]
    send_error($id, INTERNAL_ERROR, 'the scan failed');                      # ERR-03
}

sub receive_request {
    my ($id, $method, $params) = @_;
    return send_result($id, undef) if $method eq 'ping';                     # in every state [LIF-18]
    return answer_initialize($id, $params) if $method eq 'initialize';
    return send_error($id, NOT_INITIALIZED, 'the connection is not ready') if $state ne 'ready';       # LIF-01
    return answer_scan($id, $params) if $method eq 'todo/scan';
    return send_error($id, METHOD_NOT_FOUND, 'there is no such method') if $method ne 'shutdown';      # CAL-06
    $state = 'stopping';                           # nothing is in flight while we read, so we are done [LIF-13]
    send_result($id, undef);
}

sub exit_code { return $state eq 'stopping' ? 0 : 1 }                        # LIF-15, LIF-16

# Others are ignored; $/cancelRequest too, for nothing is in flight while we read [CAL-21].
sub receive_notification {
    my ($method) = @_;
    $state = 'ready' if $method eq 'initialized' && $state eq 'initializing';
    exit exit_code() if $method eq 'exit';
}

sub receive_body {
    my ($body) = @_;
    my $message = eval { read_json($body) };
    return send_error('null', PARSE_ERROR, "the body is not JSON: $@" =~ s/\n\z//r) unless defined $message;   # MSG-26
    return send_error('null', INVALID_REQUEST, 'a message is an object') unless is_object($message);   # MSG-10
    my ($method, $params) = @$message{qw(method params)};
    my $id = id_text($message->{id});
    # We make no calls, so every response is one that nobody waits for [MSG-19, MSG-28].
    return if !exists $message->{method} && (exists $message->{result} || exists $message->{error});
    return send_error($id // 'null', INVALID_REQUEST, 'the body is no valid message')                  # MSG-27
        unless is_string($message->{jsonrpc}) && $message->{jsonrpc} eq '2.0'                          # MSG-01
        && is_string($method) && $method ne ''                                                         # MSG-02
        && (!exists $message->{params} || is_object($params))                                          # MSG-03
        && (!exists $message->{id} || defined $id);                                                    # MSG-11
    return receive_notification($method) unless exists $message->{id};
    receive_request($id, $method, $params // {});                            # MSG-04
}

while (defined(my $body = read_frame())) { receive_body($body) }
exit exit_code();
