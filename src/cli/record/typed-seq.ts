import { InputError } from "../../protocol/input.ts";

/** Has an entry that the library throws about named as it is typed. */
export async function withTypedSeq<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problems = error.problems.map((one) =>
      one.path === "seq" ? { ...one, path: "SEQ" } : one,
    );
    throw new InputError(error.code, problems);
  }
}
