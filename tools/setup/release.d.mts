export function releaseNotes(release: {
  version: string;
  packageVersion: string;
  lockVersion: string;
  changelog: string;
}): string;
