/**
 * What a fresh clone needs before anything else runs: a new enough Node and the packages of
 * package-lock.json. Plain JavaScript over Node's builtins, since it runs before npm did.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const lock = join(root, 'package-lock.json');
/** npm writes this one last, so its age is the age of the installation. */
const installed = join(root, 'node_modules', '.package-lock.json');
const stamp = join(root, 'node_modules', '.civac-lock-sha256');

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`civac needs Node 20.19 or later; this is ${process.versions.node}`);
  process.exit(2);
}

function lockHash() {
  return createHash('sha256').update(readFileSync(lock)).digest('hex');
}

function modulesFresh() {
  if (!existsSync(installed)) return false;
  if (statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  // A checkout touches the lock file without changing it; that needs no new installation.
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash();
}

/** Runs npm with the npm that runs us, so that a second one on the PATH does not matter. */
function npm(args, options) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return spawnSync(process.execPath, [cli, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

/** Installs the packages when they are missing or older than package-lock.json. */
export function ensureModules({ quiet = false } = {}) {
  requireNode();
  if (modulesFresh()) return;
  if (!quiet) console.error('civac: installing packages (npm ci)');
  // Everything npm says goes to stderr: stdout belongs to the program that was asked for.
  const run = npm(['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', quiet ? 'ignore' : 2, 2],
  });
  if (run.status !== 0) {
    console.error('civac: npm ci failed; it needs the npm registry, or a filled npm cache');
    process.exit(run.status ?? 1);
  }
  writeFileSync(stamp, lockHash());
}

/** Runs one of the project's own tools out of node_modules, output passed through. */
export function runTool(file, args, env = {}) {
  const run = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return run.status ?? 1;
}
