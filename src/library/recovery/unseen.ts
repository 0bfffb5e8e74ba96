/** What stands for the hash of an entry that may be somewhere, and that nobody here has seen. */
export const UNSEEN = "0".repeat(64);
