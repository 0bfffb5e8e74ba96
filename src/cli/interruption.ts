/** Why a call was interrupted: the reason of its signal. */
export class Interruption extends Error {
  override readonly name = "AbortError";
  /** 128 and the signal's number; 0 when nobody reads on. */
  readonly exit: number;

  constructor(what: string, exit: number) {
    super(what);
    this.exit = exit;
  }
}
