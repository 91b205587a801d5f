import { PRINTED_SECTIONS } from '../keys';
import { envName, SERVICE_NAMES, type ServiceName } from '../keys/section';
import { isServerSecret } from './server-variables';

const SUFFIX = '_FILE';

/** `CDS_VCS_API_TOKEN_FILE` for `CDS_VCS_API_TOKEN`. */
export function fileVariable(secret: string): string {
  return `${secret}${SUFFIX}`;
}

/** The variables of the secrets of a service, without those of servers that are not printed. */
export const SECRET_VARIABLES: Readonly<Record<ServiceName, readonly string[]>> = {
  vcs: secretsOf('vcs'),
  hooks: secretsOf('hooks'),
};

/** `CDS_VCS_API_TOKEN` for `CDS_VCS_API_TOKEN_FILE`, where that is a secret of `services`. */
export function secretOfFileVariable(
  variable: string,
  services: readonly ServiceName[] = SERVICE_NAMES,
): string | undefined {
  if (!variable.endsWith(SUFFIX)) return undefined;
  const secret = variable.slice(0, -SUFFIX.length);
  const isSecret = services.some((service) => SECRET_VARIABLES[service].includes(secret));
  return isSecret || (services.includes('vcs') && isServerSecret(secret)) ? secret : undefined;
}

function secretsOf(service: ServiceName): string[] {
  return PRINTED_SECTIONS[service].flatMap(({ path, keys }) =>
    keys.filter(({ type }) => type.isSecret).map(({ name }) => envName([...path, name])),
  );
}
