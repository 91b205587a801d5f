// `npm start`: the main job on one machine, without an account anywhere. See README.md.
import { parseArgs } from 'node:util';
import { CDS_VERSIONS, type CdsVersion } from '@cds/stand-ins/cds-api';
import { findRoot } from './story/find-root';
import { createNarrator } from './story/narrator';
import { runExternal } from './story/run-external';
import { runLocal } from './story/run-local';

/** What is set up today. */
const DEFAULT: CdsVersion = '0.57';
/** Its token is a fixed one, which services that are started elsewhere can know before. */
const EXTERNAL: CdsVersion = '0.41';

const USAGE = `usage: npm start [-- --cds VERSION] [--once] [--free-ports]

Starts a Redis, stand-ins of Bitbucket Cloud and of the CDS API, and the two services between them, plays the main
job and prints it. Then it stays up until Ctrl-C.

  --cds    of which CDS the API is: ${CDS_VERSIONS.join(', ')}; ${DEFAULT} when not given
  --once   end after the story: exit code 0, or 1 if something failed
  --free-ports
           leave the usual ports alone, as --once does
  --help   print this

With SANDBOX_SERVICES=external only the stand-ins are started; the services are started elsewhere. The API is one of
CDS ${EXTERNAL} then when not given: services know their token before.`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  let once: boolean;
  let freePorts: boolean;
  let cds: CdsVersion | undefined;
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean' },
        'free-ports': { type: 'boolean' },
        cds: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      say(USAGE);
      return 0;
    }
    once = values.once ?? false;
    freePorts = values['free-ports'] ?? once;
    cds = CDS_VERSIONS.find((version) => version === values.cds);
    if (values.cds !== undefined && !cds)
      throw new Error(`The sandbox knows CDS ${CDS_VERSIONS.join(', ')}, not ${values.cds}`);
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
    ? runExternal({ ...shared, cds: cds ?? EXTERNAL, env: process.env })
    : runLocal({ ...shared, cds: cds ?? DEFAULT, freePorts, root: findRoot(__dirname) });
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`✖ ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
