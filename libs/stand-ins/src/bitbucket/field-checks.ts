import { parseUrl } from '@cds/network';
import { invalidField } from './api-error';

/** As Django's URLValidator has it, by which Bitbucket's words "Enter a valid URL." are known. */
const VALID_URL =
  /^https?:\/\/(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\]|localhost|([a-z0-9\u00a1-\uffff]([a-z0-9\u00a1-\uffff-]{0,61}[a-z0-9\u00a1-\uffff])?\.)+([a-z\u00a1-\uffff][a-z\u00a1-\uffff-]{0,61}[a-z\u00a1-\uffff]|xn--[a-z0-9]{1,59})\.?)(:\d{1,5})?([/?#]\S*)?$/i;

/** @throws BitbucketApiError 400 for a URL that is none, or has a host without a dot */
export function checkedUrl(field: string, url: unknown): string {
  if (typeof url === 'string' && VALID_URL.test(url) && parseUrl(url)) return url;
  throw invalidField(field, 'Enter a valid URL.');
}

/** @throws BitbucketApiError 400 for a text of more characters */
export function checkedLength(field: string, text: string, max: number): string {
  if (text.length <= max) return text;
  throw invalidField(
    field,
    `Ensure this value has at most ${max} characters (it has ${text.length}).`,
  );
}
