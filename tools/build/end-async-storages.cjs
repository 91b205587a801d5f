// The jest-circus of each spec file uses an AsyncLocalStorage of its own, which nobody ends. All
// promises of the files that come later are told to all of them.
const { AsyncLocalStorage } = require('node:async_hooks');

const used = new Set();
const { run } = AsyncLocalStorage.prototype;

AsyncLocalStorage.prototype.run = function (...args) {
  used.add(this);
  return run.apply(this, args);
};

/** Ends the storages that were used since the last call. */
function endAsyncStorages() {
  for (const storage of used) storage.disable();
  used.clear();
}

module.exports = { endAsyncStorages };
