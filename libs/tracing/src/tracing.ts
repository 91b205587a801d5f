/** What is known of a span; undefined values are left out, long texts cut. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Headers, or what Redis stores of them. An invalid context in it counts as none. */
export type Carrier = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface SpanStart {
  /** One of few: a route, or a kind of work. */
  name: string;
  kind: 'server' | 'client' | 'consumer' | 'internal';
  /** The active span when not given; without a context in it the span begins a trace. */
  parent?: Carrier | undefined;
  /**
   * The trace that the span is part of, where its context is known: its parent, with a link to the
   * active span, unless that one is in the same trace.
   */
  partOf?: Carrier | undefined;
  /** A span that led to this one, of a trace that is not ours. */
  link?: Carrier | undefined;
  attributes?: Attributes;
}

export interface Span {
  set(attributes: Attributes): void;
  rename(name: string): void;
  /** @param type one of few */
  fail(type: string): void;
  /** Exports nothing of it. */
  discard(): void;
  /** Calls `work` while the span is active. */
  within<T>(work: () => T): T;
  /** From now on it is not active any more, in whatever it has begun. */
  end(): void;
}

/** The part of pino's logger that is used here. */
export interface WarningLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
