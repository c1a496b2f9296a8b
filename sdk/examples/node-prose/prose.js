// prose: a plugwire plugin in JavaScript for Node 18 or newer, with no package.
//
// It is the asynchronous one of the examples: several requests may be open at a time, a long one gives way to others
// after each piece of work, tells how far it has come when asked, and can be cancelled. wire.js has the frames and the
// JSON, slips.js what it is all for. Ids in brackets name sentences of the spec.
'use strict';

const { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId } = require('./wire.js');
const { checkParagraph, splitParagraphs } = require('./slips.js');

// Only frames may reach standard output [FRM-04], so what somebody prints goes to standard error.
const wire = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const PIECE = 200; // how many lines are checked before others have their turn
const CONCURRENCY = 16;

let state = 'created';
let hostCapabilities = {};
const limits = { maxFrameBytes: 4194304, maxDepth: 128, maxInFlight: 256 }; // until `initialize` says otherwise
const RANGES = { maxFrameBytes: [4096, 1073741824], maxDepth: [16, 512], maxInFlight: [1, 65536] };

// Requests that are open, by id. A Map tells 1 from "1" [MSG-12]; an object would not.
const incoming = new Map();

/** Ends a request with an error response. */
class RequestError extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}

const CODES = {
  parseError: -32700, invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602, internalError: -32603,
  notInitialized: -32002, overloaded: -32013, payloadTooLarge: -32016, unsupportedVersion: -32017, cancelled: -32800,
};

/** ERR-05: says which path was wrong. */
function refuseParams(path, expected) {
  const problems = [{ path, message: `expected ${expected}` }];
  return new RequestError(CODES.invalidParams, 'the params do not fit the method', { problems });
}

function sendMessage(message) {
  const frame = encodeFrame(JSON.stringify({ jsonrpc: '2.0', ...message }));
  wire(frame);
}

function sendResult(id, result) {
  const size = Buffer.byteLength(JSON.stringify({ jsonrpc: '2.0', id, result }));
  if (size <= limits.maxFrameBytes) return sendMessage({ id, result });
  const data = { size, limit: limits.maxFrameBytes }; // ERR-06
  return sendError(id, new RequestError(CODES.payloadTooLarge, 'the result does not fit into one frame', data));
}

function sendError(id, { code, message, data }) {
  sendMessage({ id, error: { code, message, data } }); // an undefined `data` is left out by JSON.stringify
}

// ---- Methods ----

function initialize(params) {
  if (state !== 'created') throw new RequestError(CODES.invalidRequest, 'initialize was sent before'); // LIF-01
  const version = /^(0|[1-9][0-9]{0,4})\.(?:0|[1-9][0-9]{0,4})$/.exec(params.protocolVersion);
  if (typeof params.protocolVersion !== 'string' || !version) {
    throw refuseParams('$.protocolVersion', 'two numbers like 1.0 in a string');
  }
  if (version[1] !== '1') { // LIF-05; minor versions differ freely [LIF-07]
    throw new RequestError(CODES.unsupportedVersion, 'this plugin speaks version 1', { supported: ['1.0'] });
  }
  if (!isObject(params.limits)) throw refuseParams('$.limits', 'an object');
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = params.limits[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw refuseParams(`$.limits.${name}`, `an integer from ${least} to ${most}`);
    }
  }
  if (!isObject(params.capabilities)) throw refuseParams('$.capabilities', 'an object');
  for (const name of Object.keys(RANGES)) limits[name] = params.limits[name];
  hostCapabilities = params.capabilities;
  state = 'initializing';
  return {
    protocolVersion: '1.0',
    plugin: { name: 'prose', version: '1.0.0' },
    capabilities: { meta: true, concurrency: CONCURRENCY },
    provides: [{ service: 'prose', version: '1.0.0', methods: { check: {
      description: 'Finds doubled words, wrong spellings and other slips in English prose.',
      idempotent: true,
      params: {
        type: 'object',
        properties: { text: { type: 'string' }, language: { type: 'string' } },
        required: ['text'],
      },
    } } }],
  };
}

/** `language` is an editor's name of the format: "markdown", as which an absent one counts, or another: plain text. */
async function check(params, call) {
  const { text, language = 'markdown' } = params;
  if (typeof text !== 'string') throw refuseParams('$.text', 'a string');
  if (typeof language !== 'string') throw refuseParams('$.language', 'a string');
  const isMarkdown = language === 'markdown';
  const total = text.replace(/\n$/, '').split('\n').length;
  const slips = [];
  let pieceEnd = PIECE;
  for (const paragraph of splitParagraphs(text, isMarkdown)) {
    if (paragraph.line > pieceEnd) {
      pieceEnd = paragraph.line + PIECE;
      call.sendProgress(paragraph.line - 1, total);
      // Gives way: without it the cancel of this very request would wait in the pipe until we are done.
      await new Promise(setImmediate);
      if (call.cancelled) throw new RequestError(CODES.cancelled, 'the request was cancelled'); // CAL-20
    }
    for (const slip of checkParagraph(paragraph, isMarkdown)) slips.push(slip);
  }
  call.sendProgress(total, total);
  return { slips };
}

/** LIF-13: what is open is answered first. Short checks were answered as they came; the others are cancelled. */
function shutdown(_params, call) {
  state = 'stopping';
  const others = [...incoming.values()].filter((other) => other !== call);
  for (const other of others) other.cancelled = true;
  return others.length === 0 ? null : Promise.all(others.map((other) => other.done)).then(() => null);
}

// Names come from outside, so this is a Map too: an object has a `constructor` even when it is empty.
const METHODS = new Map([['prose/check', check], ['shutdown', shutdown]]);

// ---- The conversation ----

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (message, name) => Object.hasOwn(message, name);

/** One open request: what its handler may know and do. */
class Call {
  cancelled = false;
  #token;

  constructor(meta, numbers) {
    // A token is what an id is; and the host must have said that it reads progress [LIF-12, CAL-25].
    const token = isObject(meta) ? meta.progress : undefined;
    this.#token = hostCapabilities.meta === true && isId(token, numbers.get('meta.progress')) ? token : undefined;
  }

  sendProgress(done, total) {
    if (this.#token === undefined) return;
    sendMessage({ method: '$/progress', params: { token: this.#token, value: { done, total } } });
  }
}

function findHandler(method) {
  if (method === 'ping') return () => null; // in every state [LIF-18]
  if (method === 'initialize') return initialize;
  if (state !== 'ready') throw new RequestError(CODES.notInitialized, 'the connection is not ready'); // LIF-01
  const handler = METHODS.get(method);
  if (!handler) throw new RequestError(CODES.methodNotFound, 'there is no such method'); // CAL-06
  return handler;
}

function receiveRequest({ id, method, params = {}, meta }, numbers) { // MSG-04
  if (incoming.has(id)) { // MSG-15: and the first one stays as it is
    sendError(id, new RequestError(CODES.invalidRequest, 'a request with this id is open'));
    return;
  }
  if (incoming.size >= limits.maxInFlight) { // CAL-14
    sendError(id, new RequestError(CODES.overloaded, 'too many requests are open', { limit: limits.maxInFlight }));
    return;
  }
  const call = new Call(meta, numbers);
  incoming.set(id, call);
  call.done = serveRequest(id, () => findHandler(method)(params, call));
}

/** Calls a handler and answers, once, whatever happens [MSG-17]. Nobody waits for it: the next message comes first. */
async function serveRequest(id, handle) {
  try {
    let result = handle();
    if (result instanceof Promise) result = await result; // `await` alone would give way even where nothing waits
    sendResult(id, result);
  } catch (error) {
    if (!(error instanceof RequestError)) console.error(error); // the details are for us, not for the caller [ERR-04]
    const known = error instanceof RequestError ? error : new RequestError(CODES.internalError, 'the handler failed');
    sendError(id, known); // ERR-03
  } finally {
    incoming.delete(id);
  }
}

// CAL-21: the cancel of a request that is not open, or whose id has another type, changes nothing. Others are ignored.
function receiveNotification({ method, params = {} }, numbers) {
  if (method === 'initialized' && state === 'initializing') state = 'ready';
  if (method === 'exit') leave(exitCode());
  const call = isId(params.id, numbers.get('params.id')) ? incoming.get(params.id) : undefined;
  if (method === '$/cancelRequest' && call) call.cancelled = true;
}

function receiveBody(bytes) {
  let message, numbers;
  try {
    ({ value: message, numbers } = decodeBody(bytes, limits.maxDepth));
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const message = `the body is not JSON: ${error.message.slice(0, 200)}`;
    sendError(null, { code: CODES.parseError, message }); // MSG-26
    return;
  }
  if (!isObject(message)) { // MSG-10
    sendError(null, { code: CODES.invalidRequest, message: 'a message is an object' });
    return;
  }
  // We make no calls, so every response is one that nobody waits for [MSG-19, MSG-28].
  if (!has(message, 'method') && (has(message, 'result') || has(message, 'error'))) return;
  const idFits = has(message, 'id') && isId(message.id, numbers.get('id'));
  const isValid = message.jsonrpc === '2.0' // MSG-01
    && typeof message.method === 'string' && message.method !== '' // MSG-02
    && (!has(message, 'params') || isObject(message.params)) // MSG-03
    && (!has(message, 'id') || idFits); // MSG-11
  if (!isValid) { // MSG-27
    sendError(idFits ? message.id : null, { code: CODES.invalidRequest, message: 'the body is no valid message' });
  } else if (idFits) receiveRequest(message, numbers);
  else receiveNotification(message, numbers);
}

const exitCode = () => (state === 'stopping' ? 0 : 1); // LIF-15, LIF-16

/** Nothing more is handled from here on, but what was done before still gets out. */
let isLeaving = false;
function leave(code) {
  if (isLeaving) return;
  isLeaving = true;
  process.stdin.pause();
  // setImmediate comes after every handler that has its result and only waits for its turn to send it.
  setImmediate(() => wire('', () => process.exit(code)));
}

function loseBoundary(error) { // FRM-10
  if (!(error instanceof BoundaryLost)) throw error;
  console.error(`prose: ${error.message}`);
  leave(2);
}

const reader = new FrameReader(limits);
process.stdin.on('data', (chunk) => {
  try {
    for (const body of reader.receiveData(chunk)) {
      receiveBody(body);
      if (isLeaving) return;
    }
  } catch (error) {
    loseBoundary(error);
  }
});
process.stdin.on('end', () => {
  try {
    reader.receiveEnd();
    leave(exitCode()); // LIF-16
  } catch (error) {
    loseBoundary(error);
  }
});
process.stdout.on('error', () => process.exit(1)); // nobody reads us any more
