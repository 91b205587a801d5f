import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { performance, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { waitFor } from '@cds/testing';
import { activeResources, leftoversSince } from '../build/leftovers.cjs';
import { endAsyncStorages } from '../build/end-async-storages.cjs';
import { endMeasurements } from '../build/end-measurements.cjs';
import { root } from './repository.fixture';

describe('what a spec file leaves behind', () => {
  it('is nothing where all ends by itself', async () => {
    const before = activeResources();
    const server = createServer().listen(0);
    await once(server, 'listening');
    const left = leftoversSince(before);
    server.close();
    expect(await left).toEqual([]);
  });

  it('is not what the process has anyway: its standard streams, opened by a thread', async () => {
    const script = `
      const { activeResources, leftoversSince } = require('./tools/build/leftovers.cjs');
      const { Worker } = require('node:worker_threads');
      const before = activeResources();
      new Worker('', { eval: true }).on('exit', () =>
        leftoversSince(before, 0).then((left) => process.send(left)),
      );`;
    const worker = spawn(process.execPath, ['-e', script], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    const [left] = await once(worker, 'message');
    expect(left).toEqual([]);
    worker.disconnect();
    await once(worker, 'exit');
  });

  it('is named: a server, a process', async () => {
    const before = activeResources();
    const server = createServer().listen(0);
    await once(server, 'listening');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 1, 1000)'], {
      stdio: 'ignore',
    });

    const left = await leftoversSince(before, 0);

    expect(left).toContain('1 TCPServerWrap');
    expect(left).toContain('1 ProcessWrap');
    server.close();
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('is named: timers that were not cleared', async () => {
    const before = activeResources();
    // Jest's reporter has some, too, where it runs in this process.
    const timers = Array.from({ length: 5 }, () => setInterval(() => undefined, 60_000));
    const left = await leftoversSince(before);
    timers.forEach((timer) => clearInterval(timer));
    expect(left).toEqual([expect.stringMatching(/^\d Timeout$/)]);
  });

  it('measures nothing any more', async () => {
    const marks: unknown[] = [];
    new PerformanceObserver((list) => marks.push(...list.getEntries())).observe({ type: 'mark' });
    performance.mark('before');
    await nextTurn();
    endMeasurements();
    performance.mark('after');
    await nextTurn();
    expect(marks).toEqual([expect.objectContaining({ name: 'before' })]);
  });

  it('tells no promise to an asynchronous storage any more, nor keeps what one held', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const storage = new AsyncLocalStorage<object>();
    const { held, timer, found } = storage.run({ of: 'a test' }, () => ({
      held: new WeakRef(storage.getStore() ?? {}),
      // As the timer of fetch, which stays for as long as the process.
      timer: setTimeout(() => undefined, 3_600_000),
      found: nextTurn().then(() => storage.getStore()),
    }));
    endAsyncStorages();
    expect(await found).toBeUndefined();
    await waitFor(
      () => {
        collectGarbage();
        return held.deref() === undefined;
      },
      { what: 'what the storage held to be freed' },
    );
    clearTimeout(timer);
  });
});
