/** A word for a POSIX shell, whatever is in it. */
export function shellWord(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The line that does in a shell what a button does here. */
export function curlLine(origin, action, body) {
  return `curl -d ${shellWord(JSON.stringify(body))} ${origin}/${action}`;
}
