import { request } from 'node:http';
import { freePort, silentLogger } from '@cds/testing';
import { isCdsErrorBody } from '@cds/wire';
import { allDone } from '../test/deliveries';
import { repositoryHook, signed } from '../test/node-hooks';
import { post, type RunningHooks } from '../test/running-hooks';
import { useTestContext } from '../test/test-context';
import { pushDelivery } from '../test/pushes';
import { listenAll } from './listen-all';

describe('the public port', () => {
  const context = useTestContext({ keepBetweenTests: true });
  let hooks: RunningHooks;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    const publicPort = await freePort();
    hooks = await context.start({
      http: {
        ...{ addr: '127.0.0.1', port, trustedProxies: [], stopDelaySeconds: 0 },
        public: { addr: '127.0.0.1', port: publicPort },
      },
      name: 'hooks-with-two-ports',
      url: `http://127.0.0.1:${port}`,
    });
    url = `http://127.0.0.1:${publicPort}`;
    expect(hooks.service.publicPort).toBe(publicPort);
  });

  it('takes deliveries, as the other one does', async () => {
    const hook = repositoryHook();
    await post(hooks, hook);
    const delivery = (push: string) => signed(hook, pushDelivery({ push }));
    for (const [base, push] of [
      [url, 'at the public port'],
      [hooks.url, 'at the other one'],
    ] as const) {
      const { headers = {}, body } = delivery(push);
      const answer = await fetch(`${base}/webhook/${hook.uuid}`, {
        ...{ method: 'POST', headers, body: body as string },
      });
      expect(answer.status).toBe(200);
    }
    // The escape is none of the fast path: Express serves it here, too.
    const { headers = {}, body } = delivery('with an escape');
    const escaped = hook.uuid.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`);
    const answer = await fetch(`${url}/webhook/${escaped}`, {
      ...{ method: 'POST', headers, body: body as string },
    });
    expect(answer.status).toBe(200);
    await allDone(hooks, hook);
    // By this `engine doctor` knows that hooks answers there.
    const refused = await fetch(`${url}/webhook/engine-doctor`, { method: 'PATCH' });
    expect(refused.status).toBe(405);
    expect(await refused.json()).toMatchObject({ uuid: expect.any(String) });
  });

  it.each([
    ['GET', '/mon/status'],
    ['GET', '/mon/version'],
    ['GET', '/mon/ready'],
    ['GET', '/mon/metrics'],
    ['GET', '/openapi.json'],
    ['GET', '/task'],
    ['POST', '/task/bulk'],
    ['GET', '/admin/dead-letters'],
    ['GET', '/'],
    ['OPTIONS', '/task'],
    ['POST', '/webhook'],
    ['POST', '/webhook/'],
    ['POST', '/webhook/a/b'],
    ['GET', '/webhook/../task'],
    ['GET', '/webhook/..%2ftask'],
    ['GET', '//task'],
    ['GET', '/WEBHOOK/x'],
    ['GET', 'http://127.0.0.1/task'],
  ])('serves nothing else, whoever asks: %s %s', async (method, path) => {
    // As the API would ask: the hash of the registration opens nothing here.
    const hash = Buffer.from(context.api.hash()).toString('base64');
    const headers = { X_AUTH_HEADER: hash, Connection: 'close' };
    // Not `fetch`, which would tidy up the path.
    const { port } = new URL(url);
    const answer = await new Promise<{ status: number | undefined; text: string }>(
      (resolve, reject) => {
        const asked = request({ port, method, path, headers, agent: false }, (response) => {
          let text = '';
          response.on('data', (data: Buffer) => (text += data.toString()));
          response.on('end', () => resolve({ status: response.statusCode, text }));
        });
        asked.on('error', reject).end();
      },
    );
    expect(answer.status).toBe(404);
    expect(isCdsErrorBody(JSON.parse(answer.text))).toBe(true);
  });

  it('is told of where it cannot be had, and nothing goes on listening', async () => {
    const port = await freePort();
    const taken = Number(new URL(url).port);
    const config = { addr: '127.0.0.1', port, trustedProxies: [], stopDelaySeconds: 0 };
    const nobody = () => undefined;
    await expect(
      listenAll({
        config: { ...config, public: { addr: '127.0.0.1', port: taken } },
        ...{ logger: silentLogger(), everything: nobody, webhooks: nobody },
      }),
    ).rejects.toThrow(/already: stop the other process, or change http\.publicPort/);
    await expect(fetch(`http://127.0.0.1:${port}/mon/version`)).rejects.toThrow();
  });
});
