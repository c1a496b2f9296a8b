// The fixture methods on jrpc2, a JSON-RPC library for Go.
//
// Owns: the handlers and the lifecycle. Frames, ids, dispatch and the order of notifications are jrpc2's own; what it
// does not do by itself is to bind its cancelling to a method.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
	"github.com/creachadair/jrpc2/handler"
)

const (
	notInitialized     jrpc2.Code = -32002
	unsupportedVersion jrpc2.Code = -32017
	cancelled          jrpc2.Code = -32800
)

var version = regexp.MustCompile(`^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$`)

type state int

const (
	created state = iota
	initializing
	ready
	stopping
)

type object = map[string]any

// fixture is the plugin: its methods, its state, and what was noted.
type fixture struct {
	handler.Map
	mu      sync.Mutex
	state   state
	values  []any
	isAsked bool           // whether a shutdown has come
	open    sync.WaitGroup // the requests before it that are not answered
	closing sync.WaitGroup // the shutdown that is not answered
	leaving chan struct{}
}

// Assign is called in the order of arrival, as handlers are not. A request's context ends when jrpc2 answers it.
func (f *fixture) Assign(ctx context.Context, method string) jrpc2.Handler {
	serve := f.Map.Assign(ctx, method)
	if serve == nil || jrpc2.InboundRequest(ctx).IsNotification() {
		return serve
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if method == "shutdown" {
		f.isAsked = true
		f.closing.Add(1)
		context.AfterFunc(ctx, f.closing.Done)
	} else if strings.HasPrefix(method, "conformance/") {
		if !f.isAsked {
			f.open.Add(1)
			context.AfterFunc(ctx, f.open.Done)
		}
		return f.whenReady(serve, f.isAsked)
	}
	return serve
}

// advance goes from one state to the next, or tells that it is in another one.
func (f *fixture) advance(from, to state) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != from {
		return false
	}
	f.state = to
	return true
}

// whenReady serves a method in the state ready only, or later if it came before the shutdown.
func (f *fixture) whenReady(serve jrpc2.Handler, isLate bool) jrpc2.Handler {
	return func(ctx context.Context, req *jrpc2.Request) (any, error) {
		f.mu.Lock()
		isReady := f.state == ready || f.state == stopping && !isLate
		f.mu.Unlock()
		if !isReady {
			return nil, jrpc2.Errorf(notInitialized, "the connection is not ready")
		}
		return serve(ctx, req)
	}
}

// withoutParams serves a method that looks at no params; a function of the context alone would refuse an empty object.
func withoutParams(serve func() (any, error)) jrpc2.Handler {
	return func(context.Context, *jrpc2.Request) (any, error) { return serve() }
}

type initializeParams struct {
	ProtocolVersion string `json:"protocolVersion"`
}

func (f *fixture) initialize(_ context.Context, params initializeParams) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state != created {
		return nil, jrpc2.Errorf(jrpc2.InvalidRequest, "initialize was sent before")
	}
	if !version.MatchString(params.ProtocolVersion) {
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "protocolVersion is two numbers such as 1.0")
	}
	if !strings.HasPrefix(params.ProtocolVersion, "1.") {
		return nil, jrpc2.Errorf(unsupportedVersion, "this plugin speaks version 1").WithData(object{"supported": []string{"1.0"}})
	}
	f.state = initializing
	methods := []string{"echo", "sleep", "fail", "error", "repeat", "note", "noted", "call", "notify"}
	return object{
		"protocolVersion": "1.0",
		"plugin":          object{"name": "fixture-jrpc2", "version": "1.0.0"},
		"capabilities":    object{"concurrency": 16},
		"provides":        []object{{"service": "conformance", "version": "1.0", "methods": methods}},
	}, nil
}

func (f *fixture) initialized() (any, error) {
	f.advance(initializing, ready)
	return nil, nil
}

// cancel is given the id as JSON, and so is CancelRequest.
func cancel(ctx context.Context, params struct {
	ID json.RawMessage `json:"id"`
}) error {
	jrpc2.ServerFromContext(ctx).CancelRequest(string(params.ID))
	return nil
}

func (f *fixture) shutdown() (any, error) {
	if !f.advance(ready, stopping) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.isAsked = f.state == stopping
		return nil, jrpc2.Errorf(notInitialized, "the connection is not ready")
	}
	close(f.leaving)
	f.open.Wait()
	return nil, nil
}

func (f *fixture) exit() (any, error) {
	f.closing.Wait()
	os.Exit(f.exitCode())
	return nil, nil
}

// exitCode is 0 after a shutdown.
func (f *fixture) exitCode() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state == stopping {
		return 0
	}
	return 1
}

func echo(_ context.Context, req *jrpc2.Request) (any, error) {
	if !req.HasParams() {
		return object{}, nil
	}
	return json.RawMessage(req.ParamString()), nil
}

func (f *fixture) sleep(ctx context.Context, params struct {
	MS int `json:"ms"`
}) (any, error) {
	select {
	case <-time.After(time.Duration(params.MS) * time.Millisecond):
		return nil, nil
	case <-ctx.Done():
	case <-f.leaving:
	}
	return nil, jrpc2.Errorf(cancelled, "the request was cancelled")
}

func fail() (any, error) {
	return nil, errors.New("this handler always fails")
}

func refuse(_ context.Context, params jrpc2.Error) (any, error) {
	return nil, &params
}

func repeat(_ context.Context, params struct {
	Text  string `json:"text"`
	Times int    `json:"times"`
}) (any, error) {
	return object{"text": strings.Repeat(params.Text, params.Times)}, nil
}

func (f *fixture) note(_ context.Context, params struct {
	Value any `json:"value"`
}) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.values = append(f.values, params.Value)
	return nil
}

func (f *fixture) noted() (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.values
	f.values = []any{}
	return object{"values": told}, nil
}

type message struct {
	Method string `json:"method"`
	Params object `json:"params"`
}

// check sees to it that there is a method, and that params are an object, which nil would not be.
func (m *message) check() error {
	if m.Method == "" {
		return jrpc2.Errorf(jrpc2.InvalidParams, "method is a string")
	}
	if m.Params == nil {
		m.Params = object{}
	}
	return nil
}

func call(ctx context.Context, asked message) (any, error) {
	if err := asked.check(); err != nil {
		return nil, err
	}
	answer, err := jrpc2.ServerFromContext(ctx).Callback(ctx, asked.Method, asked.Params)
	var refused *jrpc2.Error
	if errors.As(err, &refused) {
		return object{"error": refused}, nil
	} else if err != nil {
		return nil, err
	}
	var result json.RawMessage
	if err := answer.UnmarshalResult(&result); err != nil {
		return nil, err
	}
	return object{"result": result}, nil
}

func notify(ctx context.Context, asked message) (any, error) {
	if err := asked.check(); err != nil {
		return nil, err
	}
	return nil, jrpc2.ServerFromContext(ctx).Notify(ctx, asked.Method, asked.Params)
}

func main() {
	f := &fixture{values: []any{}, leaving: make(chan struct{})}
	f.Map = handler.Map{
		"initialize":         handler.New(f.initialize),
		"initialized":        withoutParams(f.initialized),
		"ping":               withoutParams(func() (any, error) { return nil, nil }),
		"$/cancelRequest":    handler.New(cancel),
		"shutdown":           withoutParams(f.shutdown),
		"exit":               withoutParams(f.exit),
		"conformance/echo":   echo,
		"conformance/sleep":  handler.New(f.sleep),
		"conformance/fail":   withoutParams(fail),
		"conformance/error":  handler.New(refuse),
		"conformance/repeat": handler.New(repeat),
		"conformance/note":   handler.New(f.note),
		"conformance/noted":  withoutParams(f.noted),
		"conformance/call":   handler.New(call),
		"conformance/notify": handler.New(notify),
	}
	server := jrpc2.NewServer(f, &jrpc2.ServerOptions{AllowPush: true, Concurrency: 16})
	// channel.LSP would write a Content-Type.
	status := server.Start(channel.Header("")(os.Stdin, os.Stdout)).WaitStatus()
	if !status.Success() {
		os.Stderr.WriteString(status.Err.Error() + "\n")
		os.Exit(2)
	}
	os.Exit(f.exitCode())
}
