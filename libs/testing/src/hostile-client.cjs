// A stranger who means harm, as a process of its own: see `startHostileClient`.
const { connect } = require('node:net');

/** Opened in one turn. */
const AT_ONCE = 50;

let order;
const counts = { opened: 0, asked: 0, answers: 0, closed: 0 };
const sockets = new Set();

function open() {
  if (!order) return;
  const socket = connect(order.port, '127.0.0.1');
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('connect', () => {
    counts.opened += 1;
    ask(socket);
  });
  if (order.reads) socket.on('data', (data) => count(data) && ask(socket));
  else socket.pause();
  socket.on('close', () => {
    counts.closed += 1;
    sockets.delete(socket);
    // Once: whether it comes back is up to the order.
    if (order?.comesBack) setTimeout(open, 5);
  });
}

function ask(socket) {
  counts.asked += order.perConnection;
  socket.write(order.text);
}

/** Answers begin with a line of their own. */
function count(data) {
  const answers = data.toString('latin1').match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;
  counts.answers += answers;
  return answers > 0;
}

const commands = {
  async attack(given) {
    order = { ...given, text: given.request.repeat(given.perConnection) };
    for (let left = order.connections; left > 0; left -= AT_ONCE) {
      for (let index = 0; index < Math.min(AT_ONCE, left); index += 1) open();
      await new Promise((next) => setImmediate(next));
    }
  },
  counts: () => counts,
  /** Reads what waits at connections that were not read, until nothing comes any more. */
  async read() {
    order = undefined;
    await Promise.all(
      [...sockets].map(
        (socket) =>
          new Promise((done) => {
            socket.once('close', done);
            socket.on('data', count);
            socket.end();
            socket.resume();
          }),
      ),
    );
    return counts;
  },
};

process.on('message', async ({ id, command, argument }) => {
  process.send({ id, value: await commands[command](argument) });
});
process.on('disconnect', () => process.exit(0));
