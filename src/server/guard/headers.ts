import type { MiddlewareHandler } from "hono";

/** What every answer says to a browser: nothing of it is to be framed, guessed at or kept. */
const HEADERS: Readonly<Record<string, string>> = {
  // Pages bring their own script and style as files of this server, and nothing else.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** A year, for who has come by TLS once. */
const HSTS = "max-age=31536000";

/** The security headers of every answer. */
export function headersOf({
  isTls,
}: {
  readonly isTls: boolean;
}): Readonly<Record<string, string>> {
  return isTls ? { ...HEADERS, "Strict-Transport-Security": HSTS } : HEADERS;
}

/** Adds the security headers to every answer. */
export function secureHeaders(so: { readonly isTls: boolean }): MiddlewareHandler {
  const headers = Object.entries(headersOf(so));
  return async (context, next) => {
    await next();
    for (const [name, value] of headers) context.res.headers.set(name, value);
    if (!context.res.headers.has("Cache-Control"))
      context.res.headers.set("Cache-Control", "no-store");
  };
}
