// Finds slips in English prose, in Markdown or plain text. It owns the rules, and knows nothing of the protocol.
// A checker that cries wolf is switched off, so each rule prefers to miss a slip over reporting one that is none.
'use strict';

const COVER = '\ufffc'; // stands for what is no prose, one for each unit, so that offsets stay true

// Wrong spellings that are no other word.
const SPELLINGS = new Map(Object.entries({
  accomodate: 'accommodate', acheive: 'achieve', accross: 'across', adress: 'address', aquire: 'acquire',
  arguement: 'argument', begining: 'beginning', beleive: 'believe', commited: 'committed',
  concious: 'conscious', definately: 'definitely', enviroment: 'environment',
  existance: 'existence', goverment: 'government', grammer: 'grammar', immediatly: 'immediately',
  independant: 'independent', lenght: 'length', maintainance: 'maintenance', neccessary: 'necessary',
  noticable: 'noticeable', occassion: 'occasion', occured: 'occurred', occurence: 'occurrence', paralel: 'parallel',
  persistant: 'persistent', posession: 'possession', prefered: 'preferred', priviledge: 'privilege',
  reccomend: 'recommend', recieve: 'receive', recieved: 'received', recieves: 'receives', refered: 'referred',
  seperate: 'separate', seperated: 'separated', seperately: 'separately', succesful: 'successful',
  succesfully: 'successfully', suprise: 'surprise', teh: 'the', tommorow: 'tomorrow', truely: 'truly',
  untill: 'until', wich: 'which', widht: 'width', writting: 'writing',
}));

// Words that may well stand twice: "she had had it", "I know that that is so", "very, very".
const MAY_REPEAT = new Set(('had that very really so no ha blah bye well now there many long far again out more is ' +
  'can do knock hear tut yes she her').split(' '));

// After "a": words that surely begin with a vowel's sound and surely do not make "a" a name, as in "when a is empty".
const AFTER_AN = new Set(('additional address alternative answer application argument array arrow article attribute ' +
  'early easy editor effect element empty engine entry environment error event example exception exit explicit ' +
  'external extra honest hour idea identifier image important index initial input instance integer interface ' +
  'internal invalid item object old open option order output owner unknown unusual update upper').split(' '));
// After "an": in full, words that look like a vowel's sound and have none, and words behind two consonants.
const AFTER_A = new Set(('one once unique unit unified uniform union universal university usual user used useful ' +
  'european string stream strict frame free frequent fresh fragment flag flat friend schema script screen small ' +
  'simple single special specific stable standard state static step start statement snapshot slow').split(' '));

/** Does "an" before this lower-case word jar? Initialisms such as "an npm package" or "an href" do not. */
function needsA(word) {
  if (AFTER_A.has(word)) return true;
  if (/^(?:hour|hone|hono|heir|herb|histor|x)/.test(word)) return false;
  // The names of f, h, l, m, n, r and s begin with a vowel: one of these is sure only when a vowel follows.
  if (/^[fhlmnrs]/.test(word)) return /^.[aeiou][a-z]{2}/.test(word);
  return /^[bcdgjkpqtvwyz]/.test(word) && /[aeiouy]/.test(word) && word.length > 2;
}

/** Gives `wrong`'s capitals to `right`: Teh → The, TEH → THE. */
function likeCase(wrong, right) {
  if (wrong === wrong.toUpperCase()) return right.toUpperCase();
  return wrong[0] === wrong[0].toUpperCase() ? right[0].toUpperCase() + right.slice(1) : right;
}

// A word that is part of a name, a path or a hyphenated word is left alone.
const BEFORE = "(?<![\\p{L}\\p{N}_'’./\\\\@#$&=:~-])";
const AFTER = "(?![\\p{L}\\p{N}_'’/\\\\@=(-]|[.:][\\p{L}\\p{N}_])";
// Between two words: blanks, or one line's end that is no hard break.
const BETWEEN = '(?:[ \\t]+|[ \\t]?\\r?\\n[ \\t]*)';

function* findSpellings(text) {
  for (const match of text.matchAll(new RegExp(`${BEFORE}[A-Za-z]{3,14}${AFTER}`, 'gu'))) {
    const right = SPELLINGS.get(match[0].toLowerCase());
    if (!right) continue;
    const suggestion = likeCase(match[0], right);
    yield { at: match.index, size: match[0].length, message: `"${match[0]}" is spelt "${suggestion}"`, suggestion };
  }
}

function* findDoubles(text) {
  const doubled = new RegExp(`${BEFORE}(?<!["“])(\\p{L}[\\p{L}'’]*)${BETWEEN}(\\1)${AFTER}`, 'giu');
  for (const match of text.matchAll(doubled)) {
    const [whole, first, second] = match;
    const word = first.toLowerCase();
    // In quotes it is talked about, and "Walla Walla" is a name.
    if (MAY_REPEAT.has(word) || second !== word || (word.length === 1 && word !== 'a')) continue;
    yield { at: match.index, size: whole.length, message: `the word "${second}" stands twice`, suggestion: first };
  }
}

function* findArticles(text) {
  const article = new RegExp(`${BEFORE}([Aa]n?)${BETWEEN}([a-z]{2,20})${AFTER}`, 'gu');
  for (const match of text.matchAll(article)) {
    const [, wrong, word] = match;
    // A capital letter is the article only where a sentence begins; elsewhere it names something: "appendix A".
    const before = text.slice(Math.max(0, match.index - 8), match.index);
    if (wrong[0] === 'A' && !/(?:^|[.!?:]\s+|\n\s*)[>*+\s-]*$/.test(before)) continue;
    const isWrong = wrong.length === 1 ? AFTER_AN.has(word) : needsA(word);
    if (!isWrong) continue;
    const suggestion = wrong.length === 1 ? `${wrong}n` : wrong[0];
    yield { at: match.index, size: wrong.length, message: `"${wrong}" before "${word}"`, suggestion };
  }
}

const cover = (text) => text.replace(/[^\r\n]/g, COVER);

// What is no prose inside a paragraph, in the order in which it is covered. The bounds and the lookbehinds keep each
// pattern from trying the rest of a long text again from every place in it.
const NO_PROSE = [
  /(?<!`)(`+)(?!`)[^]{0,2000}?[^`]\1(?!`)/g, // code spans, which may go over a line's end
  /<!--[^]{0,5000}?-->/g,
  /<[A-Za-z/!?][^<>]*>/g, // tags and <https://…>
  /\]\([^()\s]*(?:\s+"[^"]*")?\)/g, // where a link leads
  /^[ >]*\[[^\]\n]+\]:.*$/gm, // the same, set apart
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/\S+/gi,
  /\bwww\.\S+/gi,
  /(?<!\S)[^\s@]+@\S+/g,
];

const coverAll = (text) => NO_PROSE.reduce((covered, pattern) => covered.replace(pattern, cover), text);

/** Blanks at a line's end. In Markdown exactly two behind a text are a hard break, which is meant. */
function* findTrailingBlanks(text, markdown) {
  for (const match of text.matchAll(/(?<![ \t])([ \t]+)(?=\r?$)/gm)) {
    const blank = match.index === 0 || text[match.index - 1] === '\n';
    if (markdown && match[1] === '  ' && !blank) continue;
    yield { at: match.index, size: match[1].length, message: "blanks at the line's end", suggestion: '' };
  }
}

/**
 * Cuts a text into paragraphs, each with its first line's number, and leaves out code: fenced, indented, and the front
 * matter. A heading or a table's row is a paragraph of its own, so that no rule looks across its end.
 */
function* splitParagraphs(text, markdown) {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let paragraph = { line: 1, text: '' };
  let size = 0;
  let fence = null;
  let indented = true; // may an indented line begin code here? Only behind a blank line
  const frontMatterEnd = markdown && /^---\r?\n$/.test(lines[0] ?? '') ? lines.findIndex(isFrontMatterEnd) : -1;
  for (const [index, line] of lines.entries()) {
    const bare = line.trim();
    const opening = markdown ? /^[ \t>]*(?:[*+-]|\d+[.)])?[ \t]*(`{3,}|~{3,})/.exec(line) : null;
    let isCode = index <= frontMatterEnd || fence !== null;
    if (fence !== null && isFenceEnd(bare, fence)) fence = null;
    else if (fence === null && index > frontMatterEnd && opening) fence = opening[1];
    isCode ||= fence !== null || (markdown && indented && /^(?: {4}|\t)/.test(line) && bare !== '');
    const isAlone = markdown && /^\s*(?:#{1,6}\s|\|)/.test(line);
    const isStart = isCode || isAlone || size >= 200;
    if (isStart && size > 0) yield paragraph;
    if (isStart || size === 0) [paragraph, size] = [{ line: index + 1, text: '' }, 0];
    if (!isCode) [paragraph.text, size] = [paragraph.text + line, size + 1];
    if (size > 0 && (isAlone || bare === '')) {
      yield paragraph;
      size = 0;
    }
    indented = bare === '' || isAlone || (isCode && fence === null);
  }
  if (size > 0) yield paragraph;
}

const isFrontMatterEnd = (line, index) => index > 0 && /^---\s*$/.test(line);
const isFenceEnd = (bare, fence) => /^(`+|~+)$/.test(bare.replace(/^[> ]+/, '')) && bare.endsWith(fence);

/** The slips of one paragraph, from the first to the last, with lines and columns that count from 1. */
function checkParagraph(paragraph, markdown) {
  const { text } = paragraph;
  const prose = coverAll(text);
  const slips = [...findSpellings(prose), ...findDoubles(prose), ...findArticles(prose),
    ...findTrailingBlanks(text, markdown)].sort((a, b) => a.at - b.at);
  let { line } = paragraph;
  let column = 1;
  let at = 0;
  // One walk for all of them. `for … of` goes by code points, which is what columns and lengths count.
  return slips.map((slip) => {
    for (const character of text.slice(at, slip.at)) {
      column += 1;
      if (character === '\n') [line, column] = [line + 1, 1];
    }
    at = slip.at;
    const length = [...text.slice(at, at + slip.size)].length;
    return { line, column, length, message: slip.message, suggestion: slip.suggestion };
  });
}

module.exports = { checkParagraph, splitParagraphs };
