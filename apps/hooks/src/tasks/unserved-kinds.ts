import { isServed } from '@cds/hooks-store';
import type { Logger } from '@cds/service';
import type { TaskType } from '@cds/wire';

const warned = new WeakMap<Logger, Set<string>>();

/** Warns of a kind of hook that is kept but does nothing, once for each kind. */
export function warnOfUnserved(logger: Logger, type: TaskType): void {
  if (isServed(type)) return;
  const types = warned.get(logger) ?? new Set();
  warned.set(logger, types);
  if (types.has(type)) return;
  types.add(type);
  logger.warn(
    { type },
    'hooks of this type are kept, but nothing is done for them yet: workflows that use them do not start by themselves',
  );
}
