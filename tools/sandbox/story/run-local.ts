import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printConfig } from '@cds/config';
import { startProcess } from '@cds/testing';
import type { CdsVersion } from '@cds/stand-ins/cds-api';
import { addresses } from './addresses';
import { withChapters, type Narrator } from './narrator';
import { choosePorts } from './ports';
import { startPrivateRedis } from './private-redis';
import { createRunFolder } from './run-folder';
import { serviceConfig } from './service-config';
import { startStandIns } from './stand-ins';
import { tellStory } from './tell-story';

export interface LocalOptions {
  root: string;
  cds: CdsVersion;
  once: boolean;
  /** Take free ports only, not the usual ones. */
  freePorts: boolean;
  narrator: Narrator;
  say: (line: string) => void;
  /** Aborted by Ctrl-C or SIGTERM. */
  interrupted: AbortSignal;
}

/** Long enough to see it count down; who does not want to wait brings it forward. */
const BRANCH_DELETION_DELAY_SECONDS = 60;
/** The services take up to 30 s to finish what is under way. */
const PATIENCE_MS = 35_000;
/** The exit code of a command that Ctrl-C ended before it was done. */
const INTERRUPTED = 130;
const LOG_LINES_SHOWN = 40;

/**
 * Starts Redis, the stand-ins and the real services on this machine, tells the story, and then
 * stays up unless it is told `once`. Returns the exit code; everything it started has ended then.
 */
export async function runLocal(options: LocalOptions): Promise<number> {
  const { root, narrator, say, interrupted } = options;
  const engine = join(root, 'dist', 'apps', 'engine', 'main.js');
  if (!existsSync(engine)) {
    say(`✖ ${engine} is missing: run \`npx nx run-many -t build\` first.`);
    return 1;
  }
  const ports = await choosePorts({ anywhere: options.freePorts });
  const folder = createRunFolder(root);
  const undo: (() => Promise<void>)[] = [];
  const interruption = new Promise<'interrupted'>((resolve) => {
    if (interrupted.aborted) resolve('interrupted');
    interrupted.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });

  const play = async (): Promise<number> => {
    say(`Redis on port ${ports.redis}, its append-only file in ${folder.redis}`);
    const redis = await startPrivateRedis(folder, ports.redis);
    undo.push(redis.shutDown);
    interrupted.throwIfAborted();
    const standIns = await startStandIns({ cds: options.cds, host: '127.0.0.1', ports });
    undo.push(standIns.close);
    interrupted.throwIfAborted();
    const { bitbucket, api, page } = standIns;
    say(`The page: ${page.url}`);
    say(`CDS ${options.cds}`);
    const { clientId, clientSecret } = bitbucket.consumer;
    const config = serviceConfig(printConfig({ services: ['vcs', 'hooks'], cds: options.cds }), {
      vcsPort: ports.vcs,
      hooksPort: ports.hooks,
      redisPort: ports.redis,
      apiUrl: api.url,
      token: api.sharedInfraToken,
      tokenOf: api.tokenOf,
      connectsBy: api.connectsBy,
      webhookKey: randomBytes(32).toString('hex'),
      bitbucket: {
        apiUrl: bitbucket.apiUrl,
        oauthUrl: bitbucket.oauthUrl,
        clientId,
        clientSecret,
      },
      branchDeletionDelaySeconds: BRANCH_DELETION_DELAY_SECONDS,
    });
    writeFileSync(folder.config, config, { mode: 0o600 });
    say(`engine start vcs hooks --config ${folder.config}`);
    const services = await startProcess({
      command: process.execPath,
      args: [engine, 'start', 'vcs', 'hooks', '--config', folder.config],
      cwd: root,
      env: withoutCdsVariables(process.env),
      log: folder.log,
      detached: true,
    });
    undo.push(async () => void (await services.stop(PATIENCE_MS)));
    interrupted.throwIfAborted();

    const servicesEnded = services.exited.then(({ code, signal }) => {
      throw new Error(`the services are gone: engine ended with ${signal ?? `exit code ${code}`}`);
    });
    servicesEnded.catch(() => undefined);
    let failed = false;
    try {
      await tellStory({
        bitbucket,
        api,
        narrator: withChapters(narrator, page),
        patienceMs: 60_000,
        servicesEnded,
        interrupted,
      });
      say('');
      say('The whole way works.');
    } catch {
      if (interrupted.aborted) return INTERRUPTED;
      failed = true;
      say('');
      say(`The story ended early. The last lines of the services' log (${folder.log}):`);
      lastLines(folder.log).forEach((line) => say(`  ${line}`));
    }
    if (options.once) return failed ? 1 : 0;
    addresses({ bitbucket, api, page, ports, folder }).forEach(say);
    await Promise.race([interruption, services.exited]);
    return failed ? 1 : 0;
  };

  const playing = play();
  try {
    const outcome = await Promise.race([playing, interruption]);
    if (outcome !== 'interrupted') return outcome;
    // What was started is stopped, what is waited for does not matter any more.
    for (const step of undo.splice(0).reverse()) await step();
    const code = await playing.catch(() => INTERRUPTED);
    return options.once ? code : 0;
  } catch (error) {
    say(`✖ ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    for (const step of undo.splice(0).reverse()) await step();
    folder.remove();
  }
}

/**
 * The configuration is the file alone: what the caller has set for a CDS of theirs is not meant.
 */
function withoutCdsVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('CDS_')));
}

function lastLines(file: string): string[] {
  return existsSync(file)
    ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN)
    : [];
}
