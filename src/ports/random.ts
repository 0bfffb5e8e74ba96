/** A source of random bytes; cryptographic in production, seeded in the simulator. */
export interface Random {
  /** `count` random bytes, owned by the caller. */
  bytes(count: number): Uint8Array;
}
