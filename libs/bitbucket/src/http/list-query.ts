/**
 * The query of a list: `pagelen`, `fields` (the parts of each value that are used), and, where the
 * list takes one, a `sort` key that does not change: pages are counted by position, and a push
 * would move a branch to another page.
 * https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response
 */
export function listQuery(
  pagelen: number,
  valueFields: readonly string[],
  sort?: 'name' | 'created_on' | '-created_on',
): URLSearchParams {
  const fields = [...valueFields.map((field) => `values.${field}`), 'next', 'size'];
  return new URLSearchParams({
    pagelen: String(pagelen),
    fields: fields.join(','),
    ...(sort === undefined ? {} : { sort }),
  });
}
