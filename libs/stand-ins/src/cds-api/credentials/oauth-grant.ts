import type { VcsWebhooksInfo } from '@cds/wire';
import * as z from 'zod';
import type { VcsLink } from '../model';
import { base64, type CredentialKind } from './credential';

const pollingSchema = z.object({ polling_supported: z.boolean(), polling_disabled: z.boolean() });

/**
 * Up to 0.53: the tokens that a user got for the project. A new access token in an answer replaces
 * the stored one, with the time of its arrival; of a new refresh token the API never hears.
 */
export const OAUTH_GRANT: CredentialKind = {
  of(project, server) {
    const link = project.links.get(server);
    if (!link) return undefined;
    return {
      headers: () => ({
        'X-CDS-ACCESS-TOKEN': base64(link.accessToken),
        'X-CDS-ACCESS-TOKEN-SECRET': base64(link.refreshToken),
        'X-CDS-ACCESS-TOKEN-CREATED': base64(String(link.created)),
      }),
      readAnswer: (headers) => keepNewToken(link, headers['x-cds-access-token']),
      webhooks: async (vcs) => (await vcs('GET', '/webhooks')) as VcsWebhooksInfo,
      async isPolled(vcs) {
        const polling = pollingSchema.parse(await vcs('GET', '/polling'));
        return polling.polling_supported && !polling.polling_disabled;
      },
      async lookAtServer(vcs) {
        await vcs('GET', '');
      },
      comparedCharacters: Infinity,
      statuses: { areSent: true, haveDetails: true },
    };
  },
};

function keepNewToken(link: VcsLink, header: string | string[] | undefined): void {
  if (typeof header !== 'string' || header === '') return;
  link.accessToken = header;
  link.created = Math.floor(Date.now() / 1_000);
}
