/** The code of the fault that a promise rejects with; "no fault" when it does not reject. */
export async function faultOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return "no fault";
  } catch (error) {
    // Whatever was thrown: its code is compared, a bug without a code fails the comparison.
    return (error as { readonly code?: unknown }).code;
  }
}
