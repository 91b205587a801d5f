export function useTestRedis(environment?: NodeJS.ProcessEnv, folder?: string): void;
