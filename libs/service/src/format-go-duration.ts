/** A duration as Go prints it: `1h2m3.5s`, `350ms`, `0s`; rounded to microseconds. */
export function formatGoDuration(ms: number): string {
  const micros = Math.round(Math.abs(ms) * 1_000);
  if (micros === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  if (micros < 1_000) return `${sign}${micros}µs`;
  if (micros < 1_000_000) return `${sign}${micros / 1_000}ms`;

  const minutes = Math.floor(micros / 60_000_000);
  const seconds = (micros % 60_000_000) / 1_000_000;
  if (minutes === 0) return `${sign}${seconds}s`;
  if (minutes < 60) return `${sign}${minutes}m${seconds}s`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`;
}
