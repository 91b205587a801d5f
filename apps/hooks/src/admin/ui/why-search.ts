import type { Html } from './html';
import { search } from './layout';

/** The form that asks why a push made no run. */
export function whySearch(target = '', branch = ''): Html {
  return search({
    path: '/why',
    label: 'Why no run?',
    button: 'Find out',
    fields: [
      {
        ...{ name: 'target', label: 'Repository or webhook', value: target, required: true },
        hint: 'workspace/repository, the URL of the webhook, or the uuid of the hook',
      },
      { name: 'branch', label: 'Branch or tag', value: branch, hint: 'may be empty' },
    ],
  });
}
