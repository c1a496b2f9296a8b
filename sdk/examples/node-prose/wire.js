// Frames and JSON as chapters 01 and 02 of the spec want them, from bytes to values and back.
// It knows nothing of methods or of the connection's state: that is conversation.js. Ids in brackets name sentences of
// the spec.
'use strict';

const MAX_HEADER = 4096; // FRM-15

/** The frame boundary is lost, and with it the connection [FRM-10]. */
class BoundaryLost extends Error {}

/** The body is not JSON as chapter 02 defines it [MSG-26]. */
class NotJson extends Error {}

/**
 * Cuts a stream into bodies. Bytes go in through receiveData in whatever pieces they come [FRM-09]; each call gives the
 * bodies that it completed. A line that breaks the framing is told by BoundaryLost, at once and not at the block's end.
 */
class FrameReader {
  #pieces = []; // what has come and is not used yet
  #size = 0;
  #headerBytes = 0; // of the block that is being read
  #length = null; // its Content-Length
  #inBody = false;

  constructor(limits) {
    this.limits = limits;
  }

  // A generator: the caller handles one body before the next is cut, so that the limits in `initialize` hold at once.
  *receiveData(chunk) {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (!this.#inBody) this.#readHeaders();
      if (!this.#inBody || this.#size < this.#length) return;
      const body = this.#take(this.#length);
      this.#inBody = false;
      this.#length = null;
      this.#headerBytes = 0;
      yield body;
    }
  }

  receiveEnd() {
    if (this.#size > 0 || this.#inBody || this.#headerBytes > 0) {
      throw new BoundaryLost('the input ended inside a frame [FRM-18]');
    }
  }

  #readHeaders() {
    for (;;) {
      const waiting = this.#join();
      const end = waiting.indexOf(0x0a); // LF alone will do [FRM-07]
      if (this.#headerBytes + (end < 0 ? waiting.length : end + 1) > MAX_HEADER) {
        throw new BoundaryLost('the header block has more than 4096 bytes [FRM-15]');
      }
      if (end < 0) return;
      const line = this.#take(end + 1).toString('latin1').replace(/\r?\n$/, '');
      this.#headerBytes += end + 1;
      if (line !== '') {
        this.#readHeader(line);
        continue;
      }
      if (this.#length === null) throw new BoundaryLost('a header block has no Content-Length [FRM-14]');
      this.#inBody = true;
      return;
    }
  }

  #readHeader(line) {
    // A name is printable ASCII without blanks, right up to its colon [FRM-16].
    const header = /^([!-9;-~]+):[ \t]*([^]*?)[ \t]*$/.exec(line);
    if (!header) throw new BoundaryLost('a header line has no proper name and colon [FRM-16]');
    if (header[1].toLowerCase() !== 'content-length') return; // FRM-05, FRM-06
    if (this.#length !== null) throw new BoundaryLost('Content-Length stands twice [FRM-13]');
    // Not parseInt, which makes 43 of "43abc" and 16 of "0x10" [FRM-12].
    if (!/^[0-9]{1,10}$/.test(header[2])) throw new BoundaryLost('the length is not 1 to 10 digits [FRM-12]');
    this.#length = Number(header[2]);
    if (this.#length > this.limits.maxFrameBytes) {
      throw new BoundaryLost('the length is above maxFrameBytes [FRM-17]');
    }
  }

  // Joined only when somebody looks: a large body that comes in many pieces is copied once, not once a piece.
  #join() {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0];
  }

  #take(count) {
    const all = this.#join();
    this.#pieces = [all.subarray(count)];
    this.#size -= count;
    return all.subarray(0, count);
  }
}

/** FRM-01; the length counts bytes, not characters [FRM-02]. */
function encodeFrame(body) {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

// ignoreBOM keeps a byte order mark in the text, where JSON.parse trips over it [MSG-21].
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one body. Beside the value it returns `numbers`: the text of each number directly in the message, its params or
 * its meta, under a key like `id` or `params.id`. JSON.parse makes 1 of 1.0, and only one of them is an id [MSG-11].
 */
function decodeBody(bytes, maxDepth) {
  let text;
  try {
    text = utf8.decode(bytes);
    const numbers = surveyText(text, maxDepth);
    return { value: JSON.parse(text), numbers };
  } catch (error) {
    throw new NotJson(error.message);
  }
}

const OUTER = new Set(['id', 'params', 'meta']);

/** One walk over the text for what JSON.parse does not tell: depth, escaped surrogates, the texts of numbers. */
function surveyText(text, maxDepth) {
  const numbers = new Map();
  const names = []; // the member that is being read, one for each level
  const token = /"|[[\]{}]|-?[0-9][0-9.eE+-]*/g;
  const colon = /[ \t\r\n]*:/y;
  let depth = 0;
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const first = found[0][0];
    if (first === '"') {
      const end = findStringEnd(text, found.index);
      token.lastIndex = end;
      if (depth > 2) continue;
      colon.lastIndex = end;
      if (!colon.test(text)) continue; // a value
      const name = text.slice(found.index, end);
      names[depth] = name.length <= 50 ? JSON.parse(name) : ''; // "progress" with each letter escaped has 50
    } else if (first === '[' || first === '{') {
      depth += 1;
      if (depth > maxDepth) throw new NotJson(`nested deeper than ${maxDepth} levels [MSG-24]`);
      names[depth] = undefined;
    } else if (first === ']' || first === '}') {
      depth -= 1;
    } else if (depth === 1 && OUTER.has(names[1])) {
      numbers.set(names[1], found[0]);
    } else if (depth === 2 && OUTER.has(names[1]) && names[2] !== undefined) {
      numbers.set(`${names[1]}.${names[2]}`, found[0]);
    }
  }
  return numbers;
}

/** The place behind the string that begins at `start`. An escaped surrogate must have its partner [MSG-23]. */
function findStringEnd(text, start) {
  const stop = /["\\]/g;
  stop.lastIndex = start + 1;
  for (let found = stop.exec(text); found; found = stop.exec(text)) {
    if (found[0] === '"') return stop.lastIndex;
    const escape = text.slice(found.index, found.index + 12);
    if (/^\\u[dD][89abAB][^]{2}\\u[dD][c-fC-F]/.test(escape)) stop.lastIndex += 11;
    else if (/^\\u[dD][89a-fA-F]/.test(escape)) throw new NotJson('an escaped surrogate without its partner [MSG-23]');
    else stop.lastIndex += 1;
  }
  throw new NotJson('a string has no end');
}

/** An id: a short string, or an integer that was written as one [MSG-11]. */
function isId(value, numberText) {
  if (typeof value === 'string') return value.length <= 256 && [...value].length <= 128;
  return Number.isSafeInteger(value) && /^-?[0-9]+$/.test(numberText ?? '');
}

module.exports = { BoundaryLost, FrameReader, NotJson, decodeBody, encodeFrame, isId };
