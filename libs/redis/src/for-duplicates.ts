import type { Redis } from 'ioredis';

/** Prepares a connection and all that are made of it: BullMQ duplicates the one that it is given. */
export function forDuplicates(connection: Redis, prepare: (connection: Redis) => void): Redis {
  prepare(connection);
  const duplicate = connection.duplicate.bind(connection);
  connection.duplicate = (override) => forDuplicates(duplicate(override), prepare);
  return connection;
}
