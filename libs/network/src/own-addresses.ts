import { networkInterfaces } from 'node:os';
import { type Address, meaningsOf, parseAddress } from './embedded-addresses';

/** Whether an address is of this machine's interfaces, read anew: they come and go. */
export function isOwnAddress(
  address: Address,
  interfaces: typeof networkInterfaces = networkInterfaces,
): boolean {
  const text = address.toString();
  return Object.values(interfaces()).some((addresses) =>
    (addresses ?? []).some((own) =>
      meaningsOf(parseAddress(own.address)).some((meaning) => meaning.toString() === text),
    ),
  );
}
