// count: the worker of tally, in JavaScript for Node 18 or newer, with no package and no SDK.
//
// It shows both sides of a channel (chapter 08) under credit: a consumer that takes one item at a time and acknowledges
// it when its result has been sent, and a producer that stops when its credit is used up. Frames, JSON and the
// conversation are those of its neighbour node-prose. Ids in brackets name sentences of the spec.
'use strict';

const fs = require('node:fs');

const { RequestError, converse, isObject, refuseParams } = require('../node-prose/conversation.js');

const CHANNEL_CLOSED = -32020;
const FAILED = 1; // our own code [ERR-02]

let hasChannels = false;
const jobs = new Map(); // what we work on, by the handle of each of its two channels

function begin({ capabilities }) {
  hasChannels = capabilities.channels === true; // LIF-12
  return {
    plugin: { name: 'count', version: '1.0.0' },
    provides: [{ service: 'count', version: '1.0.0', methods: ['work'] }],
    capabilities: { concurrency: 8 },
  };
}

/** What is sent into `counts`, one item to a message: the number of the next one, and our credit [CHN-12]. */
class Outlet {
  #seq = 1;
  #items = 0;
  #bytes = 0;
  #maxItemBytes = 0;
  #waiting = [];

  constructor(channel) {
    this.channel = channel;
  }

  async join() {
    const { credit, maxItemBytes } = await connection.ask('channel/join', { channel: this.channel, role: 'producer' });
    this.#maxItemBytes = maxItemBytes;
    this.addCredit(credit);
  }

  /** Waits for credit, and ends when the item has been sent. */
  async send(item) {
    const bytes = Buffer.byteLength(JSON.stringify(item));
    if (bytes > this.#maxItemBytes) throw new RequestError(FAILED, 'a count is too large for its channel'); // CHN-13
    await new Promise((resolve) => {
      this.#waiting.push({ item, bytes, resolve });
      this.#flush();
    });
  }

  addCredit({ items, bytes }) {
    this.#items += items;
    this.#bytes += bytes;
    this.#flush();
  }

  #flush() {
    while (this.#waiting.length > 0 && this.#items > 0 && this.#bytes > 0) {
      const { item, bytes, resolve } = this.#waiting.shift();
      connection.notify('channel/send', { channel: this.channel, seq: this.#seq, items: [item] });
      this.#seq += 1;
      this.#items -= 1;
      this.#bytes -= bytes;
      resolve();
    }
  }
}

/** One call of `work`. `finished` ends with what ends it. */
class Job {
  done = 0;
  isOver = false;
  handled = Promise.resolve(); // when everything that was delivered is

  constructor(files, counts) {
    this.files = files;
    this.outlet = new Outlet(counts);
    this.finished = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.finished.catch(() => {}); // it may come before anybody waits for it
  }

  /** How many bytes an item has depends on who wrote it [CHN-07], so there are plenty: one item at a time will do. */
  async join() {
    const credit = { items: 1, bytes: 2 ** 30 };
    try {
      await connection.ask('channel/join', { channel: this.files, role: 'consumer', credit });
    } catch (error) {
      if (error.code !== CHANNEL_CLOSED || error.data?.error) throw error;
      this.resolve(); // others were quicker, and nothing is left [CHN-11]
    }
  }

  async take({ seq, items }) {
    for (const [place, file] of items.entries()) {
      await this.outlet.send(count(file));
      this.done += 1;
      connection.notify('channel/ack', { channel: this.files, seq: seq + place }); // CHN-29: now, and not before
      const bytes = Buffer.byteLength(JSON.stringify(file));
      connection.notify('channel/credit', { channel: this.files, role: 'consumer', items: 1, bytes });
    }
  }

  /** Whoever leaves in order gives back what it has in its hands [CHN-27], and closes nothing [CHN-34]. */
  async leave() {
    this.isOver = true;
    for (const [channel, role] of [[this.files, 'consumer'], [this.outlet.channel, 'producer']]) {
      if (!connection.isReady()) return; // it is lost with us [CHN-32]
      await connection.ask('channel/leave', { channel, role }).catch(() => {}); // drained, and forgotten [CHN-35]
    }
  }
}

function channelIn(params, name) { // CHN-04
  const channel = isObject(params[name]) ? params[name].$channel : undefined;
  if (typeof channel !== 'string') throw refuseParams(`$.${name}`, 'a channel');
  return channel;
}

/** It is answered when `files` is drained. */
async function work(params, { signal }) {
  const [files, counts] = [channelIn(params, 'files'), channelIn(params, 'counts')];
  if (!hasChannels) throw new RequestError(FAILED, 'this host has no channels');
  if (files === counts || jobs.has(files) || jobs.has(counts)) { // CHN-09
    throw new RequestError(FAILED, 'one of the channels is at work already');
  }
  const job = new Job(files, counts);
  jobs.set(files, job).set(counts, job);
  signal.addEventListener('abort', () => job.reject(signal.reason)); // CAL-20, LIF-13
  try {
    await job.outlet.join();
    await job.join();
    await job.finished;
  } finally {
    await job.leave();
    jobs.delete(files);
    jobs.delete(counts);
  }
  return { files: job.done };
}

function count(file) {
  if (typeof file !== 'string') return { file: JSON.stringify(file), error: 'EINVAL' }; // 0 would be standard input
  try {
    const text = fs.readFileSync(file, 'utf8');
    const lines = text.split('\n').length - (text === '' || text.endsWith('\n') ? 1 : 0);
    return { file, lines, words: (text.match(/\S+/gu) ?? []).length };
  } catch (error) {
    return { file, error: error.code };
  }
}

const NOTIFICATIONS = new Map(Object.entries({
  'channel/deliver': (job, batch) => {
    job.handled = job.handled.then(() => job.take(batch)).catch(job.reject);
  },
  'channel/credit': (job, credit) => job.outlet.addCredit(credit),
  'channel/closed': (job, { role, error }) => {
    if (role === 'consumer' && !error) job.handled.then(job.resolve);
    else job.reject(new RequestError(FAILED, error ? error.message : 'nobody wants the counts any more'));
  },
}));

function onNotification(method, params) {
  const job = jobs.get(params.channel);
  if (job && !job.isOver) NOTIFICATIONS.get(method)?.(job, params);
}

const connection = converse({ name: 'count', begin, methods: { 'count/work': work }, onNotification });
