import type { HookModule } from './hook-module';

/** Normalizes a hook that takes deliveries: its method, and its URL. */
export const normalizeWebhook: HookModule['normalize'] = ({ uuid, config }, urlPublic) => {
  const webHookURL = {
    value: `${urlPublic.replace(/(?<!\/)\/+$/, '')}/webhook/${uuid}`,
    configurable: false,
    type: '',
    multiple_choice_list: null,
  };
  const method = (config.method?.value || 'POST').toUpperCase();
  return { method, config: { ...config, webHookURL } };
};
