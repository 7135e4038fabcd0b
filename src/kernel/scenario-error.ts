/** The scenario does something no kernel could be asked to do; reported like a syntax error. */
export class ScenarioError extends Error {
  constructor(
    message: string,
    readonly site: number,
  ) {
    super(message);
  }
}
