import { anyText } from '@cds/testing';
import fc from 'fast-check';
import { cutJsonProperty } from './cut-json-property';
import { validateRepositoryDelivery } from './validate-delivery';
import { MalformedExecutionError } from '../../payloads/malformed-execution';
import { planPush } from './plan-push';
import {
  HASH_A,
  HASH_B,
  ada,
  annotatedTag,
  branch,
  commit,
  created,
  deleted,
  lightTag,
  push,
  repository,
  updated,
} from './push.fixture';
import { MAX_JSON_SIGNS } from '../../payloads/parse-bounded-json';
import { MAX_CHANGES } from './push-delivery';
import { runsOf } from '../../../test/planned-runs';

const onlyPayload = (body: Buffer): Record<string, string> => {
  const runs = runsOf(planPush(body));
  expect(runs).toHaveLength(1);
  return runs[0]?.payload ?? {};
};

describe('planPush', () => {
  it('plans a run for a branch that was updated', () => {
    const change = updated(branch('main', HASH_B), branch('main'));
    const plan = planPush(push([change]));

    const payload = {
      'cds.triggered_by.fullname': 'Ada Kowalska',
      'cds.triggered_by.username': 'ada.k',
      'git.author': 'Ada Kowalska',
      'git.branch': 'main',
      'git.hash': HASH_A,
      'git.hash.before': HASH_B,
      'git.hash.short': 'a1b2c3d',
      'git.message': 'Turn the lamp\n',
      'git.repository': 'harbour/lighthouse-api',
      payload: JSON.stringify({ changes: [change] }),
    };
    expect(plan).toEqual({
      steps: [{ type: 'run', payload, branch: 'main' }],
      repository: 'harbour/lighthouse-api',
    });
  });

  it('has an empty hash before for a branch that was created', () => {
    expect(onlyPayload(push([created(branch('feature/x'))]))).toMatchObject({
      'git.branch': 'feature/x',
      'git.hash.before': '',
    });
  });

  it('plans a forced and a truncated push like any other', () => {
    const forced = updated(branch('dev', HASH_B), branch('dev'), { forced: true, truncated: true });
    expect(onlyPayload(push([forced]))).toMatchObject({
      'git.hash': HASH_A,
      'git.hash.before': HASH_B,
    });
  });

  it.each([
    ['light', lightTag('v1/2')],
    ['annotated', annotatedTag('v1/2')],
  ])('plans a run with git.tag and the message of the commit for a %s tag', (_, tag) => {
    const [step] = planPush(push([created(tag)])).steps;
    expect(step).toMatchObject({ type: 'run', payload: { 'git.tag': 'v1/2', 'git.hash': HASH_A } });
    expect(step).toMatchObject({ payload: { 'git.message': 'Turn the lamp\n' } });
    expect(step).not.toHaveProperty('branch');
    expect(step).not.toHaveProperty(['payload', 'git.branch']);
  });

  it('plans the removal of a deleted branch, and nothing for a deleted tag', () => {
    const plan = planPush(push([deleted(branch('old/one')), deleted(lightTag('v0'))]));
    expect(plan.steps).toEqual([{ type: 'delete-branch', branch: 'old/one' }]);
  });

  it('keeps the order of several changes', () => {
    const plan = planPush(
      push([
        deleted(branch('b')),
        created(lightTag('v1')),
        created(branch('b')),
        updated(branch('a', HASH_B), branch('a'), { truncated: true }),
        deleted(branch('a')),
      ]),
    );
    expect(
      plan.steps.map((step) => (step.type === 'run' ? (step.branch ?? 'tag') : '-' + step.branch)),
    ).toEqual(['-b', 'tag', 'b', 'a', '-a']);
  });

  it('ignores other refs, changes without a ref, and a push without changes', () => {
    const bookmark = { type: 'bookmark', name: 'x', target: commit(HASH_A) };
    const plan = planPush(
      push([
        created(bookmark),
        deleted(bookmark),
        created({ type: 'named_branch', name: 'y' }),
        { old: null, new: null },
        {},
      ]),
    );
    expect(plan.steps).toEqual([]);
    expect(planPush(push([])).steps).toEqual([]);
  });

  it('keeps names exactly, whatever they hold', () => {
    const names = ['refs/heads/x', 'a b', '#1', 'déjà-vu/✓', '__proto__'];
    const { steps } = planPush(push(names.map((name) => created(branch(name)))));
    expect(steps.map((step) => step.branch)).toEqual(names);
  });

  it('leaves git.message out when there is none, and stands a hash of any length', () => {
    const payload = onlyPayload(push([created(branch('x', 'abc', ''))]));
    expect(payload).not.toHaveProperty(['git.message']);
    expect(payload['git.hash.short']).toBe('abc');
  });

  describe('who pushed', () => {
    const change = created(branch('main'));
    const triggeredBy = (actor: unknown, changes: unknown[] = [change]) => {
      const payload = onlyPayload(push(changes, { actor }));
      return [
        payload['cds.triggered_by.username'],
        payload['cds.triggered_by.fullname'],
        payload['git.author'],
      ];
    };

    it('is the username where there is one, as with teams and old deliveries', () => {
      const team = { type: 'team', display_name: 'Harbour', username: 'harbour', uuid: '{77aa}' };
      expect(triggeredBy(team)).toEqual(['harbour', 'Harbour', 'Harbour']);
      expect(triggeredBy({ ...ada, username: 'akowalska' })).toEqual([
        'akowalska',
        'Ada Kowalska',
        'Ada Kowalska',
      ]);
    });

    it('is the display name of an app user, which has no other', () => {
      const app = {
        type: 'app_user',
        display_name: 'Release robot',
        uuid: '{aa}',
        account_id: '557058:r',
        account_status: 'active',
        kind: 'app',
      };
      expect(triggeredBy(app)).toEqual(['Release robot', 'Release robot', 'Release robot']);
    });

    it.each([
      ['its account', { raw: 'A. K. <ada@harbour.example>', user: ada }, 'Ada Kowalska'],
      ['the name before its address', { raw: 'Grace H <g@harbour.example>' }, 'Grace H'],
      ['the address', { raw: '<g@harbour.example>' }, '<g@harbour.example>'],
      ['nothing', {}, ''],
    ])(
      'is unknown without an actor; the author is then the one of the commit: %s',
      (_, author, name) => {
        const ref = { ...branch('main'), target: commit(HASH_A, 'x', author) };
        expect(triggeredBy(undefined, [created(ref)])).toEqual(['', '', name]);
      },
    );

    it('stands a commit whose author belongs to no account', () => {
      const ref = {
        ...branch('main'),
        target: commit(HASH_A, 'x', { raw: 'Grace <g@h.example>' }),
      };
      expect(triggeredBy(ada, [created(ref)])).toEqual(['ada.k', 'Ada Kowalska', 'Ada Kowalska']);
    });

    it('forgives fields of the wrong type', () => {
      expect(triggeredBy({ display_name: 7, nickname: null, username: 'u' })).toEqual([
        'u',
        'u',
        'u',
      ]);
      expect(triggeredBy('ada')).toEqual(['', '', 'Ada Kowalska']);
    });
  });

  describe('payload', () => {
    it('is the text of the push object as it was received: digits, spaces, order, escapes', () => {
      const pushText = `{ "changes" : [${JSON.stringify(created(branch('x')))}],\n\t"id": 12345678901234567890, "f": 1.10, "t": "\\u00e9 \\" }" }`;
      const body = `{"actor":{"display_name":"push"}, "a": ["push", {"push": 1}],"repository":${JSON.stringify(repository)},"push": ${pushText} }\n`;
      expect(onlyPayload(Buffer.from(body)).payload).toBe(pushText);
    });

    it('is the last of several, as the parser takes it, and found under an escaped name', () => {
      const wanted = JSON.stringify({ changes: [created(branch('second'))] });
      const body = `{"push":{"changes":[]},"p\\u0075sh":${wanted},"repository":${JSON.stringify(repository)}}`;
      const payload = onlyPayload(Buffer.from(body));
      expect(payload).toMatchObject({ 'git.branch': 'second', payload: wanted });
    });

    it('is cut out of any JSON object so that it parses to the same value', () => {
      fc.assert(
        fc.property(
          fc.dictionary(anyText(fc), fc.jsonValue()),
          fc.jsonValue(),
          fc.dictionary(fc.string(), fc.jsonValue()),
          fc.nat(3),
          (before, value, after, indent) => {
            const all = { ...before, push: value, ...after, push2: 1 };
            const cut = cutJsonProperty(JSON.stringify(all, null, indent), 'push');
            expect(JSON.parse(cut ?? '')).toEqual(JSON.parse(JSON.stringify(all.push)));
          },
        ),
      );
    });

    it('is not found where there is none', () => {
      expect(cutJsonProperty('{}', 'push')).toBeUndefined();
      expect(cutJsonProperty(' [1]', 'push')).toBeUndefined();
      expect(cutJsonProperty('"push"', 'push')).toBeUndefined();
      expect(cutJsonProperty('{"a":{"push":1}}', 'push')).toBeUndefined();
    });
  });

  describe('leaves out, and names', () => {
    it.each([
      ['what is no change', 7, 'push.changes[1]: '],
      ['a list', [], 'push.changes[1]: '],
      ['a ref without a name', created({ type: 'branch' }), 'push.changes[1].new.name: '],
      ['a deletion without a type', deleted({ name: 'x' }), 'push.changes[1].old.type: '],
      [
        'a commit without a hash',
        created({ type: 'tag', name: 'v' }),
        'push.changes[1].new.target.hash: ',
      ],
    ])('%s, and plans what comes before and behind it', (_, odd, problem) => {
      const body = push([created(branch('a')), odd, deleted(branch('b'))]);
      expect(planPush(body).steps.map((step) => step.branch)).toEqual(['a', 'b']);
      expect(validateRepositoryDelivery({ headers: { 'x-event-key': 'repo:push' }, body })).toEqual(
        {
          kind: 'accept',
          // By their places in the delivery.
          changes: [expect.objectContaining({ index: 0 }), expect.objectContaining({ index: 2 })],
          unreadable: [expect.stringContaining(problem)],
        },
      );
    });
  });

  describe('refuses', () => {
    const noHash = { ...branch('x'), target: {} };
    it.each([
      ['what is no JSON', Buffer.from('{"push":'), /^the body is not JSON/],
      ['an empty body', Buffer.alloc(0), /not JSON/],
      ['a list', Buffer.from('[]'), /the body: /],
      ['null', Buffer.from('null'), /the body: /],
      ['no push', Buffer.from('{}'), / push: /],
      ['no changes', Buffer.from('{"push":{}}'), / push\.changes: /],
      ['changes that are no list', Buffer.from('{"push":{"changes":{}}}'), / push\.changes: /],
      ['a change that is no object', push([{}, 7]), / push\.changes\[1\]: /],
      ['a ref without a type', push([created({ name: 'x' })]), / push\.changes\[0\]\.new\.type: /],
      [
        'a ref without a name',
        push([deleted({ type: 'branch' })]),
        / push\.changes\[0\]\.old\.name: /,
      ],
      ['an empty name', push([created(branch(''))]), / push\.changes\[0\]\.new\.name: /],
      ['no hash', push([{}, created(noHash)]), / push\.changes\[1\]\.new\.target\.hash: /],
      ['no target', push([created({ type: 'tag', name: 'v' })]), /new\.target\.hash: /],
      [
        'no repository',
        push([created(branch('x'))], { repository: {} }),
        / repository\.full_name: /,
      ],
      ['a deletion without one', push([deleted(branch('x'))], { repository: null }), /full_name: /],
      [
        'too many changes',
        push(Array.from({ length: MAX_CHANGES + 1 }, () => ({}))),
        `more than ${MAX_CHANGES} changes`,
      ],
    ])('%s', (_, body, message) => {
      expect(() => planPush(body)).toThrow(MalformedExecutionError);
      expect(() => planPush(body)).toThrow(message);
    });

    it('without quoting the body', () => {
      expect(() => planPush(Buffer.from('{"token": s3cret'))).toThrow(/^((?!s3cret).)*$/s);
    });
  });

  it('plans hundreds of changes', () => {
    const changes = Array.from({ length: 400 }, (_, i) => created(branch(`b${i}`)));
    const body = push(changes);
    // More than Bitbucket sends.
    expect(body.length).toBeGreaterThan(256 * 1024);
    expect(runsOf(planPush(body))).toHaveLength(400);
  });

  it('stands nesting to the limit of what is read', () => {
    const levels = MAX_JSON_SIGNS - 20;
    const deep = '['.repeat(levels) + ']'.repeat(levels);
    const pushText = `{"changes":[],"x":${deep}}`;
    expect(planPush(Buffer.from(`{"push":${pushText}}`)).steps).toEqual([]);
    expect(() => planPush(Buffer.from(`{"push":{"changes":${deep}}}`))).toThrow(
      MalformedExecutionError,
    );
    expect(() => planPush(Buffer.from(deep))).toThrow(MalformedExecutionError);
  });

  it('throws nothing else, whatever comes', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((json) => Buffer.from(json)),
      fc
        .array(fc.record({ old: fc.jsonValue(), new: fc.jsonValue() }))
        .map((changes) => push(changes)),
      fc
        .tuple(
          fc.constantFrom('branch', 'tag', 'x', null),
          fc.jsonValue(),
          fc.jsonValue(),
          fc.jsonValue(),
        )
        .map(([type, name, target, actor]) => push([created({ type, name, target })], { actor })),
    );
    fc.assert(
      fc.property(anything, (body) => {
        try {
          for (const { payload } of runsOf(planPush(body))) {
            for (const value of Object.values(payload)) expect(typeof value).toBe('string');
          }
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedExecutionError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
