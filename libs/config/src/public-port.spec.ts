import { checkConfigText, loadConfig } from './index';

const HOOKS = `[hooks]
name = "h"
urlPublic = "https://hooks.example.com"
[hooks.api]
token = "${'t'.repeat(32)}"
[hooks.http]
`;
const VCS = `[vcs]
name = "v"
[vcs.api]
token = "${'t'.repeat(32)}"
[vcs.servers.bitbucketcloud.bitbucketcloud]
clientId = "id"
clientSecret = "secret"
`;
const problems = (text: string) =>
  checkConfigText(text).map(({ key, level, message }) => [level, key, message.split(':')[0]]);

describe('the public port', () => {
  it('is none unless it is set, in the file or in the environment', () => {
    const env = {
      CDS_HOOKS_NAME: 'h',
      CDS_HOOKS_API_TOKEN: 'the-token',
      CDS_HOOKS_HTTP_ADDR: '10.0.0.1',
    };
    const read = (more: NodeJS.ProcessEnv) =>
      loadConfig({ services: ['hooks'], env: { ...env, ...more } }).hooks?.http;

    expect(read({})).toEqual({
      ...{ addr: '10.0.0.1', port: 8083 },
      ...{ trustedProxies: [], stopDelaySeconds: 0 },
    });
    expect(read({ CDS_HOOKS_HTTP_PUBLICPORT: '8086' })?.public).toEqual({ addr: '', port: 8086 });
    expect(
      read({ CDS_HOOKS_HTTP_PUBLICPORT: '8083', CDS_HOOKS_HTTP_PUBLICADDR: '10.0.0.2' })?.public,
    ).toEqual({ addr: '10.0.0.2', port: 8083 });
  });

  it.each([
    ['port = 8083\npublicPort = 8083'],
    ['publicPort = 8083'],
    ['addr = "127.0.0.1"\npublicPort = 8083'],
    ['publicPort = 8083\npublicAddr = "127.0.0.1"'],
  ])('is refused where the service listens already: %j', (http) => {
    expect(problems(HOOKS + http)).toEqual([
      ['error', 'hooks.http.publicPort', 'is the port of [hooks.http] port'],
    ]);
  });

  it('may be the same at another address', () => {
    expect(
      problems(`${HOOKS}addr = "127.0.0.1"\npublicAddr = "10.0.0.1"\npublicPort = 8083`),
    ).toEqual([]);
  });

  it('is warned of where vcs has it, since both may run on one machine', () => {
    expect(problems(`${HOOKS}publicPort = 8084\n${VCS}`)).toEqual([
      ['warning', 'hooks.http.publicPort', 'is the port of [vcs.http] port'],
    ]);
  });

  it.each(['-1', '65536', '1.5', '"x"'])('is a port: %s is refused', (port) => {
    expect(problems(`${HOOKS}publicPort = ${port}`)[0]?.slice(0, 2)).toEqual([
      'error',
      'hooks.http.publicPort',
    ]);
  });
});
