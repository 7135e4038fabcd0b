/** What the exit status says; the same for every verb. */
export const exitCode = {
  /** Nothing found; with --expect, everything as stated. */
  ok: 0,
  /** Hazards found; with --expect, something not as stated; fmt --check: not formatted. */
  found: 1,
  /** The input or the command line is wrong. */
  input: 2,
  /** Gave up at a limit, and nothing worse. */
  unknown: 3,
  /** A bug in civac. */
  internal: 70,
  /** Ctrl-C. */
  interrupted: 130,
  /** The reader of our output went away, as for any program killed by SIGPIPE. */
  pipe: 141,
} as const;
