/** The verb `export` as commander sees it; the work is in commands/export.ts. */
import { type Command, Option } from 'commander';
import type { ExportCommandOptions } from './commands/export.js';
import { positiveInteger, positiveNumber } from './options.js';

export function addExport(program: Command, finish: (status: number) => void): void {
  program
    .command('export')
    .description('the same scenario, unreduced, for an independent model checker: Spin or Rumur')
    .argument('[FILE]', "a scenario, or '-' for stdin")
    .addOption(
      new Option('--to <language>', 'promela, for Spin; murphi, for Rumur').choices([
        'promela',
        'murphi',
      ]),
    )
    .option('-o, --output <file>', 'write the source to a file')
    .option('--max-states <n>', 'give up on more than n states', positiveInteger)
    .option('--max-seconds <s>', 'give up after s seconds', positiveNumber)
    .option('--max-memory <mb>', 'give up above that many MiB', positiveInteger)
    .option('--json', 'a document with the source in it')
    .option('--quiet', 'print nothing but errors; the exit status tells')
    .option('--no-color', 'no colours (as NO_COLOR does)')
    .addHelpText(
      'after',
      `
Exit status:
  0  exported
  2  the input or the command line is wrong
  3  gave up at a limit; nothing is exported

Examples:
  civac export --to promela -o ring.pml ring.litmus
  spin -a ring.pml && gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000
  civac export --to murphi ring.litmus > ring.m`,
    )
    .action(async (file: string | undefined, options: ExportCommandOptions) => {
      const { runExport } = await import('./commands/export.js');
      finish(
        runExport(file, { ...options, color: options.color && program.opts().color !== false }),
      );
    });
}
