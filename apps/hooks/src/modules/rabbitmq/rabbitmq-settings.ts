import type { HookConfig } from '@cds/wire';
import * as z from 'zod';

export const settingsSchema = z.strictObject({
  project: z.string(),
  /** The project's integration that knows the broker and its password. */
  integration: z.string(),
  exchange: z.string(),
  exchangeType: z.string(),
  queue: z.string(),
  bindingKey: z.string(),
  /** When empty, the broker chooses one. */
  consumerTag: z.string(),
});
export type RabbitmqSettings = z.infer<typeof settingsSchema>;

/** The bound of short strings in AMQP 0-9-1. */
const MAX_BYTES = 255;
/** Plugins add types that begin with `x-`. */
const EXCHANGE_TYPES = new Set(['direct', 'fanout', 'topic', 'headers']);

/** Reads the settings of a hook. CDS before 0.37 called the integration a platform. */
export function readSettings(config: HookConfig | null): RabbitmqSettings | { problem: string } {
  const value = (key: string) => config?.[key]?.value ?? '';
  const settings: RabbitmqSettings = {
    project: value('project'),
    integration: value('integration') || value('platform'),
    exchange: value('exchange_name'),
    exchangeType: value('exchange_type'),
    queue: value('queue'),
    bindingKey: value('binding_key'),
    consumerTag: value('consumer_tag'),
  };
  const { exchangeType } = settings;
  for (const [key, text] of Object.entries({
    project: settings.project,
    integration: settings.integration,
    queue: settings.queue,
    exchange_name: settings.exchange,
    exchange_type: exchangeType,
  }))
    if (text === '') return { problem: `a RabbitMQ hook needs ${key} in its configuration` };
  const tooLong = Object.values<string>({ ...settings }).find(
    (text) => Buffer.byteLength(text) > MAX_BYTES,
  );
  if (tooLong !== undefined)
    return {
      problem: `names of RabbitMQ have ${MAX_BYTES} bytes at most: ${tooLong.slice(0, 40)}…`,
    };
  if (!EXCHANGE_TYPES.has(exchangeType) && !exchangeType.startsWith('x-'))
    return {
      problem:
        `exchange_type is one of ${[...EXCHANGE_TYPES].join(', ')}, ` +
        `or x-… of a plugin, not ${exchangeType}`,
    };
  return settings;
}
