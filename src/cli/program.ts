/**
 * The command line as commander sees it. Each verb loads its own code only when it runs; this
 * file is all that every start pays for.
 */
import { Argument, Command, Option } from 'commander';
import { version } from '../base/version.js';
import { nearestName } from '../diagnostics/nearest.js';
import type { CheckOptions } from './commands/check.js';
import type { CompareOptions } from './commands/compare.js';
import type { Shell } from './commands/completion.js';
import type { FmtOptions } from './commands/fmt.js';
import type { MendCommandOptions } from './commands/mend.js';
import type { RecordCommandOptions } from './commands/record.js';
import type { TraceCommandOptions } from './commands/trace.js';
import { InputError } from './errors.js';
import { addExport } from './export-verb.js';
import {
  collect,
  positiveInteger,
  positiveNumber,
  powerOfTwo,
  shardOf,
  sizeInKb,
  wantsJson,
} from './options.js';

/** Receives the exit status of the verb that ran. */
type Finish = (status: number) => void;

/** `civac --no-color check x` means the same as `civac check --no-color x`. */
function withColor<T extends { color: boolean }>(program: Command, options: T): T {
  return { ...options, color: options.color && program.opts().color !== false };
}

const exitHelp = `
Exit status:
  0  nothing found (with --expect: everything as stated)
  1  hazards found (with --expect: something not as stated)
  2  the input or the command line is wrong
  3  gave up at a limit; the verdict is then unknown, never coherent
  130  Ctrl-C, after printing what is known`;

/** What long checks need: limits, and ways to share them out. */
function addLimits(command: Command): Command {
  return command
    .option('--max-states <n>', 'give up on a scenario after n states', positiveInteger)
    .option('--max-seconds <s>', 'give up on a scenario after s seconds', positiveNumber)
    .option('--max-memory <mb>', 'give up on a scenario above that many MiB', positiveInteger)
    .option('--shard <i/n>', 'the i-th of n parts of the scenarios and cells, for CI', shardOf)
    .option('--checkpoint <file>', 'keep a long exploration there; go on from it if it is there');
}

function addCheck(program: Command, finish: Finish): void {
  const command = program
    .command('check')
    .description(
      'explore each scenario; say coherent, or the hazards with the shortest run to each',
    )
    .argument('[FILE...]', "scenarios, folders of scenarios, or '-' for stdin")
    .option('--expect', 'compare every verdict and hazard set with what the file header states')
    .option('--matrix', 'every platform setting that could change the verdict, each alone')
    .option('--pairs', 'with --matrix: each two settings as well, and which pairs tell more')
    .option('--max-pairs <count>', 'explore at most so many pairs (default 100)', positiveInteger)
    .option('--advise', 'say of each sync and barrier: needed, redundant, dearer or destructive')
    .option('--with <setting>', "change the machine: '.swiotlb = force'; repeatable", collect)
    .option('--strict-alias', 'mismatched accesses are findings (H5) also where nothing goes wrong')
    .option('--json', 'the same as --format json')
    .addOption(
      new Option('--format <format>', 'how to report').choices(['text', 'json', 'sarif', 'junit']),
    )
    .option('-o, --output <file>', 'write the report to a file')
    .option('--brief', 'one line per scenario')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--stats', 'print states, transitions, time, and how they were explored');
  addLimits(command)
    .addOption(
      new Option('--order <order>', 'search order, to check the checker').choices([
        'forward',
        'reverse',
      ]),
    )
    .addOption(
      new Option('--engine <engine>', 'which explorer; both say the same').choices([
        'fast',
        'reference',
      ]),
    )
    .option('--no-projection', 'explore all lines together')
    .option('--no-symmetry', 'explore each line of a range, not a few for all')
    .option('--no-por', 'explore evictions and fills also where nothing could tell')
    .option('--explain <id>', 'what a hazard or rule is, instead of checking')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText(
      'after',
      `${exitHelp}

Examples:
  civac check ring.litmus
  civac check --expect litmus --json -o results.json
  civac check --matrix ring.litmus
  civac check --matrix --pairs ring.litmus
  civac check --with 'nic .iommu = smmu' ring.litmus
  civac check --max-seconds 60 --brief scenarios/`,
    )
    .action(async (files: string[], given: CheckOptions & { explain?: string }) => {
      const options = withColor(program, given);
      if (options.explain !== undefined) return explain(options.explain, options.color, finish);
      const { runCheck } = await import('./commands/check.js');
      finish(await runCheck(files, options));
    });
}

function addMend(program: Command, finish: Finish): void {
  program
    .command('mend')
    .description('the fewest and cheapest changes that make a scenario coherent, proved minimal')
    .argument('[FILE]', "a scenario, or '-' for stdin")
    .addOption(
      new Option(
        '--level <level>',
        'api: only functions a driver may call; raw: all alike',
      ).choices(['api', 'raw']),
    )
    .option('--for-all-platforms', 'answers that hold for every cell of check --matrix')
    .option('--costs <file>', 'what edits and operations cost, in JSON')
    .option('--write', 'apply the first answer to the file')
    .option('--answer <n>', 'with --write: the n-th answer', positiveInteger)
    .option('--all', 'every answer of the least cost, not the first eight')
    .option('--json', 'the same as --format json')
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']))
    .option('-o, --output <file>', 'write the report to a file')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--max-edits <n>', 'try sets of at most n edits', positiveInteger)
    .option('--max-seconds <s>', 'give up after s seconds', positiveNumber)
    .option('--max-states <n>', 'give up on a set of edits after n states', positiveInteger)
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText(
      'after',
      `
Exit status:
  0  coherent already, or mended
  1  nothing mends it, or (with --for-all-platforms) not on every platform
  2  the input or the command line is wrong
  3  gave up at a limit
  130  interrupted; what was found until then is printed

Examples:
  civac mend my-driver.litmus
  civac mend --level api --write my-driver.litmus
  civac mend --for-all-platforms my-driver.litmus`,
    )
    .action(async (file: string | undefined, given: MendCommandOptions & { format?: string }) => {
      const { runMend } = await import('./commands/mend.js');
      const options = withColor(program, { ...given, json: wantsJson(given) });
      finish(await runMend(file === undefined ? [] : [file], options));
    });
}

function addCompare(program: Command, finish: Finish): void {
  program
    .command('compare')
    .description('designs × use cases: safe or not, why not, and what each costs')
    .argument('[PATH...]', '*.design and *.usecase, folders of them; or scenarios of one flow')
    .option('--cell <design:use-case>', 'of all cells this one, with its shortest run')
    .option('--expand', 'print the scenario of one design in one use case, for civac check')
    .option('--json', 'the same as --format json')
    .addOption(
      new Option('--format <format>', 'how to report').choices([
        'text',
        'markdown',
        'html',
        'json',
      ]),
    )
    .option('-o, --output <file>', 'write the report to a file')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--max-states <n>', 'give up on a cell after n states', positiveInteger)
    .option('--max-seconds <s>', 'give up on a cell after s seconds', positiveNumber)
    .option('--max-memory <mb>', 'give up on a cell above that many MiB', positiveInteger)
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText('after', compareHelp)
    .action(async (paths: string[], options: CompareOptions) => {
      const { runCompare } = await import('./commands/compare.js');
      finish(await runCompare(paths, withColor(program, options)));
    });
}

const compareHelp = `
Exit status:
  0  every cell is safe or not possible
  1  some cell is unsafe
  2  an input or the command line is wrong
  3  some cell was not decided, and none found unsafe
  130  Ctrl-C, after printing what is known

Examples:
  civac compare litmus/designs litmus/thread
  civac compare litmus/designs litmus/thread --format html -o which-api.html
  civac compare litmus/designs litmus/thread --cell shmem_helper:a
  civac compare --expand my.design my.usecase | civac check -
  civac compare fix-a.litmus fix-b.litmus`;

async function explain(id: string, color: boolean, finish: Finish): Promise<void> {
  const { runExplain } = await import('./commands/explain.js');
  finish(runExplain(id, { color }));
}

const explainExamples = `Examples:
  civac explain H3
  civac explain dma_sync_sgtable_for_cpu
  civac explain .iommu`;

function addExplain(program: Command, finish: Finish): void {
  program
    .command('explain')
    .description('what a hazard (H3), a rule (M4, K5), a message (L012) or a function means')
    .argument('<ID>', 'for example H3, or vmap')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText('after', `\n${explainExamples}`)
    .action((id: string, options: { color: boolean }) =>
      explain(id, withColor(program, options).color, finish),
    );
}

function addFmt(program: Command, finish: Finish): void {
  program
    .command('fmt')
    .description('print scenarios in the one layout')
    .argument('[FILE...]', "scenarios, folders of scenarios, or '-' for stdin")
    .option('--check', 'only name the files that are laid out otherwise; exit 1 if there are any')
    .option('--write', 'rewrite the files in place')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText('after', '\nExample:\n  civac fmt --write my-driver.litmus')
    .action(async (files: string[], options: FmtOptions) => {
      const { runFmt } = await import('./commands/fmt.js');
      finish(runFmt(files, withColor(program, options)));
    });
}

function addReference(program: Command, finish: Finish): void {
  program
    .command('reference')
    .description('print every operation a scenario may call, in Markdown')
    .addHelpText('after', '\nExample:\n  civac reference | less')
    .action(async () => {
      const { runReference } = await import('./commands/reference.js');
      finish(runReference());
    });
}

function addCompletion(program: Command, finish: Finish): void {
  program
    .command('completion')
    .description('print a completion script for the shell')
    .addArgument(new Argument('<SHELL>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nExample:\n  eval "$(civac completion bash)"')
    .action(async (shell: Shell) => {
      const { runCompletion } = await import('./commands/completion.js');
      finish(runCompletion(program, shell));
    });
}

function addRecord(program: Command, finish: Finish): void {
  program
    .command('record')
    .description('record on this machine what a kernel trace needs (Linux, root)')
    .argument('[CMD...]', 'record while it runs; without it, until Ctrl-C')
    .option('-o, --output <file>', 'write the trace there', 'trace.dat')
    .option('-e, --event <pattern>', "'dma', 'kmem:mm_page_*', 'default'; repeatable", collect)
    .option('--buffer <size>', 'ring buffer of each CPU, e.g. 32M', sizeInKb)
    .option('--clock <name>', "the kernel's trace clock", 'mono')
    .option('--seconds <s>', 'end after s seconds', positiveNumber)
    .option('--tracefs <dir>', 'where tracefs is mounted')
    .option('--list', 'print the events that would be recorded, and record nothing')
    .option('--quiet', 'print nothing but errors')
    .option('--no-color', 'no colours (there are none)')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Exit status:
  0  recorded, whatever CMD returned (that is printed, and in FILE.machine.json)
  2  refused: no root, no tracefs, no such event, no space ...
  130  Ctrl-C while CMD ran; what was recorded until then is written

Examples:
  civac record -- dd if=/dev/nvme0n1 of=/dev/null bs=1M count=100 iflag=direct
  civac record --seconds 10 -e dma -e iommu -o boot.dat`,
    )
    .action(async (command: string[], options: RecordCommandOptions) => {
      const { runRecord } = await import('./commands/record.js');
      finish(await runRecord(command, options));
    });
}

function addTrace(program: Command, finish: Finish): void {
  program
    .command('trace')
    .description('read a kernel trace; report misuse of the DMA API and what its use costs')
    .argument('[FILE]', "trace.dat or ftrace text, also gzip or zstd, or '-' for stdin")
    .option('--json', 'the same as --format json')
    .addOption(
      new Option('--format <format>', 'how to report').choices([
        'text',
        'json',
        'sarif',
        'html',
        'parquet',
        'perfetto',
      ]),
    )
    .option('-o, --output <file>', 'write the report to a file; parquet makes two of the name')
    .option('--all', 'show the events of notes, and every call site in the costs')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--coherent <device>', 'it snoops the CPU caches; dev*, or *; repeatable', collect)
    .option('--non-coherent <device>', 'it does not snoop; dev*, or *; repeatable', collect)
    .option('--dt <file>', 'device tree of the machine, .dtb or .dts, for what snoops')
    .option('--machine <file>', 'sidecar of civac record, if not FILE.machine.json')
    .option('--granule <bytes>', 'what cache maintenance cannot split', powerOfTwo)
    .option('--page-size <bytes>', 'page size of the traced kernel', powerOfTwo)
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText(
      'after',
      `
Exit status:
  0  no error and no warning, or only such that need to know whether a device snoops
  1  errors or warnings found
  2  the input or the command line is wrong
  3  no dma events: nothing could be judged
  130  Ctrl-C, after a report on what was read until then

Examples:
  civac trace trace.dat
  civac trace --dt /sys/firmware/fdt --json -o findings.json trace.dat
  civac trace --format html -o trace.html trace.dat
  civac trace --format perfetto -o trace.pftrace trace.dat    (for ui.perfetto.dev)
  trace-cmd report | civac trace -`,
    )
    .action(async (file: string | undefined, options: TraceCommandOptions) => {
      const { runTrace } = await import('./commands/trace.js');
      finish(await runTrace(file, withColor(program, options)));
    });
}

/** A first word that is no verb: the nearest verb, or the verb a file most likely wants. */
function unknownVerb(program: Command, word: string): InputError {
  const names = program.commands.map((command) => command.name());
  const near = nearestName(word, names);
  let hint = "see 'civac --help'";
  if (near !== undefined) hint = `did you mean 'civac ${near}'?`;
  else if (/[./\\]/.test(word)) hint = `did you mean 'civac check ${word}'?`;
  return new InputError(`'${word}' is not a civac command; ${hint}`);
}

export function makeProgram(finish: Finish): Command {
  const program = new Command('civac');
  program
    .description('Checks whether buffer memory shared by CPUs and devices stays coherent.')
    .version(version, '-V, --version', 'print the version')
    .usage('<verb> [options]')
    .argument('[verb]')
    .argument('[rest...]')
    .addOption(
      new Option('--engine <engine>', 'which explorer; both say the same').choices([
        'fast',
        'reference',
      ]),
    )
    .option('--no-projection', 'explore all lines together')
    .option('--no-symmetry', 'explore each line of a range, not a few for all')
    .option('--no-por', 'explore evictions and fills also where nothing could tell')
    .option('--explain <id>', 'what a hazard or rule is')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .enablePositionalOptions()
    .helpCommand(false)
    .addHelpText(
      'after',
      "\nExample:\n  civac check litmus/thread\n\n'civac <verb> --help' says more.",
    )
    .action(
      async (verb: string | undefined, _rest, options: { explain?: string; color: boolean }) => {
        if (options.explain !== undefined) return explain(options.explain, options.color, finish);
        if (verb !== undefined) throw unknownVerb(program, verb);
        program.help({ error: true });
      },
    );
  addCheck(program, finish);
  addMend(program, finish);
  addCompare(program, finish);
  addExplain(program, finish);
  addFmt(program, finish);
  addReference(program, finish);
  addExport(program, finish);
  addTrace(program, finish);
  addRecord(program, finish);
  addCompletion(program, finish);
  return program;
}
