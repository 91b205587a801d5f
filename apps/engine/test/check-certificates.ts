import { publicChecks } from '../src/doctor/checks/public-url';

/** Prints what `engine doctor` finds of the certificate at each of these ports of 127.0.0.1. */
async function main(ports: string[]): Promise<void> {
  for (const port of ports) {
    const target = { key: 'k', prefix: `https://127.0.0.1:${port}/`, proxies: undefined };
    const check = publicChecks(target).find(({ id }) => id === 'public.tls');
    const finding = await check?.run(AbortSignal.timeout(60_000));
    process.stdout.write(`${JSON.stringify(finding)}\n`);
  }
}

void main(process.argv.slice(2));
