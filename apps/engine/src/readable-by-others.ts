import { statSync } from 'node:fs';
import { type ConfigProblem, type LoadedConfig, readConfigFile, secretValues } from '@cds/config';

/** A secret of CDS's own sections, which may stand in the same file. */
const SECRET_OF_CDS = /^[ \t]*"?(?:token|password|\w*secret\w*)"?[ \t]*=[ \t]*["'][^"'\s]/im;

/** The files that hold secrets: configuration files, files of secrets, private keys. */
export function filesWithSecrets(
  files: readonly string[],
  config: LoadedConfig | undefined,
): string[] {
  const withSecrets = files
    .filter(isRegular)
    .filter(
      (file) =>
        SECRET_OF_CDS.test(readConfigFile(file)) ||
        secretValues({ files: [file], services: ['vcs', 'hooks'], env: {} }).length > 0,
    );
  const named = [config?.vcs, config?.hooks].flatMap((each) => [
    ...(each?.secretFiles ?? []).map(({ file }) => file),
    ...[each?.redis.tls?.keyFile, each?.redis.sentinel?.tls?.keyFile],
  ]);
  return [...new Set([...withSecrets, ...named.filter((file) => file !== undefined)])];
}

/** A pipe, which a shell makes of a command's output, can be read once. */
function isRegular(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** Those that every user of this machine may read. Windows has no such rights. */
export function readableByEveryone(files: readonly string[]): string[] {
  if (process.platform === 'win32') return [];
  return files.filter((file) => (statSync(file).mode & 0o004) !== 0);
}

export const HOW_TO_CLOSE = (file: string) =>
  `chmod o-rwx ${file}, and give it to the user or group of the services`;

/** A warning for each file with secrets that every user may read. */
export function warnOfOpenFiles(
  files: readonly string[],
  config: LoadedConfig | undefined,
): ConfigProblem[] {
  return readableByEveryone(filesWithSecrets(files, config)).map((file) => ({
    key: '',
    file,
    level: 'warning',
    message: `every user of this machine may read it, and it holds secrets: ${HOW_TO_CLOSE(file)}`,
  }));
}
