/** How much of the machine nothing else uses; for benches whose wall time counts. */
import { cpus } from 'node:os';

/** Part of all cores' time that was idle in the half second before, in percent. */
export async function free() {
  const times = () =>
    cpus().map(({ times: t }) => [t.idle, t.user + t.nice + t.sys + t.irq + t.idle]);
  const before = times();
  await new Promise((done) => setTimeout(done, 500));
  const after = times();
  const sum = (at) => after.reduce((total, one, i) => total + one[at] - before[i][at], 0);
  return Math.round((100 * sum(0)) / sum(1));
}
