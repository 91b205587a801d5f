interface Page<T> {
  values: T[];
  next?: string;
}

interface PullRequest {
  id: number;
  source: { branch: { name: string } };
}

/**
 * Reads lists of Bitbucket with nothing in between: what has not to wait for another call is asked
 * at once.
 */
export interface PlainClient {
  /** Full names. */
  repositories(token: string): Promise<string[]>;
  /** Hash by name. */
  branches(token: string, repo: string): Promise<Map<string, string>>;
  /** Full hash of the source, by number. */
  pullRequests(token: string, repo: string): Promise<Map<number, string>>;
}

/**
 * The limit of what reads from Bitbucket. Where a page is follows from the one before it only
 * (`next`), so that a list takes as many calls one after the other as it has pages; all lists that
 * are known are read side by side.
 */
export function createPlainClient(apiUrl: string): PlainClient {
  async function list<T>(token: string, path: string): Promise<T[]> {
    const values: T[] = [];
    for (let url: string | undefined = `${apiUrl}${path}`; url !== undefined;) {
      const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
      if (!answer.ok) throw new Error(`Bitbucket answered ${answer.status} to ${url}`);
      const page = (await answer.json()) as Page<T>;
      values.push(...page.values);
      url = page.next;
    }
    return values;
  }

  const query = (pagelen: number, fields: string): string =>
    `pagelen=${pagelen}&fields=${fields.split(' ').map((field) => `values.${field}`)},next`;

  async function branches(token: string, repo: string): Promise<Map<string, string>> {
    const fields = query(100, 'name target.hash target.parents.hash');
    const path = `/repositories/${repo}/refs/branches?${fields}`;
    const all = await list<{ name: string; target: { hash: string } }>(token, path);
    return new Map(all.map(({ name, target }) => [name, target.hash]));
  }

  return {
    branches,
    async repositories(token) {
      const path = '/user/workspaces?pagelen=100';
      const workspaces = await list<{ workspace: { slug: string } }>(token, path);
      const fields = query(100, 'uuid name full_name mainbranch.name links.html.href links.clone');
      const lists = await Promise.all(
        workspaces.map(({ workspace }) =>
          list<{ full_name: string }>(
            token,
            `/repositories/${workspace.slug}?role=member&${fields}`,
          ),
        ),
      );
      return lists.flat().map((one) => one.full_name);
    },
    async pullRequests(token, repo) {
      const end = (name: string): string =>
        `${name}.branch.name ${name}.commit.hash ${name}.repository.full_name`;
      const fields = query(
        50,
        `id title state links.html.href author ${end('source')} ${end('destination')}`,
      );
      // A pull request shows twelve digits of a hash; the branches have them all.
      const [all, heads] = await Promise.all([
        list<PullRequest>(token, `/repositories/${repo}/pullrequests?${fields}`),
        branches(token, repo),
      ]);
      return new Map(all.map(({ id, source }) => [id, heads.get(source.branch.name) ?? '']));
    },
  };
}
