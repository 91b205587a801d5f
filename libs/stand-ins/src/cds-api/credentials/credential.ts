import type { VcsWebhooksInfo } from '@cds/wire';
import type { Project } from '../model';
import type { IncomingAnswer } from '../../http/send-request';

/**
 * Calls a route below `/vcs/{server}` with the project's credential and returns the body of the
 * answer.
 */
export type VcsCall = (method: string, path: string, body?: unknown) => Promise<unknown>;

/** What a project shows to a VCS server, and what the API knows of the server by it. */
export interface VcsCredential {
  headers(): Record<string, string>;
  /** Looks at the headers of an answer that was no error. */
  readAnswer(headers: IncomingAnswer['headers']): void;
  webhooks(
    vcs: VcsCall,
  ): Promise<Pick<VcsWebhooksInfo, 'webhooks_supported' | 'webhooks_disabled' | 'webhooks_icon'>>;
  isPolled(vcs: VcsCall): Promise<boolean>;
  /** Finds out whether the server is a Gerrit. */
  lookAtServer(vcs: VcsCall): Promise<void>;
  /** So many characters of a status's name are compared. */
  comparedCharacters: number;
  /** Whether the statuses of builds are sent, and where they lead to the run. */
  statuses: { areSent: boolean; haveDetails: boolean };
}

export interface CredentialKind {
  /** Undefined when the project has none of this kind for the server. */
  of(project: Project, server: string): VcsCredential | undefined;
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
