import { act } from './acts.js';
import { chip, clock, el, keyed, kindOf, row, setText } from './dom.js';

const find = (id) => document.querySelector(`#${id}`);

function projectNode({ key }) {
  const node = el('article', { class: 'project', 'aria-label': `Project ${key}` });
  node.state = el('span');
  node.list = el('div');
  node.append(el('h4', {}, key, ' ', node.state), node.list);
  return node;
}

function workflowNode() {
  const node = el('div', { class: 'workflow' });
  node.heading = el('p');
  node.runs = el('ul', { class: 'list', 'data-empty': 'No run.' });
  node.append(node.heading, node.runs);
  return node;
}

function runRow({ cells }, { number, status, ref, hash, askedAt, problem }) {
  chip(cells.state, status, kindOf(status));
  setText(cells.text, `#${number} of ${ref}`);
  setText(cells.dim, `${hash.slice(0, 8)} · ${clock(askedAt)}${problem ? ` · ${problem}` : ''}`);
}

function stateOf({ linkedTo, revoked }) {
  if (revoked) return ['grant revoked: link again', 'bad'];
  return linkedTo ? [`linked to ${linkedTo}`, 'good'] : ['not linked', 'plain'];
}

/** One pending cleanup with its countdown and the way to bring it forward. */
export function cleanupNode({ uuid, branch }) {
  const node = row('li', 'state', 'text', 'dim');
  const body = () => ({ uuid });
  node.append(
    act({
      action: 'cds/bringForward',
      label: 'Let the time pass',
      name: `Let the time of ${branch} pass`,
      body,
    }),
  );
  return node;
}

export function cleanupRow(node, { branch, project, workflow, due, stopped, failed, problem }) {
  const { cells } = node;
  setText(cells.text, branch);
  setText(cells.dim, `${project}/${workflow}${problem ? ` · ${problem}` : ''}`);
  if (stopped || failed) {
    delete cells.state.dataset.due;
    chip(cells.state, failed ? 'failed' : 'stopped', failed ? 'bad' : 'plain');
  } else {
    cells.state.dataset.due = due;
    chip(cells.state, countdown(due), 'busy countdown');
  }
}

export function countdown(due) {
  const seconds = Math.ceil((Date.parse(due) - Date.now()) / 1_000);
  if (seconds <= 0) return 'due now';
  const minutes = Math.floor(seconds / 60);
  return minutes > 0
    ? `in ${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
    : `in ${seconds} s`;
}

/** Lets all countdowns on the page go on. */
export function tick() {
  for (const node of document.querySelectorAll('[data-due]'))
    setText(node, countdown(node.dataset.due));
}

export function showCds({ cds }) {
  find('api-away').hidden = !cds.away;
  setText(find('cds-version'), cds.version);
  for (const [name, value] of [
    ['connects-by', cds.connectsBy],
    ['removed-by', cds.branchRemoval],
  ])
    for (const node of document.querySelectorAll(`[data-${name}]`))
      node.hidden = node.getAttribute(`data-${name}`) !== value;
  for (const node of document.querySelectorAll('[data-has-sessions]'))
    node.hidden = !cds.hasSessions;
  keyed(
    find('projects'),
    cds.projects,
    ({ key }) => key,
    projectNode,
    (node, project) => {
      chip(node.state, ...stateOf(project));
      keyed(
        node.list,
        project.workflows,
        ({ name }) => name,
        workflowNode,
        ({ heading, runs }, workflow) => {
          const more =
            workflow.runCount > workflow.runs.length
              ? `, the last ${workflow.runs.length} shown`
              : '';
          setText(
            heading,
            `${workflow.name} · ${workflow.repo || 'plain webhook'} · runs: ${workflow.runCount}${more}`,
          );
          keyed(
            runs,
            workflow.runs,
            ({ number, askedAt }) => `${number} ${askedAt}`,
            () => row('li', 'state', 'text', 'dim'),
            runRow,
          );
        },
      );
    },
  );
  keyed(find('cleanups'), cds.cleanups, ({ uuid }) => uuid, cleanupNode, cleanupRow);
  keyed(
    find('removals'),
    cds.removals,
    ({ at, branch }) => `${at} ${branch}`,
    () => row('li', 'state', 'text', 'dim'),
    ({ cells }, one) => {
      chip(cells.state, `${one.runs} removed`, one.runs > 0 ? 'good' : 'plain');
      setText(cells.text, one.branch);
      setText(cells.dim, `${one.project}/${one.workflow} · ${clock(one.at)}`);
    },
  );
}
