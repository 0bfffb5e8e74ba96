import { openDoor, type Door } from "../api/door.ts";
import { operatorApi, type OperatorApiOptions } from "../api/operator-api.ts";
import { workerApi, type WorkerApiOptions } from "../api/worker-api.ts";

/** Connections that the operator's socket, and one worker's, hold at the same time. */
const OPERATOR_CONNECTIONS_MAX = 512;
const WORKER_CONNECTIONS_MAX = 64;

/** Opens the operator's socket. Throws what the system says to it. */
export function openOperatorDoor(socket: string, options: OperatorApiOptions): Promise<Door> {
  const api = operatorApi(options);
  const fetch = (request: Request): Response | Promise<Response> => api.fetch(request);
  return openDoor({ socket, connectionsMax: OPERATOR_CONNECTIONS_MAX, fetch });
}

/** Opens one worker's socket. Throws what the system says to it. */
export function openWorkerDoor(socket: string, options: WorkerApiOptions): Promise<Door> {
  const api = workerApi(options);
  const fetch = (request: Request): Response | Promise<Response> => api.fetch(request);
  return openDoor({ socket, connectionsMax: WORKER_CONNECTIONS_MAX, fetch });
}
