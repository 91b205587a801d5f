import type { RemoteDocument } from '@cds/config';

/** The process that a command runs in. */
export interface Context {
  env: NodeJS.ProcessEnv;
  /** Standard output: what was asked for. */
  out: (text: string) => void;
  /** Standard error, one sentence for the person at the terminal. */
  say: (sentence: string) => void;
  /** Asks the person at the terminal; empty at its end. Missing where there is no terminal. */
  ask?: ((question: string) => Promise<string>) | undefined;
  /** Folder of the bundle that runs. */
  home: string;
  /** Files that are this command, as they were called. */
  ownFiles: readonly string[];
  /** What Vault and Consul hold of the configuration; read before the command runs. */
  documents?: readonly RemoteDocument[];
}
