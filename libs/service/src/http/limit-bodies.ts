import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hangUpForNow } from './answer-malformed';
import type { ConnectionLimits } from './connection-limits';
import type { WarnOfFlood } from './flood-log';
import { ORDINARY_HEADER_BYTES } from './long-headers';

/** The share of the limit that is free after too many. */
const SPARE = 0.05;
const TOO_MUCH = 'too much is being sent at once, and this took longest: send it again';

interface Sending {
  response: ServerResponse;
  headerBytes: number;
  /** Answered, and still sending a body that is not read. */
  answered: boolean;
}

/**
 * Holds requests whose body is on its way to the limits of a server. Those that are answered are
 * cut first, then those that wait longest.
 */
export function limitBodies({
  limits,
  warnOfFlood,
  cut,
}: {
  limits: ConnectionLimits;
  warnOfFlood: WarnOfFlood;
  cut: (socket: Socket) => void;
}) {
  /** In the order of waiting, the longest first. Some may have come meanwhile. */
  const sending = new Map<IncomingMessage, Sending>();
  /** Bytes of their headers. */
  let headerBytesOfAll = 0;

  function came(request: IncomingMessage | undefined): void {
    if (!request) return;
    headerBytesOfAll -= sending.get(request)?.headerBytes ?? 0;
    sending.delete(request);
  }

  function limit(): void {
    if (isWithin(limits.bodies)) return;
    for (const request of sending.keys()) if (isWhole(request)) came(request);
    if (isWithin(limits.bodies)) return;
    // Some more, so that not each further request has to look at all others.
    const most = limits.bodies - Math.floor(limits.bodies * SPARE);
    // Who was answered needs nothing more.
    for (const [request, { answered }] of sending) {
      if (isWithin(most)) return;
      if (answered) cutSending(request);
    }
    for (const [request, { headerBytes }] of sending) {
      if (isWithin(most)) return;
      const isToBlame = sending.size > most || headerBytes > ORDINARY_HEADER_BYTES;
      if (isToBlame) cutSending(request);
    }
  }

  function isWithin(most: number): boolean {
    return sending.size <= most && headerBytesOfAll <= limits.headerBytes;
  }

  function cutSending(request: IncomingMessage): void {
    const response = sending.get(request)?.response;
    warnOfFlood('bodies', limits.bodies);
    came(request);
    if (response?.headersSent) cut(request.socket);
    else hangUpForNow(request.socket, TOO_MUCH);
  }

  return {
    /** The headers of a request are here. @returns whether it has a body */
    begin(request: IncomingMessage, response: ServerResponse, headerBytes: number): boolean {
      if (!hasBody(request)) return false;
      sending.set(request, { response, headerBytes, answered: false });
      headerBytesOfAll += headerBytes;
      limit();
      return true;
    },

    /** Its body is here, or its connection gone. */
    came,

    /** Its answer is out, whether its body is here or not. */
    answered(request: IncomingMessage): void {
      const own = sending.get(request);
      if (isWhole(request)) came(request);
      else if (own) own.answered = true;
    },

    /** The one that waits longest for its body. */
    longest(): IncomingMessage | undefined {
      for (const request of sending.keys()) {
        if (!isWhole(request)) return request;
        came(request);
      }
      return undefined;
    },
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
}

function isWhole({ complete, destroyed }: IncomingMessage): boolean {
  return complete || destroyed;
}
