import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { Handling, Judge } from '../stage/api-gate';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';

const CDS_ERROR: Handling = {
  kind: 'answer',
  status: 500,
  contentType: 'application/json',
  body: JSON.stringify({ id: 1, message: 'internal server error', data: null, uuid: 'sandbox' }),
};

function proxyPage(status: number): Handling {
  const body = `<html><body><h1>${status}</h1></body></html>`;
  return { kind: 'answer', status, contentType: 'text/html', body };
}

/** Under load the API fails as `judge` says, for a while or until it has done so often enough. */
async function failing(stage: Stage, judge: Judge, isEnough: () => boolean): Promise<void> {
  const load = stage.load();
  await load.accepted(stage.random.between(10, 30));
  stage.faultBegins();
  stage.gate.judge(judge);
  await waitFor(isEnough, { what: 'the API to fail often enough' });
  stage.gate.judge();
  stage.faultEnds();
  await workOn(load);
}

function forSome(ms: number): () => boolean {
  const until = Date.now() + ms;
  return () => Date.now() >= until;
}

/** What comes in meanwhile is taken, whatever the API does. */
function mustHaveAccepted(stage: Stage): void {
  const { deliveries, faultBeganAt, faultEndedAt } = stage.history;
  const during = deliveries.filter(({ sentAt }) => sentAt > faultBeganAt && sentAt < faultEndedAt);
  mustBe(during.length > 0, 'Nothing was sent while the API was failing: nothing was shown.');
  const refused = during.filter(({ status }) => status !== 200).length;
  mustBe(refused === 0, `${refused} deliveries were refused although only the API was failing.`);
}

export const API_FAILS: Fault[] = [
  {
    name: 'api-away',
    what: 'the API is away for 20 retry pauses of 1 s (`--long`: 30 s)',
    checks: 'all deliveries are accepted meanwhile',
    doubles: { most: 3, because: 'one a hook' },
    stage: { longRetryDelaySeconds: 30 },
    seconds: 35,
    async play(stage) {
      const load = stage.load({ pauseMs: stage.long ? [1_000, 5_000] : [100, 400] });
      await load.accepted(10);
      stage.faultBegins();
      await stage.gate.away();
      await sleep(stage.long ? 600_000 : 20_000);
      await stage.gate.back();
      stage.faultEnds();
      await workOn(load);
      mustHaveAccepted(stage);
    },
  },
  {
    name: 'api-slow',
    what: 'the API takes 30 s for a run of one hook',
    checks: 'runs of other hooks come within 5 s',
    seconds: 40,
    async play(stage) {
      const load = stage.load({ pauseMs: [200, 600] });
      await load.accepted(5);
      stage.faultBegins();
      const victim = stage.random.pick(stage.webhooks);
      let isSlow = false;
      stage.gate.judge(({ hook }) => {
        if (isSlow || hook !== victim.uuid) return { kind: 'pass' };
        isSlow = true;
        return { kind: 'slow', ms: 30_000 };
      });
      await sleep(30_000);
      stage.faultEnds();
      await workOn(load);
      await stage.worked();
      mustHaveAccepted(stage);
      const slowest = Math.max(...waitsOfOthers(stage, victim.uuid));
      mustBe(slowest < 5_000, `A run of another hook came after ${slowest} ms.`);
    },
  },
  {
    name: 'api-refuses',
    what: 'the API refuses some runs twice with its own 500; a third would give up',
    checks: 'none is given up',
    seconds: 12,
    async play(stage) {
      const refusals = new Map<string, number>();
      await failing(
        stage,
        ({ name }) => {
          const before = refusals.get(name) ?? 0;
          if (before === 2 || (refusals.size >= 9 && before === 0)) return { kind: 'pass' };
          refusals.set(name, before + 1);
          return CDS_ERROR;
        },
        () => refusals.size >= 9 && [...refusals.values()].every((times) => times === 2),
      );
      mustHaveAccepted(stage);
    },
  },
  {
    name: 'api-500-of-proxy',
    what: 'a proxy answers 500 for the API, more often than `retryError`',
    checks: 'none is given up',
    seconds: 12,
    async play(stage) {
      await failing(stage, () => proxyPage(500), forSome(7_000));
      mustHaveAccepted(stage);
    },
  },
  {
    name: 'api-502',
    what: 'a proxy answers 502 and 503 for the API',
    seconds: 10,
    async play(stage) {
      const random = stage.random.fork('API');
      await failing(stage, () => proxyPage(random.pick([502, 503])), forSome(5_000));
      mustHaveAccepted(stage);
    },
  },
  {
    name: 'api-401',
    what: 'the API forgets the service (401), five times under load',
    checks: 'it registers again; no error is counted',
    // From 0.44 on the session is what counts: see `session-expires`.
    stage: { cds: '0.41' },
    seconds: 8,
    async play(stage) {
      const load = stage.load();
      await load.accepted(10);
      stage.faultBegins();
      for (let times = 0; times < 5; times += 1) {
        stage.api.forgetServices();
        await sleep(stage.random.between(200, 800));
      }
      stage.faultEnds();
      await workOn(load);
      await stage.worked();
      const [service] = stage.api.services();
      mustBe(service?.name === 'hooks-1', 'The service did not register again.');
    },
  },
  {
    name: 'api-drops-connections',
    what: 'the API drops half of the connections at once',
    seconds: 12,
    async play(stage) {
      const random = stage.random.fork('API');
      await failing(
        stage,
        () => ({ kind: random.fraction() < 0.5 ? 'drop' : 'pass' }),
        forSome(6_000),
      );
      mustHaveAccepted(stage);
    },
  },
  {
    name: 'api-loses-answers',
    what: 'the API starts five runs and drops their connections unanswered',
    doubles: { most: 5, because: 'one for each lost answer' },
    seconds: 12,
    async play(stage) {
      const hit = new Set<string>();
      await failing(
        stage,
        ({ name }) => {
          if (hit.has(name) || hit.size === 5) return { kind: 'pass' };
          hit.add(name);
          return { kind: 'lose-answer' };
        },
        () => hit.size === 5,
      );
      mustHaveAccepted(stage);
    },
  },
];

/** How long the accepted deliveries of all other hooks waited for their runs (ms). */
function waitsOfOthers(stage: Stage, hook: string): number[] {
  const { deliveries, runs } = stage.history;
  return deliveries.flatMap(({ hook: of, status, changes, answeredAt }) =>
    of === hook || status !== 200
      ? []
      : changes.flatMap((change) =>
          change.kind === 'deletion'
            ? []
            : (runs.find(({ hash }) => hash === change.hash)?.servedAt ?? Infinity) - answeredAt,
        ),
  );
}
