import { connect } from 'node:net';

/** A request that is sent by and by. */
export interface SlowRequest {
  send(text: string | Buffer): void;
  /** All that came back so far. */
  received(): string;
  /**
   * What came back, once `isEnough` says so or the other side has ended or broken the connection.
   */
  answer(isEnough?: (received: string) => boolean): Promise<string>;
  /**
   * Whether writing failed: the answer may be lost then to a sender that writes before it reads.
   */
  broken(): boolean;
  end(): void;
}

/** Whether all of an answer with a length is there. */
export function isWhole(received: string): boolean {
  const [head = '', body] = received.split('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length);
}

/** Opens a connection on which a test sends what it likes, when it likes. */
export async function slowRequest(url: string): Promise<SlowRequest> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  let broken = false;
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.on('error', () => (broken = true));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    send: (text) => void socket.write(text),
    received: () => received,
    broken: () => broken,
    answer(isEnough = isWhole) {
      return new Promise((resolve) => {
        const look = () => void (isEnough(received) && done());
        function done() {
          socket.off('data', look).off('end', done).off('close', done);
          resolve(received);
        }
        socket.on('data', look).on('end', done).on('close', done);
        look();
      });
    },
    end: () => socket.destroy(),
  };
}
