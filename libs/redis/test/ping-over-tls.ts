import { connectRedis } from '../src/connect-redis';
import { whenReady } from '../src/when-ready';

/** Pings the Redis at this port of 127.0.0.1, with a certificate that has to be trusted. */
async function ping(port: number): Promise<void> {
  const logger = {
    info: () => undefined,
    warn: (fields: object) => process.stderr.write(`${JSON.stringify(fields)}\n`),
  };
  const redis = {
    password: '',
    address: { kind: 'single' as const, host: '127.0.0.1', port },
    tls: { rejectUnauthorized: true },
  };
  const client = connectRedis({ redis, logger, name: 'ping' }, 'client');
  await whenReady(client, 30_000);
  process.stdout.write(`${await client.ping()}\n`);
  client.disconnect();
}

void ping(Number(process.argv[2]));
