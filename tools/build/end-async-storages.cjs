// The jest-circus of each spec file uses an AsyncLocalStorage of its own, which nobody ends. All
// promises of the files that come later are told to all of them, and a timer of the process, such
// as that of `fetch`, keeps the modules of each file in which it was set.
const { AsyncLocalStorage } = require('node:async_hooks');

/** Has every storage hold boxes, which can be emptied. Returns what ends them. */
function holdBoxes() {
  const used = new Set();
  const boxes = new Set();
  const { run, enterWith, getStore } = AsyncLocalStorage.prototype;

  function boxed(storage, value) {
    const box = { value };
    used.add(storage);
    boxes.add(box);
    return box;
  }

  Object.assign(AsyncLocalStorage.prototype, {
    run(value, ...callback) {
      return run.call(this, boxed(this, value), ...callback);
    },
    enterWith(value) {
      enterWith.call(this, boxed(this, value));
    },
    getStore() {
      return getStore.call(this)?.value;
    },
  });

  return () => {
    for (const storage of used) storage.disable();
    for (const box of boxes) box.value = undefined;
    used.clear();
    boxes.clear();
  };
}

/** All copies of this module in a worker, that of its own spec too, share the class of Node.js. */
const END = Symbol.for('end-async-storages');
AsyncLocalStorage[END] ??= holdBoxes();

/** Ends the storages that were used since the last call, and empties them. */
const endAsyncStorages = () => AsyncLocalStorage[END]();

module.exports = { endAsyncStorages };
