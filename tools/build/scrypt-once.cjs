// Every service derives the name of its CDS by scrypt, which is slow on purpose. A worker starts
// hundreds of services with the same secret and URL.
const crypto = require('node:crypto');

const derived = new Map();
const { scrypt } = crypto;

/** Has `crypto.scrypt` derive each key once in this process. */
function scryptOnce() {
  crypto.scrypt = (password, salt, length, done) => {
    const name = JSON.stringify([password, salt, length]);
    const known = derived.get(name);
    if (known !== undefined) return void setImmediate(done, null, Buffer.from(known));
    scrypt(password, salt, length, (error, key) => {
      if (!error) derived.set(name, key);
      done(error, key);
    });
  };
}

module.exports = { scryptOnce };
