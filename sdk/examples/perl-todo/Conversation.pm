# The conversation of a plugin in Perl: requests both ways, cancel and an orderly end (chapters 02 to 05). todo, and the
# neighbours visits and tally, use it; frames and JSON are in Wire.pm. Ids in brackets name sentences of the spec.
package Conversation;
use strict;
use warnings;
use Exporter 'import';
use List::Util 'min';
use Wire qw(id_text integer is_object is_string read_frame read_json send_body to_json);

our @EXPORT_OK = qw(answer ask converse fail is_ready notify refuse_params request);

use constant {
    PARSE_ERROR => -32700, INVALID_REQUEST => -32600, METHOD_NOT_FOUND => -32601, INVALID_PARAMS => -32602,
    INTERNAL_ERROR => -32603, NOT_INITIALIZED => -32002, OVERLOADED => -32013, PAYLOAD_TOO_LARGE => -32016,
    UNSUPPORTED_VERSION => -32017, CANCELLED => -32800,
};

my ($state, $last_id, $concurrency, $shutdown) = ('created', 0, 1, undef);
my %limits = (maxFrameBytes => 4194304, maxDepth => 128, maxInFlight => 256);    # until `initialize` says otherwise
my %range = (maxFrameBytes => [4096, 1073741824], maxDepth => [16, 512], maxInFlight => [1, 65536]);
my %plugin;    # the arguments of `converse`
my %open;      # requests of the host, by the text of their ids: what to do on a cancel, or undef
my %asked;     # requests of our own, by id: what to do with the answer

sub is_ready { return $state eq 'ready' }

sub too_large {
    my ($size) = @_;
    return { code => PAYLOAD_TOO_LARGE, message => 'the message does not fit into one frame',      # ERR-06
        data => { size => $size, limit => $limits{maxFrameBytes} } };
}

# An id is sent as the text that it came as, so it cannot change on its way through Perl [MSG-13].
sub respond {
    my ($id, $member, $value) = @_;
    my $body = qq({"jsonrpc":"2.0","id":$id,"$member":) . to_json($value) . '}';
    return send_body($body) if length $body <= $limits{maxFrameBytes};
    respond($id, error => too_large(length $body));
}

sub respond_error {
    my ($id, $code, $message) = @_;
    respond($id, error => { code => $code, message => $message });
}

sub send_message {
    my ($message) = @_;
    my $body = to_json({ jsonrpc => '2.0', %$message });
    die too_large(length $body) if length $body > $limits{maxFrameBytes};
    send_body($body);
}

# Sends a notification.
sub notify { my ($method, $params) = @_; send_message({ method => $method, params => $params }) }

# Sends a request; what `$then` gets is the result and the error, one of which is undefined.
sub request {
    my ($method, $params, $then) = @_;
    die { code => CANCELLED, message => 'the plugin is stopping' } unless is_ready();        # LIF-09
    $last_id++;                                    # MSG-14
    send_message({ id => $last_id, method => $method, params => $params });
    $asked{$last_id} = $then // sub { };
}

# Sends a request, and reads on until its answer comes. The result; it dies with the error, or when the plugin is to
# stop meanwhile [LIF-13]. A cancel needs no more: the host then cancels our request, too [CAL-23].
sub ask {
    my ($method, $params) = @_;
    my $told;
    request($method, $params, sub { $told = [@_] });
    while (!$told) {
        receive_next();
        die { code => CANCELLED, message => 'the plugin is stopping' } unless $told || is_ready();
    }
    my ($result, $error) = @$told;
    die $error if $error;
    return $result;
}

# Answers an open request, once [MSG-17]; shutdown comes last [LIF-13].
sub answer { my ($id, $result) = @_; finish($id, result => $result) }
sub fail { my ($id, $error) = @_; finish($id, error => $error) }

sub finish {
    my ($id, $member, $value) = @_;
    return unless exists $open{$id};
    delete $open{$id};
    respond($id, $member, $value);
    answer($shutdown, undef) if defined $shutdown && keys %open == 1;
}

# To die with: which path was wrong [ERR-05].
sub refuse_params {
    my ($path, $expected) = @_;
    my $problems = [{ path => $path, message => "expected $expected" }];
    return { code => INVALID_PARAMS, message => 'the params do not fit the method', data => { problems => $problems } };
}

sub check_initialize {
    my ($version, $wanted, $capabilities) = @_;
    die refuse_params('$.protocolVersion', 'two numbers like 1.0 in a string')
        unless is_string($version) && $version =~ /\A(0|[1-9][0-9]{0,4})\.(?:0|[1-9][0-9]{0,4})\z/;
    die { code => UNSUPPORTED_VERSION, message => 'this plugin speaks version 1', data => { supported => ['1.0'] } }
        if $1 != 1;                                # LIF-05; minor versions differ freely [LIF-07]
    die refuse_params('$.limits', 'an object') unless is_object($wanted);
    for my $limit (sort keys %range) {
        my ($least, $most) = @{ $range{$limit} };
        my $value = integer($wanted->{$limit});
        die refuse_params("\$.limits.$limit", "an integer from $least to $most")
            unless defined $value && $value >= $least && $value <= $most;
    }
    die refuse_params('$.capabilities', 'an object') unless is_object($capabilities);
}

sub initialize {
    my ($params) = @_;
    die { code => INVALID_REQUEST, message => 'initialize was sent before' } if $state ne 'created';   # LIF-01
    check_initialize(@$params{qw(protocolVersion limits capabilities)});
    my $about = $plugin{begin}->($params);
    $limits{$_} = integer($params->{limits}{$_}) for keys %range;
    $concurrency = ($about->{capabilities} // {})->{concurrency} // 1;
    $state = 'initializing';
    return { protocolVersion => '1.0', %$about };
}

sub cancel {
    my ($id, $why) = @_;
    my $stop = $open{$id} or return;               # not open [CAL-21], or nothing that waits
    attempt($stop);
    fail($id, { code => CANCELLED, message => $why });
}

# LIF-13: what is open is cancelled, and answered first.
sub shut_down {
    my ($id) = @_;
    $state = 'stopping';
    cancel($_, 'the plugin is stopping') for keys %open;
    $shutdown = $id;
    return keys %open > 1 ? sub { } : undef;
}

sub serve {
    my ($id, $method, $params) = @_;
    return undef if $method eq 'ping';                                       # in every state [LIF-18]
    return initialize($params) if $method eq 'initialize';
    die { code => NOT_INITIALIZED, message => 'the connection is not ready' } unless is_ready();      # LIF-01
    return shut_down($id) if $method eq 'shutdown';
    my $handler = $plugin{methods}{$method};
    die { code => METHOD_NOT_FOUND, message => 'there is no such method' } unless $handler;            # CAL-06
    my $limit = min($concurrency, $limits{maxInFlight});                     # CAL-13, CAL-14
    die { code => OVERLOADED, message => 'too many requests are open', data => { limit => $limit } }
        if keys %open > $limit;
    return $handler->($params, $id);
}

sub receive_request {
    my ($id, $method, $params) = @_;
    return respond_error($id, INVALID_REQUEST, 'a request with this id is open') if exists $open{$id};       # MSG-15
    $open{$id} = undef;
    my $result;
    if (eval { $result = serve($id, $method, $params); 1 }) {
        return answer($id, $result) if ref $result ne 'CODE';
        $open{$id} = $result if exists $open{$id};
        return;
    }
    my $error = $@;
    return fail($id, $error) if ref $error eq 'HASH';
    print STDERR "$0: $error";                     # the details are for us, not for the caller [ERR-04]
    fail($id, { code => INTERNAL_ERROR, message => 'the method failed' });   # ERR-03
}

# For what has no answer that could tell of a failure [MSG-18].
sub attempt {
    my ($action, @arguments) = @_;
    return if eval { $action->(@arguments); 1 };
    my $error = $@;
    print STDERR "$0: ", ref $error eq 'HASH' ? to_json($error) . "\n" : $error;
}

sub is_error {                                     # MSG-06
    my ($error) = @_;
    my $code = is_object($error) ? integer($error->{code}) : undef;
    return defined $code && $code >= -2**31 && $code < 2**31 && is_string($error->{message});
}

sub receive_answer {
    my ($then, $message) = @_;
    my ($result, $error) = @$message{qw(result error)};
    $error = { code => INTERNAL_ERROR, message => 'the answer of the host is broken' }                 # MSG-20
        if exists $message->{result} ? exists $message->{error} : !is_error($error);
    attempt($then, $error ? (undef, $error) : ($result, undef));
}

sub exit_code { return $state eq 'stopping' ? 0 : 1 }                        # LIF-15, LIF-16

sub receive_notification {
    my ($method, $params) = @_;
    exit exit_code() if $method eq 'exit';
    return cancel(id_text($params->{id}) // '', 'the request was cancelled') if $method eq '$/cancelRequest';
    if ($method eq 'initialized' && $state eq 'initializing') { $state = 'ready' }
    elsif (is_ready() && $plugin{on_notification}) {                         # LIF-02
        attempt($plugin{on_notification}, $method, $params);
    }
}

sub receive_body {
    my ($body) = @_;
    my $message = eval { read_json($body, $limits{maxDepth}) };
    return respond_error('null', PARSE_ERROR, "the body is not JSON: $@" =~ s/\n\z//r)                 # MSG-26
        unless defined $message;
    return respond_error('null', INVALID_REQUEST, 'a message is an object')                            # MSG-10
        unless is_object($message);
    my ($method, $params) = @$message{qw(method params)};
    my $id = id_text($message->{id});
    if (!exists $message->{method}) {              # MSG-28; whoever waits for none ignores it [MSG-19]
        my $then = defined $id ? delete $asked{$id} : undef;
        return receive_answer($then, $message) if $then;
        return if exists $message->{result} || exists $message->{error};
    }
    return respond_error($id // 'null', INVALID_REQUEST, 'the body is no valid message')               # MSG-27
        unless is_string($message->{jsonrpc}) && $message->{jsonrpc} eq '2.0'                          # MSG-01
        && is_string($method) && $method ne ''                                                         # MSG-02
        && (!exists $message->{params} || is_object($params))                                          # MSG-03
        && (!exists $message->{id} || defined $id);                                                    # MSG-11
    return receive_notification($method, $params // {}) unless exists $message->{id};                  # MSG-04
    receive_request($id, $method, $params // {});
}

sub receive_next {
    my $body = read_frame($limits{maxFrameBytes}) // exit exit_code();
    receive_body($body);
}

# Talks with the host until the end.
#
# `begin` takes the params of `initialize` and gives what is answered beside the version. `methods` has for each method
# a function of the params and the id. It gives the result; or a function, when `answer` or `fail` will bring the answer
# later, to be called when the request is cancelled before that. `on_notification` takes the method and the params, and
# may be left out. Params are as read_json gives them. To refuse something, die with a hash of code, message and data.
sub converse {
    %plugin = @_;
    receive_next() while 1;
}

1;
