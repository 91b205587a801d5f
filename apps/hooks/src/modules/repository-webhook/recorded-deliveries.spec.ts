import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeShared } from '@cds/testing';
import { isDecodableQuery } from '../../payloads/query-string';
import { validateRepositoryDelivery } from './validate-delivery';
import { planWebhook } from '../webhook/plan-webhook';
import { validatePlanned } from '../webhook/webhook.fixture';
import { planPush } from './plan-push';
import { runsOf } from '../../../test/planned-runs';

interface RecordedPush {
  file: string;
  event_key: string;
  workflow_runs: { hook: { payload: Record<string, string> } }[];
  scheduled_branch_deletions: string[];
}

interface RecordedRequest {
  hook: string;
  uuid: string;
  request: { method: string; query: string; headers: Record<string, string>; body: string };
  status: number;
  payloads: Record<string, string>[];
}

interface Exchange {
  request: { method: string; url: string; headers: Record<string, string>; body: unknown };
}

describeShared('recorded deliveries', (root) => {
  const read = (...parts: string[]) => readFileSync(join(root, 'contract', ...parts));
  const json = <T>(...parts: string[]) => JSON.parse(read(...parts).toString()) as T;

  describe('pushes of Bitbucket Cloud', () => {
    for (const recorded of json<RecordedPush[]>('webhooks', 'push-expected.json')) {
      it(recorded.file, () => {
        const body = read('webhooks', recorded.file);
        const headers = { 'x-event-key': recorded.event_key, 'content-type': 'application/json' };
        expect(validateRepositoryDelivery({ headers, body })).toEqual({
          kind: 'accept',
          changes: expect.any(Array),
        });

        const plan = planPush(body);
        const delivery = JSON.parse(body.toString()) as {
          push: unknown;
          actor: { username?: string; nickname?: string };
        };
        expect(
          runsOf(plan).map(({ payload: { payload, ...rest } }) => ({
            ...rest,
            payload: JSON.parse(payload ?? '') as unknown,
          })),
        ).toEqual(
          recorded.workflow_runs.map(({ hook }) => ({
            ...hook.payload,
            // The old service knew no nickname, and sent the push through structs of its own.
            'cds.triggered_by.username':
              hook.payload['cds.triggered_by.username'] || delivery.actor.nickname,
            payload: delivery.push,
          })),
        );
        expect(
          plan.steps.flatMap((step) => (step.type === 'delete-branch' ? [step.branch] : [])),
        ).toEqual(recorded.scheduled_branch_deletions);
      });
    }
  });

  describe('pushes that led to runs of a real CDS', () => {
    const exchanges = json<Exchange[]>('api-to-hooks.json').filter(
      ({ request }) => request.headers['x-event-key'] === 'repo:push',
    );
    const runs = json<Exchange[]>('services-to-api.json')
      .map(({ request }) => request.body as { hook?: { payload: Record<string, string> } } | null)
      .flatMap((body) => (body?.hook ? [{ ...body.hook.payload, payload: '' }] : []));

    it.each(exchanges)('delivery %# starts one of the recorded runs', ({ request }) => {
      const planned = runsOf(planPush(Buffer.from(JSON.stringify(request.body))));
      expect(planned).toHaveLength(1);
      for (const { payload } of planned) expect(runs).toContainEqual({ ...payload, payload: '' });
    });
  });

  describe('requests to a plain webhook', () => {
    json<RecordedRequest[]>('webhooks', 'generic-expected.json').forEach((recorded, index) => {
      const { request } = recorded;
      const method = recorded.hook.replace('WebHook method=', '');
      if (recorded.status === 405) return; // The routes refuse another method than the configured one.

      it(`${index}: ${method} ?${request.query} ${request.body}`, () => {
        const value = (text: string) => ({
          value: text,
          configurable: false,
          type: 'string',
          multiple_choice_list: null,
        });
        const delivery = {
          config: {
            project: value('PROJ'),
            workflow: value('wf'),
            method: value(method),
            workflow_id: value('1'),
            webHookURL: value(`http://localhost:8083/webhook/${recorded.uuid}`),
          },
          query: request.query,
          contentType: request.headers['Content-Type'] ?? '',
          body: Buffer.from(request.body),
        };
        if (recorded.payloads.length === 0) {
          expect(isDecodableQuery(request.query)).toBe(false);
          expect(validatePlanned(delivery)).toMatchObject({ kind: 'refuse' });
          return;
        }
        expect(validatePlanned(delivery)).toEqual({ kind: 'accept' });
        expect(
          runsOf(planWebhook(delivery)).map(({ payload }) => Object.entries(payload).sort()),
        ).toEqual(recorded.payloads.map((payload) => Object.entries(payload).sort()));
      });
    });
  });
});
