// Prints what the specs depend on beside the sources, so that Nx gives no cached result for other
// surroundings: the versions of Node.js and Redis, which Chromium, RabbitMQ, helm and systemd there
// are, and whether the recordings that some specs replay are there.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { findChromium } from '../setup/find-chromium.mjs';
import { findCommand } from '../setup/find-command.mjs';

const RABBITMQ = '/usr/lib/rabbitmq/lib';
const redis = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? 'none';
const rabbitmq = existsSync(RABBITMQ) ? readdirSync(RABBITMQ).join() : 'none';
console.log(process.version, redis.split(' ')[2], existsSync('../shared/contract'), findChromium());
console.log(rabbitmq);
console.log(['helm', 'kubeconform', 'systemd-analyze'].map((name) => findCommand(name)).join());
