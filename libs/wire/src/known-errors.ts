/**
 * The errors of CDS that our services answer with: CDS's number, HTTP status and sentence, as CDS
 * 0.41 has them. What has no number there (413, 429, 503, 504) has that of the nearest error.
 */
export const KNOWN_ERRORS = {
  internal: { id: 1, status: 500, message: 'internal server error' },
  unavailable: { id: 1, status: 503, message: 'service unavailable' },
  badGateway: { id: 1, status: 502, message: 'bad gateway' },
  gatewayTimeout: { id: 1, status: 504, message: 'gateway timeout' },
  tooManyRequests: { id: 1, status: 429, message: 'too many requests' },
  notAuthenticated: { id: 10, status: 401, message: 'not authenticated' },
  forbidden: { id: 11, status: 403, message: 'forbidden' },
  notFound: { id: 38, status: 404, message: 'resource not found' },
  grantRefused: {
    id: 44,
    status: 401,
    message: 'Bitbucket Cloud no longer accepts the grant of this project: link the project again',
  },
  credentialRefused: {
    id: 44,
    status: 401,
    message: 'Bitbucket Cloud does not accept the credential of this VCS project',
  },
  repositoryNotFound: { id: 45, status: 404, message: 'repository not found' },
  wrongRequest: { id: 74, status: 400, message: 'wrong request' },
  tooLarge: { id: 74, status: 413, message: 'wrong request' },
  conflict: { id: 74, status: 409, message: 'wrong request' },
  notImplemented: { id: 99, status: 501, message: "This functionality isn't implemented" },
  methodNotAllowed: { id: 105, status: 405, message: 'method not allowed' },
} as const;

/** The name under which our code refers to one of CDS's errors. */
export type KnownErrorName = keyof typeof KNOWN_ERRORS;
