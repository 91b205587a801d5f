import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestProxy, type TestProxy, waitFor } from '@cds/testing';
import {
  callVcs,
  createWorkflow,
  PROJECT,
  REPO,
  runsOf,
  startStack,
  type Stack,
} from './stack.fixture';

const PASSWORD = 'the-password-of-the-proxy';
let stack: Stack;
let proxy: TestProxy;
let target: Server;
const called: string[] = [];

beforeAll(async () => {
  target = createServer((request, response) => {
    called.push(`${request.method} ${request.headers.host}${request.url}`);
    response.end('thanks');
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  stack = await startStack({ api: { cds: '0.41' } });
  proxy = await startTestProxy({
    credentials: `me:${PASSWORD}`,
    hosts: {
      'bitbucket.test:80': Number(new URL(stack.bitbucket.apiUrl).port),
      'chat.test:80': (target.address() as AddressInfo).port,
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  await proxy?.close();
  await new Promise((resolve) => target.close(resolve));
});

it('both services call through the proxy of the environment, and the API, Redis and what is near without', async () => {
  const services = await stack.startLinked({
    HTTP_PROXY: `http://me:${PASSWORD}@127.0.0.1:${proxy.port}`,
    no_proxy: '.internal.example',
    CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_APIURL: 'http://bitbucket.test/2.0',
  });
  // The webhook is created through the proxy, and so is the build status posted.
  await createWorkflow(stack, 'w');
  const pushed = await stack.bitbucket.push({ repo: REPO, branch: 'dev' });
  await runsOf(stack, 'w', 1);
  await waitFor(() => stack.bitbucket.statuses(REPO, pushed.hash).length > 0, { what: 'a status' });
  await callVcs(stack, 'GET', `/repos/${REPO}/branches`);
  expect(proxy.log.some((line) => line.endsWith(`/2.0/repositories/${REPO}/hooks`))).toBe(true);
  expect(proxy.log.some((line) => /^POST .*\/statuses\/build$/.test(line))).toBe(true);

  // The stand-in ends the run with its build; the hook makes it Building again.
  await waitFor(() => stack.api.runs(PROJECT, 'w')[0]?.status === 'Success', {
    what: 'the build to end',
  });
  const { hook } = await stack.api.outgoing.execute({
    ...{ project: PROJECT, workflow: 'w', number: 1, model: 'WebHook' },
    config: { URL: 'http://chat.test/hook', method: 'POST', payload: '{}' },
    parameters: {},
    secrets: {},
  });
  expect(await waitFor(() => hook.callbacks.at(-1), { what: 'the callback' })).toMatchObject({
    status: 'Success',
  });
  expect(called).toEqual(['POST chat.test/hook']);
  expect(proxy.log).toContain('POST http://chat.test/hook');
  expect(proxy.seen.filter((line) => line.includes('127.0.0.1'))).toEqual([]);

  const printed = Object.values(services).map(({ process }) => process.stdout() + process.stderr());
  for (const lines of printed) {
    expect(lines).toContain('"HTTP_PROXY":"http://127.0.0.1:');
    expect(lines).not.toContain(PASSWORD);
  }
  expect(JSON.stringify([stack.api.services(), hook])).not.toContain(PASSWORD);
});
