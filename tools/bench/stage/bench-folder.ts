import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../faults/stage/bundles';

/**
 * A folder for one case, below `tmp`. Memory disks are avoided: the append-only file is to be
 * written as in reality.
 */
export function makeBenchFolder(): { folder: string; remove: () => void } {
  const parent = join(root, 'tmp', 'bench');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'case-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
