/**
 * A stranger who holds connections: `node flood.mjs URL COUNT HEAD`. Keeps COUNT connections, each
 * of which sends HEAD, and is opened anew five seconds after it was cut. HEAD is base64, and sent
 * REPEAT times. Nothing is read where DEAF is set. Says `steady` once COUNT connections were
 * opened.
 */
import { connect } from 'node:net';

const [url = '', count = '0', head = ''] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const { REPEAT = '1', DEAF = '' } = process.env;
const bytes = Buffer.from(Buffer.from(head, 'base64').toString('latin1').repeat(Number(REPEAT)));
let opened = 0;

function open() {
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.once('connect', () => {
    opened += 1;
    if (opened === Number(count)) process.stdout.write('steady\n');
    if (bytes.length > 0) socket.write(bytes);
  });
  socket.once('end', () => socket.destroy());
  if (!DEAF) socket.resume();
  socket.once('close', () => {
    setTimeout(open, 5_000);
  });
}

for (let index = 0; index < Number(count); index += 1) setTimeout(open, index / 4);
