import type * as z from 'zod';
import { ApiError, errorOfAnswer } from './api-error';
import {
  createHttpSender,
  type HttpAnswer,
  type HttpCall,
  NoAnswerError,
  NotSentError,
} from './send-request';

/** What may stand in a header: it comes from Redis, where anything may have got in. */
const USABLE_REQUEST_ID = /^[\w.:-]{1,100}$/;

/** CDS's error of a caller that it does not know, or that lacks a scope; others say 401, too. */
const NOT_AUTHENTICATED = 10;

export interface ApiConnectionOptions {
  /** Where the API is. */
  url: string;
  /** Accept any TLS certificate, for this client only. */
  insecure: boolean;
  requestTimeoutSeconds: number;
  /** Headers of each call besides, for its trace. */
  traceHeaders?: (() => Record<string, string> | undefined) | undefined;
}

export type ApiCall = Pick<HttpCall, 'method' | 'path' | 'body' | 'signal' | 'inPieces'> & {
  /** Milliseconds, those of the connection when not given. */
  timeoutMs?: number;
};

/** What the API gave this service at its last registration or sign-in. */
export interface Credential {
  /** The hash or the JWT. */
  secret: string;
  headers: Record<string, string>;
  /** What to do where the API goes on answering 401 to it. */
  advice?: string;
}

/** Of CDS 0.40 to 0.43. */
export function hashCredential(hash: string): Credential {
  return { secret: hash, headers: { X_AUTH_HEADER: Buffer.from(hash).toString('base64') } };
}

/** Of CDS 0.44 and later. @param advice what to do where the API refuses it */
export function bearer(jwt: string, advice: string): Credential {
  return { secret: jwt, headers: { Authorization: `Bearer ${jwt}` }, advice };
}

export interface CallOptions {
  /** Do not send the credential. */
  anonymous?: boolean;
  requestId?: string | undefined;
  /** Of this call alone. */
  headers?: Record<string, string> | undefined;
}

/** Calls the API as a service, and makes an {@link ApiError} of each failure. */
export class ApiConnection {
  readonly #http: ReturnType<typeof createHttpSender>;
  readonly #timeoutMs: number;
  readonly #traceHeaders: ApiConnectionOptions['traceHeaders'];
  readonly #listeners = new Set<() => void>();
  /** Shown to the API with each call. */
  credential: Credential | undefined;
  /** Removed from errors, whatever the API repeats. */
  token: string | undefined;
  /** The secret of the credential that the API answered 401 to last. */
  refused: string | undefined;

  constructor(options: ApiConnectionOptions) {
    this.#http = createHttpSender(options);
    this.#timeoutMs = options.requestTimeoutSeconds * 1_000;
    this.#traceHeaders = options.traceHeaders;
  }

  /**
   * Calls `listener`, which must not throw, after every answer of the API below 500. Returns what
   * ends the listening.
   */
  onSuccess(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Closes the kept connections. */
  close(): void {
    this.#http.close();
  }

  /** A call whose answer is needed: a 2xx that cannot be read is no answer of the API. */
  async readable<T>(call: ApiCall, schema: z.ZodType<T>, options: CallOptions = {}): Promise<T> {
    const parsed = schema.safeParse(await this.call(call, options));
    if (parsed.success) return parsed.data;
    throw notOfTheApi(call);
  }

  /** The JSON of a 2xx, undefined where it cannot be read. */
  async call(call: ApiCall, options?: CallOptions): Promise<unknown> {
    return (await this.answer(call, options)).json;
  }

  /** A 2xx. */
  async answer(call: ApiCall, options: CallOptions = {}): Promise<HttpAnswer> {
    const name = `${call.method} ${call.path}`;
    const shown = options.anonymous ? undefined : this.credential?.secret;
    try {
      const answer = await this.#http.send({
        timeoutMs: this.#timeoutMs,
        ...call,
        headers: this.#headers(options),
      });
      const error = errorOfAnswer(name, answer);
      if (error?.kind === 'unauthorized' && shown !== undefined) this.refused = shown;
      if (!error || (error.cdsId !== undefined && answer.status < 500))
        this.#listeners.forEach((listener) => listener());
      if (error) throw this.#withAdvice(error, options);
      return answer;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw this.#withoutSecrets(name, error);
    }
  }

  #headers({ anonymous = false, requestId, headers }: CallOptions): Record<string, string> {
    return {
      // The API takes a caller for a service by this name, and answers 401 otherwise.
      'User-Agent': 'CDS/service',
      'X-Requested-With': 'X-CDS-SDK',
      'Content-Type': 'application/json',
      ...(anonymous ? {} : this.credential?.headers),
      ...(requestId && USABLE_REQUEST_ID.test(requestId) ? { 'Request-ID': requestId } : {}),
      ...this.#traceHeaders?.(),
      ...headers,
    };
  }

  #withAdvice(error: ApiError, { anonymous = false }: CallOptions): ApiError {
    const advice = anonymous ? undefined : this.credential?.advice;
    if (error.cdsId !== NOT_AUTHENTICATED || advice === undefined) return error;
    return new ApiError(error.kind, `${error.message}: ${advice}`, error);
  }

  #withoutSecrets(call: string, error: unknown): unknown {
    const hide = (message: string): string =>
      toSafeMessage(message, [this.token, this.credential?.secret]);
    if (error instanceof ApiError) return new ApiError(error.kind, hide(error.message), error);
    if (!(error instanceof NoAnswerError)) return error;
    return new ApiError(
      'unavailable',
      hide(`${call}: the CDS API cannot be reached at api.http.url: ${error.message}`),
      { mayBeDone: !(error instanceof NotSentError) },
    );
  }
}

/**
 * The error for a 2xx that cannot be read.
 * @param why after "the answer"
 */
export function notOfTheApi(
  { method, path }: Pick<ApiCall, 'method' | 'path'>,
  why = "is not the CDS API's; check that api.http.url is the API",
): ApiError {
  return new ApiError('unavailable', `${method} ${path}: the answer ${why}`);
}

/** Characters of an error's message: it goes to the log and is kept with executions. */
const MAX_MESSAGE_LENGTH = 2_000;

/** An answer may echo what it was sent, at any length: `message` without `secrets`, and cut. */
function toSafeMessage(message: string, secrets: readonly (string | undefined)[]): string {
  return (
    secrets
      .flatMap((secret) => (secret ? spellings(secret) : []))
      .reduce((text, spelling) => text.replaceAll(spelling, '***'), message)
      // Last, so that no part of a secret is left at the end.
      .slice(0, MAX_MESSAGE_LENGTH)
  );
}

/** How a secret is sent: as it is, within a JSON text, as `X_AUTH_HEADER`. */
function spellings(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret)
      .toString('base64')
      .replace(/={1,2}$/, ''),
  ];
}
