// docs/sandboxes.md, made of the cases that the tests try: what it says is what they found.
import { CASES, type HostileCase, isTold, RUNGS, type RungCase, verdictOf } from "./cases.ts";

const HEAD = `# What hostile workers can do

Made from the hostile cases by \`npm run docs\`; do not edit it here.

Each row is a real program that a test starts as a worker on each [rung](containment.md), lets
try what it tries, and ends. A verdict that is worse than the one written here fails the test,
and so does one that is better.

- **held**: it got through with nothing; when its end was journaled nothing of it was left; the
  sibling, the supervisor, the journal, the secrets and the host were as before; the evidence of
  its end had the grade of its rung.
- **refused (WORD)**: it was not started, for the rung does not hold what WORD says and the
  contract does not accept that; the refusal is on record.
- **degraded (WORD)**: it got through. The contract accepts WORD, and the entry that admits the
  worker says so. Of \`hides\` one process was left, by every count; of all others nothing was,
  once they had been ended.

What is left of a worker is counted in ways that share no code with Stint, nor with each other:
processes that have its mark among their arguments; whether the lock that all of it inherits can
be taken; whether anybody has its pipe open; and, on the upper rungs, processes in the PID
namespace that it had. Each must have found it before it was ended, but for a program that hides
its arguments.

The same programs run without Stint as well: there all of the first group outlive their parent,
and the others get through, as root with everything that they try. \`floods\` and
\`keeps-a-file-open\` are left out of that: without Stint nothing is there that they could break.
`;

const FOOT = `## What the table does not say

- "No control groups" is a supervisor in a mount namespace in which none are mounted.
- It was made as root, on Linux 6.18 with control groups of version 1 and 2 side by side,
  bubblewrap 0.8 and util-linux 2.38.
- As a plain user without control groups the same was found, but that \`changes-settings\` is held
  everywhere, by the kernel. With control groups of its own a plain user's \`pid-namespace\` says
  that it holds its limits; that was not tried here.
- \`opens-files\` was tried as root without CAP_SYS_RESOURCE, as in most containers. Root that
  has it lifts the limit on \`process-group\`; there it is degraded (\`same_user\`). Where there
  are no control groups, and on \`process-group\`, it is held but not on record.
- \`traces-a-sibling\` on \`process-group\` is held for a plain user where Yama
  (\`ptrace_scope\` above 0) keeps processes from tracing each other. The signal gets through
  all the same.
- \`kills-its-supervisor\` on \`process-group\` runs on until the next supervisor ends it and
  all others.
- \`keeps-a-file-open\` writes until it is fenced; nobody else has that ground before. See
  [enforced leases](decisions/enforced-leases.md).
- [Containers](containment.md#as-containers) are not in it.
- A program that is held was stopped in what it tried. What no program here tries is not shown
  by it: the [threat model](threat-model.md) says what does not hold.
`;

/** The page as Markdown, not laid out yet. */
export function sandboxesPage(): string {
  return [HEAD, hosts(), table(), FOOT].join("\n");
}

/** What each rung needs of its host, and what it says that it lacks. */
function hosts(): string {
  const rows = RUNGS.map((rung) => {
    const lacks = rung.degraded.map((word) => `\`${word}\``).join(", ") || "nothing";
    const accepts = rung.allowed.map((word) => `\`${word}\``).join(", ") || "nothing";
    return [titleOf(rung), rung.needs, lacks, accepts, `\`${rung.grade}\``];
  });
  const head = ["rung", "a host that has", "degraded, as root", "the contract accepts", "evidence"];
  return `## The hosts\n\n${tableOf(head, rows)}`;
}

function table(): string {
  const running = CASES.filter(({ outlives = false }) => outlives);
  const reaching = CASES.filter(({ outlives = false }) => !outlives);
  const head = ["program", "what it tries", ...RUNGS.map(titleOf)];
  const parts = [
    "## Running on\n",
    tableOf(head, running.map(rowOf)),
    "All that is held here is started side by side, too, and the fleet killed: nothing is left.\n",
    "## Taking more\n",
    tableOf(head, reaching.map(rowOf)),
  ];
  return parts.join("\n");
}

function rowOf(one: HostileCase): readonly string[] {
  return [`\`${one.name}\``, one.tries, ...RUNGS.map((rung) => cellOf(one, rung))];
}

function cellOf(one: HostileCase, rung: RungCase): string {
  const [word = "", weakness] = verdictOf(one, rung).split(" ");
  if (weakness !== undefined) return `${word} (\`${weakness}\`)`;
  return isTold(one, rung) ? `${word}, \`${one.limit}\` on record` : word;
}

function titleOf({ name }: RungCase): string {
  const [rung = "", ...rest] = name.split(",");
  return [`\`${rung}\``, ...rest].join(",");
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
