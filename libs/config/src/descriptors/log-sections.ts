import type { KeyDescriptor, SectionDescriptor } from './descriptor';

const unused = (name: string, value: string | number): KeyDescriptor => ({
  name,
  default: value,
  rule: typeof value === 'number' ? { kind: 'integer', min: 0 } : { kind: 'text' },
  unused: true,
  comment: 'Not used.',
});

/** `[log]`, common to all services of a file. */
export const LOG_SECTIONS: readonly SectionDescriptor[] = [
  {
    path: ['log'],
    comment: 'Logs go to standard output, one JSON object a line.',
    keys: [
      {
        name: 'level',
        default: 'info',
        rule: { kind: 'log-level' },
        comment: 'debug, info, warning or error.',
      },
    ],
  },
  {
    path: ['log', 'graylog'],
    comment: 'Accepted because CDS prints it; not used.',
    keys: [
      unused('extraKey', ''),
      unused('extraValue', ''),
      unused('host', ''),
      unused('port', 0),
      unused('protocol', ''),
    ],
  },
];
