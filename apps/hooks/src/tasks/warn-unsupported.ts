import type { Logger } from '@cds/service';
import type { HookConfig, TaskType } from '@cds/wire';
import { unsupportedReason } from '../hook-modules';

const warned = new WeakMap<Logger, Set<string>>();

/** Warns once for each reason. */
export function warnUnsupported(
  logger: Logger,
  hook: { type: TaskType; config: HookConfig | null },
): void {
  const { type } = hook;
  const reason = unsupportedReason(hook);
  if (reason === undefined) return;
  const known = warned.get(logger) ?? new Set();
  warned.set(logger, known);
  const key = `${type} ${reason}`;
  if (known.has(key)) return;
  known.add(key);
  logger.warn({ type, reason }, 'hooks of an unsupported type are stored and not started');
}
