/** The version of Stint that this is, as in its package; a test compares the two. */
export const VERSION = "0.1.0";
