export function activeResources(): Map<string, number>;
export function leftoversSince(before: Map<string, number>, patienceMs?: number): Promise<string[]>;
