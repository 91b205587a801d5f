/** OpenSSL's names for a certificate that is not to be trusted, and Node's. */
const UNTRUSTED = /CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

/** Whether the `code` of an error says that the TLS certificate is not to be trusted. */
export function isUntrusted(code: string | undefined): boolean {
  return code !== undefined && UNTRUSTED.test(code);
}
