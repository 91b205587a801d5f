import type { CdsGeneration } from '@cds/config';
import { captureLogger } from '@cds/testing';
import { createRunRemoval } from './run-removal';

const CONSUMER_TOKEN = 'e30.e30.c2ln';
const RUNS = { project: 'P', workflow: 'w', branch: 'feature/x' };

function removal(o: {
  apiVersion: string;
  apiToken?: string;
  token?: string;
  generation?: CdsGeneration;
}) {
  const { logger, lines } = captureLogger();
  const asked: object[] = [];
  const { apiToken = CONSUMER_TOKEN, token, apiVersion } = o;
  const { generation } = o;
  const api = {
    ...{ url: 'http://127.0.0.1:1', insecure: false, token: apiToken },
    ...(generation && { generation }),
  };
  const created = createRunRemoval({
    api: { deleteBranchRuns: async (of) => void asked.push(of) },
    registration: { apiVersion },
    config: {
      api: { ...api, requestTimeoutSeconds: 60, maxHeartbeatFailures: 10 },
      branchDeletion: { delaySeconds: 86_400, ...(token !== undefined && { token }) },
    },
    logger,
  });
  return { ...created, asked, lines };
}

describe('the runs of deleted branches', () => {
  it.each([
    ['0.41.0', 'a-shared-infra-token'],
    ['', 'a-shared-infra-token'],
    ['snapshot', 'a-shared-infra-token'],
    ['0.44.0', CONSUMER_TOKEN],
    ['0.49.1', CONSUMER_TOKEN],
  ])('are removed by branch: CDS "%s"', async (apiVersion, apiToken) => {
    const { isOfApi, remove, asked } = removal({ apiVersion, apiToken });
    expect(isOfApi()).toBe(false);
    await remove(RUNS);
    expect(asked).toEqual([RUNS]);
  });

  it.each(['0.50.0', '0.57.0', '1.0.0', 'snapshot'])(
    'are left to the retention rules, which is said once: CDS %s',
    (apiVersion) => {
      const { isOfApi, lines } = removal({ apiVersion });
      expect([isOfApi(), isOfApi()]).toEqual([true, true]);
      expect(lines).toMatchObject([{ level: 30, apiVersion, msg: expect.stringMatching(/rules/) }]);
    },
  );

  it('are not left to an API whose version is not known yet', () => {
    expect(removal({ apiVersion: '' }).isOfApi()).toBe(false);
  });

  it('are left to an API whose version is fixed by the configuration', () => {
    expect(removal({ apiVersion: '', generation: '0.54' }).isOfApi()).toBe(true);
    expect(removal({ apiVersion: '', generation: '0.44' }).isOfApi()).toBe(false);
  });

  it('are removed run by run with a token of their own', async () => {
    const { isOfApi, remove, asked } = removal({ apiVersion: '0.57.0', token: CONSUMER_TOKEN });
    expect(isOfApi()).toBe(false);
    await expect(remove(RUNS)).rejects.toThrow('/auth/consumer/builtin/signin');
    expect(asked).toEqual([]);
  });
});
