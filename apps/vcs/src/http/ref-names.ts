const REF = /^refs\/(heads|tags)\/(?=.)/;

/** The name of a branch or a tag, which CDS's workflows as code write as `refs/heads/NAME`. */
export function refName(ref: string): string {
  return ref.replace(REF, '');
}
