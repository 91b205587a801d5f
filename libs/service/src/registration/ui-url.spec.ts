import { silentLogger } from '@cds/testing';
import { createUiUrl } from './ui-url';

function uiUrl(configured: string | undefined, answers: (string | undefined | Error)[]) {
  let calls = 0;
  const api = {
    async uiUrl() {
      const answer = answers[calls++];
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { url: createUiUrl({ configured, api, logger: silentLogger() }), calls: () => calls };
}

describe('createUiUrl', () => {
  it('takes the configured one, and asks nobody', async () => {
    const { url, calls } = uiUrl('https://cds.example', []);
    await url.refresh();
    expect([url.get(), calls()]).toEqual(['https://cds.example', 0]);
  });

  it('takes the API’s otherwise, again after a failure, and then not each time', async () => {
    const { url, calls } = uiUrl(undefined, [new Error('away'), 'https://cds.example']);
    await url.refresh();
    expect(url.get()).toBe('');
    await url.refresh();
    await url.refresh();
    expect([url.get(), calls()]).toEqual(['https://cds.example', 2]);
  });

  it('is empty where the API has none', async () => {
    const { url } = uiUrl(undefined, [undefined]);
    await url.refresh();
    expect(url.get()).toBe('');
  });
});
