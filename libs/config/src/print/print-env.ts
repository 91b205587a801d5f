import { envName, type Key } from '../keys/section';
import { printedSections, printedValue, type PrintOptions } from './printed-sections';

/** The same as `export NAME="value"` lines for a shell, sorted by name. */
export function printEnv(o: PrintOptions): string {
  return printedSections(o)
    .flatMap(({ path, keys }) =>
      keys.map(
        (key) => `export ${envName([...path, key.name])}=${quote(printedValue(key, path, o))}\n`,
      ),
    )
    .sort()
    .join('');
}

/** Double quotes, as CDS prints them; what a shell would take for its own in them is escaped. */
function quote(value: Key['default']): string {
  return `"${String(value).replace(/["\\$`]/g, '\\$&')}"`;
}
