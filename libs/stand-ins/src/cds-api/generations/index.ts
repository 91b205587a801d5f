import { errorBodyWithRequestId, errorBodyWithUuid } from '../api-refusal';
import {
  buildStatus,
  longStatusName,
  shortStatusName,
  snakeCaseBuildEvent,
} from '../builds/build-event';
import { isSameCommit, reportByComparing } from '../builds/comparing-reporter';
import { reportByEvents } from '../builds/event-reporter';
import { OAUTH_GRANT } from '../credentials/oauth-grant';
import { VCS_PROJECT } from '../credentials/vcs-project';
import { createSessionAccess } from '../sessions/session-access';
import { signInThenRegister } from '../sessions/sign-in-then-register';
import { signInWithService } from '../sessions/sign-in-with-service';
import type { CdsVersion, Generation } from './generation';
import { createSharedInfraAccess } from './shared-infra-access';

const CDS_0_41: Generation = {
  cds: '0.41',
  version: '0.41.0',
  errorBody: errorBodyWithUuid,
  createAccess: ({ sharedInfraToken: token, ...deps }) =>
    createSharedInfraAccess({ ...deps, token }),
  credentials: [OAUTH_GRANT],
  connectsBy: 'link',
  vcsServer: 'bitbucketcloud',
  reporter: reportByEvents,
  statusName: longStatusName,
  attempts: 1,
  keepsVcsClients: true,
  hookFields: () => ({ ref: String(Math.floor(Date.now() / 1_000)) }),
  looksAtDefaultBranch: false,
  triesImportedProjects: false,
  hasConfigVcs: true,
  hasConfigVcsGerrit: false,
  hasHookExecutions: false,
  branchRemoval: 'service',
  matchesEscapedSlash: false,
};

const CDS_0_50: Generation = {
  ...CDS_0_41,
  cds: '0.50',
  version: '0.50.0',
  errorBody: errorBodyWithRequestId,
  createAccess: (deps) => createSessionAccess(deps, signInThenRegister, { namesAreFixed: false }),
  reporter: reportByComparing({
    nameOf: longStatusName,
    bodyOf: snakeCaseBuildEvent,
    isSameCommit: (one, other) => one === other,
  }),
  attempts: 5,
  keepsVcsClients: false,
  hookFields: () => ({ conditions: {} }),
  looksAtDefaultBranch: true,
  hasHookExecutions: true,
  branchRemoval: 'rule',
};

const CDS_0_51: Generation = {
  ...CDS_0_50,
  cds: '0.51',
  version: '0.51.0',
  createAccess: (deps) => createSessionAccess(deps, signInWithService, { namesAreFixed: true }),
  credentials: [VCS_PROJECT, OAUTH_GRANT],
  connectsBy: 'VCS project',
  hasConfigVcsGerrit: true,
};

const CDS_0_57: Generation = {
  ...CDS_0_51,
  cds: '0.57',
  version: '0.57.0',
  credentials: [VCS_PROJECT],
  triesImportedProjects: true,
  // Any name that the project likes.
  vcsServer: 'bbc',
  reporter: reportByComparing({
    nameOf: shortStatusName,
    bodyOf: buildStatus,
    isSameCommit,
  }),
  statusName: shortStatusName,
  hasConfigVcs: false,
  matchesEscapedSlash: true,
};

const GENERATIONS: Record<CdsVersion, Generation> = {
  '0.41': CDS_0_41,
  '0.50': CDS_0_50,
  '0.51': CDS_0_51,
  '0.57': CDS_0_57,
};

export const generationOf = (cds: CdsVersion): Generation => GENERATIONS[cds];
