import { randomUUID } from 'node:crypto';
import { ApiRefusal } from '../api-refusal';
import type { RegisteredService, Scope } from '../model';
import type { SigningKeys } from './signing-keys';

/** What signs in: made by an administrator, with a token that never ends. */
export interface Consumer {
  id: string;
  name: string;
  scopes: readonly Scope[];
  /** Its owner is an administrator of CDS: services need one. */
  isAdmin: boolean;
  /** Its owner is of a group that may do everything with the project. */
  isOfGroup: boolean;
  /** Fixed by CDS where it made the consumer for a service. */
  service?: { name: string; type: RegisteredService['type'] } | undefined;
  /** Unix seconds; the token has to name the same. */
  issuedAt: number;
  token: string;
}

export interface ConsumerOptions {
  name: string;
  scopes: readonly Scope[];
  /** True when not given. */
  isAdmin?: boolean | undefined;
  isOfGroup?: boolean | undefined;
  service?: Consumer['service'];
}

export type Consumers = ReturnType<typeof createConsumers>;

/** The consumers of an API, found by their tokens. */
export function createConsumers(keys: SigningKeys) {
  const consumers = new Map<string, Consumer>();
  const payloadOf = (id: string, issuedAt: number) => ({
    type: 'signinBuiltinConsumerToken',
    expire: 0,
    data: { consumer_id: id, iat: issuedAt },
  });

  return {
    all: (): Consumer[] => [...consumers.values()],

    create({ isAdmin = true, isOfGroup = false, ...asked }: ConsumerOptions): Consumer {
      const id = randomUUID();
      const issuedAt = Math.floor(Date.now() / 1_000);
      const token = keys.signJws(payloadOf(id, issuedAt));
      const consumer: Consumer = { ...asked, isAdmin, isOfGroup, id, issuedAt, token };
      consumers.set(id, consumer);
      return consumer;
    },

    remove: (id: string) => void consumers.delete(id),

    byId: (id: string): Consumer | undefined => consumers.get(id),

    /** @throws ApiRefusal 403 for a token that no consumer has */
    byToken(token: string): Consumer {
      const payload = keys.verify(token, 'PS512') as ReturnType<typeof payloadOf> | undefined;
      const consumer = consumers.get(String(payload?.data?.consumer_id));
      if (!consumer || consumer.issuedAt !== payload?.data?.iat)
        throw new ApiRefusal('forbidden', 'invalid signin token');
      return consumer;
    },
  };
}
