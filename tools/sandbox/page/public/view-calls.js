import { clock, chip, el, kindOf, setText } from './dom.js';

const feed = document.querySelector('#feed');
const KEPT = 400;
/** What began in the same millisecond is shown in the order of cause and effect. */
const RANKS = {
  'Bitbucket hooks': 1,
  'somebody hooks': 1,
  'browser Bitbucket': 1,
  'browser CDS API': 2,
  'hooks CDS API': 3,
  'CDS API hooks': 4,
  'CDS API vcs': 5,
  'vcs Bitbucket': 6,
};
let epoch = '';
let shown = [];
let clearedUpTo = 0;

const rankOf = ({ from, to }) => RANKS[`${from} ${to}`] ?? 0;
const isBefore = (a, b) =>
  a.at < b.at ||
  (a.at === b.at && (rankOf(a) < rankOf(b) || (rankOf(a) === rankOf(b) && a.id < b.id)));

function nodeOf({ kind, at, from, to, what, status, ms, remark, noise }) {
  if (kind !== 'call')
    return el('li', { class: kind }, el('time', { datetime: at }, clock(at)), el('b', {}, what));
  const state = el('span');
  chip(state, String(status), from === 'somebody' && status === 401 ? 'good' : kindOf(status));
  const node = el(
    'li',
    { class: `call${noise ? ' noise' : ''}` },
    el('time', { datetime: at }, clock(at, true)),
    el(
      'span',
      { class: 'way' },
      el('i', { 'data-party': from }, from),
      ' → ',
      el('i', { 'data-party': to }, to),
    ),
    el('code', {}, what),
    state,
    el('span', { class: 'ms' }, `${ms} ms`),
  );
  if (remark) node.append(el('span', { class: 'remark' }, remark));
  return node;
}

/** What vcs asks of Bitbucket while CDS waits for vcs belongs to that call. */
function indent() {
  let parent;
  for (const { row, node } of shown) {
    if (row.to === 'vcs') parent = row;
    if (row.from !== 'vcs' || node.dataset.child) continue;
    const end = parent ? Date.parse(parent.at) + parent.ms + 2 : 0;
    if (Date.parse(row.at) <= end) node.dataset.child = 'yes';
  }
}

function insert(row) {
  if (row.id <= clearedUpTo || shown.some((one) => one.row.id === row.id)) return;
  const node = nodeOf(row);
  let index = shown.length;
  while (index > 0 && isBefore(row, shown[index - 1].row)) index -= 1;
  feed.insertBefore(node, shown[index]?.node ?? null);
  shown.splice(index, 0, { row, node });
}

export function showCalls({ epoch: current, rows }) {
  const isAtEnd = feed.scrollHeight - feed.scrollTop - feed.clientHeight < 40;
  if (current !== epoch) {
    epoch = current;
    clearedUpTo = 0;
    shown = [];
    feed.replaceChildren();
  }
  rows.forEach(insert);
  for (const { node } of shown.splice(0, Math.max(0, shown.length - KEPT))) node.remove();
  indent();
  if (isAtEnd) feed.scrollTop = feed.scrollHeight;
}

document
  .querySelector('#show-noise')
  .addEventListener('change', ({ target }) => feed.classList.toggle('quiet', !target.checked));
document.querySelector('#clear-calls').addEventListener('click', () => {
  clearedUpTo = Math.max(clearedUpTo, ...shown.map(({ row }) => row.id));
  shown = [];
  feed.replaceChildren();
  setText(document.querySelector('#result'), 'The list is empty; what comes next is shown.');
});
