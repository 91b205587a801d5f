// Prints the commit that is being built: GIT_COMMIT (images have no .git), else git's HEAD, with
// "-dirty" where a file differs from it, else "unknown".
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function revision() {
  if (process.env.GIT_COMMIT) return process.env.GIT_COMMIT;
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(revision());
