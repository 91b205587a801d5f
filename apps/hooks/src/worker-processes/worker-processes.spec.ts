import { EventEmitter } from 'node:events';
import type { SharedSession } from '@cds/api-client';
import { createProcessChannel, type ProcessPort } from './process-channel';
import { createSessionForWorkers } from './start-worker-processes';

/** Two ends of a channel between processes, without the processes. */
function ports(): { main: ProcessPort; worker: ProcessPort; disconnect: () => void } {
  const ends = [new EventEmitter(), new EventEmitter()] as const;
  let connected = true;
  const portTo = (own: EventEmitter, other: EventEmitter): ProcessPort => ({
    get connected() {
      return connected;
    },
    send(message, handle, done) {
      setImmediate(() => other.emit('message', JSON.parse(JSON.stringify(message)), handle));
      done(null);
    },
    on: (event: string, listener: (...values: unknown[]) => void) => own.on(event, listener),
  });
  return {
    main: portTo(ends[0], ends[1]),
    worker: portTo(ends[1], ends[0]),
    disconnect() {
      connected = false;
      for (const end of ends) end.emit('disconnect');
    },
  };
}

describe('a channel between processes', () => {
  it('answers questions from both sides, and passes errors on', async () => {
    const { main, worker } = ports();
    const ofMain = createProcessChannel(main, {
      double: (value: number) => value * 2,
      fail: () => Promise.reject(new Error('not today')),
    });
    const ofWorker = createProcessChannel(worker, { name: () => 'worker' });

    expect(await Promise.all([1, 2].map((value) => ofWorker.ask('double', value)))).toEqual([2, 4]);
    expect(await ofMain.ask('name')).toBe('worker');
    await expect(ofWorker.ask('fail')).rejects.toThrow('not today');
  });

  it('rejects what was asked, and whatever is asked later, when the other process has gone', async () => {
    const { main, worker, disconnect } = ports();
    createProcessChannel(main, { wait: () => new Promise(() => undefined) });
    const ofWorker = createProcessChannel(worker, {});
    const asked = ofWorker.ask('wait');
    disconnect();
    await expect(asked).rejects.toThrow('has gone');
    await expect(ofWorker.ask('wait')).rejects.toThrow('has gone');
  });
});

describe('the session for worker processes', () => {
  const jwt = (name: string): SharedSession => ({
    ...{ kind: 'jwt', jwt: name, signingKey: 'PEM', lifetimeSeconds: 60 },
  });
  const hash = (name: string): SharedSession => ({ kind: 'hash', hash: name, upToDate: true });

  function sessions(first: SharedSession, next: SharedSession) {
    let session = first;
    const registerNow = jest.fn(() => {
      session = next;
      return Promise.resolve();
    });
    const firstRegistration = () => Promise.resolve();
    const ask = createSessionForWorkers({
      api: { session: () => session },
      registration: { firstRegistration, registerNow },
    });
    return { ask, registerNow };
  }

  it.each([
    ['of a process without one is the one at hand', jwt('a'), '', false, 0],
    ['of one that has an earlier one, too', jwt('b'), 'a', true, 0],
    ['is another one where the process has the same: its end is near', jwt('a'), 'a', false, 1],
    ['is the same hash with each heartbeat', hash('a'), 'a', false, 0],
    ['is another hash where the API refuses it', hash('a'), 'a', true, 1],
  ])('%s', async (_, first, secret, isRefused, registrations) => {
    const next = first.kind === 'hash' ? hash('z') : jwt('z');
    const { ask, registerNow } = sessions(first, next);
    expect(await ask({ secret, isRefused })).toEqual(registrations > 0 ? next : first);
    expect(registerNow).toHaveBeenCalledTimes(registrations);
  });
});
