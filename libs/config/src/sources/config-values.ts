import type { ConfigValue } from '../values/check-value';

/** Values by key (`vcs.api.token`, without regard to case), each of the type that its descriptor promises. */
export class ConfigValues {
  private readonly values = new Map<string, ConfigValue>();

  set(path: readonly string[], value: ConfigValue): void {
    this.values.set(path.join('.').toLowerCase(), value);
  }

  text(key: string): string {
    return String(this.get(key));
  }

  number(key: string): number {
    return Number(this.get(key));
  }

  boolean(key: string): boolean {
    return this.get(key) === true;
  }

  texts(key: string): string[] {
    const value = this.get(key);
    return Array.isArray(value) ? [...(value as string[])] : [];
  }

  private get(key: string): ConfigValue {
    const value = this.values.get(key.toLowerCase());
    // Cannot happen with a configuration file: it would be a key that no descriptor declares.
    if (value === undefined) throw new Error(`no descriptor for the key ${key}`);
    return value;
  }
}
