import type { Channel, ChannelModel } from 'amqplib';
import type { RabbitmqSettings } from './rabbitmq-settings';

const NOT_FOUND = 404;

/**
 * Creates a missing queue and exchange, durable as in CDS, and binds them. Existing ones are not
 * declared again: the broker would refuse that where arguments differ or the user may only read.
 *
 * @returns why an existing queue could not be bound to the exchange; undefined when it is bound
 * @throws Error when the broker refuses to create what is missing
 */
export async function prepareQueue(
  connection: ChannelModel,
  { queue, exchange, exchangeType, bindingKey }: RabbitmqSettings,
): Promise<string | undefined> {
  const hasQueue = await exists(connection, (channel) => channel.checkQueue(queue));
  const hasExchange = await exists(connection, (channel) => channel.checkExchange(exchange));
  try {
    if (!hasExchange)
      await onOwnChannel(connection, (channel) =>
        channel.assertExchange(exchange, exchangeType, { durable: true }),
      );
    if (!hasQueue)
      await onOwnChannel(connection, (channel) => channel.assertQueue(queue, { durable: true }));
    // AMQP cannot ask whether a binding exists. Binding again changes nothing.
    await onOwnChannel(connection, (channel) => channel.bindQueue(queue, exchange, bindingKey));
    return undefined;
  } catch (error) {
    // The owner of the queue may have bound it, and granted no right to bind.
    if (hasQueue && codeOf(error) !== undefined)
      return error instanceof Error ? error.message : String(error);
    throw error;
  }
}

async function exists(
  connection: ChannelModel,
  check: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  try {
    await onOwnChannel(connection, check);
    return true;
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return false;
    throw error;
  }
}

/** A broker closes the channel on which it refuses something. */
async function onOwnChannel(
  connection: ChannelModel,
  use: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  const channel = await connection.createChannel();
  // `use` rejects with the same.
  channel.on('error', () => undefined);
  await use(channel);
  await channel.close();
}

/** The AMQP reply code of a refusal; undefined for other errors. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}
