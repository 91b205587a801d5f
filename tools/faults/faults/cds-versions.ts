import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@cds/testing';
import type { CdsVersion } from '@cds/stand-ins/cds-api';
import type { Stage } from '../stage/stage';
import { mustBe, workOn, type Fault } from './fault';
import { HOOKS_KILLED } from './hooks-killed';
import { VCS_AWAY } from './vcs-away';

/** How long a session is (s). */
const SESSION = 3_600;

/** The same fault with a CDS of another version. */
function withCds(fault: Fault | undefined, cds: CdsVersion): Fault {
  if (!fault) throw new Error('There is no such fault');
  return {
    ...fault,
    name: `${fault.name}-cds-${cds.replace('.', '-')}`,
    what: `with CDS ${cds}`,
    checks: '',
    stage: { ...fault.stage, cds },
  };
}

function mustBeWellBehaved({ api }: Stage): void {
  const violations = api.violations();
  mustBe(violations.length === 0, violations.join('; '));
}

const SESSION_EXPIRES: Fault = {
  name: 'session-expires',
  what: 'all sessions expire, five times under load, once in maintenance of the API',
  checks: 'each service signs in again; no error is counted',
  stage: { cds: '0.57' },
  seconds: 10,
  async play(stage) {
    const load = stage.load();
    await load.accepted(10);
    stage.faultBegins();
    const maintained = stage.random.between(0, 4);
    for (let times = 0; times < 5; times += 1) {
      stage.api.setMaintenance(times === maintained);
      stage.api.sessions.passTime(SESSION);
      await sleep(stage.random.between(200, 800));
    }
    stage.api.setMaintenance(false);
    stage.faultEnds();
    await workOn(load);
    await stage.worked();
    mustBeWellBehaved(stage);
  },
};

export const CDS_VERSIONS: Fault[] = [
  SESSION_EXPIRES,
  withCds(SESSION_EXPIRES, '0.50'),
  withCds(SESSION_EXPIRES, '0.51'),
  {
    name: 'signing-key-changes',
    what: 'the API starts with another signing key, three times under load',
    checks: '`hooks` knows it within seconds, and takes it alone',
    stage: { cds: '0.57' },
    seconds: 15,
    async play(stage) {
      const load = stage.load();
      await load.accepted(10);
      stage.faultBegins();
      for (let times = 0; times < 3; times += 1) {
        stage.api.sessions.rotateKey();
        await waitFor(() => stage.api.tasks(), { what: 'hooks to know the new key' });
        await sleep(stage.random.between(0, 500));
      }
      stage.faultEnds();
      await workOn(load);
      await stage.worked();
      mustBeWellBehaved(stage);
    },
  },
  ...(['0.41', '0.50', '0.51'] as const).map((cds) =>
    withCds(
      HOOKS_KILLED.find(({ name }) => name === 'killed-before-answer'),
      cds,
    ),
  ),
  withCds(
    VCS_AWAY.find(({ name }) => name === 'common-restart'),
    '0.57',
  ),
];
