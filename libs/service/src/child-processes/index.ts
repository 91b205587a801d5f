/** What a process that starts services needs, without the libraries of a service. */
export { prefixLines, TERMINAL } from './prefix-lines';
export { createPauses, RESTART_PAUSES, type RestartPauses } from './restart-pauses';
export { writerTo, writeWithoutWaiting } from '../logs/write-without-waiting';
