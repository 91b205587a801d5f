/** Held by one execution. */
export interface Slot {
  /** @returns false when the host has no slot: the execution has to end, and its hook to wait */
  takeHost(host: string): boolean;
  /** The host that had no slot. */
  readonly fullHost: string | undefined;
  /** Safe to repeat. */
  release(): void;
}

interface Need {
  project: string;
  /** Unknown until the templates of the URL are filled in. */
  host: string | undefined;
}

/** Another replica may have taken the resumed hook: its slot then goes to the next one. */
const RESERVED_MS = 2_000;
/** Further hooks are not resumed: their pause ends by itself. */
const MAX_WAITING_PER_PROJECT = 200;
const MAX_WAITING = 10_000;
/** Of host names and project keys. */
const MAX_KEY_LENGTH = 253;

/** Counts by key, with an entry for each key in use. */
function createUsage(max: number) {
  const used = new Map<string, number>();
  return {
    isFull: (key: string): boolean => (used.get(key) ?? 0) >= max,
    add(key: string): void {
      used.set(key, (used.get(key) ?? 0) + 1);
    },
    remove(key: string): void {
      const left = (used.get(key) ?? 0) - 1;
      if (left > 0) used.set(key, left);
      else used.delete(key);
    },
  };
}

/**
 * Bounds the concurrent executions of this process: in all, of one project, and to one host. The
 * job of a hook without a slot pauses in Redis, and is resumed when a slot is free and reserved for
 * it. Hooks of one project are resumed in their order, projects in turn.
 */
export function createConcurrencyLimiter(deps: {
  limits: { max: number; maxPerProject: number; maxPerHost: number };
  /** Called when a slot is reserved for a hook that waits. Never throws. */
  resume: (hook: string) => void;
  /** How long a slot stays reserved. */
  reservedMs?: number;
}) {
  const { limits, resume, reservedMs = RESERVED_MS } = deps;
  const projects = createUsage(limits.maxPerProject);
  const hosts = createUsage(limits.maxPerHost);
  /** By project, hooks and the hosts that they wait for. The project of the next turn is first. */
  const waiting = new Map<string, Map<string, string | undefined>>();
  const reserved = new Map<string, { need: Need; timer: NodeJS.Timeout }>();
  let used = 0;
  let hooksWaiting = 0;

  function isFree({ project, host }: Need): boolean {
    const isHostFull = host !== undefined && hosts.isFull(host);
    return used < limits.max && !projects.isFull(project) && !isHostFull;
  }

  function occupy({ project, host }: Need): void {
    used++;
    projects.add(project);
    if (host !== undefined) hosts.add(host);
  }

  function free({ project, host }: Need): void {
    used--;
    projects.remove(project);
    if (host !== undefined) hosts.remove(host);
    reserveFree();
  }

  function stopWaiting(hook: string, project: string): void {
    const hooks = waiting.get(project);
    if (!hooks?.delete(hook)) return;
    hooksWaiting--;
    if (hooks.size === 0) waiting.delete(project);
  }

  function reserve(hook: string, need: Need): void {
    occupy(need);
    const lapse = (): void => {
      reserved.delete(hook);
      free(need);
    };
    reserved.set(hook, { need, timer: setTimeout(lapse, reservedMs).unref() });
    resume(hook);
  }

  /** Reserves free slots for hooks that wait. */
  function reserveFree(): void {
    while (used < limits.max) {
      const next = firstServable();
      if (!next) return;
      const { hook, need } = next;
      const { project } = need;
      stopWaiting(hook, project);
      const others = waiting.get(project);
      if (others) {
        waiting.delete(project);
        waiting.set(project, others);
      }
      reserve(hook, need);
    }
  }

  function firstServable(): { hook: string; need: Need } | undefined {
    for (const [project, hooks] of waiting) {
      if (projects.isFull(project)) continue;
      for (const [hook, host] of hooks) {
        if (host === undefined || !hosts.isFull(host)) return { hook, need: { project, host } };
      }
    }
    return undefined;
  }

  /** @param taken is occupied already */
  function slotOf(taken: Need): Slot {
    const need = { ...taken };
    let isHeld = true;
    let fullHost: string | undefined;
    return {
      takeHost(name) {
        const host = keyOf(name);
        if (need.host === host) return true;
        if (hosts.isFull(host)) {
          fullHost = host;
          return false;
        }
        hosts.add(host);
        const before = need.host;
        need.host = host;
        if (before !== undefined) {
          hosts.remove(before);
          reserveFree();
        }
        return true;
      },
      get fullHost() {
        return fullHost;
      },
      release() {
        if (!isHeld) return;
        isHeld = false;
        free(need);
      },
    };
  }

  return {
    /** @returns undefined when there is no slot: the hook has to {@link wait} */
    take(hook: string, projectKey: string): Slot | undefined {
      const own = reserved.get(hook);
      if (own) {
        clearTimeout(own.timer);
        reserved.delete(hook);
        return slotOf(own.need);
      }
      const project = keyOf(projectKey);
      const need = { project, host: waiting.get(project)?.get(hook) };
      if (!isFree(need)) return undefined;
      stopWaiting(hook, project);
      occupy(need);
      return slotOf(need);
    },

    /**
     * Call when the job of the hook pauses, and so can be resumed. A hook that waits keeps its
     * turn.
     *
     * @param host that had no slot, where it is known
     */
    wait(hook: string, projectKey: string, host: string | undefined): void {
      // A slot was reserved before the job had paused.
      if (reserved.has(hook)) return resume(hook);
      const project = keyOf(projectKey);
      const hooks = waiting.get(project) ?? new Map<string, string | undefined>();
      const known = hooks.has(hook);
      if (!known && (hooks.size >= MAX_WAITING_PER_PROJECT || hooksWaiting >= MAX_WAITING)) return;
      if (!known) hooksWaiting++;
      hooks.set(hook, host ?? hooks.get(hook));
      waiting.set(project, hooks);
      reserveFree();
    },
  };
}

/** A host with and without the dot at its end is the same. */
function keyOf(name: string): string {
  return name.replace(/\.$/, '').slice(0, MAX_KEY_LENGTH);
}
