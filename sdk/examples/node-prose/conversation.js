// The conversation of a plugin in JavaScript: requests both ways, several of them at a time, cancel, progress and an
// orderly end (chapters 02 to 05). node-newline, node-alarm and tally use it, too; frames and JSON are in wire.js. Ids
// in brackets name sentences of the spec.
'use strict';

const { setImmediate: nextTurn } = require('node:timers/promises');

const { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId } = require('./wire.js');

// Only frames may reach standard output [FRM-04], so what somebody prints goes to standard error.
const wire = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const CODES = {
  parseError: -32700, invalidRequest: -32600, methodNotFound: -32601, invalidParams: -32602, internalError: -32603,
  notInitialized: -32002, overloaded: -32013, payloadTooLarge: -32016, unsupportedVersion: -32017, cancelled: -32800,
};
const VERSION = /^(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})$/;
const RANGES = { maxFrameBytes: [4096, 1073741824], maxDepth: [16, 512], maxInFlight: [1, 65536] };

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Ends a request with an error response: thrown by a method of ours, or told by the host of a request of ours. */
class RequestError extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}

/** ERR-05: says which path was wrong. */
function refuseParams(path, expected) {
  const problems = [{ path, message: `expected ${expected}` }];
  return new RequestError(CODES.invalidParams, 'the params do not fit the method', { problems });
}

function checkInitialize({ protocolVersion, limits, capabilities }) {
  if (typeof protocolVersion !== 'string' || !VERSION.test(protocolVersion)) {
    throw refuseParams('$.protocolVersion', 'two numbers like 1.0 in a string');
  }
  if (!protocolVersion.startsWith('1.')) { // LIF-05; minor versions differ freely [LIF-07]
    throw new RequestError(CODES.unsupportedVersion, 'this plugin speaks version 1', { supported: ['1.0'] });
  }
  if (!isObject(limits)) throw refuseParams('$.limits', 'an object');
  for (const [limit, [least, most]] of Object.entries(RANGES)) {
    if (!Number.isInteger(limits[limit]) || limits[limit] < least || limits[limit] > most) {
      throw refuseParams(`$.limits.${limit}`, `an integer from ${least} to ${most}`);
    }
  }
  if (!isObject(capabilities)) throw refuseParams('$.capabilities', 'an object');
}

function isError(error) { // MSG-06
  return isObject(error) && (error.code | 0) === error.code && typeof error.message === 'string';
}

/** An open request of the host, as its method sees it. `signal` tells of a cancel, and has the error to throw then. */
class Call {
  #controller = new AbortController();
  signal = this.#controller.signal;

  /** `sendProgress(value)` sends nothing where nobody wants progress. */
  constructor(sendProgress) {
    this.sendProgress = sendProgress;
  }

  cancel(reason) {
    this.#controller.abort(new RequestError(CODES.cancelled, reason));
  }
}

class Conversation {
  #plugin;
  #state = 'created';
  #limits = { maxFrameBytes: 4194304, maxDepth: 128, maxInFlight: 256 }; // until `initialize` says otherwise
  #readsProgress = false;
  #open = new Map(); // requests of the host, by id. A Map tells 1 from "1" [MSG-12]; an object would not
  #asked = new Map(); // requests of our own, by id
  #lastId = 0;
  #isLeaving = false;

  constructor(plugin) {
    this.#plugin = { onReady() {}, onNotification() {}, ...plugin };
  }

  isReady() {
    return this.#state === 'ready';
  }

  /** Sends a notification. */
  notify(method, params) {
    this.#send({ method, params });
  }

  /** The result of a request to the host. An error response, and one that is broken, rejects with RequestError. */
  ask(method, params) {
    return new Promise((resolve, reject) => {
      this.#lastId += 1; // MSG-14
      this.#send({ id: this.#lastId, method, params });
      this.#asked.set(this.#lastId, { resolve, reject });
    });
  }

  /** Reads to the end of the input, one message at a time: whoever waits for what a message brings goes first. */
  async read() {
    const reader = new FrameReader(this.#limits);
    try {
      for await (const chunk of process.stdin) {
        for (const body of reader.receiveData(chunk)) {
          this.#receiveBody(body);
          if (this.#isLeaving) return;
          await nextTurn();
        }
      }
      reader.receiveEnd();
      this.#leave(); // LIF-16
    } catch (error) {
      if (!(error instanceof BoundaryLost)) throw error;
      console.error(`${this.#plugin.name}: ${error.message}`);
      this.#leave(2); // FRM-10
    }
  }

  #send(message) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const data = { size: Buffer.byteLength(body), limit: this.#limits.maxFrameBytes };
    if (data.size > data.limit) { // ERR-06
      throw new RequestError(CODES.payloadTooLarge, 'the message does not fit into one frame', data);
    }
    wire(encodeFrame(body));
  }

  #sendError(id, { code, message, data }) {
    try {
      this.#send({ id, error: { code, message, data } }); // an undefined `data` is left out by JSON.stringify
    } catch (error) {
      if (error.code !== CODES.payloadTooLarge) throw error;
      this.#sendError(id, error); // which is a small one
    }
  }

  #receiveBody(bytes) {
    let message, numbers;
    try {
      ({ value: message, numbers } = decodeBody(bytes, this.#limits.maxDepth));
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      const reason = `the body is not JSON: ${error.message.slice(0, 200)}`;
      this.#sendError(null, { code: CODES.parseError, message: reason }); // MSG-26
      return;
    }
    const has = (member) => isObject(message) && Object.hasOwn(message, member);
    const idFits = has('id') && isId(message.id, numbers.get('id')); // MSG-11
    if (!has('method') && (has('result') || has('error'))) { // MSG-28
      if (idFits) this.#receiveAnswer(message);
      return;
    }
    const isValid = isObject(message) && message.jsonrpc === '2.0' // MSG-10, MSG-01
      && typeof message.method === 'string' && message.method !== '' // MSG-02
      && (!has('params') || isObject(message.params)) && (!has('id') || idFits); // MSG-03
    if (!isValid) { // MSG-27
      this.#sendError(idFits ? message.id : null, { code: CODES.invalidRequest, message: 'this is no valid message' });
    } else if (idFits) this.#receiveRequest(message, numbers);
    else this.#receiveNotification(message, numbers);
  }

  #receiveAnswer({ id, result, error }) {
    const waiting = this.#asked.get(id);
    if (!waiting) return; // MSG-19
    this.#asked.delete(id);
    if (error === undefined) waiting.resolve(result);
    else if (result === undefined && isError(error)) {
      waiting.reject(new RequestError(error.code, error.message, error.data));
    } else waiting.reject(new RequestError(CODES.internalError, 'the answer of the host is broken')); // MSG-20
  }

  #receiveRequest({ id, method, params = {}, meta }, numbers) { // MSG-04
    if (this.#open.has(id)) { // MSG-15: and the first one stays as it is
      this.#sendError(id, { code: CODES.invalidRequest, message: 'a request with this id is open' });
      return;
    }
    const call = new Call(this.#progressTo(meta, numbers));
    this.#open.set(id, call);
    call.done = this.#serve(id, () => this.#findMethod(method)(params, call));
  }

  /** A token is what an id is; and the host must have said that it reads progress [LIF-12, CAL-25]. */
  #progressTo(meta, numbers) {
    const token = isObject(meta) ? meta.progress : undefined;
    if (!this.#readsProgress || !isId(token, numbers.get('meta.progress'))) return () => {};
    return (value) => this.notify('$/progress', { token, value });
  }

  /** Answers, once, whatever happens [MSG-17]. Nobody waits for it: the next message comes first. */
  async #serve(id, call) {
    try {
      let result = call();
      if (result instanceof Promise) result = await result; // `await` alone would give way even where nothing waits
      this.#send({ id, result });
    } catch (error) {
      const isOurs = error instanceof RequestError;
      if (!isOurs) console.error(error); // the details are for us, not for the caller [ERR-04]
      this.#sendError(id, isOurs ? error : { code: CODES.internalError, message: 'the method failed' }); // ERR-03
    } finally {
      this.#open.delete(id);
    }
  }

  #findMethod(method) {
    if (method === 'ping') return () => null; // in every state [LIF-18]
    if (method === 'initialize') return (params) => this.#initialize(params);
    if (!this.isReady()) throw new RequestError(CODES.notInitialized, 'the connection is not ready'); // LIF-01
    if (method === 'shutdown') return (_params, call) => this.#shutDown(call);
    const { maxInFlight: limit } = this.#limits;
    if (this.#open.size > limit) throw new RequestError(CODES.overloaded, 'too many are open', { limit }); // CAL-14
    const { methods } = this.#plugin;
    if (Object.hasOwn(methods, method)) return methods[method];
    throw new RequestError(CODES.methodNotFound, 'there is no such method'); // CAL-06
  }

  #initialize(params) {
    if (this.#state !== 'created') throw new RequestError(CODES.invalidRequest, 'initialize was sent before'); // LIF-01
    checkInitialize(params);
    const answer = { protocolVersion: '1.0', ...this.#plugin.begin(params) };
    for (const limit of Object.keys(RANGES)) this.#limits[limit] = params.limits[limit];
    this.#readsProgress = params.capabilities.meta === true;
    this.#state = 'initializing';
    return answer;
  }

  /** LIF-13: what is open is cancelled, and answered first. */
  #shutDown(call) {
    this.#state = 'stopping';
    const others = [...this.#open.values()].filter((other) => other !== call);
    for (const other of others) other.cancel('the plugin is stopping');
    return others.length === 0 ? null : Promise.all(others.map((other) => other.done)).then(() => null);
  }

  #receiveNotification({ method, params = {} }, numbers) {
    if (method === 'exit') this.#leave();
    else if (method === '$/cancelRequest') {
      // CAL-21: the cancel of a request that is not open, or whose id has another type, changes nothing.
      if (isId(params.id, numbers.get('params.id'))) this.#open.get(params.id)?.cancel('the request was cancelled');
    } else if (method === 'initialized' && this.#state === 'initializing') {
      this.#state = 'ready';
      this.#plugin.onReady();
    } else if (this.isReady() || this.#state === 'stopping') this.#handle(method, params); // LIF-02
  }

  #handle(method, params) {
    try {
      this.#plugin.onNotification(method, params);
    } catch (error) {
      console.error(error); // a notification has no answer that could tell it [MSG-18]
    }
  }

  /** LIF-15: nothing more is handled from here on, but what was done before still gets out. */
  #leave(code = this.#state === 'stopping' ? 0 : 1) {
    this.#isLeaving = true;
    // setImmediate comes after every method that has its result and only waits for its turn to send it.
    setImmediate(() => wire('', () => process.exit(code)));
  }
}

/**
 * Talks with the host until the end, and gives the Conversation with which the plugin says what it has to say itself.
 *
 * `name` is for people. `begin(params)` gives what `initialize` answers beside the version; `methods` has for each
 * method a function of the params and the Call, which gives the result or a promise of it. `onReady()` and
 * `onNotification(method, params)` may be left out.
 */
function converse(plugin) {
  const conversation = new Conversation(plugin);
  process.stdout.on('error', () => process.exit(1)); // nobody reads us any more
  conversation.read();
  return conversation;
}

module.exports = { RequestError, converse, isObject, refuseParams };
