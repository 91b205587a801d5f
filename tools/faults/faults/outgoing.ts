import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { OutgoingHookRun } from '@cds/stand-ins/cds-api';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

const IN_FLIGHT = { most: 3, because: 'one a hook' };
const CALLS = 5;

interface Called {
  /** Which hook was called, by what its body says, in order. */
  calls: string[];
  url: string;
  /** While it is set, calls are not answered. */
  holds: boolean;
  close(): void;
}

/** A target of outgoing webhooks that writes its calls down. */
async function startTarget(): Promise<Called> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      target.calls.push(body);
      if (!target.holds) response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target: Called = {
    calls: [],
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    holds: false,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return target;
}

/** Runs of the first workflow come to outgoing webhooks of their own. */
async function executeSome(stage: Stage, target: Called): Promise<OutgoingHookRun[]> {
  const [project] = stage.api.state()['projects'] as { key: string }[];
  const [webhook] = stage.webhooks;
  const run = stage.api.runs(project?.key ?? '', webhook?.workflow ?? '')[0];
  if (!project || !webhook || !run) throw new Error('There is no run that could come to a hook');
  const hooks: OutgoingHookRun[] = [];
  for (let i = 0; i < CALLS; i += 1) {
    const { hook } = await stage.api.outgoing.execute({
      project: project.key,
      workflow: webhook.workflow,
      number: run.number,
      model: 'WebHook',
      config: { URL: target.url, method: 'POST', payload: `call ${i}` },
    });
    hooks.push(hook);
  }
  return hooks;
}

function told(hooks: OutgoingHookRun[]): Promise<unknown> {
  return waitFor(() => hooks.every(({ callbacks }) => callbacks.at(-1)?.status === 'Success'), {
    what: 'the callbacks of all outgoing hooks',
  });
}

export const OUTGOING: Fault[] = [
  {
    name: 'killed-while-calling',
    what: '`hooks` is killed while targets of outgoing webhooks have not answered',
    checks: 'each is called again, and CDS told of its success',
    doubles: IN_FLIGHT,
    seconds: 15,
    async play(stage) {
      const target = await startTarget();
      try {
        target.holds = true;
        const load = stage.load();
        await load.accepted(5);
        const hooks = await executeSome(stage, target);
        await waitFor(() => target.calls.length === CALLS);
        stage.faultBegins();
        await stage.kill(stage.hooks);
        target.holds = false;
        stage.faultEnds();
        await sleep(stage.random.between(100, 800));
        await stage.hooks.start();
        await told(hooks);
        await workOn(load);
        for (let i = 0; i < CALLS; i += 1) {
          const times = target.calls.filter((body) => body === `call ${i}`).length;
          mustBe(times === 2, `The target was called ${times} times by hook ${i}.`);
        }
      } finally {
        target.close();
      }
    },
  },
  {
    name: 'api-away-at-callback',
    what: 'the API is away after outgoing calls, and `hooks` is killed',
    checks: 'CDS is told later; no target is called again',
    doubles: IN_FLIGHT,
    seconds: 20,
    async play(stage) {
      const target = await startTarget();
      try {
        target.holds = false;
        const load = stage.load();
        await load.accepted(5);
        // What is asked before the call gets through; what was called is not told.
        stage.api.failAsProxy({ count: 10_000, path: '/callback' });
        const hooks = await executeSome(stage, target);
        await waitFor(() => target.calls.length === CALLS);
        await waitFor(
          () =>
            stage.api.requests.entries().filter(({ url }) => url.endsWith('/callback')).length >=
            CALLS,
        );
        stage.faultBegins();
        await stage.gate.away();
        await stage.kill(stage.hooks);
        await stage.hooks.start();
        await sleep(stage.random.between(1_000, 3_000));
        stage.api.faults.clear();
        await stage.gate.back();
        stage.faultEnds();
        await told(hooks);
        await workOn(load);
        mustBe(
          target.calls.length === CALLS,
          `There were ${target.calls.length} calls of ${CALLS}.`,
        );
      } finally {
        target.close();
      }
    },
  },
];
