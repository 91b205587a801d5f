import type { Channel, ChannelModel } from 'amqplib';
import type { RabbitmqSettings } from './rabbitmq-settings';

const NOT_FOUND = 404;

/**
 * Sees to it that there is a queue to consume. What exists is left as it is, whatever its arguments
 * are: declaring it again would be refused where they differ, or where the user may only read. What
 * is missing is made, durable, as CDS does it.
 *
 * @returns why the queue, which was there before, could not be bound to the exchange; undefined
 *   when it is bound
 * @throws Error when the broker refuses to make what is missing
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
    // AMQP cannot ask whether a binding exists; making it again changes nothing.
    await onOwnChannel(connection, (channel) => channel.bindQueue(queue, exchange, bindingKey));
    return undefined;
  } catch (error) {
    // Whoever made the queue may have bound it, and may have given us no right to.
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

/** The reply code of AMQP with which the broker refused; undefined when it did not. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}
