import type { HookEvent, NodeHook, OutgoingCallback } from '@cds/wire';

/** A call that passed all checks of headers and hash. */
export interface ApiCall {
  method: string;
  /** As it stood on the wire, still escaped. */
  url: string;
  body: unknown;
  /** Its `Request-ID`. */
  requestId?: string | undefined;
  /** Its `X-CDS-Last-Execution`. */
  lastExecution?: string | undefined;
  /** Milliseconds. */
  at: number;
}

/** What happened in the repository of a hook. */
export interface PolledRepository {
  /** As the API answers it; null where the server cannot be polled. */
  events: unknown;
  /** The header `X-CDS-Poll-Interval`, in seconds. */
  interval?: string | undefined;
}

export interface RunCall {
  project: string;
  workflow: string;
  hook: HookEvent;
  at: number;
}

/** What the API does with a call instead of what it should. */
export type Misbehaviour =
  | 'ok'
  /** Does it, then drops the connection instead of answering. */
  | 'do and drop'
  | 'drop'
  | 'unauthorized'
  | { refuse: number; id?: number; message?: string }
  /** Another server answers: a proxy. */
  | { html: number }
  /** Does it late, also when the caller has gone by then, as the real one does. */
  | { delayMs: number }
  /** The same, when that has come. */
  | { after: Promise<unknown> }
  /** Drops the connection at once, and does it after that time all the same. */
  | { dropThenDoMs: number };

export interface CdsApiStandIn {
  readonly url: string;
  readonly calls: ApiCall[];
  readonly registrations: Record<string, unknown>[];
  /**
   * What was wrong with the requests: a strict API would not have understood them. Must stay empty.
   */
  readonly violations: string[];
  hooks: NodeHook[];
  /**
   * What the API knows of VCS servers by its `vcs`: none when that is not registered; `away` when
   * it does not answer;
   * `refuses` when it answers 401, which the API hands on.
   */
  vcs: Record<string, object> | 'away' | 'refuses';
  /** How often it was asked for that; not among `calls`. */
  vcsLooks: number;
  /** `project/name` of an integration → its values. */
  integrations: Map<string, Record<string, { value: string; type: string }>>;
  /** For each call, before it is done. */
  behave: (call: ApiCall) => Misbehaviour;
  /** What is answered to a GET of this path, in place of what it would be: a recorded answer. */
  recorded: Map<string, unknown>;
  /** Uuid of a hook → what a poll of it is answered. */
  repositories: Map<string, PolledRepository>;
  /** The polls of a hook, oldest first: since when (ms). */
  polls(uuid: string): { since: number; at: number }[];
  /** Runs whose outgoing hooks the API knows, by `/project/…/runs/{number}`. */
  hookRuns: Map<string, HookRuns>;
  /** What it was told of outgoing hooks. */
  callbacks: { url: string; callback: OutgoingCallback; at: number }[];
  runs(): RunCall[];
  deletions(): string[];
  /** A CDS before 0.52: its router does not know an escaped slash. */
  slashKnown: boolean;
  /** As new: listens, knows nothing, has heard nothing. The hash stays. */
  reset(): Promise<void>;
  /** The hash that registered services have. */
  hash(): string;
  /** As after 180 s without a heartbeat: the next registration gets a new hash. */
  forgetHash(): void;
  /** Refuses connections until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface Parameter {
  name: string;
  type: string;
  value: string;
}

/** A run as the API shows it to an outgoing hook. */
export interface HookRuns {
  status: string;
  /** Of its outgoing hooks, by their uuid. */
  hooks: Map<string, HookOfRun>;
}

interface HookOfRun {
  parameters: Parameter[];
  secrets: Parameter[];
  /**
   * When the transaction ends in which the API posts it (ms): until then nobody sees the hook, nor
   * that the run waits for it. Not given: it has ended.
   */
  committedAt?: number;
}
