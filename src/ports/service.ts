/** What a service's own keeper says of it; `unknown` where only its beats can tell. */
export type ServiceSight =
  | { readonly kind: "running" | "not_running" | "unknown" }
  | { readonly kind: "not_installed"; readonly detail: string };

/** What became of telling a service to start or stop: it was told, and no more is known yet. */
export type ServiceTold =
  | { readonly ok: true }
  | { readonly ok: false; readonly kind: "not_installed" | "failed"; readonly detail: string };

/**
 * What starts and stops one service on this host. It starts and stops; whether the service then
 * lives is for whoever asked to see. Every call has a deadline of its own, and never rejects: what
 * cannot be done is answered with its reason, one line of at most 200 characters.
 */
export interface ServiceKeeper {
  /** How it is now. */
  look(): Promise<ServiceSight>;
  /** Tells it to start; safe to repeat. With the signal it is given up. */
  start(signal?: AbortSignal): Promise<ServiceTold>;
  /** Tells it to stop; safe to repeat. With the signal it is given up. */
  stop(signal?: AbortSignal): Promise<ServiceTold>;
}
