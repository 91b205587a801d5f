import { connect } from 'node:net';
import { join } from 'node:path';
import { bundlePrograms, freePort, startProcess, waitFor } from '@cds/testing';
import { TOKEN } from './cds-api-stand-in';
import type { TestContext } from './test-context';

const THREAD = {
  'heavy-work-thread': 'apps/hooks/src/modules/outgoing/worker-thread/heavy-work-thread.ts',
};

export type HooksProcess = Awaited<ReturnType<typeof startHooksProcess>>;

/**
 * The service as a process of its own, with the times it has in production.
 *
 * @param nodeArguments of Node.js, in front of the program
 * @param change of its environment
 * @param main another program, with other times
 */
export async function startHooksProcess(
  context: { api: Pick<TestContext['api'], 'url'>; redis: Pick<TestContext['redis'], 'port'> },
  nodeArguments: readonly string[] = [],
  change: NodeJS.ProcessEnv = {},
  main = 'apps/hooks/src/main.ts',
) {
  const port = await freePort();
  const child = await startProcess({
    command: process.execPath,
    args: [...nodeArguments, join(bundlePrograms({ main, ...THREAD }), 'main.js')],
    cwd: `${__dirname}/../../..`,
    stdin: change.CDS_BITBUCKET_SUPERVISED !== undefined,
    env: {
      ...(process.env as Record<string, string>),
      CDS_HOOKS_NAME: `cds-hooks-${port}`,
      CDS_HOOKS_URL: `http://127.0.0.1:${port}`,
      CDS_HOOKS_HTTP_ADDR: '127.0.0.1',
      CDS_HOOKS_HTTP_PORT: String(port),
      CDS_HOOKS_RETRYDELAY: '2',
      CDS_HOOKS_API_TOKEN: TOKEN,
      CDS_HOOKS_API_HTTP_URL: context.api.url,
      CDS_HOOKS_CACHE_REDIS_HOST: `127.0.0.1:${context.redis.port}`,
      ...change,
    },
  });
  const url = `http://127.0.0.1:${port}`;

  /**
   * Resolves when it takes deliveries: it listens before it has reached Redis, and refuses them
   * until then.
   */
  async function ready(): Promise<void> {
    await waitFor(() => listens(port), { what: 'the process to listen' });
    const noHook = `${url}/webhook/00000000-0000-4000-8000-000000000000`;
    await waitFor(async () => (await fetch(noHook, { method: 'POST' })).status === 404, {
      what: 'the process to reach Redis',
    });
  }

  return { child, url, ready };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The same, but a killed process counts as dead after a second or two. */
export function startQuickHooksProcess(
  context: Parameters<typeof startHooksProcess>[0],
  nodeArguments: readonly string[] = [],
) {
  return startHooksProcess(context, nodeArguments, {}, 'apps/hooks/test/quick-main.ts');
}
