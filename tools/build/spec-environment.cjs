// Jest's environment of Node.js. It fails a spec file that leaves a connection, server, process or
// thread behind, which would keep the worker, and names timers: libraries leave some that end.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { TestEnvironment } = require('jest-environment-node');
const { compileOnce } = require('./compile-once.cjs');
const { endAsyncStorages } = require('./end-async-storages.cjs');
const { endMeasurements } = require('./end-measurements.cjs');
const { activeResources, leftoversSince } = require('./leftovers.cjs');
const { scryptOnce } = require('./scrypt-once.cjs');

compileOnce();
scryptOnce();

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** V8 keeps the modules of spec files that ended until there are gigabytes. */
const GARBAGE_BYTES = 500e6;
/** Jest gives a worker half a second for its end, which is little for what it did not free. */
const IDLE_MS = 300;

let idle;

module.exports = class SpecEnvironment extends TestEnvironment {
  constructor(config, context) {
    clearTimeout(idle);
    if (process.memoryUsage().heapUsed > GARBAGE_BYTES) collectGarbage();
    super(config, context);
    this.file = context.testPath;
  }

  async setup() {
    await super.setup();
    this.before = activeResources();
  }

  async teardown() {
    await super.teardown();
    endMeasurements();
    endAsyncStorages();
    idle = setTimeout(collectGarbage, IDLE_MS).unref();
    const left = await leftoversSince(this.before);
    if (left.length === 0) return;
    const sentence = `${this.file} leaves ${left.join(', ')} behind: \`npx jest --detectOpenHandles\` says where it was started.`;
    if (left.every((each) => each.endsWith(' Timeout'))) process.stderr.write(`${sentence}\n`);
    else throw new Error(sentence);
  }
};
