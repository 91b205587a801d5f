export const ALLOWED_LICENSES: readonly string[];
export function packageFolders(metafile: {
  outputs: Record<string, { inputs: Record<string, unknown> }>;
}): string[];
export function thirdPartyLicenses(folders: readonly string[], notices: readonly string[]): string;
