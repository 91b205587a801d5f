/** What a process that starts services needs, without the libraries of a service. */
export { SUPERVISED, TERMINAL } from './environment';
export { prefixLines } from './prefix-lines';
export { createPauses, RESTART_PAUSES, type RestartPauses } from './restart-pauses';
export { writerTo, writeWithoutWaiting } from '../logs/write-without-waiting';
