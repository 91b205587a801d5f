import { fuzzRuns, growth, LINEAR } from '@cds/testing';
import * as fc from 'fast-check';
import { HELPERS, interpolate, InterpolateError } from './index';

const VARIABLES = new Map([
  ['name', 'github'],
  ['key', 'value'],
  ['cds.app.my-key', 'value-key'],
  ['cds.env.lb', 'lb'],
  ['cds.env.lb.prefix', 'myprefix'],
  ['git.hash', '863ddke13bfef8043960b19cec790f8b9f5435ab'],
  ['git.branch', 'feat/A_b.c'],
  ['empty', ''],
  ['n', '5'],
  ['yes', 'true'],
  ['text', 'two words'],
  ['padded', ' \t pad \n'],
  ['quote', 'a "b" \\ \n \u0001 é 😀'],
  ['html', '<a href="x">&</a>'],
  ['umlaut', 'Trollhättan'],
  ['path', '/a/b/c'],
]);
const fill = (text: string) => interpolate(text, VARIABLES);

describe('interpolate', () => {
  it.each([
    ['a {{.key}}', 'a value'],
    ['{{ .key }}{{.key}}', 'valuevalue'],
    ['*{{.empty}}*', '**'],
    ['{{.cds.app.my-key}}.{{.cds.app.foo-key}}', 'value-key.{{.cds.app.foo-key}}'],
    ['{{.cds.env.lb.prefix}}.{{.cds.env.lb}}', 'myprefix.lb'],
    ['{{.cds.env}}', '{{.cds.env}}'],
    ['{{.}} {{ . }}', '{{.}} {{ . }}'],
    ['{{.keyOther}} {{.key}}', '{{.keyOther}} value'],
    ['a {{.foo | upper}} {{.key | upper}}', 'a {{.foo | upper}} VALUE'],
    ['{{.foo | upper | lower}}', '{{.foo | upper | lower}}'],
    [`echo '{{"conf"|uvault}}'`, `echo '{{"conf"|uvault}}'`],
    ['${{ github.ref }}', '${{ github.ref }}'],
    ['{{if .key}}x{{end}}', '{{if .key}}x{{end}}'],
    ['{{- .key -}}', '{{- .key -}}'],
    ['aa:{{.foo | default ""}}end', 'aa:end'],
    ['aa:{{.foo | default "bar" }}:end', 'aa:bar:end'],
    ['{{.foo | default .key }}', 'value'],
    ['{{.foo | default .bar .key }}', 'value'],
    ['{{.foo | default .bar | default .key | upper }}', 'VALUE'],
    ['{{.foo-bar | default "x y"}}', 'x y'],
    ['{{.key | default "bar"}}', 'value'],
    ['{{.empty | default "bar"}}', 'bar'],
    ['"{{ .foo | default "0.0.1-dirty" }}"', '"0.0.1-dirty"'],
    ['{{.key|upper}}', 'VALUE'],
    ['{{"text" | upper}} {{`a"b` | upper}}', 'TEXT A"B'],
    ['{{"\\u00e9\\x41\\n\\"" | upper}}', 'ÉA\n"'],
    ['{{ replace "}}" "|" "a}}b" }}', 'a|b'],
    ['{{ add (mul 2 3) (sub .n 1) | toString }}', '10'],
    ['{{ 5 }} {{ true }} {{ 1.5 }}', '5 true 1.5'],
    ['no braces } }} {', 'no braces } }} {'],
    ['{"a":{"b":"{{.key}}"}}', '{"a":{"b":"value"}}'],
  ])('%s → %s', (template, expected) => {
    expect(fill(template)).toBe(expected);
  });

  /** Helper → what is written → what comes of it. The last test sees to it that none is missing. */
  const HELPER_CASES: [string, string, string][] = [
    ['abbrev', '{{.git.hash | abbrev 8}}', '863dd...'],
    ['abbrev', '{{.git.hash | abbrev 3}}', VARIABLES.get('git.hash') ?? ''],
    ['abbrevboth', '{{"1234 567890 123456 7890" | abbrevboth 5 10}}', '...5678...'],
    ['abbrevboth', '{{"1234567890abc" | abbrevboth 9 10}}', '...7890abc'],
    ['trunc', '{{.git.hash | trunc 8 }}', '863ddke1'],
    ['trunc', '{{.name | trunc 80 }}', 'github'],
    ['trim', '[{{.padded | trim}}]', '[pad]'],
    ['upper', '{{.umlaut | upper}}', 'TROLLHÄTTAN'],
    ['lower', '{{"ÄB" | lower}}', 'äb'],
    ['title', '{{"mytitle-bis of_it 2x é" | title}}', 'Mytitle-Bis Of_it 2x É'],
    ['untitle', '{{"My Title-Bis" | untitle}}', 'my title-Bis'],
    ['substr', '{{.name | substr 0 5 }}', 'githu'],
    ['substr', '{{.name | substr 3 -1 }}', 'hub'],
    ['substr', '{{.name | substr -1 3 }}', 'git'],
    ['repeat', '{{.key | repeat 2}}', 'valuevalue'],
    ['trimall', '{{"$5.00$" | trimall "$"}}', '5.00'],
    ['trimAll', '{{"xyax" | trimAll "xy"}}', 'a'],
    ['trimSuffix', '{{"hello-" | trimSuffix "-"}}', 'hello'],
    ['trimSuffix', '{{"hello" | trimSuffix ""}}', 'hello'],
    ['trimPrefix', '{{"v1.2" | trimPrefix "v"}}', '1.2'],
    ['nospace', '{{"h e\\tl lo" | nospace}}', 'hello'],
    ['initials', '{{"First Try  it" | initials}}', 'FTi'],
    ['randAlphaNum', '{{randAlphaNum 0}}', ''],
    ['randAlpha', '{{randAlpha 0}}', ''],
    ['randASCII', '{{randASCII 0}}', ''],
    ['randNumeric', '{{randNumeric 0}}', ''],
    ['swapcase', '{{"aBc É" | swapcase}}', 'AbC é'],
    ['shuffle', '{{"aaa" | shuffle}}', 'aaa'],
    ['snakecase', '{{"FirstName" | snakecase}}', 'first_name'],
    ['snakecase', '{{"HTTPServer" | snakecase}} {{"NoHTTPS" | snakecase}}', 'http_server no_https'],
    ['snakecase', '{{"GO_PATH" | snakecase}} {{"GO PATH-x" | snakecase}}', 'go_path go_path_x'],
    [
      'camelcase',
      '{{"http_server" | camelcase}} {{"_complex__case_" | camelcase}}',
      'HttpServer _Complex_Case_',
    ],
    ['quote', '{{.quote | quote}}', '"a \\"b\\" \\\\ \\n \\x01 é 😀"'],
    ['squote', '{{squote .key 5}}', "'value' '5'"],
    ['indent', '{{"a\\nb" | indent 2}}', '  a\n  b'],
    ['nindent', '{{"a\\nb" | nindent 2}}', '\n  a\n  b'],
    ['replace', '{{.git.branch | replace "/" "-"}}', 'feat-A_b.c'],
    ['replace', '{{"ab" | replace "" "-"}}', '-a-b-'],
    ['plural', '{{plural "one" "many" 1}} {{plural "one" "many" 2}}', 'one many'],
    ['toString', '{{toString 5}}', '5'],
    ['default', '{{default "a"}}', 'a'],
    ['empty', '{{.empty | empty}} {{.key | empty}}', 'true false'],
    ['coalesce', '{{coalesce .empty .key}}', 'value'],
    ['toJSON', '{{.html | toJSON}}', '"\\u003ca href=\\"x\\"\\u003e\\u0026\\u003c/a\\u003e"'],
    ['toPrettyJSON', '{{.key | toPrettyJSON}}', '"value"'],
    ['b64enc', '{{.umlaut | b64enc}}', 'VHJvbGxow6R0dGFu'],
    ['b64dec', '{{"VHJvbGxow6R0dGFu" | b64dec}}', 'Trollhättan'],
    ['b64dec', '{{"a!bc" | b64dec}}', 'illegal base64 data at input byte 1'],
    ['escape', '{{.git.branch | escape}}', 'feat-A-b-c'],
    ['stringQuote', '{{.quote | stringQuote}}', 'a \\"b\\" \\\\ \\n \\x01 é 😀'],
    ['add', '{{.n | add 3}} {{ add 2 2 }} {{ add "0x10" "010" "x" }}', '8 4 24'],
    ['sub', '{{.n | sub 1}} {{ sub 5 1 }}', '-4 4'],
    ['mul', '{{.n | mul 2}} {{ mul 9223372036854775807 2 }}', '10 -2'],
    ['div', '{{.n | div 20}} {{ div -7 2 }}', '4 -3'],
    ['mod', '{{.n | mod 12}} {{ mod 10 6 }}', '2 4'],
    ['ternary', '{{.yes | ternary .key .name}} {{.foo | ternary .key .name}}', 'value github'],
    ['ternary', '{{ "1" | ternary .key .name}} {{ 0 | ternary .key .name}}', 'value github'],
    ['urlencode', '{{.umlaut | urlencode}}', 'Trollh%C3%A4ttan'],
    [
      'urlencode',
      '{{"zone:eq=over the rainbow&like=%my(d)*" | urlencode}}',
      'zone%3Aeq%3Dover+the+rainbow%26like%3D%25my%28d%29%2A',
    ],
    ['dirname', '{{.path | dirname}} {{"a" | dirname}} {{"a/b/" | dirname}}', '/a/b . a/b'],
    ['basename', '{{.path | basename}} {{"/" | basename}} {{"a/b/" | basename}}', 'c / b'],
  ];

  it.each(HELPER_CASES)('%s: %s → %s', (_, template, expected) => {
    expect(fill(template)).toBe(expected);
  });

  it('has a case for every helper', () => {
    expect(new Set(HELPER_CASES.map(([helper]) => helper))).toEqual(new Set(HELPERS.keys()));
  });

  it.each([
    ['randAlphaNum', /^[a-zA-Z0-9]{40}$/],
    ['randAlpha', /^[a-zA-Z]{40}$/],
    ['randASCII', /^[ -~]{40}$/],
    ['randNumeric', /^[0-9]{40}$/],
  ])('%s gives other characters each time', (helper, pattern) => {
    const [first, second] = [fill(`{{${helper} 40}}`), fill(`{{${helper} 40}}`)];
    expect(first).toMatch(pattern);
    expect(first).not.toBe(second);
  });

  it('shuffle keeps the characters', () => {
    expect([...fill('{{.git.hash | shuffle}}')].sort()).toEqual([...fill('{{.git.hash}}')].sort());
  });

  it.each([
    ['{{.key', '}} is missing'],
    ['{{.key | }}', 'a value is missing'],
    ['{{}}', 'a value is missing'],
    ['{{ "a }}', 'is not understood'],
    ['{{ (.key }}', 'not closed'],
    ['{{ .key) }}', 'not opened'],
    ['{{ .key .name }}', 'no helper takes no values'],
    ['{{ .key | .name }}', 'no helper takes no values'],
    ['{{ trunc 5 }}', 'takes 2 values'],
    ['{{ .key | upper .name }}', 'takes 1 values'],
    ['{{ .key | trunc "8" }}', 'without quotes'],
    ['{{ 5 | upper }}', 'works on text'],
    ['{{ .name | substr 2 90 }}', 'not within a text of 6 bytes'],
    ['{{ .name | repeat -1 }}', 'below 0'],
    ['{{ .n | div 0 | div 1 }}', 'division by zero'],
    ['{{ mod 1 0 }}', 'division by zero'],
    ['{{"\\q" | upper}}', 'unknown escape'],
    [`{{ ${'('.repeat(100)} }}`, 'brackets in brackets'],
    [`{{ add ${'1 '.repeat(1_000)} }}`, 'more than 200 values'],
  ])('refuses %s', (template, message) => {
    expect(() => fill(template)).toThrow(InterpolateError);
    expect(() => fill(template)).toThrow(message);
  });

  it.each([
    '{{"x" | repeat 2000000000}}',
    '{{randAlpha 2000000000}}',
    '{{"a\\nb" | indent 2000000000}}',
    '{{"abc" | replace "" .big}}',
    '{{.big}}{{.big}}{{.big}}',
    '{{.big | quote | quote}}',
    '{{.big | repeat 100 | repeat 100 | repeat 100}}',
  ])('refuses %s before it grows', (template) => {
    const variables = new Map([['big', '"'.repeat(500)]]);
    expect(() => interpolate(template, variables, { limit: 1_200 })).toThrow('more than 1200');
  });

  it('takes time that grows with the text alone', () => {
    for (const part of ['{{', '{{.a|', '{{"', '{{.a }', '{{(', '{{ .a | default ', '.', '{{.a}}']) {
      const run = (text: string) => {
        try {
          interpolate(text, VARIABLES);
        } catch (error) {
          expect(error).toBeInstanceOf(InterpolateError);
        }
      };
      expect(growth(50_000, (n) => part.repeat(n), run)).toBeLessThan(LINEAR);
    }
  });

  it('fails with an InterpolateError alone, whatever is written, and never tells a value', () => {
    const secret = 'S3CR3T-value';
    const piece = fc.oneof(
      fc.constantFrom('{{', '}}', ' | ', '.secret', '.foo', '"', '`', '(', ')', ' 5 ', ' -1 '),
      fc.constantFrom(...HELPERS.keys()).map((name) => ` ${name} `),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces): boolean => {
        try {
          interpolate(pieces.join(''), new Map([['secret', secret]]), { limit: 10_000 });
        } catch (error) {
          if (!(error instanceof InterpolateError)) throw error;
          return !error.message.includes(secret);
        }
        return true;
      }),
      fuzzRuns(2_000) as fc.Parameters<[string[]]>,
    );
  });
});
