/**
 * A finite number as Go's `%v` prints a float64, as in variables of CDS: exponent form from 1e6 up
 * and below 1e-4, with at least two digits in the exponent (1000000 → `1e+06`, 999999 → `999999`,
 * 0.00001 → `1e-05`).
 */
export function formatGoNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}
