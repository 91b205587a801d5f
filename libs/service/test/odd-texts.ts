import { createLogger } from '@cds/service';

const odd = 'ma\u001b[2Jin\u009b2J\u202egpj\u2028\u200b\r';
createLogger({ service: 'odd', level: 'info' }).warn(
  { branch: odd, err: new Error(`it failed at ${odd}`) },
  'odd texts',
);
