import type { Slot } from '../config-problem';
import type { LoadedServices } from '../config-types';
import { BITBUCKET_CLOUD_KIND } from '../keys/vcs-sections';
import { whyNoLink, whyUnreachable } from '../values/bitbucket-url';
import type { Reading } from './reading';

/** Warns of URLs that Bitbucket Cloud is known to refuse, or cannot reach. */
export function checkBitbucketUrls(reading: Reading, { vcs, hooks }: LoadedServices): void {
  // A stand-in of Bitbucket reaches what it is told to; where projects are linked tells what it is.
  const isReal = ({ oauthUrl }: { oauthUrl: string }) =>
    /(^|\.)bitbucket\.org$/.test(new URL(oauthUrl).hostname);
  const isStandIn = vcs !== undefined && vcs.servers.length > 0 && !vcs.servers.some(isReal);

  const withDetail = vcs?.servers.some(({ status }) => status.showDetail && !status.disable);
  const noLink = vcs?.uiUrl !== undefined && withDetail ? whyNoLink(vcs.uiUrl) : undefined;
  if (noLink)
    reading.warning(
      reading.placeOf('vcs', 'UI', 'http', 'url'),
      `${noLink}, which Bitbucket Cloud refuses in a build status: statuses lead to the documentation of CDS instead of to their runs (Status.showDetail)`,
    );
  const warnOfUnreachable = (url: string | undefined, place: Slot, advice = '') => {
    const reason = url ? whyUnreachable(url) : undefined;
    if (reason) reading.warning(place, `${reason}: Bitbucket Cloud cannot deliver there${advice}`);
  };
  for (const { name, proxyWebhook } of vcs?.servers.filter(isReal) ?? [])
    warnOfUnreachable(
      proxyWebhook,
      reading.placeOf('vcs', 'servers', name, BITBUCKET_CLOUD_KIND, 'proxyWebhook'),
    );
  warnOfUnreachable(vcs?.proxyWebhook, reading.placeOf('vcs', 'proxyWebhook'));
  // An empty one, for which URL stands, has a warning of its own.
  const isEmpty = reading.problems.some(({ key }) => key === 'hooks.urlPublic');
  if (!isStandIn && !isEmpty)
    warnOfUnreachable(
      hooks?.urlPublic,
      reading.placeOf('hooks', 'urlPublic'),
      '; it has to be the address of a reverse proxy on the internet',
    );
}
