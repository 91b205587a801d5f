import { readFileSync } from 'node:fs';
import { type Attack, type HostileClient, startHostileClient, waitFor } from '@cds/testing';
import { repositoryHook, signed } from '../test/node-hooks';
import { useTestContext } from '../test/test-context';
import { type HooksProcess, startHooksProcess } from '../test/hooks-process';
import { pushDelivery } from '../test/pushes';

const CONNECTIONS = 1_000;
const MAX_MB = 280;
const PUSHES = 10;
const UNKNOWN_HOOK = '/webhook/00000000-0000-4000-8000-000000000000';

describe('a thousand hostile connections', () => {
  const context = useTestContext({ keepBetweenTests: true });
  let hooks: HooksProcess;
  let client: HostileClient;
  const hook = repositoryHook();

  beforeAll(async () => {
    context.api.hooks = [hook];
    hooks = await startHooksProcess(context);
    context.onEnd(async () => {
      hooks.child.kill('SIGKILL');
      await hooks.child.exited;
    });
    await hooks.ready();
  });
  beforeEach(async () => {
    client = await startHostileClient();
  });
  afterEach(() => client.stop());

  /** The most that was ever resident. */
  function peakMb(): number {
    const status = readFileSync(`/proc/${hooks.child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  /** Sends pushes, each on a connection of its own, as Bitbucket does: none may be refused. */
  async function pushAll(name: string): Promise<void> {
    for (let index = 0; index < PUSHES; index += 1) {
      const { headers, body } = signed(hook, pushDelivery({ push: `${name}-${index}` }));
      const answer = await fetch(`${hooks.url}/webhook/${hook.uuid}`, {
        ...{ method: 'POST', body: body as string },
        headers: { ...headers, Connection: 'close' },
      });
      expect(answer.status).toBe(200);
    }
  }

  async function attack(order: Pick<Attack, 'request'> & Partial<Attack>): Promise<void> {
    await client.attack({
      ...{ port: Number(new URL(hooks.url).port), connections: CONNECTIONS, perConnection: 1 },
      ...{ reads: true, comesBack: true, ...order },
    });
  }

  it.each(['/openapi.json', '/mon/metrics', '/mon/status', '/no/such/route'])(
    'that read no answer get few, and pushes are taken meanwhile: GET %s',
    async (path) => {
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
      await attack({ request, perConnection: 9, reads: false, comesBack: false });
      await pushAll(path.replaceAll('/', '-'));
      await waitFor(async () => (await client.counts()).opened === CONNECTIONS);
      // Of the same address.
      expect((await fetch(`${hooks.url}/mon/version`)).status).toBe(200);
      const { asked, answers } = await client.read();
      expect(asked).toBe(9 * CONNECTIONS);
      expect(answers).toBeGreaterThan(0);
      expect(answers).toBeLessThan(asked / 2);
      expect(peakMb()).toBeLessThan(MAX_MB);
    },
  );

  it.each([UNKNOWN_HOOK, '/mon/status', '/no/such/route'])(
    'with long headers get one answer each, and pushes are taken meanwhile: GET %s',
    async (path) => {
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nX-A: ${'y'.repeat(60_000)}\r\n\r\n`;
      await attack({ request, connections: CONNECTIONS / 2 });
      await waitFor(async () => (await client.counts()).answers >= CONNECTIONS / 4);
      await pushAll(`long${path.replaceAll('/', '-')}`);
      await waitFor(async () => (await client.counts()).answers >= CONNECTIONS);
      const { answers, opened } = await client.counts();
      expect(answers).toBeLessThanOrEqual(opened);
      expect(peakMb()).toBeLessThan(MAX_MB);
    },
  );
});
