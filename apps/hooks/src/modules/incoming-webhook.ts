import type { Kind } from './hook-module';

/** Hooks that others call: repository webhooks and plain ones. */
export const incomingWebhook: Kind = {
  keep({ uuid, config }, urlPublic) {
    const webHookURL = {
      value: `${urlPublic.replace(/\/+$/, '')}/webhook/${uuid}`,
      configurable: false,
      type: '',
      multiple_choice_list: null,
    };
    const method = (config.method?.value || 'POST').toUpperCase();
    return { method, config: { ...config, webHookURL } };
  },
};
