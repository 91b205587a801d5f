// Writes docs/configuration.md:
// npx tsx --tsconfig tsconfig.base.json tools/build/update-config-reference.mts
import { writeFileSync } from 'node:fs';
import { configReference } from '@cds/config';

writeFileSync(new URL('../../docs/configuration.md', import.meta.url), configReference());
console.log('docs/configuration.md is up to date now.');
