/**
 * A number of a JSON body as Go's `%v` prints a float64, which is what CDS's variables hold: the shortest
 * digits that read back the same; exponent form from 1e6 up and below 1e-4, with at least two digits in the
 * exponent (1000000 → `1e+06`, 999999 → `999999`, 0.00001 → `1e-05`).
 *
 * @param value a finite number
 */
export function formatGoNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(value);
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
}
