import type { Account, Json, Repository } from './model';
import { commitsOf, type RefChange } from './ref-changes';
import type { Renderer } from './render';

/** So many commits of a change are in the payload; `truncated` tells that there are more. */
const COMMITS_SHOWN = 5;

/** The body of a `repo:push` delivery: one for a whole `git push`, with a change for each ref. */
export function pushPayload(
  render: Renderer,
  repository: Repository,
  actor: Account,
  changes: RefChange[],
): Json {
  return {
    push: { changes: changes.map((change) => changeOf(render, repository, change)) },
    repository: deliveredRepository(render, repository),
    actor: render.account(actor),
  };
}

/** The repository as deliveries show it. */
export function deliveredRepository(render: Renderer, repository: Repository): Json {
  const whole = render.repository(repository);
  const shown = ['scm', 'website', 'owner', 'workspace', 'is_private', 'project', 'parent'];
  return {
    ...render.repositoryBrief(repository),
    ...Object.fromEntries(shown.map((name) => [name, whole[name]])),
  };
}

function changeOf(render: Renderer, repository: Repository, change: RefChange): Json {
  const [before, after] = [
    ref(render, repository, change, 'before'),
    ref(render, repository, change, 'after'),
  ];
  const common = {
    old: before,
    new: after,
    created: before === null,
    closed: after === null,
    forced: change.type === 'branch' && change.forced,
  };
  // What is deleted has neither commits nor links.
  if (after === null) return { ...common, truncated: false };
  if (change.type === 'tag')
    return {
      ...common,
      truncated: false,
      links: {
        commits: render.apiOf(repository, `/commits?include=${change.after?.target ?? ''}`),
      },
    };
  const commits = commitsOf(repository, change);
  return {
    ...common,
    truncated: commits.length > COMMITS_SHOWN,
    links: {
      commits: render.apiOf(
        repository,
        `/commits?include=${change.after ?? ''}${change.before ? `&exclude=${change.before}` : ''}`,
      ),
      html: render.htmlOf(repository, `/branch/${change.name}`),
      ...(change.before && !change.forced
        ? { diff: render.apiOf(repository, `/diff/${change.after ?? ''}..${change.before}`) }
        : {}),
    },
    commits: commits.slice(0, COMMITS_SHOWN).map((commit) => render.commit(repository, commit)),
  };
}

function ref(
  render: Renderer,
  repository: Repository,
  change: RefChange,
  side: 'before' | 'after',
): Json | null {
  if (change.type === 'branch') {
    const hash = change[side];
    return hash === null ? null : withoutRepository(render.branch(repository, change.name, hash));
  }
  const tag = change[side];
  return tag === null ? null : withoutRepository(render.tag(repository, tag));
}

/** The target of a ref names its repository in the API, not in deliveries. */
function withoutRepository(rendered: Json): Json {
  const target = { ...(rendered['target'] as Json) };
  delete target['repository'];
  return { ...rendered, target };
}
