/**
 * The query of a list: `pagelen` and `fields`, the parts of each value that are used (Bitbucket then leaves out the rest).
 * https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response
 */
export function listQuery(pagelen: number, valueFields: readonly string[]): URLSearchParams {
  const fields = [...valueFields.map((field) => `values.${field}`), 'next'];
  return new URLSearchParams({ pagelen: String(pagelen), fields: fields.join(',') });
}
