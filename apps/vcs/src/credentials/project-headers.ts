import { parseUrl } from '@cds/network';
import type { BitbucketPart } from '@cds/bitbucket';
import { CdsError } from '@cds/wire';
import type { IncomingHttpHeaders } from 'node:http';
import { shorten } from '../http/shorten';
import { isToken, readBase64Header } from './access-headers';

/** A VCS project of CDS 0.51 and later: how it calls Bitbucket, and as whom. */
export interface VcsProject {
  /** Where the token goes; without a slash at its end. */
  apiUrl: string;
  /** Origin of the pages of Bitbucket. */
  url: string;
  /** The e-mail address of an API token; undefined for an access token, which is sent as Bearer. */
  user: string | undefined;
  token: string;
  /** The workspace, project or repository that its URL names. */
  part: BitbucketPart | undefined;
}

const PROJECT_TYPE = 'bitbucketcloud';
const DEFAULT_API_URL = 'https://api.bitbucket.org/2.0';
const DEFAULT_URL = 'https://bitbucket.org';
/** The user with whom Git sends an access token of a workspace, project or repository. */
const ACCESS_TOKEN_USER = 'x-token-auth';
const MAX_URL = 2_000;
const MAX_USER = 500;
/** Of a workspace, a repository or a project. */
const NAME = /^[\w.-]+$/;

const TYPE = 'X-CDS-VCS-TYPE';

/** The headers of a call on behalf of a VCS project. Those of Gerrit, `-SSH-…`, are ignored. */
export const PROJECT_HEADERS = {
  [TYPE]: {
    description: `\`${PROJECT_TYPE}\`, in base64: the call is of a VCS project (CDS 0.51 and later).`,
  },
  'X-CDS-VCS-URL': {
    description:
      'The URL of the VCS project, in base64. Its path may name the workspace, project or repository that is listed.',
  },
  'X-CDS-VCS-URL-API': {
    description: `\`urlApi\` of the VCS project, in base64; ${DEFAULT_API_URL} when empty.`,
  },
  'X-CDS-VCS-USERNAME': {
    description: `The e-mail address of an API token, in base64; \`${ACCESS_TOKEN_USER}\` or empty for an access token.`,
  },
  'X-CDS-VCS-TOKEN': { description: 'The API token or access token, in base64.' },
};

/**
 * Whether the API calls for a VCS project, whose credential comes with the call (CDS 0.51 and
 * later), and not for a project that is linked by OAuth.
 */
export function isOfVcsProject({ headers }: { headers: IncomingHttpHeaders }): boolean {
  return Boolean(headers[TYPE.toLowerCase()]);
}

/**
 * The VCS project that a call is for; undefined where it is for none. The API sends the type with
 * every call of a VCS project, and with no other.
 * @throws CdsError 404 for another type; 400 or 401 for a header that makes no sense
 */
export function readProjectHeaders(headers: IncomingHttpHeaders): VcsProject | undefined {
  const read = (name: string) => readBase64Header(headers, name).toString('utf8');
  const type = read(TYPE);
  if (type === '') return undefined;
  if (type !== PROJECT_TYPE)
    throw new CdsError('notFound', {
      from: `VCS projects of type ${JSON.stringify(shorten(type, 50))} are not for this service: it serves ${PROJECT_TYPE}`,
    });
  const { url, part } = pagesOf(read('X-CDS-VCS-URL'));
  const token = read('X-CDS-VCS-TOKEN');
  if (token !== '' && !isToken(token))
    throw new CdsError('credentialRefused', {
      from: 'its token holds blanks or other characters that no token has: import the VCS project again with the token alone',
    });
  return {
    apiUrl: apiUrlOf(read('X-CDS-VCS-URL-API')),
    url,
    user: userOf(read('X-CDS-VCS-USERNAME')),
    token,
    part,
  };
}

function userOf(user: string): string | undefined {
  if (user === '' || user === ACCESS_TOKEN_USER) return undefined;
  // Basic ends the user at the first colon (RFC 7617, 2).
  if (user.length > MAX_USER || /[\p{Cc}:]/u.test(user))
    throw new CdsError('credentialRefused', {
      from: `its user name is no e-mail address: import the VCS project again with the address of the API token, or with ${ACCESS_TOKEN_USER} for an access token`,
    });
  return user;
}

/** The token goes there, so whatever is not plainly an address of an API is refused. */
function apiUrlOf(given: string): string {
  if (given === '') return DEFAULT_API_URL;
  const parsed = given.length <= MAX_URL ? parseUrl(given) : undefined;
  const isAddress =
    parsed !== undefined &&
    (parsed.protocol === 'https:' || parsed.protocol === 'http:') &&
    `${parsed.username}${parsed.password}${parsed.search}${parsed.hash}` === '';
  if (!isAddress)
    throw new CdsError('wrongRequest', {
      from: `urlApi of the VCS project is no http(s) address without user and query: leave it out, or write ${DEFAULT_API_URL}`,
    });
  return `${parsed.origin}${parsed.pathname}`.replace(/(?<!\/)\/+$/, '');
}

/** What the URL of a VCS project says; one that cannot be read says nothing, as it needs not. */
function pagesOf(given: string): Pick<VcsProject, 'url' | 'part'> {
  const page = given.length <= MAX_URL && /^https?:/i.test(given) ? parseUrl(given) : undefined;
  if (!page) return { url: DEFAULT_URL, part: undefined };
  const { origin, pathname } = page;
  const names = pathname.split('/').filter((name) => name !== '');
  return { url: origin, part: names.every((name) => NAME.test(name)) ? partOf(names) : undefined };
}

/** @param names the path of a page of Bitbucket */
function partOf(names: string[]): BitbucketPart | undefined {
  const [workspace, second, third, project] = names;
  if (workspace === undefined) return undefined;
  if (names.length <= 2) return { workspace, repository: second };
  const isProject = names.length === 4 && second === 'workspace' && third === 'projects';
  return isProject ? { workspace, project } : undefined;
}
