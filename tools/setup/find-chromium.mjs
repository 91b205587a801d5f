import { findCommand } from './find-command.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The full path of a Chromium, or undefined where PATH has none. */
export function findChromium(path = process.env.PATH) {
  return NAMES.map((name) => findCommand(name, path)).find(Boolean);
}
