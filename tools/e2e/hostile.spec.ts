import { waitFor, takesTime } from '@cds/testing';
import {
  fill,
  memoryOf,
  MIB,
  openRaw,
  sendRaw,
  statusesIn,
  watchOthers,
  cpuOf,
  type RawConnection,
} from './hostile.fixture';
import {
  callVcs,
  createWorkflow,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Replica,
  type Stack,
} from './stack.fixture';

/** How much more processor time hostile bodies may take than ordinary ones of the same size. */
const DEARER = 10;
/** What a service may grow by at most, in MiB, whatever is sent to it. */
const GROWTH_MIB = 600;

let stack: Stack;
let hooks: Replica;
let vcs: Replica;
let before: { hooks: number; vcs: number };
/** Of the repository's webhook and of a plain one. */
let pushUrl: string;
let plainUrl: string;
let pushes = 0;

beforeAll(async () => {
  stack = await startStack();
  ({ hooks, vcs } = await stack.startLinked());
  await createWorkflow(stack, 'w');
  const { hook } = await stack.api.workflows.createWebhookWorkflow({
    project: PROJECT,
    name: 'plain',
  });
  plainUrl = hook.config['webHookURL']?.value ?? '';
  pushUrl = [...stack.bitbucket.repository(REPO).webhooks.values()][0]?.url ?? '';
  await pushIsTaken();
  before = { hooks: memoryOf(hooks.process.pid).now, vcs: memoryOf(vcs.process.pid).now };
});
afterAll(() => stack?.stop());

/** After every kind of abuse: the same process, no larger than it may be, does its job. */
afterEach(async () => {
  await pushIsTaken();
  await callVcs(stack, 'GET', `/repos/${REPO}/branches`);
  expect(memoryOf(hooks.process.pid).peak - before.hooks).toBeLessThan(GROWTH_MIB);
  expect(memoryOf(vcs.process.pid).peak - before.vcs).toBeLessThan(GROWTH_MIB);
  expect(hooks.process.stdout()).not.toMatch(/"level":"(error|fatal)"/);
  expect(vcs.process.stdout()).not.toMatch(/"level":"(error|fatal)"/);
  expect(`${hooks.process.stderr()}${vcs.process.stderr()}`).toBe('');
});

/** A push of Bitbucket is taken at its first attempt, and leads to its run. */
async function pushIsTaken(): Promise<void> {
  pushes += 1;
  const pushed = await stack.bitbucket.push({ repo: REPO, branch: `b${pushes}` });
  const [delivery] = await pushed.delivered;
  expect(delivery?.attempts).toMatchObject([{ outcome: 200 }]);
  await runsOf(stack, 'w', pushes);
}

/** The head of a POST to a webhook. */
function head(url: string, ...headers: string[]): string {
  const lines = [`POST ${new URL(url).pathname} HTTP/1.1`, 'Host: hooks.example', ...headers];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
/** Such a delivery is read before anything is looked up. */
const SIGNED = `X-Hub-Signature: sha256=${'0'.repeat(64)}`;
const PUSH = ['X-Event-Key: repo:push', 'Content-Type: application/json'];

async function together<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

const closeAll = (connections: RawConnection[]) =>
  connections.forEach(({ socket }) => socket.destroy());

it('stands 2,000 connections that say nothing, or only half of what they should', async () => {
  const halves = [
    '',
    'P',
    'POST /webhook/x HTTP/1.1\r\nHost: x\r\n',
    head(plainUrl, SIGNED, 'Content-Length: 9'),
  ];
  for (const url of [hooks.url, vcs.url]) {
    const idle: RawConnection[] = [];
    for (let some = 0; some < 10; some += 1) {
      idle.push(
        ...(await together(200, async (index) => {
          const raw = await openRaw(url);
          await raw.write(halves[index % halves.length] ?? '');
          return raw;
        })),
      );
    }
    // Who began a body is told after some seconds that it does not come.
    const isToldOrOpen = ({ socket, received }: RawConnection) =>
      socket.readyState === 'open' || statusesIn(received()).length > 0;
    expect(idle.filter(isToldOrOpen)).toHaveLength(2_000);
    await pushIsTaken();
    closeAll(idle);
  }
});

it('keeps no more than a bound of bodies that never end', async () => {
  const body = Buffer.alloc(900 * 1024, 0x61);
  const others = watchOthers(`${hooks.url}/mon/version`);
  const senders = await together(400, async () => {
    const raw = await openRaw(hooks.url);
    await raw.write(head(pushUrl, SIGNED, ...PUSH, `Content-Length: ${MIB}`));
    void raw.write(body);
    return raw;
  });
  await waitFor(() => senders.some(({ received }) => received() !== ''), {
    what: 'the first to be cut off',
  });
  await others.areServed();
  await pushIsTaken();
  await others.stop();
  // Those that were cut off in favour of others were told so; 408 is for those that a machine that
  // is held up kept waiting until a body was due.
  const told = senders.flatMap(({ received }) => statusesIn(received()));
  expect(new Set(told.filter((status) => status !== 408))).toEqual(new Set([503]));
  closeAll(senders);
});

it('keeps no more than their size of bodies that come in pieces of one byte', async () => {
  const piece = Buffer.from(fill('1\r\nx\r\n', 6 * 64 * 1024));
  const senders = await together(12, async () => {
    const raw = await openRaw(hooks.url);
    await raw.write(head(pushUrl, SIGNED, ...PUSH, 'Transfer-Encoding: chunked'));
    for (let sent = 0; sent < 15; sent += 1) await raw.write(piece);
    return raw;
  });
  await pushIsTaken();
  closeAll(senders);
});

it('serves others while some send one byte at a time', async () => {
  const text = head(pushUrl, ...PUSH, 'Content-Length: 50') + fill('x', 50);
  const others = watchOthers(`${hooks.url}/mon/version`);
  const senders = await together(200, () => openRaw(hooks.url));
  for (const letter of text.slice(0, 150)) {
    await Promise.all(senders.map((raw) => raw.write(letter)));
    await takesTime(5);
  }
  expect(others.served()).toBeGreaterThan(10);
  await pushIsTaken();
  await others.stop();
  closeAll(senders);
});

it('cuts off a body in chunks that goes on beyond every bound', async () => {
  const chunk = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(65_536),
    Buffer.from('\r\n'),
  ]);
  const sent = await together(10, async (index) => {
    const raw = await openRaw(hooks.url);
    const url = index % 2 ? pushUrl : plainUrl;
    await raw.write(
      head(url, ...(index % 2 ? [SIGNED, ...PUSH] : []), 'Transfer-Encoding: chunked'),
    );
    let bytes = 0;
    for (; raw.socket.writable && bytes < 200 * MIB; bytes += chunk.length) await raw.write(chunk);
    raw.socket.destroy();
    return { bytes, statuses: statusesIn(raw.received()) };
  });
  // A sender that gets no processor before it is cut may fail to write before it reads.
  const answers = sent.flatMap(({ statuses }) => statuses);
  expect(new Set(answers)).toEqual(new Set([413]));
  expect(answers.length).toBeLessThanOrEqual(sent.length);
  // The limit, what is still read so that the answer arrives, and what the sockets hold.
  expect(Math.max(...sent.map(({ bytes }) => bytes))).toBeLessThan(32 * MIB);
});

it('answers a flood of unknown hooks with 429, and Bitbucket as ever', async () => {
  const statuses: number[] = [];
  const others = watchOthers(`${hooks.url}/mon/version`);
  for (let some = 0; some < 20; some += 1) {
    const answers = await together(50, (index) =>
      fetch(`${hooks.url}/webhook/${some}-${index}-4242`, { method: 'POST', body: '{}' }),
    );
    for (const answer of answers) {
      statuses.push(answer.status);
      await answer.arrayBuffer();
    }
  }
  expect(others.served()).toBeGreaterThan(4);
  await pushIsTaken();
  await others.stop();
  expect(new Set(statuses)).toEqual(new Set([404, 429]));
  expect(statuses.filter((status) => status === 404).length).toBeLessThan(200);
});

it('reads bodies of deep nesting without much more work than ordinary ones', async () => {
  const deep = [
    fill('['),
    fill('{"a":'),
    `${fill('[', MIB / 2)}${fill(']', MIB / 2)}`,
    `${'{"a":'.repeat(170_000)}1${'}'.repeat(170_000)}`,
    `{"push":{"changes":[${fill('{},', MIB - 100)}{}]}}`,
    `[${fill('0,', MIB - 100)}0]`,
    `{"${fill('p', 200_000)}":{${Array.from({ length: 30_000 }, (_, i) => `"${cased(i)}":1`).join()}}}`,
    fill('"push":0,').replace(/^/, '{').replace(/,$/, '}'),
  ];
  const ordinary = JSON.stringify({ list: Array<string>(9_000).fill(fill('x', 100)) });
  const runs = stack.api.runs(PROJECT, 'plain').length;
  const others = watchOthers(`${hooks.url}/mon/version`);
  const send = async (body: string): Promise<void> => {
    const [plain, push] = await Promise.all([
      // Redis may be slow on a busy machine: then it is sent again.
      waitFor(async () => {
        const status = await post(plainUrl, body, { 'Content-Type': 'application/json' });
        return status === '503' ? undefined : status;
      }),
      // Not signed: the repository's hook has seen that Bitbucket signs.
      post(pushUrl, body, { 'X-Event-Key': 'repo:push' }),
    ]);
    expect(plain).toMatch(/200|400/);
    expect(push).toMatch(/401|429/);
  };
  const worst = { ordinary: 0, hostile: 0 };
  for (const [kind, bodies] of [
    ['ordinary', Array<string>(8).fill(ordinary)],
    ['hostile', [...deep, ...deep]],
  ] as const)
    for (const body of bodies) {
      const atFirst = cpuOf(hooks.process.pid);
      await send(body);
      worst[kind] = Math.max(worst[kind], cpuOf(hooks.process.pid) - atFirst);
    }
  await others.areServed();
  await pushIsTaken();
  await others.stop();
  expect(worst.hostile).toBeLessThan(DEARER * Math.max(worst.ordinary, 50));
  expect(stack.api.runs(PROJECT, 'plain').length).toBeGreaterThanOrEqual(runs);
});

it('takes what curl sends as it says, and makes nothing else of it', async () => {
  expect(
    await post(plainUrl, '{"a":1}', { 'Content-Type': 'application/x-www-form-urlencoded' }),
  ).toBe('200');
  expect(
    await post(plainUrl, 'a=1&__proto__=2&a=3', {
      'Content-Type': 'application/x-www-form-urlencoded',
    }),
  ).toBe('200');
  expect(await post(plainUrl, 'a=%', { 'Content-Type': 'application/x-www-form-urlencoded' })).toBe(
    '400',
  );
  expect(
    await post(pushUrl, '{"a":1}', { 'Content-Type': 'application/x-www-form-urlencoded' }),
  ).toMatch(/401|429/);
  const later = await waitFor(
    () => {
      const all = stack.api.runs(PROJECT, 'plain');
      return all.at(-1)?.event.payload['a'] === '1' ? all : undefined;
    },
    { what: 'the run of the last' },
  );
  expect(
    later.slice(-2).map(({ event }) => [event.payload['a'], event.payload['{"a":1}']]),
  ).toEqual([
    [undefined, ''],
    ['1', undefined],
  ]);
});

it('answers what is no HTTP, and floods of headers, with a refusal', async () => {
  const post1 = head(pushUrl).trimEnd();
  const hostile: (string | Buffer)[] = [
    '\r\n\r\n\r\nGET\r\n\r\n',
    Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7919) % 256)),
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /webhook/%zz HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /webhook/\0 HTTP/1.1\r\nHost: x\r\n\r\n',
    'CONNECT bitbucket.org:443 HTTP/1.1\r\nHost: x\r\n\r\n',
    `${post1}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${post1}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    `${post1}\r\nContent-Length: -1\r\n\r\n`,
    `${post1}\r\nContent-Length: 99999999999999999999\r\n\r\n`,
    `${post1}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n`,
    `${post1}\r\nTransfer-Encoding: chunked\r\n\r\n1${fill('0', 100_000)}\r\n`,
    `${post1}\r\nTransfer-Encoding: chunked\r\n\r\n1;${fill('x', 100_000)}\r\nx\r\n0\r\n\r\n`,
    `${post1}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    `${post1}\r\nX-Bad\0: 1\r\n\r\n`,
    `${post1}\r\nX-Long: ${fill('x', 2 * MIB)}\r\n\r\n`,
    `${post1}\r\n${fill('X-Many: 1\r\n', 2 * MIB)}\r\n\r\n`,
    `${post1}\r\n${Array.from({ length: 5_000 }, (_, index) => `X-${index}: 1`).join('\r\n')}\r\n\r\n`,
    `GET /webhook/${fill('u', 2 * MIB)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `${post1}\r\nExpect: 100-continue\r\nContent-Length: ${8 * MIB}\r\n\r\n`,
    `${post1}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    `${post1}\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08`,
  ];
  for (const url of [hooks.url, vcs.url]) {
    const answers = await Promise.all(hostile.map((bytes) => sendRaw(url, bytes)));
    answers.forEach((answer, index) => {
      const statuses = statusesIn(answer);
      const what = `${String(hostile[index]).slice(0, 120)} → ${answer.slice(0, 200)}`;
      if (statuses.length === 0) throw new Error(`no answer: ${what}`);
      if (!statuses.every((status) => status === 100 || (status >= 400 && status < 500)))
        throw new Error(what);
    });
  }
});

it('shows as little to those who ask vcs without being the API', async () => {
  const others = watchOthers(`${vcs.url}/mon/version`);
  const answers = await together(100, (index) =>
    fetch(`${vcs.url}/vcs/bitbucketcloud/repos/${index}/x/branches`, {
      method: index % 2 ? 'GET' : 'POST',
      headers: { X_AUTH_HEADER: Buffer.from(`guess-${index}`).toString('base64') },
      ...(index % 2 ? {} : { body: fill('[', MIB) }),
    }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await others.areServed();
  await others.stop();
  // A connection may be cut under a body that nobody reads.
  expect(new Set(answers.filter((status) => status !== 0))).toEqual(new Set([401]));
});

/** A name of which the bits of a number decide the case. */
function cased(index: number): string {
  return Array.from({ length: 15 }, (_, at) => ((index >> at) & 1 ? 'A' : 'a')).join('');
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(url, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return String(answer.status);
}
