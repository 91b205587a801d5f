import { fillIn } from './fill-in';

/** What the two services have to be told in order to work between the stand-ins. */
export interface ServiceSettings {
  vcsPort: number;
  hooksPort: number;
  redisPort: number;
  apiUrl: string;
  /** `api.token` of all, unless each has another one. */
  token: string;
  tokenOf?: ((service: 'vcs' | 'hooks', name: string) => string) | undefined;
  bitbucket: { apiUrl: string; oauthUrl: string; clientId: string; clientSecret: string };
  /** A VCS project brings its own credential: no OAuth consumer is configured then. */
  connectsBy?: 'link' | 'VCS project' | undefined;
  /** Both derive the secrets of webhooks from it; from the token when not given. */
  webhookKey?: string | undefined;
  branchDeletionDelaySeconds: number;
  /** Names in CDS; every replica has its own. */
  names?: { vcs: string; hooks: string };
}

const HOST = '127.0.0.1';

/** The keys of a configuration by their paths, for one service or both. */
export function settingsByPath(
  settings: ServiceSettings,
  services: readonly ('vcs' | 'hooks')[] = ['vcs', 'hooks'],
): Record<string, string | number> {
  const { bitbucket, webhookKey } = settings;
  const names = settings.names ?? { vcs: 'sandbox-vcs', hooks: 'sandbox-hooks' };
  const common = (service: 'vcs' | 'hooks', port: number): Record<string, string | number> => ({
    [`${service}.URL`]: `http://${HOST}:${port}`,
    [`${service}.name`]: names[service],
    [`${service}.api.token`]: settings.tokenOf?.(service, names[service]) ?? settings.token,
    [`${service}.api.http.url`]: settings.apiUrl,
    [`${service}.cache.redis.host`]: `${HOST}:${settings.redisPort}`,
    [`${service}.http.addr`]: HOST,
    [`${service}.http.port`]: port,
    ...(webhookKey === undefined ? {} : { [`${service}.webhookKey`]: webhookKey }),
  });
  const consumer = 'vcs.servers.bitbucketcloud.bitbucketcloud';
  return {
    ...(services.includes('vcs')
      ? {
          ...common('vcs', settings.vcsPort),
          ...(isLinked(settings) && {
            [`${consumer}.clientId`]: bitbucket.clientId,
            [`${consumer}.clientSecret`]: bitbucket.clientSecret,
            [`${consumer}.apiUrl`]: bitbucket.apiUrl,
            [`${consumer}.oauthUrl`]: bitbucket.oauthUrl,
          }),
        }
      : {}),
    ...(services.includes('hooks')
      ? {
          ...common('hooks', settings.hooksPort),
          'hooks.urlPublic': `http://${HOST}:${settings.hooksPort}`,
          'hooks.branchDeletion.delay': settings.branchDeletionDelaySeconds,
        }
      : {}),
  };
}

const isLinked = ({ connectsBy = 'link' }: ServiceSettings): boolean => connectsBy === 'link';

/** A printed configuration with everything filled in that the sandbox needs. */
export function serviceConfig(printed: string, settings: ServiceSettings): string {
  return fillIn(printed, {
    ...settingsByPath(settings),
    ...(isLinked(settings) && {
      'vcs.servers.bitbucketcloud.bitbucketcloud.Status.showDetail': true,
    }),
  });
}

/** The same settings as environment variables, `CDS_` and the path in capitals. */
export function serviceEnvironment(
  settings: ServiceSettings,
  services?: readonly ('vcs' | 'hooks')[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settingsByPath(settings, services)).map(([path, value]) => [
      `CDS_${path.replaceAll('.', '_').toUpperCase()}`,
      String(value),
    ]),
  );
}
