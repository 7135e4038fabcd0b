/**
 * `civac completion bash|zsh|fish`: a script for the shell, written from the command definitions
 * themselves, so that it always knows the same verbs and options as `--help`.
 */
import type { Command, Option } from 'commander';
import { exitCode } from '../exit-codes.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
}

function verbsOf(program: Command): Verb[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.description().split('\n')[0] ?? '',
    options: command.options,
  }));
}

function flags(options: readonly Option[]): string {
  return options
    .flatMap((option) => [option.short, option.long])
    .filter((flag) => flag !== undefined)
    .join(' ');
}

/** `check --format` and what may follow it: the same option has other values with another verb. */
function choices(verbs: readonly Verb[]): [string, string][] {
  return verbs.flatMap((verb) =>
    verb.options
      .filter((option) => option.argChoices !== undefined)
      .map((option): [string, string] => [
        `${verb.name} ${option.long ?? ''}`,
        option.argChoices?.join(' ') ?? '',
      ]),
  );
}

function bash(program: Command): string {
  const verbs = verbsOf(program);
  const names = verbs.map((verb) => verb.name).join(' ');
  const values = choices(verbs).map(
    ([flags, words]) =>
      `    "${flags}") COMPREPLY=($(compgen -W "${words}" -- "$word")); return ;;`,
  );
  const cases = verbs.map((verb) => `      ${verb.name}) words="${flags(verb.options)} --help" ;;`);
  return `# bash completion of civac; use: eval "$(civac completion bash)"
_civac() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "\${COMP_WORDS[1]} $before" in
${values.join('\n')}
    *" -o"|*" --output") COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${names} ${flags(program.options)} --help"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac
    [ "\${COMP_WORDS[1]}" = completion ] && words="$words ${shells.join(' ')}"
  fi
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _civac civac
`;
}

function zshQuote(text: string): string {
  return text.replace(/'/g, "'\\''").replace(/[[\]:]/g, '\\$&');
}

function zshOption(option: Option): string {
  const summary = zshQuote(option.description);
  const words = option.argChoices === undefined ? '_files' : `(${option.argChoices.join(' ')})`;
  const value = option.required ? `:value:${words}` : '';
  return [option.short, option.long]
    .filter((flag) => flag !== undefined)
    .map((flag) => `        '${flag}[${summary}]${value}' \\`)
    .join('\n');
}

function zsh(program: Command): string {
  const verbs = verbsOf(program);
  const names = verbs.map((verb) => `    '${verb.name}:${zshQuote(verb.summary)}'`);
  const cases = verbs.map((verb) => {
    const values =
      verb.name === 'completion' ? `'*:shell:(${shells.join(' ')})'` : "'*:file:_files'";
    return [
      `    ${verb.name})`,
      '      _arguments \\',
      ...verb.options.map(zshOption),
      `        '--help[show help]' ${values} ;;`,
    ].join('\n');
  });
  return `#compdef civac
# zsh completion of civac; use: eval "$(civac completion zsh)"
_civac() {
  local -a verbs
  verbs=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$verb" in
${cases.join('\n')}
  esac
}
compdef _civac civac
`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

function fish(program: Command): string {
  const lines = ['# fish completion of civac; use: civac completion fish | source'];
  for (const verb of verbsOf(program)) {
    const only = `__fish_seen_subcommand_from ${verb.name}`;
    lines.push(
      `complete -c civac -n __fish_use_subcommand -a ${verb.name} -d ${fishQuote(verb.summary)}`,
    );
    for (const option of verb.options) {
      const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
      const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`;
      const words = option.argChoices?.join(' ');
      const value = option.required
        ? words === undefined
          ? ' -r'
          : ` -x -a ${fishQuote(words)}`
        : '';
      const summary = fishQuote(option.description);
      lines.push(`complete -c civac -n '${only}'${short}${long}${value} -d ${summary}`);
    }
  }
  const only = "'__fish_seen_subcommand_from completion'";
  lines.push(`complete -c civac -n ${only} -f -a ${fishQuote(shells.join(' '))}`);
  return `${lines.join('\n')}\n`;
}

export function runCompletion(program: Command, shell: Shell): number {
  const writers = { bash, zsh, fish };
  process.stdout.write(writers[shell](program));
  return exitCode.ok;
}
