/** The component of the monitoring line about the API; no heartbeat contains this line. */
export const API_COMPONENT = 'CDS API';
/** The component of the line about the version; the API compares its value with its own version. */
export const VERSION_COMPONENT = 'Version';
