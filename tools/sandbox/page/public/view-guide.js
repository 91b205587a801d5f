import { act } from './acts.js';
import { el, keyed, setClass, setText, chip } from './dom.js';
import { cleanupNode, cleanupRow } from './view-cds.js';

const find = (id) => document.querySelector(`#${id}`);
const list = el('ul', { class: 'list' });
const nothing = el('p');
const rule = act({
  action: 'cds/applyRetentionRule',
  label: 'Let the API apply its rule',
  body: () => ({}),
});

for (const step of document.querySelectorAll('[data-step]')) {
  const mark = el('span', { class: 'visually-hidden' });
  step.querySelector('h3').append(mark);
  step.mark = mark;
}
find('guide-cleanup').replaceChildren(nothing, list);
setText(find('guide-state'), `curl ${location.origin}/state`);

function runSentence({ cds, bitbucket, guide }) {
  const workflow = cds.projects.find(({ key }) => key === guide.project)?.workflows[0];
  const run = workflow?.runs[0];
  const commits = bitbucket.repositories.find(({ repo }) => repo === guide.repo)?.commits ?? [];
  if (run) {
    const status = commits.find(({ hash }) => hash === run.hash)?.statuses.at(-1);
    return `Run #${run.number} of ${run.ref}: ${run.status}. On the commit: ${status?.state ?? 'no status yet'}.`;
  }
  const last = commits.find(({ statuses }) => statuses.length > 0)?.statuses.at(-1);
  return last
    ? `The runs are removed; the commit still says ${last.state}.`
    : 'No run yet: push first.';
}

function cleanupSentence({ cds, guide }, pending) {
  if (pending.length > 0) return 'hooks will have these runs removed:';
  const done = cds.removals.find(({ project }) => project === guide.project);
  if (done) return `${done.branch}: runs removed: ${done.runs}.`;
  return cds.branchRemoval === 'rule'
    ? 'It does so each quarter of an hour, or now:'
    : 'No cleanup is pending.';
}

/** Ticks what is done, points at what is next, and shows what there is to see. */
export function showGuide(state) {
  const { guide, cds, bitbucket } = state;
  let isNext = true;
  for (const step of document.querySelectorAll('[data-step]')) {
    const isDone = guide.done[step.dataset.step];
    setClass(step, isDone ? 'done' : isNext ? 'next' : '');
    setText(step.mark, isDone ? ' (done)' : isNext ? ' (next)' : '');
    if (!isDone) isNext = false;
  }
  setText(find('guide-run'), runSentence(state));
  if (cds.branchRemoval === 'rule') {
    if (!rule.isConnected) find('guide-cleanup').append(rule);
  } else rule.remove();
  const pending = cds.cleanups.filter(({ project }) => project === guide.project);
  setText(nothing, cleanupSentence(state, pending));
  keyed(list, pending, ({ uuid }) => uuid, cleanupNode, cleanupRow);
  const forgery = bitbucket.forgeries[0];
  setText(
    find('guide-forged'),
    forgery
      ? `hooks answered ${forgery.status || 'nothing'}${forgery.status === 401 ? ': refused, and no run' : ''}.`
      : 'Nothing was forged yet.',
  );
}

/** What is up and what is not. */
export function showLights({ services, cds }, isLive) {
  const items = [
    { name: 'this page', up: isLive, up_word: 'live', down_word: 'not connected' },
    { name: 'CDS API', up: !cds.away },
    ...services.map(({ type, name, up }) => ({ name: type, up, title: name })),
  ];
  keyed(
    find('lights'),
    items,
    ({ name, title }) => title ?? name,
    () => {
      const node = el('li');
      node.state = el('span');
      node.append(el('span'), ' ', node.state);
      return node;
    },
    (node, { name, up, up_word: good = 'up', down_word: bad = 'away' }) => {
      setText(node.firstElementChild, name);
      chip(node.state, up ? good : bad, up ? 'good' : 'bad');
    },
  );
}
