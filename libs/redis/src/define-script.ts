import type { Redis } from 'ioredis';
import type { ReplyParser } from './script-reply';

class KeyArgument {
  constructor(readonly key: string) {}
}

/**
 * Marks a key or a key prefix among the arguments of a script. It gets the key prefix of the
 * connection, as ioredis adds it to KEYS: else it would be the key of another user of this Redis.
 */
export function keyArgument(key: string): KeyArgument {
  return new KeyArgument(key);
}

/** `true` is 1 in the script, `false` is 0. */
type ScriptArgument = string | number | boolean | Buffer | KeyArgument;

/** The Lua expression of each name. */
export type LuaNames<N extends string> = Readonly<Record<N, string>>;

type Keys<K extends string> = Readonly<Record<K, string>>;
type Arguments<A extends string> = Readonly<Record<A, ScriptArgument>>;

/** Runs a script with keys and arguments by name, and `each` if the script has any. */
type RunScript<K extends string, A extends string, E extends string, R> = (
  keys: Keys<K>,
  args: Arguments<A>,
  ...each: [E] extends [never] ? [] : [each: readonly Arguments<E>[]]
) => Promise<R>;

export interface Script<K extends string, A extends string, E extends string, R> {
  lua: string;
  on(redis: Redis): RunScript<K, A, E, R>;
}

/** What a script returns, as its reply is parsed. */
export type ReplyOf<S extends { on(redis: Redis): (...args: never[]) => Promise<unknown> }> =
  Awaited<ReturnType<ReturnType<S['on']>>>;

type Command = (this: Redis, ...words: (string | number | Buffer)[]) => Promise<unknown>;

/**
 * Declares a Lua script: the names of its keys and arguments, and its reply. Redis gets `KEYS[1]`,
 * `ARGV[1]`…, so names cost it nothing.
 *
 * ioredis sends the whole script with its first call on a connection, then its digest, and the
 * whole script again to a Redis that forgot it.
 */
export function defineScript<
  const K extends string,
  const A extends string,
  R,
  const E extends string = never,
>(definition: {
  /** The command of the connection. */
  name: string;
  keys: readonly K[];
  args: readonly A[];
  /** Arguments that repeat at the end of a call. */
  each?: readonly E[];
  reply: ReplyParser<R>;
  /**
   * Writes the script; the compiler rejects an undeclared name. The names of EACH hold in a loop
   * `for i = ${EACH.range} do`.
   */
  lua: (K: LuaNames<K>, A: LuaNames<A>, EACH: LuaNames<E | 'range'>) => string;
}): Script<K, A, E, R> {
  const { name, keys, args, each = [], reply } = definition;
  const lua = definition.lua(
    named(keys, (index) => `KEYS[${index + 1}]`),
    named(args, (index) => `ARGV[${index + 1}]`),
    {
      ...named(each, (index) => (index === 0 ? 'ARGV[i]' : `ARGV[i + ${index}]`)),
      range: `${args.length + 1}, #ARGV${each.length > 1 ? `, ${each.length}` : ''}`,
    },
  );

  function prepare(redis: Redis): RunScript<K, A, E, R> {
    redis.defineCommand(name, { lua, numberOfKeys: keys.length });
    const command = (redis as unknown as Record<string, Command>)[name] as Command;
    // ioredis copies these into each pipeline: with 60 scripts that doubled its cost.
    Reflect.deleteProperty(redis.scriptsSet, name);
    const keyPrefix = redis.options.keyPrefix ?? '';

    const word = (given: ScriptArgument): string | number | Buffer => {
      if (given instanceof KeyArgument) return keyPrefix + given.key;
      return typeof given === 'boolean' ? Number(given) : given;
    };
    return async (givenKeys, givenArgs, ...[many = []]) => {
      const words: (string | number | Buffer)[] = keys.map((key) => givenKeys[key]);
      for (const arg of args) words.push(word(givenArgs[arg]));
      for (const one of many) for (const arg of each) words.push(word(one[arg]));
      return reply(await command.apply(redis, words));
    };
  }

  const prepared = new WeakMap<Redis, RunScript<K, A, E, R>>();
  return {
    lua,
    on(redis) {
      const run = prepared.get(redis) ?? prepare(redis);
      prepared.set(redis, run);
      return run;
    },
  };
}

function named<N extends string>(
  names: readonly N[],
  expression: (index: number) => string,
): LuaNames<N> {
  const entries = names.map((name, index) => [name, expression(index)]);
  return Object.fromEntries(entries) as LuaNames<N>;
}
