import { diag, DiagLogLevel } from '@opentelemetry/api';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { decoded } from '@cds/network';
import type { WarningLogger } from '../tracing';

const EVERY_MS = 60_000;
/** Characters: a server's words may be in it. */
const MAX_REASON = 300;
/** Warnings of the SDK about variables, which come before there is a logger. */
const MAX_EARLY = 20;
const SECRET_VARIABLES = [
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
];

/**
 * Logs what the SDK reports: failures of the export as one warning a minute, and what it says of
 * its variables. Without the headers of the export, and without the endpoint's credentials.
 */
export function createFailureReports(endpoint: string, env: NodeJS.ProcessEnv) {
  const secrets = SECRET_VARIABLES.flatMap((name) => secretsOf(env[name] ?? ''));
  let logger: WarningLogger | undefined;
  let early: (() => void)[] = [];

  /** Before there is a logger, keeps the first ones for it. */
  function log(line: () => void): void {
    if (logger) line();
    else if (early.length < MAX_EARLY) early.push(line);
  }

  function safe(text: string): string {
    return secrets
      .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
      .slice(0, MAX_REASON);
  }

  const mayReport = onceAMinute();
  const mayWarn = onceAMinute();

  function exportFailed(error: unknown): void {
    const leftOut = mayReport();
    if (leftOut === undefined) return;
    const fields = { endpoint, reason: safe(reasonOf(error)), leftOut };
    log(() =>
      logger?.warn(
        fields,
        'traces not exported: check the collector, OTEL_EXPORTER_OTLP_ENDPOINT and …_HEADERS; nothing else waits for it',
      ),
    );
  }

  const said = (text: string): void => {
    const leftOut = logger ? mayWarn() : 0;
    if (leftOut === undefined) return;
    const reason = safe(text);
    log(() => logger?.warn({ reason, leftOut }, 'OpenTelemetry warns'));
  };
  const silent = () => undefined;
  setGlobalErrorHandler(exportFailed);
  diag.setLogger(
    { error: said, warn: said, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );

  return {
    exportFailed,
    reportTo(to: WarningLogger): void {
      logger = to;
      early.forEach((line) => line());
      early = [];
    },
  };
}

/** Returns how many were left out since the last one, or undefined where this one is, too. */
function onceAMinute(): () => number | undefined {
  let last = -Infinity;
  let leftOut = 0;
  return () => {
    const now = performance.now();
    if (now - last < EVERY_MS) {
      leftOut += 1;
      return undefined;
    }
    const before = leftOut;
    last = now;
    leftOut = 0;
    return before;
  };
}

/** `401 Unauthorized`, or `connect ECONNREFUSED …`; several addresses have several errors. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message } = error as Error & { code?: string | number };
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  if (message === '' && first !== undefined) return reasonOf(first);
  return code === undefined || message.includes(String(code)) ? message : `${code} ${message}`;
}

/** The values of `name=value,…`, and what stands before the @ of a URL, as sent and as written. */
function secretsOf(variable: string): string[] {
  const values = /^[a-z]+:\/\//i.test(variable)
    ? [...variable.matchAll(/\/\/([^/]+)@/g)].flatMap(([, user = '']) => [user, ...user.split(':')])
    : variable.split(',').map((pair) => pair.replace(/^[^=]*=/, '').trim());
  return values
    .flatMap((value) => [value, decoded(value) ?? value])
    .filter((value) => value.length > 3);
}
