// `npm start`: the main job on one machine, without an account anywhere. See README.md.
import { parseArgs } from 'node:util';
import { findRoot } from './story/find-root';
import { createNarrator } from './story/narrator';
import { runExternal } from './story/run-external';
import { runLocal } from './story/run-local';

const USAGE = `usage: npm start [-- --once] [--free-ports]

Starts a Redis, stand-ins of Bitbucket Cloud and of the CDS API, and the two services between them, plays the main
job and prints it. Then it stays up until Ctrl-C.

  --once   end after the story: exit code 0, or 1 if something failed
  --free-ports
           leave the usual ports alone, as --once does
  --help   print this

With SANDBOX_SERVICES=external only the stand-ins are started; the services are started elsewhere.`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  let once: boolean;
  let freePorts: boolean;
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean' },
        'free-ports': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      say(USAGE);
      return 0;
    }
    once = values.once ?? false;
    freePorts = values['free-ports'] ?? once;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}\n`);
    return 2;
  }
  const interruption = new AbortController();
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(1);
      say('\nStopping …');
      interruption.abort();
    });
  const shared = {
    once,
    narrator: createNarrator(say, Boolean(process.stdout.isTTY) && !process.env['NO_COLOR']),
    say,
    interrupted: interruption.signal,
  };
  return process.env['SANDBOX_SERVICES'] === 'external'
    ? runExternal({ ...shared, env: process.env })
    : runLocal({ ...shared, freePorts, root: findRoot(__dirname) });
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`✖ ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
