import { CdsApiClient } from '@cds/api-client';
import { silentLogger } from '@cds/testing';
import { startCdsApiStandIn, type CdsApiStandIn } from '../../test/cds-api-stand-in.fixture';
import { createApiVersion } from './api-version';

let api: CdsApiStandIn;

beforeEach(async () => {
  api = await startCdsApiStandIn();
});

afterEach(() => api.close());

function observed() {
  const client = new CdsApiClient({ url: api.url, insecure: false, requestTimeoutSeconds: 60 });
  return createApiVersion({ api: client, logger: silentLogger() });
}

describe("the API's version", () => {
  it.each([
    ['0.40.0', false],
    ['0.41.0', false],
    ['0.42.1+cds.5', true],
    ['v0.43.0', true],
    ['1.0.0', true],
    ['snapshot', false],
  ])('%s: at least 0.42 is %s', async (version, expected) => {
    api.version = version;
    const apiVersion = observed();
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(expected);
  });

  it('counts as the oldest while the API is not there, and is asked for again', async () => {
    api.version = '0.42.0';
    const apiVersion = observed();
    const { port } = new URL(api.url);
    await api.close();
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(false);

    api = await startCdsApiStandIn(Number(port));
    api.version = '0.42.0';
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(true);
  });
});
