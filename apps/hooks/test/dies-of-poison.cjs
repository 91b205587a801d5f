// Preloaded into a `hooks` process: a body that begins like this one kills it when it is worked on,
// as a fault of Node.js or a lack of memory would.
const { parse } = JSON;
JSON.parse = function (text, reviver) {
  if (typeof text === 'string' && text.startsWith('{"poison"'))
    process.kill(process.pid, 'SIGKILL');
  return parse(text, reviver);
};
