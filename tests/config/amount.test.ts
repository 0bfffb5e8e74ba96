import { assert, nat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseCores,
  parseDuration,
  parseSize,
  writeCores,
  writeDuration,
  writeSize,
} from "../../src/config/amount.ts";
import { InputError } from "../../src/protocol/input.ts";

describe("amounts as people type them", () => {
  test.each([
    ["0s", 0],
    ["1ms", 1],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["1d2h3m4s5ms", 93_784_005],
    ["30d", 2_592_000_000],
  ])("[CF1] the duration %s is %i ms", (text, ms) => {
    expect(parseDuration(text, "x")).toBe(ms);
  });

  test.each(["", "90", "s", "-1s", "1.5s", "1m1h", "1 s", "1S", "99999999999999d", "1e3s"])(
    "[CF1] %j is no duration, and the message says what is",
    (text) => {
      expect(() => parseDuration(text, "--wall")).toThrow(InputError);
      expect(() => parseDuration(text, "--wall")).toThrow(
        /^--wall must be a duration such as "90s"/,
      );
    },
  );

  test.each([
    ["0B", 0],
    ["1KiB", 1_024],
    ["256MiB", 268_435_456],
    ["1.5GiB", 1_610_612_736],
    ["2TiB", 2_199_023_255_552],
  ])("[CF1] the size %s is %i bytes", (text, bytes) => {
    expect(parseSize(text, "x")).toBe(bytes);
  });

  test.each(["", "256", "256MB", "256 MiB", "256mib", "-1B", "1e3B", "9999999TiB"])(
    "[CF1] %j is no size",
    (text) => {
      expect(() => parseSize(text, "x")).toThrow(/^x must be a size such as "256MiB"/);
    },
  );

  test.each([
    ["2", 2_000],
    ["0.5", 500],
    ["0.125", 125],
    ["2.0", 2_000],
  ])("[CF1] %s cores are %i thousandths", (text, milli) => {
    expect(parseCores(text, "x")).toBe(milli);
  });

  test.each(["", "0.1234", "-1", "1e3", "two", ".5"])("[CF1] %j is no number of cores", (text) => {
    expect(() => parseCores(text, "x")).toThrow(/^x must be a number of cores/);
  });

  test("[CF1] what is written is read as the same amount", () => {
    assert(
      property(nat(2 ** 45), (amount) => {
        expect(parseDuration(writeDuration(amount), "x")).toBe(amount);
        expect(parseSize(writeSize(amount), "x")).toBe(amount);
        expect(parseCores(writeCores(amount), "x")).toBe(amount);
      }),
    );
  });
});
