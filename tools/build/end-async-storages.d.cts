export function endAsyncStorages(): void;
