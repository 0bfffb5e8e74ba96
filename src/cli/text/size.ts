const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Writes a size for people: `256MiB`, `1.5GiB`, `999B`; one decimal below ten, rounded. */
export function sizeText(sizeBytes: number): string {
  let [amount, unit] = [sizeBytes, 0];
  while (Math.abs(shown(amount)) >= 1_024 && unit < units.length - 1) {
    amount /= 1_024;
    unit += 1;
  }
  return `${shown(amount)}${units[unit]}`;
}

function shown(amount: number): number {
  return Math.abs(amount) < 10 ? Math.round(amount * 10) / 10 : Math.round(amount);
}

/** Writes thousandths of a core as cores: `0.5`, `2`. */
export function coresText(cpuMilli: number): string {
  return String(cpuMilli / 1_000);
}

/** Writes a count with its noun: `1 worker`, `3 workers`; `many` where an `s` is not enough. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
