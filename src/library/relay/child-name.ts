import { LIMITS } from "../../kernel/limits.ts";

/** A child without a name is shown as its parent's. Names are labels and may be reused. */
export function childName(parent: string): string {
  const suffix = "-child";
  const isLong = parent.length + suffix.length > LIMITS.nameCharsMax;
  return parent.endsWith(suffix) || isLong ? parent : parent + suffix;
}
