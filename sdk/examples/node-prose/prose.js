// prose: a plugwire plugin in JavaScript for Node 18 or newer, with no package.
//
// It is the asynchronous one of the examples: several requests may be open at a time, a long one gives way to others
// after each piece of work, tells how far it has come when asked, and can be cancelled. conversation.js has what the
// plugins in JavaScript have in common, wire.js the frames and the JSON, slips.js what it is all for. Ids in brackets
// name sentences of the spec.
'use strict';

const { converse, refuseParams } = require('./conversation.js');
const { checkParagraph, splitParagraphs } = require('./slips.js');

const PIECE = 200; // how many lines are checked before others have their turn

const begin = () => ({
  plugin: { name: 'prose', version: '1.0.0' },
  capabilities: { meta: true, concurrency: 16 },
  provides: [{ service: 'prose', version: '1.0.0', methods: { check: {
    description: 'Finds doubled words, wrong spellings and other slips in English prose.',
    idempotent: true,
    params: {
      type: 'object',
      properties: { text: { type: 'string' }, language: { type: 'string' } },
      required: ['text'],
    },
  } } }],
});

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
      call.sendProgress({ done: paragraph.line - 1, total });
      // Gives way: without it the cancel of this very request would wait in the pipe until we are done.
      await new Promise(setImmediate);
      call.signal.throwIfAborted(); // CAL-20
    }
    for (const slip of checkParagraph(paragraph, isMarkdown)) slips.push(slip);
  }
  call.sendProgress({ done: total, total });
  return { slips };
}

converse({ name: 'prose', begin, methods: { 'prose/check': check } });
