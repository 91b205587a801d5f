// Prints what the specs depend on beside the sources, so that Nx gives no cached result for other surroundings:
// the versions of Node.js and Redis, which Chromium there is, and whether the recordings that some specs replay are there.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findChromium } from '../setup/ensure-chromium.mjs';

const redis = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? 'none';
console.log(process.version, redis.split(' ')[2], existsSync('../shared/contract'), findChromium());
