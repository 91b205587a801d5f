import { limitHeapGrowth } from '../src/limit-heap-growth';

// Keeps 1,000 of 20,000 strings of 60 KB, and prints how large the heap was at most.
if (process.argv[2] === 'limited') limitHeapGrowth();
const HEADER = Buffer.alloc(60_000, 'y');
const state = Array.from({ length: 300_000 }, (_, index) => ({ index }));
const underWay: string[] = [];
let peak = 0;
for (let count = 0; count < 20_000; count += 1) {
  underWay[count % 1_000] = HEADER.toString('latin1');
  if (count % 50 === 0) peak = Math.max(peak, process.memoryUsage().heapTotal);
}
process.stdout.write(`${peak} ${state.length}\n`);
