import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import type { Page } from '../page/start-page';
import type { Ports } from './ports';
import type { RunFolder } from './run-folder';
import { PROJECT, REPO, WORKFLOW } from './tell-story';

/** Where everything is, and what to try next. */
export function addresses(run: {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  page: Page;
  ports?: Ports;
  folder?: RunFolder;
}): string[] {
  const { bitbucket, api, page, ports, folder } = run;
  const bitbucketControl = `${bitbucket.url}/_control`;
  const apiControl = `${api.url}/_control`;
  return [
    '',
    `Open ${page.url} to see it all and to make things happen.`,
    '',
    'It stays up until Ctrl-C:',
    `  CDS API (stand-in)    ${api.url}`,
    `  Bitbucket (stand-in)  ${bitbucket.url}`,
    ...(ports
      ? [
          `  vcs                   http://127.0.0.1:${ports.vcs}/mon/status`,
          `  hooks                 http://127.0.0.1:${ports.hooks}/mon/status`,
          `  Redis                 redis-cli -p ${ports.redis}`,
        ]
      : []),
    ...(folder
      ? [`  configuration         ${folder.config}`, `  log of the services   ${folder.log}`]
      : []),
    '',
    'Try:',
    `  curl -d '{"repo":"${REPO}","branch":"try-it"}' ${bitbucketControl}/push`,
    `  curl -d '{"repo":"${REPO}","branch":"try-it"}' ${bitbucketControl}/deleteBranch`,
    `  curl -d '{"result":"Fail"}' ${apiControl}/setBuild`,
    `  curl -d '{"fault":{"kind":"answer","status":503},"count":5}' ${apiControl}/fail`,
    `  curl -d '{}' ${bitbucketControl}/expireAccessTokens`,
    `  curl -d '{"project":"${PROJECT}","name":"${WORKFLOW}"}' ${apiControl}/deleteWorkflow`,
    `  curl ${apiControl}/tasks`,
    `  curl ${apiControl}/state       curl ${bitbucketControl}/deliveries`,
    `  curl ${apiControl}/            curl ${bitbucketControl}/      (all there is, with its input)`,
  ];
}
