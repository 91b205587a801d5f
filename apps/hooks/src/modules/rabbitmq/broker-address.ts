import type { Options } from 'amqplib';

/** The values of a RabbitMQ integration, as the CDS API gives them. */
export type IntegrationConfig = Readonly<Record<string, { value: string } | undefined>>;

/** Without a heartbeat of the broker for this time, the connection is lost. */
const HEARTBEAT_SECONDS = 20;

/**
 * The address, user and password of an integration's broker. Its `uri` has no scheme in CDS
 * (`host:5672`, also `host/vhost`); `amqps://` in front asks for TLS.
 *
 * @throws Error for the operator, without the password
 */
export function brokerAddress(config: IntegrationConfig): Options.Connect {
  const uri = config.uri?.value ?? '';
  if (uri === '') throw new Error('the integration has no uri');
  let url: URL;
  try {
    url = new URL(/^amqps?:\/\//.test(uri) ? uri : `amqp://${uri}`);
  } catch {
    throw new Error('the uri of the integration is not host:port');
  }
  const vhost = decodeURIComponent(url.pathname.replace(/^\//, ''));
  const secure = url.protocol === 'amqps:';
  return {
    protocol: secure ? 'amqps' : 'amqp',
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 5671 : 5672) : Number(url.port),
    username: config.username?.value ?? '',
    password: config.password?.value ?? '',
    vhost: vhost === '' ? '/' : vhost,
    heartbeat: HEARTBEAT_SECONDS,
  };
}
