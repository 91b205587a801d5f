import type { HookModule } from './hook-module';

/** What is stored of a hook that others call: the method that it takes, and its URL. */
export const normalizeWebhook: HookModule['normalize'] = ({ uuid, config }, urlPublic) => {
  const webHookURL = {
    value: `${urlPublic.replace(/\/+$/, '')}/webhook/${uuid}`,
    configurable: false,
    type: '',
    multiple_choice_list: null,
  };
  const method = (config.method?.value || 'POST').toUpperCase();
  return { method, config: { ...config, webHookURL } };
};
