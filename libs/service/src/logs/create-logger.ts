import type { Readable } from 'node:stream';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '@cds/config';
import { showHidden, showHiddenOnceParsed } from '@cds/wire';
import { prefixLines, TERMINAL } from '../child-processes/prefix-lines';
import { HIDDEN, redact, SECRET_FIELDS } from './redact';
import { writeByTurn } from './write-by-turn';
import { writerTo, writeWithoutWaiting } from './write-without-waiting';

export type Logger = pino.Logger;

export interface LoggerOptions {
  /** Named in every line. */
  service: string;
  level: LogLevel;
  /** Where the JSON lines go; standard output when not given. */
  destination?: pino.DestinationStream;
  /** Added to every line. */
  fields?: (() => Record<string, string>) | undefined;
}

const PINO_LEVELS = { debug: 'debug', info: 'info', warning: 'warn', error: 'error' } as const;

/**
 * The log of a service: a line of JSON each, readable text on a terminal, also through `engine
 * start`. Secrets are removed by the name of their field, however deep.
 * `error`: someone must act. `warning`: something is wrong and is being dealt with. `info`: what an
 * operator wants to know of a healthy service. `debug`: each request.
 */
export function createLogger({ service, level, destination, fields }: LoggerOptions): Logger {
  const onTerminal = !destination && (process.stdout.isTTY || process.env[TERMINAL] === '1');
  return pino(
    {
      level: PINO_LEVELS[level],
      base: { service },
      ...(fields && { mixin: fields }),
      timestamp: pino.stdTimeFunctions.isoTime,
      // `redact` has made plain objects of errors already.
      serializers: { err: (fields: unknown) => fields },
      // The fields of child loggers do not pass through `formatters`.
      redact: { paths: [...SECRET_FIELDS], censor: HIDDEN },
      formatters: {
        log: redact,
        // pino-pretty colours by the number.
        level: (label, number) =>
          onTerminal ? { level: number } : { level: label === 'warn' ? 'warning' : label },
      },
    },
    // Without a worker thread: nothing is lost when the process ends.
    destination ?? (onTerminal ? textOnStdout() : linesOnStdout(service)),
  );
}

/** What others wrote is in the lines: on a terminal it moves no cursor and turns no text around. */
function textOnStdout(): pino.DestinationStream {
  // pino-pretty's own stream would wait for the reader of the terminal.
  const textOf = pretty.prettyFactory({ ignore: 'service' });
  const write = writeToReader((fields) => textOf({ ...fields, level: 40 }));
  return { write: (line) => write(textOf(showHiddenOnceParsed(line))) };
}

function linesOnStdout(service: string): pino.DestinationStream {
  const write = writeToReader(
    (fields) => `${JSON.stringify({ level: 'warning', service, ...fields })}\n`,
  );
  return writeByTurn((text) => write(showHidden(text)));
}

/** One for each process: two would write into each other's lines. */
let toReader: ((text: string) => void) | undefined;

/** Never waits for who reads. @param lineOf makes the line that says how many were dropped */
function writeToReader(lineOf: (fields: object) => string): (text: string) => void {
  toReader ??= writeWithoutWaiting({
    write: writerTo(process.stdout),
    droppedLine: (dropped) =>
      lineOf({
        time: new Date().toISOString(),
        dropped,
        msg: 'log lines dropped: nobody read standard output',
      }),
  });
  return toReader;
}

/** Passes the lines of a worker process on, between those of this process. */
export function forwardLines(from: Readable): void {
  from
    .setEncoding('utf8')
    .pipe(prefixLines(''))
    .on('data', (lines: string) => toReader?.(lines));
}
