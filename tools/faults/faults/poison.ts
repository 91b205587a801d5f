import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@cds/testing';
import type { OutgoingHookOrder, OutgoingHookRun } from '@cds/stand-ins/cds-api';
import { deliveriesOf } from '../checker/history';
import { readBooks } from '../stage/books';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

/** Hooks of one user that are executed at the same time. */
const POISONS = 6;
const KEYS = 300;
/** How much longer than usual the run of another hook's push may take to be asked for. */
const FACTOR = 15;
const IN_FLIGHT = {
  most: 3,
  because: 'one a hook',
};

type Poison = Pick<OutgoingHookOrder, 'config' | 'secrets'>;

/** Each value is small; together they took minutes. */
const TEMPLATE: Poison = {
  config: { payload: '{{repeat 1000000 "a"|upper|trunc 1}}'.repeat(250) },
};

/** As large as SSH keys, and made in no time. */
function manyKeys(): Poison {
  const key = (): string => {
    const lines =
      randomBytes(2_400)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return ['-----BEGIN RSA PRIVATE KEY-----', ...lines, '-----END RSA PRIVATE KEY-----'].join(
      '\n',
    );
  };
  const entries = Array.from({ length: KEYS }, (_, i) => [`cds.key.k${i}.priv`, key()] as const);
  return { config: { payload: '{}' }, secrets: Object.fromEntries(entries) };
}

async function startTarget() {
  const server = createServer((_, response) => void response.end('x'.repeat(60_000)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close };
}

async function execute(stage: Stage, url: string, poison: Poison): Promise<OutgoingHookRun[]> {
  const [project] = stage.api.state()['projects'] as { key: string }[];
  const [webhook] = stage.webhooks;
  const run = stage.api.runs(project?.key ?? '', webhook?.workflow ?? '')[0];
  if (!project || !webhook || !run) throw new Error('There is no run that could come to a hook');
  const hooks: OutgoingHookRun[] = [];
  for (let i = 0; i < POISONS; i += 1) {
    const { hook } = await stage.api.outgoing.execute({
      project: project.key,
      workflow: webhook.workflow,
      number: run.number,
      model: 'WebHook',
      ...poison,
      config: { URL: `${url}${i}`, method: 'POST', ...poison.config },
    });
    hooks.push(hook);
  }
  return hooks;
}

/**
 * How long pushes that were sent from then to then waited until their run was asked for (ms), the
 * median.
 */
function usualMs(stage: Stage, from: number, to: number): number {
  const asked = new Map(stage.gate.runs.map(({ hash, at }) => [hash, at]));
  const waits = deliveriesOf(stage.history)
    .filter(({ sentAt }) => sentAt >= from && sentAt < to)
    .flatMap(({ sentAt, changes }) =>
      changes.flatMap((change) => {
        const at = change.kind === 'deletion' ? undefined : asked.get(change.hash);
        return at === undefined ? [] : [at - sentAt];
      }),
    )
    .sort((a, b) => a - b);
  mustBe(waits.length > 0, 'No push was sent meanwhile.');
  return waits[Math.floor(waits.length / 2)] ?? 0;
}

async function play(stage: Stage, poison: Poison, status: 'Fail' | 'Success'): Promise<void> {
  const target = await startTarget();
  const told = (hooks: OutgoingHookRun[]): Promise<unknown> =>
    waitFor(() => hooks.every(({ callbacks }) => callbacks.at(-1)?.status === status), {
      what: 'CDS to be told of all outgoing hooks',
    });
  try {
    const load = stage.load();
    const quiet = Date.now();
    await load.accepted(40);
    await stage.worked();
    const began = Date.now();
    stage.faultBegins();
    const hooks = await execute(stage, target.url, poison);
    await told(hooks);
    await load.accepted(10);
    await stage.worked();
    const [before, meanwhile] = [usualMs(stage, quiet, began), usualMs(stage, began, Date.now())];
    stage.note(`a push waits ${before} ms, and ${meanwhile} ms beside the poison`);
    mustBe(
      meanwhile <= FACTOR * Math.max(1, before),
      `Pushes of other hooks waited ${meanwhile} ms, and ${before} ms before.`,
    );
    // No restart brings it back: the books at the end show that all of it is over. Some of it has
    // nothing to do, since the first failure ends the run.
    await execute(stage, target.url, poison);
    await stage.kill(stage.hooks);
    await stage.hooks.start();
    stage.faultEnds();
    await workOn(load);
    // Up to three tries of each, one at a time: on a busy machine that takes minutes.
    const books = () => stage.redis.ask((redis) => readBooks(redis, stage.webhooks));
    await waitFor(async () => (await books()).violations.length === 0, {
      what: 'all outgoing hooks to be over',
    });
  } finally {
    target.close();
  }
}

export const POISON: Fault[] = [
  {
    name: 'poison-template',
    what: 'outgoing templates make megabytes again and again; one of two replicas is killed',
    checks: 'CDS is told that they fail; pushes wait no longer than usual',
    doubles: IN_FLIGHT,
    stage: { replicas: 2 },
    seconds: 25,
    play: (stage) => play(stage, TEMPLATE, 'Fail'),
  },
  {
    name: 'poison-masking',
    what: 'outgoing logs are masked with 300 SSH keys; one of two replicas is killed',
    checks: 'CDS is told of success; pushes wait no longer than usual',
    doubles: IN_FLIGHT,
    stage: { replicas: 2 },
    seconds: 25,
    play: (stage) => play(stage, manyKeys(), 'Success'),
  },
];
