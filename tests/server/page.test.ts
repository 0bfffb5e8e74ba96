// The script of the page, run with a browser that is played: where it puts the secret.
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { HOME_SCRIPT } from "../../src/server/page/script.ts";

interface Element {
  hidden: boolean;
  textContent: string;
  className: string;
  readonly addEventListener: (kind: string, listener: () => void) => void;
}

/** A browser as far as the script sees it. */
class PlayedBrowser {
  readonly calls: string[] = [];
  readonly stored = new Map<string, string>();
  readonly elements = new Map<string, Element>();
  readonly listeners = new Map<string, () => void>();
  readonly location = { hash: "", pathname: "/" };

  open(hash: string): void {
    this.location.hash = hash;
    const element = (): Element => ({
      hidden: false,
      textContent: "",
      className: "",
      addEventListener: () => undefined,
    });
    const byId = (id: string): Element => {
      const found = this.elements.get(id) ?? element();
      this.elements.set(id, found);
      return found;
    };
    const world = {
      document: { getElementById: byId },
      location: this.location,
      history: {
        replaceState: (_: unknown, __: string, path: string) => {
          this.location.hash = "";
          this.calls.push(`replace ${path}`);
        },
      },
      sessionStorage: {
        getItem: (key: string) => this.stored.get(key) ?? null,
        setItem: (key: string, value: string) => void this.stored.set(key, value),
        removeItem: (key: string) => void this.stored.delete(key),
      },
      fetch: (path: string, options: { readonly body?: string; readonly headers: object }) =>
        this.#fetch(path, options),
      addEventListener: (kind: string, listener: () => void) => this.listeners.set(kind, listener),
      setInterval: () => 0,
      setTimeout: () => 0,
      URLSearchParams,
    };
    // There is no localStorage and no cookie: who reaches for one fails.
    runInContext(HOME_SCRIPT, createContext(world));
  }

  #fetch(
    path: string,
    { body = "", headers }: { readonly body?: string; readonly headers: object },
  ): Promise<Response> {
    this.calls.push(`${path} ${body} ${JSON.stringify(headers)}`);
    if (path !== "/v1/login") return Promise.reject(new Error("the rest is not played"));
    const { code } = JSON.parse(body) as { readonly code: string };
    return Promise.resolve(Response.json({ secret: `secret of ${code}` }));
  }
}

test("[UP5] the code leaves the address before it is used, the token is the tab's", async () => {
  const browser = new PlayedBrowser();
  browser.open("#login=one");
  await expect.poll(() => browser.stored.size).toBe(1);
  expect(browser.calls.slice(0, 2)).toEqual([
    "replace /",
    '/v1/login {"code":"one"} {"Content-Type":"application/json"}',
  ]);
  expect([...browser.stored]).toEqual([["stint-token", "secret of one"]]);
  expect(browser.location.hash).toBe("");
  await expect.poll(() => browser.calls.length).toBeGreaterThan(2);
  expect(browser.calls[2]).toContain('"Authorization":"Bearer secret of one"');
});

test("[UP5] a login's address that is opened where the page is already logs in", async () => {
  const browser = new PlayedBrowser();
  browser.open("");
  await expect.poll(() => browser.elements.get("state")?.textContent).toBe("Not logged in.");
  expect(browser.calls).toEqual([]);
  browser.location.hash = "#login=two";
  browser.listeners.get("hashchange")?.();
  await expect.poll(() => browser.stored.get("stint-token")).toBe("secret of two");
});
