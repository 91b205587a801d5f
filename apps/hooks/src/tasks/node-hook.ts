import {
  CdsError,
  type HookConfig,
  hookConfigSchema,
  type HookModelName,
  TASK_TYPES,
} from '@cds/wire';
import * as z from 'zod';
import { TASK_UUID, type TaskToKeep } from '@cds/hooks-store';
import { moduleOf } from '../hook-modules';

const configValue = z.looseObject({
  value: z.string(),
  configurable: z.boolean().default(false),
  type: z.string().default(''),
  multiple_choice_list: z.array(z.unknown()).nullable().default(null),
});

const uuid = z.string().regex(TASK_UUID, {
  message: 'a uuid holds up to 128 letters, digits and . _ = + -',
});

/** A hook as the API sends it; unused fields are answered unchanged. */
export const nodeHookSchema = z.looseObject({
  uuid,
  hook_model_name: z.string(),
  config: z.record(z.string(), configValue).nullish(),
});
export type ReceivedHook = z.infer<typeof nodeHookSchema>;

/** The body of `POST /task/bulk`: hooks by their uuid. */
export const nodeHooksSchema = z.record(uuid, nodeHookSchema);

/** The answer: the hooks with the stored configuration. */
export const answeredHooksSchema = z.record(
  z.string(),
  z.looseObject({
    uuid: z.string(),
    hook_model_name: z.string(),
    config: hookConfigSchema.nullish(),
  }),
);

/** The body of `DELETE /task/bulk`: only its keys count. */
export const uuidsSchema = z.record(uuid, z.unknown());

function isKnownModel(name: string): name is HookModelName {
  return Object.hasOwn(TASK_TYPES, name);
}

/**
 * The task of a hook, normalized by its module.
 *
 * @param urlPublic for the `webHookURL` of hooks that take deliveries
 * @throws CdsError 400 for an unknown hook type, or a hook that its module refuses
 */
export function taskOfHook(hook: ReceivedHook, urlPublic: string): TaskToKeep {
  const model = hook.hook_model_name;
  if (!isKnownModel(model)) {
    throw new CdsError('wrongRequest', {
      from:
        `unknown hook_model_name ${JSON.stringify(model.slice(0, 100))}: ` +
        `one of ${Object.keys(TASK_TYPES).join(', ')}`,
    });
  }
  const type = TASK_TYPES[model];
  const config = (hook.config ?? {}) as HookConfig;
  const stored = moduleOf(type)?.normalize({ uuid: hook.uuid, config }, urlPublic);
  if (!stored)
    throw new CdsError('notImplemented', { from: `hooks of type ${type} have no module` });
  return { uuid: hook.uuid, type, ...stored };
}

/** The hook with the stored configuration. */
export function answeredHook(hook: ReceivedHook, task: TaskToKeep): ReceivedHook {
  return task.config ? { ...hook, config: task.config } : hook;
}
