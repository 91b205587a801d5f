import type { BitbucketStandIn } from '@cds/stand-ins/bitbucket';
import type { CdsApiStandIn } from '@cds/stand-ins/cds-api';
import type { CallFeed } from './call-feed';
import { createEventStream } from './event-stream';
import { lookAround, type Seen } from './look-around';
import { takeSnapshot } from './snapshot';

/** What happens in between is told together. */
const TELL_EVERY_MS = 200;
const LOOK_EVERY_MS = 1_000;
/** So many rows in one message. */
const MAX_ROWS = 400;

export type Live = ReturnType<typeof createLive>;

/** Tells everybody who watches what has changed, as long as somebody does. */
export function createLive(deps: {
  bitbucket: BitbucketStandIn;
  api: CdsApiStandIn;
  feed: CallFeed;
}) {
  const { api, feed } = deps;
  const { epoch } = feed;
  let seen: Seen = { tasks: [], up: new Set() };
  let told = '';
  let lastRow = 0;
  let looking = false;
  let timers: NodeJS.Timeout[] = [];

  const now = () => takeSnapshot({ ...deps, seen });

  const stream = createEventStream({
    greet(send) {
      send('state', now());
      send('calls', { epoch, rows: feed.since(0) });
    },
    watched(isWatched) {
      for (const timer of timers) clearInterval(timer);
      timers = isWatched
        ? [
            setInterval(tell, TELL_EVERY_MS).unref(),
            setInterval(() => void look(), LOOK_EVERY_MS).unref(),
          ]
        : [];
      if (!isWatched) return;
      lastRow = feed.lastId();
      told = '';
      void look();
    },
  });

  function tell(): void {
    const rows = feed.since(lastRow).slice(-MAX_ROWS);
    lastRow = feed.lastId();
    if (rows.length > 0) stream.send('calls', { epoch, rows });
    const state = now();
    const text = JSON.stringify(state);
    if (text === told) return;
    told = text;
    stream.send('state', state);
  }

  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    seen = await lookAround(api).finally(() => (looking = false));
  }

  return {
    handle: stream.handle,
    /** What a client would be told now. */
    async state() {
      await look();
      return now();
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      stream.close();
    },
  };
}
