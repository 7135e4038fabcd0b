/**
 * Who removes the instance: a small shell of its own session, holding the read end of a pipe. When
 * the recorder ends, in whatever way, kill -9 included, the kernel closes the other end, and the
 * watcher switches the instance off, removes it and unmounts what the recorder mounted. A normal
 * end goes the same way, so that there is one way only. Leaves out: what else may be in tracefs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, RecordError } from './errors.js';
import type { Tracefs } from './tracefs.js';

export interface Watcher {
  /**
   * Lets the watcher clean up; false when that takes longer than a few seconds, because somebody
   * else has files of the instance open. It goes on trying then.
   */
  release(): Promise<boolean>;
}

const patienceMs = 3000;

/**
 * `$1` is the instance, `$2` our mount point or nothing. rmdir fails with EBUSY while a file of
 * the instance is open, as the recorder's may be for a moment: tried for a minute. The signals of
 * the terminal are ignored, as the session has none; one may send them by name.
 */
const script = `
trap '' INT TERM HUP
while read -r _; do :; done
[ -f "$1/tracing_on" ] && echo 0 > "$1/tracing_on"
left=600
while [ -d "$1" ] && ! rmdir "$1"; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || exit 1
  sleep 0.1
done
[ -n "$2" ] || exit 0
umount "$2"
rmdir "$2"
`;

/** To be started before the mount and the instance are made. */
export function startWatcher(instance: string, mounted: string | null): Watcher {
  const child = spawn('/bin/sh', ['-c', script, 'civac-record', instance, mounted ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  });
  let failed: Error | null = null;
  child.on('error', (error) => {
    failed = error;
  });
  child.stdin?.on('error', () => {});
  if (child.pid === undefined) throw new RecordError('cannot start /bin/sh to clean up later');
  const ended = new Promise<boolean>((resolve) => {
    child.on('exit', (status) => resolve(status === 0));
  });
  return { release: () => (failed === null ? release(child, ended) : Promise.resolve(false)) };
}

async function release(child: ChildProcess, ended: Promise<boolean>): Promise<boolean> {
  child.stdin?.end();
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const done = await Promise.race([ended, enough]);
  clearTimeout(timer);
  // Whoever waits for us need not wait for it.
  child.unref();
  return done;
}

const ours = /^civac-(\d+)$/;

/** The instance's name: it tells whose it is, for the case that even the watcher was killed. */
export function instanceName(pid: number): string {
  return `civac-${pid}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * Removes instances of recorders that are gone together with their watcher, and names them. One
 * that is in use after all (its recorder counts its processes otherwise, as in a container) has
 * open files: the kernel then refuses.
 */
export function removeStale({ root }: Tracefs, alive = isAlive): string[] {
  const folder = join(root, 'instances');
  if (!existsSync(folder)) return [];
  const stale = readdirSync(folder).filter((name) => {
    const pid = ours.exec(name)?.[1];
    return pid !== undefined && !alive(Number(pid));
  });
  return stale.filter((name) => {
    try {
      rmdirSync(join(folder, name));
      return true;
    } catch {
      return false;
    }
  });
}
