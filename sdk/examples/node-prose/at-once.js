// The conversation of a plugin in JavaScript that does one thing at a time and at once: so there is nothing to cancel and
// nothing to wait for (chapters 01 to 05). node-newline and node-alarm use it; frames and JSON are in wire.js. Ids in
// brackets name sentences of the spec.
'use strict';

const { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId } = require('./wire.js');

// Only frames may reach standard output [FRM-04], so what somebody prints goes to standard error.
const wire = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

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

const encode = (message) => encodeFrame(JSON.stringify({ jsonrpc: '2.0', ...message }));

/** Sends a request or a notification of our own. */
const send = (message) => wire(encode(message));

/**
 * Talks with the host until the end.
 *
 * `name` is for people. `begin(params)` gives what `initialize` answers beside the version; `methods` has a function of
 * the params for each method. `onReady()`, `onNotification(method, params)` and `onAnswer(response)` may be left out.
 * What is returned tells whether the connection is ready.
 */
function converse({ name, begin, methods, onReady = () => {}, onNotification = () => {}, onAnswer = () => {} }) {
  let state = 'created';
  let isLeaving = false;
  const limits = { maxFrameBytes: 4194304, maxDepth: 128 }; // until `initialize` says otherwise

  function initialize(params) {
    const { protocolVersion, limits: told } = params;
    if (state !== 'created') throw new RequestError(-32600, 'initialize was sent before'); // LIF-01
    if (typeof protocolVersion !== 'string' || !/^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$/.test(protocolVersion)) {
      throw refuseParams('$.protocolVersion', 'two numbers like 1.0 in a string');
    }
    if (!protocolVersion.startsWith('1.')) { // LIF-05
      throw new RequestError(-32017, 'this plugin speaks version 1', { supported: ['1.0'] });
    }
    if (!isObject(told)) throw refuseParams('$.limits', 'an object');
    for (const [limit, [least, most]] of Object.entries(RANGES)) {
      if (!Number.isInteger(told[limit]) || told[limit] < least || told[limit] > most) {
        throw refuseParams(`$.limits.${limit}`, `an integer from ${least} to ${most}`);
      }
    }
    for (const limit of Object.keys(RANGES)) limits[limit] = told[limit];
    const answer = { protocolVersion: '1.0', ...begin(params) };
    state = 'initializing';
    return answer;
  }

  function findHandler(method) {
    if (method === 'ping') return () => null; // in every state [LIF-18]
    if (method === 'initialize') return initialize;
    if (state !== 'ready') throw new RequestError(-32002, 'the connection is not ready'); // LIF-01
    if (Object.hasOwn(methods, method)) return methods[method];
    if (method === 'shutdown') return () => { state = 'stopping'; return null; }; // LIF-13: nothing is ever open here
    throw new RequestError(-32601, 'there is no such method'); // CAL-06
  }

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
      send({ id, error: { code, message, data } });
    }
  }

  function receiveNotification({ method, params = {} }) {
    if (method === 'initialized' && state === 'initializing') {
      state = 'ready';
      onReady();
    } else if (method === 'exit') leave();
    else onNotification(method, params);
  }

  function receiveBody(bytes) {
    let message, numbers;
    try {
      ({ value: message, numbers } = decodeBody(bytes, limits.maxDepth));
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      send({ id: null, error: { code: -32700, message: 'the body is not JSON' } }); // MSG-26
      return;
    }
    const has = (member) => isObject(message) && Object.hasOwn(message, member);
    if (!has('method') && (has('result') || has('error'))) {
      onAnswer(message);
      return;
    }
    const idFits = has('id') && isId(message.id, numbers.get('id'));
    const isValid = isObject(message) && message.jsonrpc === '2.0' // MSG-01
      && typeof message.method === 'string' && message.method !== '' // MSG-02
      && (!has('params') || isObject(message.params)) && (!has('id') || idFits); // MSG-03, MSG-11
    if (!isValid) { // MSG-10, MSG-27
      send({ id: idFits ? message.id : null, error: { code: -32600, message: 'this is no valid message' } });
    } else if (idFits) receiveRequest(message);
    else receiveNotification(message);
  }

  /** LIF-15, LIF-16: what was written before still gets out, and nothing more is handled. */
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
      console.error(`${name}: ${error.message}`); // FRM-10
      leave(2);
    }
  }

  const reader = new FrameReader(limits);
  process.stdin.on('data', (chunk) => orLoseBoundary(() => {
    for (const body of reader.receiveData(chunk)) if (!isLeaving) receiveBody(body);
  }));
  process.stdin.on('end', () => orLoseBoundary(() => { reader.receiveEnd(); leave(); }));
  process.stdout.on('error', () => process.exit(1)); // nobody reads us any more
  return { isReady: () => state === 'ready' };
}

module.exports = { converse, isObject, refuseParams, send };
