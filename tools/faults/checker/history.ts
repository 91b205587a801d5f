/** What one change of a push calls for. */
export type Change =
  | {
      kind: 'push';
      branch: string;
      /** Of its commit; names the run. */
      hash: string;
      /** Of the commit that the branch led to before; none where it did not exist. */
      before?: string | undefined;
    }
  | {
      kind: 'deletion';
      branch: string;
      /** Of the commit that the branch led to; made up where nobody pushed to it. */
      hash?: string | undefined;
    };

/** One HTTP request to a webhook, and what came back. All times are real ones, in ms since 1970. */
export interface SentDelivery {
  /** uuid of the hook. */
  hook: string;
  /** Requests of one hook that share it are one delivery, sent again. */
  requestUuid: string;
  /** False for what somebody else made up. */
  authentic: boolean;
  changes: Change[];
  sentAt: number;
  answeredAt: number;
  /**
   * As its sender saw it, see {@link awakeTime}: what its process missed, or spent, does not count.
   */
  tookMs: number;
  /** Undefined when no answer came. */
  status?: number | undefined;
  /** Why no answer came. */
  failure?: 'timeout' | 'connection' | undefined;
  retryAfter?: string | undefined;
  /** Of the execution, as answered; executions of a hook are ordered by it. */
  timestamp?: number | undefined;
  /** Of the replica that was asked. */
  replica: string;
}

/**
 * One message of a queue. Its publisher sends it until the broker confirms it, always under the
 * same id, and only then the next one: their order is that of the history.
 */
export interface SentMessage {
  hook: string;
  messageId: string;
  /** Names its run. */
  hash: string;
  /** Of the first time. */
  sentAt: number;
  /** When the broker had it; undefined when nobody was told. */
  confirmedAt?: number | undefined;
}

/**
 * What somebody changed in a repository that is polled for a hook. A poll has to find it, whether a
 * delivery tells of it, too, or none does.
 */
export interface PushedChange {
  hook: string;
  change: Change;
  at: number;
}

/** A call that the API was asked for. */
export interface Asked {
  hook: string;
  /** The service that asked. */
  by: string;
  at: number;
  /** When the API did it; undefined when the API never did. */
  servedAt?: number | undefined;
  /** Whether the API's answer was handed to the service's connection. */
  answered: boolean;
}

export interface AskedRun extends Asked {
  hash: string;
}

export interface AskedRemoval extends Asked {
  branch: string;
}

/** A replica's wall clock was set: from `at` on it is ahead by `shiftMs`. */
export interface ClockShift {
  replica: string;
  at: number;
  shiftMs: number;
}

/** All that is known of a fault's run, and all that the checker looks at. */
export interface History {
  deliveries: SentDelivery[];
  messages: SentMessage[];
  pushed: PushedChange[];
  runs: AskedRun[];
  removals: AskedRemoval[];
  /** When a service that was killed was gone: what it was told just before may be forgotten. */
  kills: number[];
  clocks: ClockShift[];
  /** When the API went away. Calls that were cut just then are not written down. */
  apiAway?: number[];
  /** When Redis was emptied: what was accepted before, and waited, is lost with it. */
  emptied?: number[];
  /** Further hooks of a workflow → the one whose name its removals have. */
  sameWorkflow?: Record<string, string>;
  /** From the acceptance of a branch's deletion to the removal of its runs. */
  cleanupDelayMs: number;
  faultBeganAt: number;
  faultEndedAt: number;
  /** When nothing was watched any more. */
  endedAt: number;
}

/** What a process sent before it was gone may be read a moment later. */
export const ARRIVES_LATE_MS = 250;

export type ViolationKind =
  | 'lost'
  | 'doubled'
  | 'reordered'
  | 'unasked'
  | 'early'
  | 'late'
  | 'hit'
  | 'intake'
  | 'recovery'
  | 'memory'
  | 'books'
  | 'fault';

/** A broken promise, as a sentence. */
export interface Violation {
  kind: ViolationKind;
  sentence: string;
}

/**
 * One delivery: all requests that carried it; or a message of a queue; or a change that a poll has
 * to find.
 */
export interface Delivery {
  hook: string;
  requestUuid: string;
  authentic: boolean;
  changes: Change[];
  /** Nobody sent it: a poll finds it some time. */
  isPolled?: boolean;
  /**
   * `accepted`: answered 2xx at least once, or confirmed by the broker; `unsure`: nobody was told;
   * `refused`: 4xx alone.
   */
  fate: 'accepted' | 'unsure' | 'refused';
  sentAt: number;
  /** When its sender knew that it is accepted. */
  acceptedAt: number;
  timestamp: number;
}

/** The deliveries of a history, those of a hook in the order in which it accepted them. */
export function deliveriesOf(history: History): Delivery[] {
  const groups = new Map<string, SentDelivery[]>();
  for (const sent of history.deliveries) {
    const key = `${sent.hook} ${sent.requestUuid}`;
    groups.set(key, [...(groups.get(key) ?? []), sent]);
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const positive = group.filter(isPositive);
      const isRefused = group.every(
        ({ status }) => status !== undefined && status >= 400 && status < 500,
      );
      const fate = positive.length > 0 ? 'accepted' : isRefused ? 'refused' : 'unsure';
      return [
        {
          hook: first.hook,
          requestUuid: first.requestUuid,
          authentic: first.authentic,
          changes: first.changes,
          fate,
          sentAt: Math.min(...group.map(({ sentAt }) => sentAt)),
          acceptedAt: Math.min(...positive.map(({ answeredAt }) => answeredAt)),
          timestamp: Math.min(...positive.map(({ timestamp }) => timestamp ?? Infinity)),
        } satisfies Delivery,
      ];
    })
    .concat(history.messages.map(deliveryOf), history.pushed.map(deliveryOfPoll))
    .toSorted((one, other) => one.timestamp - other.timestamp);
}

/**
 * A message that the broker has is as good as accepted: it has to have its run, and the place at
 * which it was sent.
 */
function deliveryOf(message: SentMessage, place: number): Delivery {
  const { hook, messageId, hash, sentAt, confirmedAt } = message;
  return {
    hook,
    requestUuid: messageId,
    authentic: true,
    changes: [{ kind: 'push', branch: '', hash }],
    fate: confirmedAt === undefined ? 'unsure' : 'accepted',
    sentAt,
    acceptedAt: confirmedAt ?? Infinity,
    timestamp: place,
  };
}

/**
 * What is in a repository that is polled has to have its run, as if it had been accepted: polls go
 * on until it has.
 */
function deliveryOfPoll({ hook, change, at }: PushedChange): Delivery {
  return {
    hook,
    requestUuid: `${change.kind} of ${change.branch} that a poll finds`,
    authentic: true,
    changes: [change],
    isPolled: true,
    fate: 'accepted',
    sentAt: at,
    acceptedAt: at,
    // Executions have nanoseconds.
    timestamp: at * 1e6,
  };
}

function isPositive({ status }: SentDelivery): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** How far ahead the wall clock of some replica was: the furthest, or the least far. */
export function shiftAt(history: History, at: number, which: 'most' | 'least'): number {
  const byReplica = new Map<string, number>();
  for (const shift of history.clocks) {
    if (shift.at <= at) byReplica.set(shift.replica, shift.shiftMs);
    else if (!byReplica.has(shift.replica)) byReplica.set(shift.replica, 0);
  }
  const shifts = [...byReplica.values()];
  if (shifts.length === 0) return 0;
  return which === 'most' ? Math.max(...shifts) : Math.min(...shifts);
}
