import type { CdsVersion } from '@cds/stand-ins/cds-api';
import { addresses } from './addresses';
import { withChapters, type Narrator } from './narrator';
import { USUAL_PORTS } from './ports';
import { startStandIns } from './stand-ins';
import { tellStory } from './tell-story';

export interface ExternalOptions {
  env: NodeJS.ProcessEnv;
  cds: CdsVersion;
  once: boolean;
  narrator: Narrator;
  say: (line: string) => void;
  interrupted: AbortSignal;
}

/** How long services that are started elsewhere may take. */
const PATIENCE_MS = 300_000;

/**
 * Runs the stand-ins alone, on fixed ports of all interfaces, and tells the story with services
 * that are started elsewhere, by Docker Compose for instance. `SANDBOX_API_URL` and
 * `SANDBOX_BITBUCKET_URL` say how these reach the stand-ins.
 */
export async function runExternal(options: ExternalOptions): Promise<number> {
  const { env, narrator, say, interrupted } = options;
  const publicUrls = {
    api: env['SANDBOX_API_URL'] ?? `http://sandbox:${USUAL_PORTS.api}`,
    bitbucket: env['SANDBOX_BITBUCKET_URL'] ?? `http://sandbox:${USUAL_PORTS.bitbucket}`,
  };
  for (const url of Object.values(publicUrls))
    if (!/^https?:\/\/[^/]+$/.test(url)) {
      say(
        `✖ SANDBOX_API_URL and SANDBOX_BITBUCKET_URL have to be like http://host:port, not ${url}`,
      );
      return 1;
    }
  const portOf = (url: string, usual: number): number => Number(new URL(url).port) || usual;
  const standIns = await startStandIns({
    cds: options.cds,
    host: '0.0.0.0',
    ports: {
      api: portOf(publicUrls.api, USUAL_PORTS.api),
      bitbucket: portOf(publicUrls.bitbucket, USUAL_PORTS.bitbucket),
      page: Number(env['SANDBOX_PAGE_PORT'] ?? USUAL_PORTS.page),
    },
    publicUrls,
  });
  const { bitbucket, api, page } = standIns;
  const interruption = new Promise<never>((_resolve, reject) => {
    const reason = new Error('interrupted');
    if (interrupted.aborted) reject(reason);
    interrupted.addEventListener('abort', () => reject(reason), { once: true });
  });
  interruption.catch(() => undefined);
  let failed = false;
  try {
    say(`The page: ${page.url}`);
    if (options.cds !== '0.41')
      for (const type of ['vcs', 'hooks'] as const)
        say(`CDS_${type.toUpperCase()}_API_TOKEN=${api.tokenOf(type, type)} (name: ${type})`);
    say(`Waiting for vcs and hooks to register at ${publicUrls.api} …`);
    await tellStory({
      bitbucket,
      api,
      narrator: withChapters(narrator, page),
      patienceMs: PATIENCE_MS,
      servicesEnded: interruption,
      interrupted,
    });
    say('');
    say('The whole way works.');
  } catch {
    failed = true;
  }
  if (!options.once && !interrupted.aborted) {
    addresses({ bitbucket, api, page }).forEach(say);
    await interruption.catch(() => undefined);
  }
  await standIns.close();
  return failed && !interrupted.aborted ? 1 : 0;
}
