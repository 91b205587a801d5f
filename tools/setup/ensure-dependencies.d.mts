export function areInstalled(root: string): boolean;
export function ensureDependencies(root: string): void;
