/**
 * The entry of the command line: runs one verb and turns whatever happens into an exit status.
 * Sets process.exitCode instead of exiting, so that everything written still gets out.
 */
import { CommanderError } from 'commander';
import { errorCode, report } from './errors.js';
import { exitCode } from './exit-codes.js';
import { makeProgram } from './program.js';

/** Messages of commander in the words of the house: `civac: unknown option '--breif'`. */
function tellUsage(text: string, write: (text: string) => void): void {
  write(text.replace(/^error: /, 'civac: '));
}

/** Help and version end with 0 when asked for; everything else is a wrong command line. */
function usageStatus(error: CommanderError): number {
  const asked = ['commander.helpDisplayed', 'commander.version'].includes(error.code);
  return asked ? exitCode.ok : exitCode.input;
}

async function main(args: readonly string[]): Promise<number> {
  let status: number = exitCode.ok;
  const program = makeProgram((result) => {
    status = result;
  });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ outputError: tellUsage });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return usageStatus(error);
    return report(error);
  }
  return status;
}

// `civac check ... | head` closes our output early; that is no error worth a word.
process.stdout.on('error', (error) => {
  process.exit(errorCode(error) === 'EPIPE' ? exitCode.pipe : report(error));
});

process.exitCode = await main(process.argv.slice(2));
