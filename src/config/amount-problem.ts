import { InputError, type InputProblem } from "../protocol/input.ts";
import { writeCores, writeDuration, writeSize } from "./amount.ts";
import { fieldNamed, type Form } from "./field.ts";

/** How an amount is told, and written, that the journal has as an integer. */
interface Telling {
  readonly noun: string;
  readonly write: (amount: number) => string;
}

const TELLINGS: Partial<Readonly<Record<Form, Telling>>> = {
  duration: { noun: "a duration", write: (ms) => `"${writeDuration(ms)}"` },
  size: { noun: "a size", write: (bytes) => `"${writeSize(bytes)}"` },
  cores: { noun: "a number of cores", write: writeCores },
};

/**
 * The same error with amounts as a config writes them: nobody wrote ms, bytes or thousandths of a
 * core. Paths are those of the config; a unit is the user's own, whatever its name.
 */
export function inTomlForm({ code, problems }: InputError): InputError {
  return new InputError(code, problems.map(tellOne));
}

function tellOne(problem: InputProblem): InputProblem {
  const [parent, name = ""] = problem.path.split(".").slice(-2);
  const telling = parent === "units" ? undefined : tellingOf(name);
  if (telling === undefined) return problem;
  const { noun, write } = telling;
  const { path, expected, got } = problem;
  return {
    path,
    expected: expected
      .replace(
        /^an integer from (\d+) to (\d+)$/,
        (_, least: string, most: string) =>
          `${noun} from ${write(Number(least))} to ${write(Number(most))}`,
      )
      .replace(/\((\d+)\)$/, (_, bound: string) => `(${write(Number(bound))})`),
    got: /^\d+$/.test(got) ? write(Number(got)) : got,
  };
}

function tellingOf(name: string): Telling | undefined {
  const field = fieldNamed(name);
  return field === undefined ? undefined : TELLINGS[field.form];
}
