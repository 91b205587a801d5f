import type { AllAnswer } from '../admin-service';
import type { PageDeps, Query } from './page-deps';
import { executionPath, hookPath, pathOf } from './paths';

/** What a form sends with an action; empty where it is about all. */
interface Target {
  uuid: string;
  timestamp: string;
}

/** What the next page says of it: whole numbers alone, since anybody may write a link. */
type Done = Readonly<Record<string, number>>;

export interface Action {
  /** As it is on its button. */
  label: string;
  /** Asked before it is done; nothing is asked where there is none. */
  confirm?: {
    title: string;
    text: string | ((deps: PageDeps, target: Target) => Promise<string>);
    isBad?: true;
  };
  run(deps: PageDeps, target: Target): Promise<Done | undefined>;
  /** What was done, in a sentence. */
  said(done: Query): string;
  /** The page that shows the result, or what it was about. */
  place(target: Target): string;
}

const ofExecution = (target: Target) => executionPath(target);
const ofHook = ({ uuid }: Target) => hookPath(uuid);
const ofLetters = ({ uuid }: Target) => pathOf('/dead-letters', { uuid });

/** For an action of which there is nothing to count. */
const nothing = (work: Promise<unknown>): Promise<undefined> => work.then(() => undefined);

const moved = ({ executions, cleanups, more }: AllAnswer): Done => ({
  ...{ executions, cleanups },
  more: more ? 1 : 0,
});

function movedSentence(done: Query, what: string): string {
  const count = (name: string) => done.count(name, 0, 999_999_999);
  const more = count('more') > 0 ? ' There was no time for all: do it again.' : '';
  return `${what}: ${count('executions')} executions and ${count('cleanups')} cleanups.${more}`;
}

async function lettersText(deps: PageDeps, { uuid }: Target): Promise<string> {
  const count = await deps.admin.count(uuid || undefined);
  const whose = uuid === '' ? ', those of all hooks' : ` of ${uuid}`;
  return `It is about ${count} dead letters${whose}.`;
}

const table = {
  retry: {
    label: 'Retry',
    run: (deps, target) => nothing(deps.admin.retry(target)),
    said: () => 'The dead letter was sent again. It comes after what waits.',
    place: ofExecution,
  },
  drop: {
    label: 'Drop',
    confirm: {
      title: 'Drop this dead letter?',
      text: 'It is removed for good: its runs are not started.',
      isBad: true,
    },
    run: (deps, target) => nothing(deps.admin.drop(target)),
    said: () => 'The dead letter was dropped.',
    place: () => pathOf('/dead-letters'),
  },
  'retry-all': {
    label: 'Retry all',
    confirm: { title: 'Retry all dead letters?', text: lettersText },
    run: async (deps, { uuid }) => moved(await deps.admin.retryAll(uuid || undefined)),
    said: (done) => movedSentence(done, 'Sent again'),
    place: ofLetters,
  },
  'drop-all': {
    label: 'Drop all',
    confirm: {
      title: 'Drop all dead letters?',
      text: async (deps, target) =>
        `${await lettersText(deps, target)} They are removed for good: their runs are not started.`,
      isBad: true,
    },
    run: async (deps, { uuid }) => moved(await deps.admin.dropAll(uuid || undefined)),
    said: (done) => movedSentence(done, 'Dropped'),
    place: ofLetters,
  },
  replay: {
    label: 'Replay',
    confirm: {
      title: 'Replay this execution?',
      text: 'It is sent again as a new one, and all its runs are started anew.',
    },
    run: (deps, target) => nothing(deps.admin.replay(target)),
    said: () => 'A new execution waits: it is the newest one below.',
    place: ofHook,
  },
  end: {
    label: 'End it',
    confirm: {
      title: 'End this execution?',
      text: 'It waits no longer: the runs that it did not start yet are not started.',
      isBad: true,
    },
    run: (deps, target) => nothing(deps.tasks.stopExecution(target)),
    said: () => 'The execution was ended.',
    place: ofExecution,
  },
  stop: {
    label: 'Stop',
    confirm: {
      title: 'Stop this task?',
      text: 'Nothing of it is processed until it is started: deliveries are accepted and wait.',
    },
    run: (deps, { uuid }) => nothing(deps.tasks.setStopped(uuid, true)),
    said: () => 'It is stopped.',
    place: ofHook,
  },
  start: {
    label: 'Start',
    run: (deps, { uuid }) => nothing(deps.tasks.setStopped(uuid, false)),
    said: () => 'It is started.',
    place: ofHook,
  },
  'do-now': {
    label: 'Do it now',
    confirm: {
      title: 'Remove the runs of this branch now?',
      text: 'The CDS API is asked to remove them. They cannot be brought back.',
      isBad: true,
    },
    run: (deps, { uuid }) => nothing(deps.admin.makeDue(uuid)),
    said: () => 'The cleanup is due now.',
    place: () => pathOf('/cleanups'),
  },
  'reset-signature': {
    label: 'Accept unsigned deliveries again',
    confirm: {
      title: 'Accept unsigned deliveries of this hook again?',
      text: 'Until its next signed delivery anybody who knows its URL can start runs.',
      isBad: true,
    },
    run: (deps, { uuid }) => nothing(deps.admin.resetSignature(uuid)),
    said: () => 'Unsigned deliveries are accepted until the next signed one.',
    place: ofHook,
  },
  pause: {
    label: 'Pause the processing',
    confirm: {
      title: 'Pause the processing of all hooks?',
      text: 'On all replicas, until it is resumed. Deliveries are accepted and wait.',
    },
    run: (deps) => nothing(deps.admin.setMaintenance(true)),
    said: () => 'The processing is paused.',
    place: () => pathOf(''),
  },
  resume: {
    label: 'Resume the processing',
    confirm: {
      title: 'Resume the processing of all hooks?',
      text: 'What waits is processed in order.',
    },
    run: (deps) => nothing(deps.admin.setMaintenance(false)),
    said: () => 'The processing goes on.',
    place: () => pathOf(''),
  },
} satisfies Record<string, Action>;

export type ActionName = keyof typeof table;

/** What an operator can do here. Each calls what the routes of `/admin` and `/task` call. */
export const ACTIONS: Readonly<Record<ActionName, Action>> = table;

export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name);
}
