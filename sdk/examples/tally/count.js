// count: the worker of tally, in JavaScript for Node 18 or newer, with line framing, no package and no SDK.
//
// It shows both sides of a channel (chapter 08) under credit: a consumer that takes one item at a time and acknowledges
// it when its result has been sent, and a producer that stops when its credit is used up. What a careful reader of
// frames has to refuse is left out; ../node-prose shows that. Ids in brackets name sentences of the spec.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');

const CHANNEL_CLOSED = -32020;
const jobs = new Map(); // what we work on, by the handle of each of its two channels
const asked = new Map(); // what to do with the answers to our requests, by id
let lastId = 0;
let isStopping = false;

const tell = (message) => fs.writeSync(1, `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const notify = (method, params) => tell({ method, params });

/** The result of a request to the host. */
function ask(method, params) {
  lastId += 1;
  const id = lastId;
  tell({ id, method, params });
  return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
}

/** What is sent into `counts`, one item to a message: the number of the next one, and our credit [CHN-12]. */
class Outlet {
  seq = 1;
  items = 0;
  bytes = 0;
  waiting = [];

  constructor(channel) {
    this.channel = channel;
  }

  send(item, whenSent) {
    this.waiting.push({ text: JSON.stringify(item), item, whenSent });
    this.flush();
  }

  addCredit({ items, bytes }) {
    this.items += items;
    this.bytes += bytes;
    this.flush();
  }

  flush() {
    while (this.waiting.length > 0 && this.items > 0 && this.bytes > 0) {
      const { text, item, whenSent } = this.waiting.shift();
      notify('channel/send', { channel: this.channel, seq: this.seq, items: [item] });
      this.seq += 1;
      this.items -= 1;
      this.bytes -= Buffer.byteLength(text);
      whenSent();
    }
  }
}

/** `work` is answered when `files` is drained. */
async function work(params) {
  const [files, counts] = [params.files.$channel, params.counts.$channel];
  const job = { files, counts, done: 0, outlet: new Outlet(counts) };
  const finished = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }));
  finished.catch(() => {}); // it may come before anybody waits for it
  jobs.set(files, job).set(counts, job);
  try {
    job.outlet.addCredit((await ask('channel/join', { channel: counts, role: 'producer' })).credit);
    const credit = { items: 1, bytes: 65536 };
    await ask('channel/join', { channel: files, role: 'consumer', credit }).catch((error) => {
      if (error.code !== CHANNEL_CLOSED || error.data) throw error;
      job.resolve(); // others were quicker, and nothing is left [CHN-11]
    });
    await finished;
    await ask('channel/leave', { channel: counts, role: 'producer' });
  } finally {
    jobs.delete(files);
    jobs.delete(counts);
  }
  return { files: job.done };
}

function count(file) {
  try {
    const text = fs.readFileSync(file, 'utf8');
    const lines = text.split('\n').length - (text === '' || text.endsWith('\n') ? 1 : 0);
    return { file, lines, words: (text.match(/\S+/gu) ?? []).length };
  } catch (error) {
    return { file, error: error.code };
  }
}

const NOTIFICATIONS = {
  'channel/deliver': (job, { seq, items }) => items.forEach((file, place) => job.outlet.send(count(file), () => {
    job.done += 1;
    notify('channel/ack', { channel: job.files, seq: seq + place }); // CHN-29: now, and not before
    const bytes = Buffer.byteLength(JSON.stringify(file));
    notify('channel/credit', { channel: job.files, role: 'consumer', items: 1, bytes });
  })),
  'channel/credit': (job, credit) => job.outlet.addCredit(credit),
  'channel/closed': (job, { role, error }) => {
    if (role === 'consumer' && !error) job.resolve();
    else job.reject({ code: 1, message: error ? error.message : 'nobody wants the counts any more' });
  },
};

const PROVIDES = [{ service: 'count', version: '1.0.0', methods: ['work'] }];

async function answer(method, params) {
  if (method === 'ping') return null;
  if (method === 'initialize') {
    const plugin = { name: 'count', version: '1.0.0' };
    return { protocolVersion: '1.0', plugin, provides: PROVIDES, capabilities: { concurrency: 8 } };
  }
  if (method === 'shutdown') {
    isStopping = true;
    for (const job of jobs.values()) job.reject({ code: -32800, message: 'count is stopping' }); // LIF-13
    return null;
  }
  if (method !== 'count/work') throw { code: -32601, message: `count has no method ${method}` };
  return work(params);
}

function receive({ id, method, params = {}, result, error }) {
  if (method === undefined) {
    const waiting = asked.get(id);
    asked.delete(id);
    if (waiting) error ? waiting.reject(error) : waiting.resolve(result);
  } else if (id !== undefined) {
    answer(method, params).then(
      (told) => tell({ id, result: told }),
      (reason) => tell({ id, error: reason.code ? reason : { code: -32603, message: 'count failed' } }), // ERR-03
    );
  } else if (method === 'exit') process.exit(isStopping ? 0 : 1); // LIF-15
  else if (NOTIFICATIONS[method] && jobs.has(params.channel)) NOTIFICATIONS[method](jobs.get(params.channel), params);
}

readline.createInterface({ input: process.stdin }).on('line', (line) => receive(JSON.parse(line)))
  .on('close', () => process.exit(1)); // LIF-16
