import { maxEntries } from '@cds/service';
import { LRUCache } from 'lru-cache';
import type { AbsentHook, Clock, HookOnFile } from '@cds/hooks-store';
import { moduleOf } from '../hook-modules';
import type { DeliveryValidator } from '../modules/incoming-delivery';
import { Refusal, wrongMethod } from './refusal';
import type { ShownSignature, SignatureVerifier } from './verify-signature';

/** Absent hooks that a right signature asked for. Only holders of the key can fill this. */
const MAX_ASKED_FOR = 10_000;

/** Bodies for absent hooks, of 1 MiB at most, that are read at once to verify a signature. */
export const MAX_READ_FOR_SIGNATURE = 8;

/** What is known of a delivery before its body is read. */
interface SentHead {
  uuid: string;
  method: string;
  shown: ShownSignature;
}

/** Refuses deliveries by their hook in Redis, whatever their body is. */
export function createHookCheck(deps: {
  signatures: Pick<SignatureVerifier, 'isRefused'>;
  /** Reads the hooks of the API again, once a minute at most. */
  askForHooks: () => void;
  now: Clock;
}) {
  const { signatures, askForHooks, now } = deps;
  const askedFor = new LRUCache<string, number>(maxEntries(MAX_ASKED_FOR));
  let beingRead = 0;

  /** @throws Refusal where the hook takes no delivery with this method and signature */
  function checkHook(hook: HookOnFile | AbsentHook, sent: SentHead): DeliveryValidator {
    if (hook.kind === 'unknown') throw absentHook(sent.uuid, hook, false);
    if (hook.method !== sent.method) throw wrongMethod(sent.method);
    const validator = moduleOf(hook.type)?.deliveries;
    if (!validator)
      throw new Refusal('not_served', { from: `hooks of type ${hook.type} take no webhooks` });
    const { anySender = false } = validator;
    if (signatures.isRefused(sent.shown, { anySender, signed: hook.signed }))
      throw new Refusal('unauthentic');
    return validator;
  }

  /**
   * Why a delivery to an absent hook is refused: 404 only where the API is known not to have it.
   *
   * @param isRight whether the signature shows that the hook was ours
   */
  function absentHook(uuid: string, absent: AbsentHook, isRight: boolean): Refusal {
    const { synchronizedAt, vanished } = absent;
    if (synchronizedAt === undefined) return new Refusal('not_known_yet');
    if (!vanished && !isRight) return new Refusal('unknown');
    const since = askedFor.get(uuid) ?? now();
    askedFor.set(uuid, since);
    // The API was asked since and does not list the hook: it was deleted, its webhook was not.
    if (!vanished && synchronizedAt > since) return new Refusal('unknown');
    askForHooks();
    return new Refusal('not_known_yet');
  }

  /**
   * Call before the body of a delivery to an absent hook is read to verify its signature.
   *
   * @returns a function to call when the body is read
   * @throws Refusal where the signature changes nothing, and while {@link MAX_READ_FOR_SIGNATURE}
   *   bodies are being read
   */
  function reserveRead(uuid: string, absent: AbsentHook): () => void {
    const refusal = absentHook(uuid, absent, false);
    if (refusal.reason !== 'unknown') throw refusal;
    if (beingRead >= MAX_READ_FOR_SIGNATURE) {
      throw new Refusal('not_known_yet', {
        from: 'too much is sent at once to look at the signature: send it again',
      });
    }
    beingRead++;
    return () => {
      beingRead--;
    };
  }

  return { checkHook, absentHook, reserveRead };
}
