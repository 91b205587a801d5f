const { accessSync, constants, mkdirSync, renameSync, statSync, symlinkSync } = require('node:fs');
const { delimiter, join, resolve } = require('node:path');

const FOLDER = resolve(__dirname, '../../tmp/test-redis');

/**
 * Puts the program that CDS_TEST_REDIS names on PATH as `redis-server`, in front of any other:
 * specs start it with options of theirs, kill it, and start it again, which a URL would not allow.
 *
 * @throws Error where it names no program
 */
function useTestRedis(environment = process.env, folder = FOLDER) {
  const named = environment.CDS_TEST_REDIS;
  if (!named) return;

  const program = resolve(named);
  if (!isProgram(program))
    throw new Error(
      `CDS_TEST_REDIS is ${named}, which is no program: give it the path of a redis-server, 6.2 or newer.`,
    );
  mkdirSync(folder, { recursive: true });
  const link = join(folder, 'redis-server');
  // Others may start one at this moment.
  symlinkSync(program, `${link}-${process.pid}`);
  renameSync(`${link}-${process.pid}`, link);
  environment.PATH = [folder, environment.PATH].filter(Boolean).join(delimiter);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

module.exports = { useTestRedis };
