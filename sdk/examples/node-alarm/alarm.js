// alarm: a subscriber and publisher of events (chapter 06) in JavaScript for Node 18 or newer, with no package and no
// SDK.
//
// It subscribes to the readings of whoever publishes them, such as python-thermometer, and publishes `alarm.raised` when
// a room gets too warm. Frames and JSON are those of its neighbour node-prose. Ids in brackets name sentences of the
// spec.
'use strict';

const { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId } = require('../node-prose/wire.js');

const READINGS = 'thermometer.reading.*';
const RAISED = 'alarm.raised';
const WINDOW = 8; // events that may be on the way before we have acknowledged them [EVT-20]

// Only frames may reach standard output [FRM-04], so what somebody prints goes to standard error.
const wire = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

let state = 'created';
let limit = 30;
let hasEvents = false;
let subscription = null; // its number, once the host has answered
let missed = 0;
const rooms = new Map(); // the last reading of each
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

function initialize({ protocolVersion, limits: told, capabilities, config }) {
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
  if (isObject(config) && typeof config.limit === 'number') limit = config.limit;
  hasEvents = isObject(capabilities) && capabilities.events === true; // LIF-12
  state = 'initializing';
  return {
    protocolVersion: '1.0',
    plugin: { name: 'alarm', version: '1.0.0' },
    provides: [{ service: 'alarm', version: '1.0.0', methods: ['rooms'] }],
    events: [{ topic: RAISED, description: 'A room is too warm.' }],
  };
}

/** What is known, and how many readings never came. */
const listRooms = () => ({ rooms: Object.fromEntries(rooms), missed });

function findHandler(method) {
  if (method === 'ping') return () => null; // in every state [LIF-18]
  if (method === 'initialize') return initialize;
  if (state !== 'ready') throw new RequestError(-32002, 'the connection is not ready'); // LIF-01
  if (method === 'alarm/rooms') return listRooms;
  if (method === 'shutdown') return () => { state = 'stopping'; return null; }; // LIF-13: nothing is ever open here
  throw new RequestError(-32601, 'there is no such method'); // CAL-06
}

// ---- Events ----

/** The only request that we make, so its id may stay 1. Of each room the last reading will do: hence `coalesce`. */
function subscribe() {
  state = 'ready';
  if (!hasEvents) return;
  const params = { topic: READINGS, policy: 'coalesce', window: WINDOW };
  wire(encode({ id: 1, method: 'event/subscribe', params }));
}

function receiveAnswer({ id, result }) {
  if (id === 1 && isObject(result)) subscription = result.subscription; // any other answer is not ours [MSG-19]
}

// Anybody may publish on any topic, so what comes need not be what was declared.
const isReading = (data) => isObject(data) && typeof data.room === 'string' && typeof data.celsius === 'number';

function takeReading({ data: { room, celsius }, hops = 0 }) {
  rooms.set(room, celsius);
  if (celsius <= limit || state !== 'ready') return;
  // EVT-08: one hop more, so that a row of events that cause each other has an end.
  wire(encode({ method: 'event/publish', params: { topic: RAISED, data: { room, celsius }, hops: hops + 1 } }));
}

// No event comes before the answer [EVT-11], and none of another subscription, for we have made one.
function receiveEvent(event) {
  if (event.subscription !== subscription) return;
  missed += event.missed ?? 0; // EVT-18
  if (isReading(event.data)) takeReading(event);
  if (event.seq % (WINDOW / 2) === 0 || event.missed) { // EVT-21: it acknowledges all before it, too
    wire(encode({ method: 'event/ack', params: { subscription, seq: event.seq } }));
  }
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

function receiveNotification({ method, params = {} }) {
  if (method === 'initialized' && state === 'initializing') subscribe();
  else if (method === 'event/deliver') receiveEvent(params);
  else if (method === 'exit') leave();
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
  if (!has('method') && (has('result') || has('error'))) {
    receiveAnswer(message);
    return;
  }
  const idFits = has('id') && isId(message.id, numbers.get('id'));
  const isValid = isObject(message) && message.jsonrpc === '2.0' // MSG-01
    && typeof message.method === 'string' && message.method !== '' // MSG-02
    && (!has('params') || isObject(message.params)) && (!has('id') || idFits); // MSG-03, MSG-11
  if (!isValid) { // MSG-10, MSG-27
    wire(encode({ id: idFits ? message.id : null, error: { code: -32600, message: 'this is no valid message' } }));
  } else if (idFits) receiveRequest(message);
  else receiveNotification(message);
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
    console.error(`alarm: ${error.message}`); // FRM-10
    leave(2);
  }
}

const reader = new FrameReader(limits);
process.stdin.on('data', (chunk) => orLoseBoundary(() => {
  for (const body of reader.receiveData(chunk)) if (!isLeaving) receiveBody(body);
}));
process.stdin.on('end', () => orLoseBoundary(() => { reader.receiveEnd(); leave(); }));
process.stdout.on('error', () => process.exit(1)); // nobody reads us any more
