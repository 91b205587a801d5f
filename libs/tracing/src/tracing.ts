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

/** Makes spans, and exports them. Nothing of it throws or waits for the collector. */
export interface Tracing {
  /** Where spans go: no credentials, no query. */
  readonly endpoint: string;
  begin(span: SpanStart): Span;
  /** Does `work` within a span, which fails where it rejects. */
  run<T>(span: SpanStart, work: (span: Span) => Promise<T>): Promise<T>;
  /** A span of what ended just now. @param failure why it failed, one of few */
  record(span: SpanStart & { durationMs: number; failure?: string | undefined }): void;
  /** Adds to the active span. */
  annotate(attributes: Attributes): void;
  /** The W3C context of the active span, to store it. */
  traceparent(): string | undefined;
  /** The context of the active span for the CDS API: W3C, and B3, which CDS 0.41 to 0.57 reads. */
  headers(): Record<string, string> | undefined;
  /** `trace_id` and `span_id` of the active span. */
  logFields(): Record<string, string>;
  /** Where failures of the export are reported, once a minute. */
  reportTo(logger: WarningLogger): void;
  /** Exports what is left within {@link stopMs}. */
  stop(): Promise<void>;
  readonly stopMs: number;
}

/** The part of pino's logger that is used here. */
export interface WarningLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
