import { CdsApiClient } from '@cds/api-client';
import { type CdsApiStandIn, startCdsApi } from '@cds/stand-ins/cds-api';
import { silentLogger } from '@cds/testing';
import { createApiVersion } from './api-version';

let api: CdsApiStandIn;

beforeEach(async () => {
  api = await startCdsApi();
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
    api.setVersion(version);
    const apiVersion = observed();
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(expected);
  });

  it('counts as the oldest while the API is not there, and is asked for again', async () => {
    api.setVersion('0.42.0');
    const apiVersion = observed();
    await api.away();
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(false);

    await api.back();
    await apiVersion.refresh();
    expect(apiVersion.atLeast(0, 42)).toBe(true);
  });
});
