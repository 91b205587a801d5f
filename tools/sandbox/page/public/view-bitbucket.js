import { act } from './acts.js';
import { chip, clock, el, keyed, kindOf, row, setText } from './dom.js';

const find = (id) => document.querySelector(`#${id}`);

/** The repositories as choices; what a person chose stays chosen. */
function options(select, repositories, first) {
  keyed(
    select,
    repositories,
    ({ repo }) => repo,
    ({ repo }) => {
      const option = el('option', { value: repo }, repo);
      option.selected = repo === first;
      return option;
    },
    () => undefined,
  );
}

function commitRow(node, { hash, message, refs, statuses }) {
  setText(node.cells.hash, hash.slice(0, 8));
  setText(node.cells.text, message);
  setText(node.cells.dim, refs.join(', '));
  keyed(
    node.cells.chips,
    statuses,
    ({ key }) => key,
    () => el('span'),
    (badge, { name, state }) => {
      chip(badge, state, kindOf(state));
      badge.title = name;
    },
  );
}

function deliveryNode({ requestUuid, event }) {
  const node = row('li', 'state', 'text', 'dim');
  const body = () => ({ requestUuid });
  const resend = act({
    action: 'bitbucket/resend',
    label: 'Resend',
    name: `Resend ${event} ${requestUuid.slice(0, 8)}`,
    body,
  });
  resend.classList.add('small');
  node.append(resend);
  return node;
}

/** Shows the chosen repository. @returns whether the choices changed */
export function showBitbucket({ bitbucket, guide }) {
  const { repositories, requestsPerHour, forgeries } = bitbucket;
  options(find('bb-repo'), repositories, guide.repo);
  options(find('cds-repo'), repositories, guide.repo);
  find('rate-limit').hidden = requestsPerHour > 0;
  const chosen = repositories.find(({ repo }) => repo === find('bb-repo').value) ?? repositories[0];
  if (!chosen) return;

  keyed(
    find('bb-branches'),
    chosen.branches,
    ({ name }) => name,
    ({ name }) => el('option', { value: name }),
    () => undefined,
  );
  const refs = [
    ...chosen.branches.map((ref) => ({
      ...ref,
      kind: ref.name === chosen.mainBranch ? 'main branch' : 'branch',
    })),
    ...chosen.tags.map((ref) => ({ ...ref, kind: 'tag' })),
  ];
  keyed(
    find('refs'),
    refs,
    ({ kind, name }) => `${kind} ${name}`,
    () => row('li', 'hash', 'text', 'dim'),
    ({ cells }, { name, hash, kind }) => {
      setText(cells.hash, hash.slice(0, 8));
      setText(cells.text, name);
      setText(cells.dim, kind);
    },
  );
  keyed(
    find('commits'),
    chosen.commits,
    ({ hash }) => hash,
    () => row('li', 'hash', 'text', 'chips', 'dim'),
    commitRow,
  );
  keyed(
    find('pull-requests'),
    chosen.pullRequests,
    ({ id }) => id,
    () => row('li', 'state', 'text', 'dim'),
    ({ cells }, one) => {
      chip(cells.state, one.state, kindOf(one.state));
      setText(cells.text, `#${one.id} ${one.title}`);
      setText(
        cells.dim,
        `${one.source} → ${one.destination}${one.comments ? `, comments: ${one.comments}` : ''}`,
      );
    },
  );
  keyed(
    find('webhooks'),
    chosen.webhooks,
    ({ uuid }) => uuid,
    () => row('li', 'state', 'text', 'dim'),
    ({ cells }, one) => {
      const state = one.signed ? 'signed' : 'unsigned';
      chip(cells.state, one.active ? state : 'inactive', kindOf(state));
      setText(cells.text, new URL(one.url).pathname);
      setText(cells.dim, one.events.join(', '));
    },
  );
  const deliveries = chosen.deliveries.map((one, index, all) => ({
    ...one,
    key: `${one.requestUuid} ${all.slice(index).filter(({ requestUuid }) => requestUuid === one.requestUuid).length}`,
  }));
  keyed(
    find('deliveries'),
    deliveries,
    ({ key }) => key,
    deliveryNode,
    ({ cells }, one) => {
      chip(
        cells.state,
        one.outcome === '' ? 'on its way' : String(one.outcome),
        kindOf(one.outcome),
      );
      setText(
        cells.text,
        `${one.event}${one.resent ? ', sent again' : ''}${one.attempts > 1 ? `, ${one.attempts} attempts` : ''}`,
      );
      setText(
        cells.dim,
        `${clock(one.at)} · ${one.ms} ms${one.outcome === 200 ? '' : ` · ${one.answer}`}`,
      );
    },
  );
  keyed(
    find('forgeries'),
    forgeries,
    ({ at }) => at,
    () => row('li', 'state', 'text', 'dim'),
    ({ cells }, one) => {
      // A refusal is what is wanted here.
      chip(cells.state, String(one.status || 'no answer'), one.status === 401 ? 'good' : 'bad');
      setText(cells.text, one.signature === 'none' ? 'unsigned' : 'wrongly signed');
      setText(
        cells.dim,
        `${clock(one.at)} · ${one.repository}${one.status === 401 ? ' · refused' : ''}`,
      );
    },
  );
}
