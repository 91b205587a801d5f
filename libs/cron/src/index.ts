export { CronError } from './cron-error';
export { createSchedule, type Schedule } from './create-schedule';
