import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';

const WORKSPACE = 'acme';

/** What a VCS project is given: a user's token, or one of a workspace. */
export type ProjectToken = 'API token' | 'access token';

/**
 * Gives a project its VCS server, as the CDS at hand does it: a user links it, or it has a VCS
 * project with a token.
 *
 * @returns what can be seen of it on the stand-ins' side
 */
export async function connectProject(
  { api, bitbucket }: { api: CdsApiStandIn; bitbucket: BitbucketStandIn },
  project: string,
  kind: ProjectToken = 'API token',
): Promise<string> {
  if (api.connectsBy === 'link') {
    await api.linkProject(project);
    const { accessToken } = api.vcsLink(project);
    const { authorization_code: codes } = bitbucket.oauth.counts;
    if (codes < 1) throw new Error('Bitbucket exchanged no code for tokens');
    return `Bitbucket exchanged a code for tokens; the access token has ${accessToken.length} characters`;
  }
  const { name, username } = await api.importVcsProject({
    ...{ project, ...credentialOf(bitbucket, kind) },
    urlApi: bitbucket.apiUrl,
  });
  return `${project} has the VCS project ${name}: ${username} and an ${kind} of Bitbucket`;
}

function credentialOf(bitbucket: BitbucketStandIn, kind: ProjectToken) {
  return kind === 'API token'
    ? { username: bitbucket.account.email, token: bitbucket.issueApiToken() }
    : {
        username: 'x-token-auth',
        token: bitbucket.issueAccessToken({ workspace: WORKSPACE }),
        // Such a token is of no user, who would know the workspaces.
        url: `https://bitbucket.org/${WORKSPACE}`,
      };
}
