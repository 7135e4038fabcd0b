/**
 * Bundles src/ into dist/ with esbuild: the workers and the library a file each, since opening one
 * larger file costs less than opening many small ones; the command line with a chunk for what only
 * some commands need, since scanning what is not run costs more than opening a few. `--types` also
 * writes the declarations for a published package; `--force` builds even when nothing is newer.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureModules, root, runTool } from './setup.mjs';

const dist = join(root, 'dist');
const entry = join(dist, 'civac.mjs');

function newestUnder(folder) {
  // A folder's own time counts too: that is how a deleted file shows.
  let newest = statSync(folder).mtimeMs;
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    const time = item.isDirectory() ? newestUnder(path) : statSync(path).mtimeMs;
    if (time > newest) newest = time;
  }
  return newest;
}

/** dist/ is there and no source is newer. */
export function isBuilt() {
  if (!existsSync(entry)) return false;
  const built = statSync(entry).mtimeMs;
  if (newestUnder(join(root, 'src')) > built) return false;
  return ['package.json', 'scripts/build.mjs'].every(
    (file) => statSync(join(root, file)).mtimeMs <= built,
  );
}

/** Written beside its place and renamed, so that nobody ever reads half a file. */
function writeWhole(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, contents);
  renameSync(draft, path);
}

/** Chunks of earlier builds. Those of the last hour stay: a running civac may yet ask for them. */
function dropOldChunks(current) {
  const hourAgo = Date.now() - 3_600_000;
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    if (!/-[A-Z0-9]{8}\.mjs$/.test(name) || current.has(path)) continue;
    if (statSync(path).mtimeMs < hourAgo) rmSync(path, { force: true });
  }
}

/**
 * commander loads node:child_process at once, for subcommands that are programs of their own. civac
 * has none, and loading it takes longer than all of commander.
 */
const lazyChildProcess = {
  name: 'lazy-child-process',
  setup(bundler) {
    bundler.onLoad({ filter: /commander[\\/]lib[\\/]command\.js$/ }, ({ path }) => {
      const wanted = "const childProcess = require('node:child_process');";
      const source = readFileSync(path, 'utf8');
      if (!source.includes(wanted)) throw new Error(`${path}: no longer has ${wanted}`);
      const lazy =
        "const childProcess = { spawn: (...all) => require('node:child_process').spawn(...all) };";
      return { contents: source.replace(wanted, lazy), loader: 'js' };
    });
  },
};

export async function build({ force = false, quiet = false } = {}) {
  if (!force && isBuilt()) return;
  ensureModules({ quiet });
  // The time before reading: a source saved during the build then counts as newer.
  const started = new Date();
  const { build: bundle } = await import('esbuild');
  const common = {
    absWorkingDir: root,
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    // Names stay, so that a stack trace in a bug report can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // commander is CommonJS and requires Node's builtins.
    banner: {
      js: "import{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);",
    },
    plugins: [lazyChildProcess],
    write: false,
    logLevel: 'error',
  };
  const whole = {
    worker: 'src/cli/worker.ts',
    'mend-worker': 'src/cli/mend-worker.ts',
    index: 'src/index.ts',
  };
  const parts = await Promise.all([
    bundle({ ...common, entryPoints: whole }),
    bundle({ ...common, entryPoints: { civac: 'src/cli/main.ts' }, splitting: true }),
  ]);
  const files = parts.flatMap(({ outputFiles }) => outputFiles);
  // Chunks before what imports them: a reader in between finds the old whole or the new one.
  files.sort((a, b) => Number(a.path === entry) - Number(b.path === entry));
  for (const file of files) writeWhole(file.path, file.contents);
  dropOldChunks(new Set(files.map(({ path }) => path)));
  utimesSync(entry, started, started);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build({ force: process.argv.includes('--force') });
  if (process.argv.includes('--types')) {
    process.exitCode = runTool('typescript/bin/tsc', ['-p', 'scripts/tsconfig.types.json']);
  }
}
