// The fixture methods on vscode-jsonrpc, the library below the language servers of Visual Studio Code.
//
// Owns: the handlers and the lifecycle. Frames, ids, dispatch and cancel are the library's own.
'use strict';

const rpc = require('vscode-jsonrpc/node');

const { ErrorCodes, ResponseError } = rpc;
const NOT_INITIALIZED = -32002;
const CANCELLED = -32800;
const VERSION = /^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$/;

const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(process.stdin),
  new rpc.StreamMessageWriter(process.stdout),
);
let state = 'created';
let values = [];
const asleep = new Set();
const nextTurn = () => new Promise((resolve) => { setImmediate(resolve); });

/** Serves a method of the fixture, in the state `ready` only. Without params a handler's first argument is the token. */
function method(name, handler) {
  connection.onRequest(`conformance/${name}`, (...args) => {
    if (state !== 'ready') throw new ResponseError(NOT_INITIALIZED, 'the connection is not ready');
    const token = args.pop();
    return handler(args[0] ?? {}, token);
  });
}

connection.onRequest('initialize', ({ protocolVersion }) => {
  if (state !== 'created') throw new ResponseError(ErrorCodes.InvalidRequest, 'initialize was sent before');
  if (!VERSION.test(protocolVersion)) {
    throw new ResponseError(ErrorCodes.InvalidParams, 'protocolVersion is two numbers such as 1.0');
  }
  if (!protocolVersion.startsWith('1.')) {
    throw new ResponseError(-32017, 'this plugin speaks version 1', { supported: ['1.0'] });
  }
  state = 'initializing';
  const methods = ['echo', 'sleep', 'fail', 'error', 'repeat', 'note', 'noted', 'call', 'notify'];
  return {
    protocolVersion: '1.0',
    plugin: { name: 'fixture-vscode-jsonrpc', version: '1.0.0' },
    capabilities: { concurrency: 16 },
    provides: [{ service: 'conformance', version: '1.0', methods }],
  };
});

connection.onNotification('initialized', () => {
  if (state === 'initializing') state = 'ready';
});

connection.onRequest('ping', () => null);

connection.onRequest('shutdown', async () => {
  if (state !== 'ready') throw new ResponseError(NOT_INITIALIZED, 'the connection is not ready');
  state = 'stopping';
  for (const wake of asleep) wake();
  await nextTurn(); // their answers first
  return null;
});

const leave = () => process.exit(state === 'stopping' ? 0 : 1);
connection.onNotification('exit', async () => {
  await nextTurn();
  await nextTurn(); // and that to shutdown
  leave();
});
connection.onClose(leave);

method('echo', (params) => params);

method('sleep', ({ ms }, token) => new Promise((resolve, reject) => {
  const wake = () => {
    clearTimeout(timer);
    asleep.delete(wake);
    reject(new ResponseError(CANCELLED, 'the request was cancelled'));
  };
  const timer = setTimeout(() => {
    asleep.delete(wake);
    resolve(null);
  }, ms);
  asleep.add(wake);
  token.onCancellationRequested(wake);
}));

method('fail', () => {
  throw new Error('this handler always fails');
});

method('error', ({ code, message, data }) => {
  throw new ResponseError(code, message, data);
});

method('repeat', ({ text, times }) => ({ text: text.repeat(times) }));

connection.onNotification('conformance/note', ({ value }) => {
  values.push(value);
});

method('noted', () => {
  const told = { values };
  values = [];
  return told;
});

method('call', async ({ method: name, params }) => {
  try {
    return { result: await connection.sendRequest(name, params ?? {}) };
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const { code, message, data } = error;
    return { error: { code, message, data } };
  }
});

method('notify', async ({ method: name, params }) => {
  await connection.sendNotification(name, params ?? {});
  return null;
});

connection.listen();
