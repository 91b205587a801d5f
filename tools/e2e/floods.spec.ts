import { join } from 'node:path';
import { forgetPeak, maxOpenFiles, memoryOf, watchOthers } from './hostile.fixture';
import {
  createWorkflow,
  REPO,
  root,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

/** More than a service takes, where this machine lets a process open so many files. */
const CONNECTIONS = Math.min(5_200, Math.floor(maxOpenFiles() * 0.8));
const PUSHES = 5;
/** MiB that `hooks` may take at its highest, whatever strangers hold. */
const PEAK_MIB = 400;

let stack: Stack;
let hooks: Replica;
let pushUrl: string;
let pushes = 0;
const figures: string[] = [];

beforeAll(async () => {
  stack = await startStack();
  ({ hooks } = await stack.startLinked());
  await createWorkflow(stack, 'w');
  pushUrl = [...stack.bitbucket.repository(REPO).webhooks.values()][0]?.url ?? '';
  figures.push(await pushesAreTaken('nobody else'));
});
afterAll(async () => {
  await stack?.stop();
  process.stdout.write(`${figures.join('\n')}\n`);
});

/**
 * Each push is taken at the first attempt: none is cut, and none has to wait for longer than
 * Bitbucket does.
 */
async function pushesAreTaken(beside: string): Promise<string> {
  const times: number[] = [];
  for (let index = 0; index < PUSHES; index += 1) {
    pushes += 1;
    const pushed = await stack.bitbucket.push({ repo: REPO, branch: `b${pushes}` });
    const [delivery] = await pushed.delivered;
    expect(delivery?.attempts).toMatchObject([{ outcome: 200 }]);
    times.push(Math.round(delivery?.attempts[0]?.durationMs ?? Infinity));
  }
  await runsOf(stack, 'w', pushes);
  const { now, peak } = memoryOf(hooks.process.pid);
  const sorted = times.toSorted((a, b) => a - b);
  return `beside ${beside}: pushes answered in ${sorted[PUSHES >> 1]} ms, at most ${sorted.at(-1)} ms; ${now} MiB, at most ${peak}`;
}

const head = (url: string, ...headers: string[]): string =>
  [`POST ${new URL(url).pathname} HTTP/1.1`, 'Host: hooks.example', ...headers, '', ''].join(
    '\r\n',
  );
const SIGNED = `X-Hub-Signature: sha256=${'0'.repeat(64)}`;
const PUSH = ['X-Event-Key: repo:push', 'Content-Type: application/json'];
const nowhere = (): string => pushUrl.replace(/[\w-]+$/, '0b8f3c56-8d0e-4a4e-9f6f-2f8d5f0d5b11');

interface Flood {
  head: string;
  count?: number;
  repeat?: number;
  /** Whether the answers are left unread. */
  deaf?: boolean;
}

const floods: Record<string, () => Flood> = {
  'bodies of one byte, to no hook': () => ({
    head: `${head(nowhere(), SIGNED, ...PUSH, 'Content-Length: 50')}x`,
  }),
  'headers that do not end': () => ({
    head: `POST / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(63_000)}`,
  }),
  'pipelined questions': () => ({
    head: 'GET /mon/status HTTP/1.1\r\nHost: x\r\n\r\n',
    ...{ repeat: 20_000, count: 4 },
  }),
  'answers that nobody reads': () => ({
    head: 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n',
    ...{ repeat: 9, deaf: true },
  }),
};

it.each(Object.entries(floods))('takes pushes, and little memory, beside %s', async (name, of) => {
  const { head: text, count = CONNECTIONS, repeat = 1, deaf = false } = of();
  const base64 = (what: string): string => Buffer.from(what, 'latin1').toString('base64');
  const flood = await stack.run(
    [join(root, 'tools', 'e2e', 'flood.mjs'), ...[hooks.url, String(count), base64(text)]],
    { REPEAT: String(repeat), DEAF: deaf ? 'yes' : '' },
  );
  forgetPeak(hooks.process.pid);
  const others = watchOthers(`${hooks.url}/mon/status`);
  try {
    await flood.waitForOutput('steady');
    figures.push(await pushesAreTaken(`${count} × ${name}`));
    await others.areServed();
  } finally {
    flood.kill('SIGKILL');
    await flood.exited;
  }
  await others.stop();
  expect(memoryOf(hooks.process.pid).peak).toBeLessThan(PEAK_MIB);
  expect(hooks.process.stdout()).not.toMatch(/"level":"(error|fatal)"/);
});
