import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Whether a document is right by the OpenAPI specification. In a process of its own: the validator
 * is a module that Jest does not load.
 *
 * @throws Error saying what is wrong
 */
export function validateOpenApi(document: unknown): void {
  const folder = mkdtempSync(join(tmpdir(), 'openapi-'));
  try {
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(document));
    const validator = require.resolve('@seriousme/openapi-schema-validator/package.json');
    execFileSync(process.execPath, [join(dirname(validator), 'bin/validate-api-cli.js'), file], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
