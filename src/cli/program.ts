/**
 * The command line as commander sees it. Each verb loads its own code only when it runs; this
 * file is all that every start pays for.
 */
import { Argument, Command, Option } from 'commander';
import { version } from '../base/version.js';
import { nearestName } from '../diagnostics/nearest.js';
import type { CheckOptions } from './commands/check.js';
import type { Shell } from './commands/completion.js';
import type { FmtOptions } from './commands/fmt.js';
import type { MendCommandOptions } from './commands/mend.js';
import { InputError } from './errors.js';
import { positiveInteger, positiveNumber } from './options.js';

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

function addCheck(program: Command, finish: Finish): void {
  program
    .command('check')
    .description(
      'explore each scenario; say coherent, or the hazards with the shortest run to each',
    )
    .argument('[FILE...]', "scenarios, folders of scenarios, or '-' for stdin")
    .option('--expect', 'compare every verdict and hazard set with what the file header states')
    .option('--advise', 'say of each sync and barrier: needed, redundant, dearer or destructive')
    .option('--json', 'the same as --format json')
    .addOption(
      new Option('--format <format>', 'how to report').choices(['text', 'json', 'sarif', 'junit']),
    )
    .option('-o, --output <file>', 'write the report to a file')
    .option('--brief', 'one line per scenario')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--stats', 'print states, transitions and time')
    .option('--max-states <n>', 'give up on a scenario after n states', positiveInteger)
    .option('--max-seconds <s>', 'give up on a scenario after s seconds', positiveNumber)
    .option('--max-memory <mb>', 'give up on a scenario above that many MiB', positiveInteger)
    .addOption(
      new Option('--order <order>', 'search order, to check the checker').choices([
        'forward',
        'reverse',
      ]),
    )
    .option('--explain <id>', 'what a hazard or rule is, instead of checking')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText(
      'after',
      `${exitHelp}

Examples:
  civac check ring.litmus
  civac check --expect litmus --json -o results.json
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
    .option('--costs <file>', 'what edits and operations cost, in JSON')
    .option('--write', 'apply the first answer to the file')
    .option('--answer <n>', 'with --write: the n-th answer', positiveInteger)
    .option('--all', 'every answer of the least cost, not the first eight')
    .option('--json', 'the answers as JSON')
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
  1  nothing mends it
  2  the input or the command line is wrong
  3  gave up at a limit

Examples:
  civac mend my-driver.litmus
  civac mend --level api --write my-driver.litmus`,
    )
    .action(async (file: string | undefined, given: MendCommandOptions) => {
      const { runMend } = await import('./commands/mend.js');
      finish(runMend(file === undefined ? [] : [file], withColor(program, given)));
    });
}

async function explain(id: string, color: boolean, finish: Finish): Promise<void> {
  const { runExplain } = await import('./commands/explain.js');
  finish(runExplain(id, { color }));
}

function addExplain(program: Command, finish: Finish): void {
  program
    .command('explain')
    .description('what a hazard (H3), a rule (M4, K5) or a message (L012) means')
    .argument('<ID>', 'for example H3')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText('after', '\nExample:\n  civac explain H3')
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
  addExplain(program, finish);
  addFmt(program, finish);
  addReference(program, finish);
  addCompletion(program, finish);
  return program;
}
