import { mkdirSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { vcsKeys } from '@cds/redis';
import { freePort, type TestRedis, waitFor } from '@cds/testing';
import { startBitbucket, type BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import { startCdsApi, type CdsApiStandIn, type CdsVersion } from '@cds/stand-ins/cds-api';
import { connectProject } from '../../sandbox/story/connect-project';
import { serviceEnvironment, type ServiceSettings } from '../../sandbox/story/service-config';
import { deliveriesOf, type History, type SentDelivery } from '../checker/history';
import type { Random } from '../seeded-random';
import { startApiGate, type ApiGate } from './api-gate';
import { bundleOf } from './bundles';
import { startLoad, type Load, type LoadOptions } from './load';
import { startRedisProxy, type RedisProxy } from './redis-proxy';
import { createReplica, type Replica } from './replica';
import { createSender, type PreparedDelivery, type Sender, type Webhook } from './sender';
import { type Sentinels, startStageRedis } from './sentinels';
import { createWallClock, SHIFT_DATE, type WallClock } from './wall-clock';

const TODAY: CdsVersion = '0.57';
const PROJECT = 'SHOP';
const REPOSITORY = 'acme/web-shop';
const WEBHOOK_KEY = 'the key of the fault matrix';
const POLLING = { CDS_VCS_SERVERS_BITBUCKETCLOUD_BITBUCKETCLOUD_POLLING: 'true' };
/** An hour: who plays a fault says when polls are due. */
const RECONCILE = { CDS_HOOKS_RECONCILE_INTERVAL: '3600' };

export interface StageOptions {
  /** Of which CDS the API is; of 0.41 where `hooks` has cleanups or polls, else of today. */
  cds?: CdsVersion;
  /** Webhooks, each with a workflow of its own. */
  hooks?: number;
  replicas?: number;
  /** Between the services and Redis, for kill points. */
  redisProxy?: boolean;
  /** Redis has two replicas, and the services find its master by three Sentinels. */
  sentinel?: boolean;
  /** Replicas whose wall clock can be set. */
  wallClocks?: boolean;
  /**
   * `vcs` stays up and offers polling; repository webhooks are polled with `reconcile`. See
   * polled-repository.ts.
   */
  polling?: 'pollers' | 'reconcile';
  /** The API asks `vcs` for deleted branches, which that of no CDS from 0.40 to 0.43 does. */
  asksForDeletions?: boolean;
  /** `vcs` stays up, and builds report to it. */
  builds?: boolean;
  /** How long a build takes (ms); 200 when not given. */
  buildMs?: number;
  cleanupDelaySeconds?: number;
  /** 1 when not given; with `--long` the other one. */
  retryDelaySeconds?: number;
  longRetryDelaySeconds?: number;
  retryError?: number;
}

/**
 * Everything a fault happens to: Redis, API, services and webhooks, all real processes or strict
 * stand-ins.
 */
export interface Stage {
  random: Random;
  long: boolean;
  folder: string;
  redis: TestRedis;
  /** Only with `sentinel`. */
  sentinels: Sentinels | undefined;
  proxy: RedisProxy;
  gate: ApiGate;
  api: CdsApiStandIn;
  bitbucket: BitbucketStandIn;
  replicas: Replica[];
  /** The first replica, for faults with one. */
  hooks: Replica;
  /** Stopped, unless the fault needs it. */
  vcs: Replica;
  /** In the order of `replicas`; only with `wallClocks`. */
  clocks: WallClock[];
  webhooks: Webhook[];
  /** Those of other kinds whose books have to be right at the end, too. */
  otherHooks: { uuid: string }[];
  history: History;
  sender: Sender;
  /** Sends one delivery to some replica; or to this one. */
  send(delivery: PreparedDelivery, to?: Replica): Promise<SentDelivery>;
  /** Sends pushes or deletions of a webhook's branches as one delivery; see Sender.prepare. */
  push(hook: Webhook, ...changes: string[]): Promise<SentDelivery>;
  load(options?: LoadOptions): Load;
  /**
   * One more `hooks`, which is not started, and not routed.
   *
   * @param change of its environment
   * @param bundle another one than that of all
   */
  addHooks(name: string, change?: Record<string, string>, bundle?: string): Promise<Replica>;
  /** SIGKILL, written down: the checker forgives what a kill explains. */
  kill(replica: Replica): Promise<void>;
  /** Takes a replica out of the load balancer, or puts it back. */
  route(replica: Replica, isRouted: boolean): void;
  faultBegins(): void;
  faultEnds(): void;
  /** Runs that the API did for a hook, in order. */
  runsOf(hook: Webhook): string[];
  /** Resolves when all that was accepted has its run: of one hook, or of all. */
  worked(hook?: Webhook): Promise<void>;
  note(sentence: string): void;
  /** To be ended with the stage. */
  onClose(close: () => Promise<unknown>): void;
  close(): Promise<void>;
}

/** Starts everything, links the project, and leaves a warm-up delivery behind it at each hook. */
export async function openStage(
  deps: { random: Random; folder: string; long: boolean },
  options: StageOptions = {},
): Promise<Stage> {
  const { random, folder } = deps;
  mkdirSync(folder, { recursive: true });
  const history: History = {
    deliveries: [],
    messages: [],
    pushed: [],
    runs: [],
    removals: [],
    kills: [],
    clocks: [],
    cleanupDelayMs: (options.cleanupDelaySeconds ?? 86_400) * 1_000,
    faultBeganAt: Infinity,
    faultEndedAt: Infinity,
    endedAt: Infinity,
  };
  const retryDelaySeconds =
    (deps.long ? options.longRetryDelaySeconds : undefined) ?? options.retryDelaySeconds ?? 1;
  const closing: (() => Promise<unknown>)[] = [];
  const webhooks: Webhook[] = [];
  const note = (sentence: string): void =>
    appendFileSync(join(folder, 'story.log'), `${new Date().toISOString()} ${sentence}\n`);
  note(`seed ${random.seed}`);

  try {
    const { redis, sentinels } = await startStageRedis(folder, {
      isWatched: options.sentinel === true,
      onClose: (close) => void closing.push(close),
    });
    const proxy = await startRedisProxy(redis.port);
    closing.push(proxy.close);
    const api = await startCdsApi({
      ...{ cds: cdsOf(options), port: await freePort(), matchesEscapedSlash: true },
      asksForDeletions: options.asksForDeletions ?? false,
      ...(options.buildMs === undefined ? {} : { buildDurationMs: options.buildMs }),
    });
    closing.push(api.close);
    const gate = await startApiGate({
      target: api,
      serviceOf: api.serviceOf,
      hookOf: (name) => webhooks.find(({ workflow }) => workflow === name)?.uuid ?? name,
    });
    closing.push(gate.close);
    history.runs = gate.runs;
    history.removals = gate.removals;
    history.apiAway = gate.wentAway;
    const bitbucket = await startBitbucket({ consumer: { callbackUrl: api.callbackUrl } });
    closing.push(bitbucket.close);

    const settings = async (name: string): Promise<ServiceSettings> => ({
      vcsPort: await freePort(),
      hooksPort: await freePort(),
      redisPort: options.redisProxy ? proxy.port : redis.port,
      apiUrl: gate.url,
      token: api.sharedInfraToken,
      tokenOf: api.tokenOf,
      connectsBy: api.connectsBy,
      bitbucket: {
        apiUrl: bitbucket.apiUrl,
        oauthUrl: bitbucket.oauthUrl,
        clientId: bitbucket.consumer.clientId,
        clientSecret: bitbucket.consumer.clientSecret,
      },
      branchDeletionDelaySeconds: options.cleanupDelaySeconds ?? 86_400,
      names: { vcs: 'vcs', hooks: name },
    });

    const clocks: WallClock[] = [];
    const addHooks: Stage['addHooks'] = async (name, change = {}, bundle = bundleOf('hooks')) => {
      const own = await settings(name);
      const clock = options.wallClocks ? createWallClock(folder, name, history.clocks) : undefined;
      if (clock) clocks.push(clock);
      const replica = createReplica({
        name,
        bundle,
        port: own.hooksPort,
        folder,
        preload: clock ? SHIFT_DATE : undefined,
        env: {
          ...serviceEnvironment(own, ['hooks']),
          ...sentinels?.env('hooks'),
          CDS_HOOKS_WEBHOOKKEY: WEBHOOK_KEY,
          CDS_HOOKS_RETRYDELAY: String(retryDelaySeconds),
          CDS_HOOKS_RETRYERROR: String(options.retryError ?? 3),
          CDS_HOOKS_EXECUTIONHISTORY: '10000',
          CDS_HOOKS_OUTGOING_ALLOW: '127.0.0.1',
          CDS_LOG_LEVEL: 'debug',
          ...(options.polling === 'reconcile' ? RECONCILE : {}),
          ...clock?.env,
          ...change,
        },
      });
      closing.push(replica.kill);
      return replica;
    };
    const replicas: Replica[] = [];
    for (let number = 1; number <= (options.replicas ?? 1); number += 1)
      replicas.push(await addHooks(`hooks-${number}`));
    const [hooks] = replicas;
    if (!hooks) throw new Error('A stage has one replica at least');

    const vcsSettings = await settings('');
    const vcs = createReplica({
      name: 'vcs',
      bundle: bundleOf('vcs'),
      port: vcsSettings.vcsPort,
      folder,
      env: {
        ...serviceEnvironment(vcsSettings, ['vcs']),
        ...sentinels?.env('vcs'),
        CDS_VCS_WEBHOOKKEY: WEBHOOK_KEY,
        ...(options.polling ? POLLING : {}),
      },
    });
    closing.push(vcs.kill);
    await Promise.all([vcs, ...replicas].map((replica) => replica.start()));
    await waitFor(() => api.services().length === replicas.length + 1, {
      what: 'all services to register',
    });
    await connectProject({ api, bitbucket }, PROJECT);
    for (let number = 1; number <= (options.hooks ?? 3); number += 1) {
      const name = `workflow-${number}`;
      const { hook } = await api.workflows.createRepositoryWorkflow({
        project: PROJECT,
        name,
        repo: REPOSITORY,
      });
      webhooks.push({ uuid: hook.uuid, workflow: name, repository: REPOSITORY });
    }
    // It has created the webhooks. Builds would report to it, which is nobody's business here.
    if (!options.polling && !options.builds) {
      await vcs.stop();
      gate.standInForVcs();
      // From 0.51 on runs wait for a vcs that Redis knows and that does not run.
      await redis.ask((client) => client.del(vcsKeys.state));
    }

    const sender = createSender({ webhookKey: WEBHOOK_KEY, sent: history.deliveries });
    const routed = new Set(replicas);
    const balancer = random.fork('load balancer');
    const target = (): Replica => balancer.pick([...routed]);
    const send: Stage['send'] = (delivery, to = target()) => sender.send(delivery, to);

    const stage: Stage = {
      random,
      long: deps.long,
      folder,
      redis,
      sentinels,
      proxy,
      gate,
      api,
      bitbucket,
      replicas,
      hooks,
      vcs,
      clocks,
      webhooks,
      otherHooks: [],
      history,
      sender,
      send,
      push: (hook, ...changes) => send(sender.prepare(hook, changes)),
      load: (loadOptions) =>
        startLoad(
          { random, sender, hooks: webhooks, target, sent: history.deliveries },
          loadOptions,
        ),
      addHooks,
      async kill(replica) {
        note(`SIGKILL for ${replica.name}`);
        await replica.kill();
        history.kills.push(Date.now());
      },
      route(replica, isRouted) {
        if (isRouted) routed.add(replica);
        else routed.delete(replica);
      },
      faultBegins() {
        note('the fault begins');
        history.faultBeganAt = Date.now();
      },
      faultEnds() {
        note('the fault ends');
        history.faultEndedAt = Date.now();
      },
      runsOf: ({ uuid }) =>
        gate.runs
          .filter(({ hook, servedAt }) => hook === uuid && servedAt !== undefined)
          .map(({ hash }) => hash),
      async worked(hook) {
        const done = new Set(gate.runs.flatMap((run) => (run.servedAt ? [run.hash] : [])));
        await waitFor(
          () => {
            for (const { hash, servedAt } of gate.runs) if (servedAt) done.add(hash);
            return deliveriesOf(history).every(
              ({ fate, authentic, hook: of, changes }) =>
                fate !== 'accepted' ||
                !authentic ||
                (hook && hook.uuid !== of) ||
                changes.every((change) => change.kind === 'deletion' || done.has(change.hash)),
            );
          },
          { what: 'the runs of all that was accepted' },
        );
      },
      note,
      onClose: (close) => void closing.push(close),
      async close() {
        await Promise.allSettled(closing.toReversed().map((close) => close()));
      },
    };
    await warmUp(stage);
    return stage;
  } catch (error) {
    await Promise.allSettled(closing.toReversed().map((close) => close()));
    throw error;
  }
}

/** From 0.50 on the API removes runs itself; polls are part of the protocol up to 0.53. */
function cdsOf({ cds, cleanupDelaySeconds, polling, wallClocks }: StageOptions): CdsVersion {
  const hasCleanups = cleanupDelaySeconds !== undefined || wallClocks;
  return cds ?? (hasCleanups || polling ? '0.41' : TODAY);
}

/**
 * One delivery for each hook by each replica, so that Redis knows all scripts and connections are
 * up.
 */
async function warmUp(stage: Stage): Promise<void> {
  for (const replica of stage.replicas)
    for (const hook of stage.webhooks)
      await stage.send(stage.sender.prepare(hook, ['+warm-up']), replica);
  const sent = stage.replicas.length;
  await waitFor(() => stage.webhooks.every((hook) => stage.runsOf(hook).length === sent), {
    what: 'the runs of the first deliveries',
  });
}
