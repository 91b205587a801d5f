import { cutJsonProperty } from './cut-json-property';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import {
  type Account,
  type CommitAuthor,
  type PushDelivery,
  type Ref,
  readPushDelivery,
} from './push-delivery';
import {
  branchRef,
  comparedHash,
  tagRef,
  type DeliveryPlan,
  type DeliveryStep,
  type JudgedChanges,
  type RefChange,
} from '@cds/hooks-store';

/**
 * Plans a `repo:push` delivery of Bitbucket Cloud, one step per change in its order: a run for each
 * pushed branch or tag (created, updated, forced), a cleanup for each deleted branch. Deleted tags,
 * other refs and changes without a ref are ignored.
 *
 * The run's payload holds `git.hash`, `git.hash.before` ("" when created), `git.hash.short`,
 * `git.message` (absent when there is none), `git.author`, `git.branch` or `git.tag`,
 * `git.repository`, `cds.triggered_by.username` and `.fullname`, and `payload`: the text of the
 * `push` object as received, or with `event` that of the whole delivery.
 *
 * @param judged what was known of the changes when the delivery was accepted
 * @param event its name, `git.hook` of the payload from CDS 0.42 on; none before
 * @throws MalformedExecutionError naming the path that is wrong
 */
export function planPush(
  body: Buffer | string,
  judged: JudgedChanges = {},
  event?: string,
): DeliveryPlan {
  const json = body.toString();
  // First, since it checks the text for the rest.
  const delivery = readPushDelivery(json);
  const common: Record<string, string> =
    event === undefined
      ? { payload: cutJsonProperty(json, 'push') ?? '' }
      : { payload: json, 'git.hook': event };
  return planDelivery(delivery, common, judged);
}

/**
 * Throws what {@link planPush} would.
 *
 * @returns the changes of refs, and what is wrong with the changes that are left out
 */
export function checkPush(delivery: PushDelivery): { changes: RefChange[]; unreadable: string[] } {
  planDelivery(delivery, {}, {});
  return { changes: refChangesOf(delivery), unreadable: delivery.unreadable };
}

/** Git allows less. Longer refs are not stored, so that they cannot fill Redis. */
const MAX_REF_LENGTH = 1_000;
const DOUBLE = 'another delivery held this change before';
/** In doubt the runs stay: they can be removed later, but not brought back. */
const LATE_DELETION =
  'the branch was pushed to after this deletion, ' +
  'which names another commit than the last known push; ' +
  'if a push was never delivered and the branch is gone, delete its runs in CDS';

function planDelivery(
  delivery: PushDelivery,
  common: Record<string, string>,
  { double_changes = [], late_changes = [] }: JudgedChanges,
): DeliveryPlan {
  const steps: DeliveryStep[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  for (const { index, ...change } of delivery.changes) {
    const name = change.new?.name ?? change.old?.name ?? '';
    if (double_changes.includes(index)) {
      leftOut.push({ name, reason: DOUBLE });
      continue;
    }
    const isLate = late_changes.includes(index);
    if (isLate && !change.new && change.old?.type === 'branch') {
      leftOut.push({ name, reason: LATE_DELETION });
      continue;
    }
    if (change.new) {
      const { type } = change.new;
      if (type !== 'branch' && type !== 'tag') continue;
      const commit = runPayload(delivery, change.new, change.old ?? undefined);
      const payload = { ...commit, ...common };
      steps.push(
        type === 'branch'
          ? { type: 'run', payload, branch: name, ...(isLate ? { isLate } : {}) }
          : { type: 'run', payload },
      );
    } else if (change.old?.type === 'branch') {
      steps.push({ type: 'delete-branch', branch: name });
    }
  }

  return {
    repository: steps.length > 0 ? repositoryOf(delivery) : (delivery.repository?.full_name ?? ''),
    steps,
    ...(leftOut.length > 0 ? { leftOut } : {}),
  };
}

function refChangesOf(delivery: PushDelivery): RefChange[] {
  return delivery.changes.flatMap(({ index, ...change }) => {
    const { type, name } = change.new ?? change.old ?? {};
    const ref = type === 'branch' ? branchRef(name) : type === 'tag' ? tagRef(name) : undefined;
    if (ref === undefined || ref.length > MAX_REF_LENGTH) return [];
    return [{ index, ref, before: hashOf(change.old), after: hashOf(change.new) }];
  });
}

function hashOf(ref: Ref | null | undefined): string {
  if (!ref) return '';
  const hash = ref.target?.hash ?? '';
  return /^[0-9a-f]+$/i.test(hash) ? comparedHash(hash) : '?';
}

function runPayload(
  delivery: PushDelivery,
  pushed: Ref,
  before: Ref | undefined,
): Record<string, string> {
  const hash = pushed.target?.hash ?? '';
  const message = pushed.target?.message;
  return {
    'cds.triggered_by.fullname': fullName(delivery.actor),
    'cds.triggered_by.username': userName(delivery.actor),
    'git.author': fullName(delivery.actor) || authorName(pushed.target?.author),
    [pushed.type === 'branch' ? 'git.branch' : 'git.tag']: pushed.name,
    'git.hash': hash,
    'git.hash.before': before?.target?.hash ?? '',
    'git.hash.short': hash.slice(0, 7),
    ...(message ? { 'git.message': message } : {}),
    'git.repository': repositoryOf(delivery),
  };
}

function repositoryOf(delivery: PushDelivery): string {
  const name = delivery.repository?.full_name;
  if (name) return name;
  throw new MalformedExecutionError(
    'the body is no push of Bitbucket Cloud: ' +
      'repository.full_name: the name of the repository is missing',
  );
}

function fullName(account: Account | undefined): string {
  return account?.display_name || account?.nickname || account?.username || '';
}

/**
 * A name of one word where there is one. Users have had no `username` since 2019, only a
 * `nickname`; teams have one; the `app_user` of a consumer's own token has neither.
 */
function userName(account: Account | undefined): string {
  return account?.username || account?.nickname || account?.display_name || '';
}

/** The author's account, or the name before the e-mail address (`Name <mail>`) without one. */
function authorName(author: CommitAuthor | undefined): string {
  const raw = author?.raw ?? '';
  return fullName(author?.user) || (raw.split('<', 1)[0] ?? '').trim() || raw;
}
