/**
 * The closed list of diagnostic codes: `L0xx` is the scenario language. A code is stable: it may
 * be searched for, and never gets another meaning.
 * Leaves out: hazards (verdict/hazards.ts): findings about a scenario, not mistakes in its text.
 */
export const diagnosticCodes = {
  L001: 'the input is not a text file that can be read',
  L002: 'a character or construct that the language does not have',
  L003: 'a comment is never closed',
  L004: 'a number that cannot be read or cannot be kept exactly',
  L005: 'the file has no thread, so there is nothing to check',
  L006: 'blocks, brackets or expressions are nested too deeply or are too long',
  L010: 'something else was expected here',
  L011: 'a block or bracket is never closed',
  L012: 'a C construct that the language leaves out',
  L013: 'a type that the language does not know, or not in this place',
  L014: 'something that may stand only once stands twice',
  L020: 'a name that is neither declared nor assigned anywhere',
  L021: 'a function that the registry of operations does not have',
  L022: 'a setting, option or profile that does not exist',
  L023: 'a name is declared although it already means something here',
  L024: 'a plain variable shared by threads: shared memory must live in a buffer',
  L025: 'a name is used like a variable but needs a declaration',
  L026: 'a handle is given objects of two kinds',
  L027: 'a thread does not fit the machine block',
  L030: 'kinds of values that do not go together',
  L031: 'a wrong number of arguments',
  L032: 'an argument of the wrong kind',
  L033: 'the result of a function that returns nothing is used',
  L034: 'an operation or access in a thread that cannot do it',
  L035: 'an operation that waits stands in init, where nothing else runs',
  L036: 'something that cannot be assigned to',
  L037: 'a constant is needed here',
  L040: 'a loop that can never end',
  L041: 'a loop with constant bounds runs too often to be unrolled',
  L042: 'the scenario unrolls to too many instructions',
  L043: 'break or continue outside a loop',
  L050: 'the Result line of the header cannot be read',
  L051: 'a Without line of the header does not fit the scenario',
  L060: 'an exists, forbidden or always condition that cannot be read',
  L070: 'a step of the scenario, reached while exploring, asks for what no kernel could do',
  L080: 'an event that does not exist',
  L081: 'an event with other arguments or parameters than it has',
  L082: 'a design that lacks an answer, or has two',
  L083: 'an event or a design in a place where it cannot stand',
  L099: 'too many errors: the rest is not listed',
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;
