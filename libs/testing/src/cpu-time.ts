/**
 * Milliseconds that the processors were busy with this process while `work` was done: others who use the machine do not
 * count, its speed does. So it is only ever compared with what something else took in the same test.
 */
export async function cpuTime(work: () => unknown): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1_000;
}
