/** `export NAME="value"`, the value over several lines where it is a key. */
const EXPORT = /^export (\w+)="((?:[^"\\]|\\[^])*)"$/gm;

/**
 * `export` lines as lines that `docker --env-file` and `EnvironmentFile=` of systemd read alike:
 * without `export` and quotes. Docker takes every sign of a value for itself; systemd drops spaces
 * around it, and reads quotes at its beginning and backslashes.
 * https://docs.docker.com/reference/cli/docker/container/run/#env
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
 * @returns `left`: names of variables whose value the two read differently
 */
export function envFileOf(exports: string): { text: string; left: string[] } {
  const left: string[] = [];
  const lines = [...exports.matchAll(EXPORT)].flatMap(([, name = '', escaped = '']) => {
    const value = escaped.replace(/\\(["\\$`])/g, '$1');
    if (!/[\\\r\n\0]|^["']/.test(value) && value === value.trim()) return [`${name}=${value}\n`];
    left.push(name);
    return [];
  });
  return { text: lines.join(''), left };
}
