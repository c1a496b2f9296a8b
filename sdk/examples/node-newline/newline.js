// newline: a link of a hook (chapter 07) in JavaScript for Node 18 or newer, with no package and no SDK.
//
// Whenever a document is about to be saved, it sees to it that the text ends with a line feed, and that nobody saves a
// text with the marks of a conflict in it. Frames, JSON and the conversation are those of its neighbour node-prose. Ids
// in brackets name sentences of the spec.
'use strict';

const { converse, isObject, refuseParams } = require('../node-prose/conversation.js');

const HOOK = 'document.willSave';
const CONFLICT = /^(<<<<<<<|=======|>>>>>>>)( |$)/m;

const begin = () => ({
  plugin: { name: 'newline', version: '1.0.0' },
  hooks: [{ name: HOOK, after: ['trim'], timeoutMs: 2000 }], // HOK-01, HOK-04
});

/** The one link. It answers with the new value, with a stop, or with neither [HOK-10]. */
function call({ name, value }) {
  if (name !== HOOK) throw refuseParams('$.name', `a string, "${HOOK}"`);
  if (!isObject(value) || typeof value.text !== 'string') return {}; // no document of ours: it stays as it is
  if (CONFLICT.test(value.text)) return { stop: { reason: 'the text still has the marks of a conflict in it' } };
  if (value.text === '' || value.text.endsWith('\n')) return {};
  return { value: { ...value, text: `${value.text}\n` } };
}

converse({ name: 'newline', begin, methods: { 'hook/call': call } }); // HOK-02
