/**
 * Names that both languages take: lower case, no word that either reserves, no two alike.
 * Leaves out: what is named.
 */

/** Words of Promela, of Murphi and of the C that both become. */
const RESERVED = new Set(
  [
    'active alias and array assert assume atomic auto begin bit bool boolean break byte',
    'case chan char clear cond const continue cover cpp default div do double d_step',
    'd_stepin d_proctype else elsif empty enabled end endalias endexists endfor endforall',
    'endfunction endif endprocedure endrecord endrule endruleset endstartstate endswitch',
    'endwhile enum eval exists extern false fi float for forall free from full function',
    'goto hidden if import in inline init int invariant isundefined len liveness local',
    'long ltl mtype mod nempty never nfull not notrace now np_ od of or pc_value pid',
    'printf printm priority procedure process proctype program property provided put',
    'record register return rule ruleset run running scalarset select short show signed',
    'sizeof skip start startstate static struct switch then timeout to trace true type',
    'typedef undefine union unless unsigned until var void volatile while xr xs main',
    'state hazard stop_at_hazard',
  ].flatMap((line) => line.split(' ')),
);

export class Names {
  private readonly used = new Set<string>(RESERVED);

  /** A name like the wanted one. */
  take(wanted: string): string {
    const plain = wanted.toLowerCase().replace(/[^a-z0-9]+/g, '_');
    const base = /^[a-z]/.test(plain) ? plain : `x${plain}`;
    let name = base;
    for (let n = 2; this.used.has(name); n++) name = `${base}_${n}`;
    this.used.add(name);
    return name;
  }
}
