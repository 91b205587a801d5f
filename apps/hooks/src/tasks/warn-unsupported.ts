import type { Logger } from '@cds/service';
import type { HookConfig, TaskType } from '@cds/wire';
import { whyNotStarted } from '../hook-modules';

const warned = new WeakMap<Logger, Set<string>>();

/** Warns of hooks that are kept but not served, once for each reason. */
export function warnOfRefused(
  logger: Logger,
  { type, config }: { type: TaskType; config: HookConfig | null },
): void {
  const reason = whyNotStarted(type, config);
  if (reason === undefined) return;
  const known = warned.get(logger) ?? new Set();
  warned.set(logger, known);
  const key = `${type} ${reason}`;
  if (known.has(key)) return;
  known.add(key);
  logger.warn({ type, reason }, 'hooks of a kind that is not served are kept and not started');
}
