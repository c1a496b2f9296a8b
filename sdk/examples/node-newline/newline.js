// newline: a link of a hook (chapter 07) in JavaScript for Node 18 or newer, with no package and no SDK.
//
// Whenever a document is about to be saved, it sees to it that the text ends with a line feed, and that nobody saves a
// text with the marks of a conflict in it. It does one thing at a time and at once, so there is nothing to cancel and
// nothing to wait for. Frames and JSON are those of its neighbour node-prose. Ids in brackets name sentences of the
// spec.
'use strict';

const { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId } = require('../node-prose/wire.js');

const HOOK = 'document.willSave';
const CONFLICT = /^(<<<<<<<|=======|>>>>>>>)( |$)/m;

// Only frames may reach standard output [FRM-04], so what somebody prints goes to standard error.
const wire = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

let state = 'created';
const limits = { maxFrameBytes: 4194304, maxDepth: 128 }; // until `initialize` says otherwise
const RANGES = { maxFrameBytes: [4096, 1073741824], maxDepth: [16, 512] };

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Ends a request with an error response. */
class RequestError extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}

function refuseParams(path, expected) { // ERR-05
  const problems = [{ path, message: `expected ${expected}` }];
  return new RequestError(-32602, 'the params do not fit the method', { problems });
}

// ---- Methods ----

function initialize({ protocolVersion, limits: told }) {
  if (state !== 'created') throw new RequestError(-32600, 'initialize was sent before'); // LIF-01
  if (typeof protocolVersion !== 'string' || !/^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$/.test(protocolVersion)) {
    throw refuseParams('$.protocolVersion', 'two numbers like 1.0 in a string');
  }
  if (!protocolVersion.startsWith('1.')) { // LIF-05
    throw new RequestError(-32017, 'this plugin speaks version 1', { supported: ['1.0'] });
  }
  if (!isObject(told)) throw refuseParams('$.limits', 'an object');
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    if (!Number.isInteger(told[name]) || told[name] < least || told[name] > most) {
      throw refuseParams(`$.limits.${name}`, `an integer from ${least} to ${most}`);
    }
  }
  for (const name of Object.keys(RANGES)) limits[name] = told[name];
  state = 'initializing';
  return {
    protocolVersion: '1.0',
    plugin: { name: 'newline', version: '1.0.0' },
    hooks: [{ name: HOOK, after: ['trim'], timeoutMs: 2000 }], // HOK-01, HOK-04
  };
}

/** The one link. It answers with the new value, with a stop, or with neither [HOK-10]. */
function call({ name, value }) {
  if (name !== HOOK) throw refuseParams('$.name', `a string, "${HOOK}"`);
  if (!isObject(value) || typeof value.text !== 'string') return {}; // no document of ours: it stays as it is
  if (CONFLICT.test(value.text)) return { stop: { reason: 'the text still has the marks of a conflict in it' } };
  if (value.text === '' || value.text.endsWith('\n')) return {};
  return { value: { ...value, text: `${value.text}\n` } };
}

function findHandler(method) {
  if (method === 'ping') return () => null; // in every state [LIF-18]
  if (method === 'initialize') return initialize;
  if (state !== 'ready') throw new RequestError(-32002, 'the connection is not ready'); // LIF-01
  if (method === 'hook/call') return call; // HOK-02
  if (method === 'shutdown') return () => { state = 'stopping'; return null; }; // LIF-13: nothing is ever open here
  throw new RequestError(-32601, 'there is no such method'); // CAL-06
}

// ---- The conversation ----

const encode = (message) => encodeFrame(JSON.stringify({ jsonrpc: '2.0', ...message }));

/** Answers once, whatever happens [MSG-17]. */
function receiveRequest({ id, method, params = {} }) {
  try {
    const frame = encode({ id, result: findHandler(method)(params) });
    if (frame.length > limits.maxFrameBytes) { // ERR-06; the header is counted too, which is on the safe side
      throw new RequestError(-32016, 'the result does not fit', { size: frame.length, limit: limits.maxFrameBytes });
    }
    wire(frame);
  } catch (error) {
    if (!(error instanceof RequestError)) console.error(error); // for us, not for the caller [ERR-04]
    const { code, message, data } = error instanceof RequestError
      ? error : new RequestError(-32603, 'the handler failed'); // ERR-03
    wire(encode({ id, error: { code, message, data } }));
  }
}

function receiveBody(bytes) {
  let message, numbers;
  try {
    ({ value: message, numbers } = decodeBody(bytes, limits.maxDepth));
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    wire(encode({ id: null, error: { code: -32700, message: 'the body is not JSON' } })); // MSG-26
    return;
  }
  const has = (name) => isObject(message) && Object.hasOwn(message, name);
  if (!has('method') && (has('result') || has('error'))) return; // MSG-19: we make no calls
  const idFits = has('id') && isId(message.id, numbers.get('id'));
  const isValid = isObject(message) && message.jsonrpc === '2.0' // MSG-01
    && typeof message.method === 'string' && message.method !== '' // MSG-02
    && (!has('params') || isObject(message.params)) && (!has('id') || idFits); // MSG-03, MSG-11
  if (!isValid) { // MSG-10, MSG-27
    wire(encode({ id: idFits ? message.id : null, error: { code: -32600, message: 'this is no valid message' } }));
  } else if (idFits) receiveRequest(message);
  else if (message.method === 'initialized' && state === 'initializing') state = 'ready';
  else if (message.method === 'exit') leave();
}

/** LIF-15, LIF-16: what was written before still gets out, and nothing more is handled. */
let isLeaving = false;
function leave(code = state === 'stopping' ? 0 : 1) {
  if (isLeaving) return;
  isLeaving = true;
  process.stdin.pause();
  wire('', () => process.exit(code));
}

function orLoseBoundary(action) {
  try {
    action();
  } catch (error) {
    if (!(error instanceof BoundaryLost)) throw error;
    console.error(`newline: ${error.message}`); // FRM-10
    leave(2);
  }
}

const reader = new FrameReader(limits);
process.stdin.on('data', (chunk) => orLoseBoundary(() => {
  for (const body of reader.receiveData(chunk)) if (!isLeaving) receiveBody(body);
}));
process.stdin.on('end', () => orLoseBoundary(() => { reader.receiveEnd(); leave(); }));
process.stdout.on('error', () => process.exit(1)); // nobody reads us any more
