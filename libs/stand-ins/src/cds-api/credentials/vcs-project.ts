import { base64, type CredentialKind } from './credential';

/** The length of a status's key at Bitbucket is 40: the API compares fewer. */
const COMPARED = 36;

/** 0.51 and later: a VCS project, whose credential `cdsctl project vcs import` has stored. */
export const VCS_PROJECT: CredentialKind = {
  of(project, server) {
    const found = project.vcsProjects.get(server);
    if (!found) return undefined;
    const { type, url, urlApi, username, token, options } = found;
    return {
      headers: () => ({
        'X-CDS-VCS-TYPE': base64(type),
        'X-CDS-VCS-URL': base64(url),
        'X-CDS-VCS-URL-API': base64(urlApi),
        'X-CDS-VCS-USERNAME': base64(username),
        'X-CDS-VCS-TOKEN': base64(token),
        'X-CDS-VCS-SSH-USERNAME': '',
        'X-CDS-VCS-SSH-PORT': base64('0'),
        'X-CDS-VCS-SSH-PRIVATE-KEY': '',
      }),
      readAnswer: () => undefined,
      // It goes by the type, and asks nobody.
      webhooks: () =>
        Promise.resolve({
          webhooks_supported: true,
          webhooks_disabled: options.disableWebhooks ?? false,
          webhooks_icon: 'Bitbucket',
        }),
      isPolled: () => Promise.resolve(false),
      lookAtServer: () => Promise.resolve(),
      comparedCharacters: COMPARED,
      statuses: {
        areSent: !options.disableStatus,
        haveDetails: !options.disableStatusDetails,
      },
    };
  },
};
