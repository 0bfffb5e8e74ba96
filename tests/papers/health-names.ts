// The public names of the worker registry and bus of DECNET 1.2.1, by what they belong to, as
// docs/coming-from.md has to name them.

function words(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}

function all(owner: string, names: string): readonly string[] {
  return words(names).map((name) => `${owner}.${name}`);
}

/** Everything by which a worker there is heard, shown, stopped and started. */
export const HEALTH_NAMES: Readonly<Record<string, readonly string[]>> = {
  topics: [
    ...words("system.<worker>.health system.bus.health system.<worker>.control system.log"),
    ...words("system.webhook.> system.> system.*.health * >"),
    ...words("system_health system_control system matches"),
  ],
  "verbs and envelope": [
    ...words("HELLO PUB SUB UNSUB EVT BYE ProtocolError"),
    ...all("event", "v id topic type ts payload"),
    ...words("Event.from_dict Event.to_dict"),
  ],
  "the bus in a program": [
    ...words("publish subscribe publish_safely make_thread_safe_publisher connect close aclose"),
    ...words("get_bus get_app_bus close_app_bus NullBus FakeBus"),
  ],
  "the environment": [
    ...words("DECNET_BUS_ENABLED DECNET_BUS_TYPE DECNET_BUS_SOCKET --heartbeat"),
    ...words("/run/decnet/bus.sock ~/.decnet/bus.sock"),
    "decnet bus",
  ],
  beats: [
    ...words("run_health_heartbeat bus worker interval extra"),
    ...all("health", "worker ts pid uptime_sec realism"),
    ...all("realism", "llm_enabled llm_backend llm_model llm_breaker_state"),
  ],
  "the registry": [
    ...words("get_registry start stop snapshot ok stale unknown"),
    ...words("api bus collector profiler sniffer prober mutator reconciler reuse-correlator"),
    ...words("attribution enrich clusterer campaign-clusterer ttp webhook orchestrator agent"),
    ...words("forwarder updater"),
  ],
  "what it answers": [
    ...words("workers generated_at bus_connected"),
    ...all("WorkerStatus", "name status last_heartbeat_ts seconds_since extra installed"),
  ],
  control: [
    ...words("run_control_listener SIGTERM"),
    ...all("control", "action requested_by ts"),
    ...all("answer", "accepted worker action"),
  ],
  "start and stop": [
    "systemctl start decnet-<name>.service",
    ...words("start is_active list_installed"),
    ...all("start-all", "started already_running failed"),
    ...all("failed", "name reason"),
    ...["status", "redeploy", "supervise batch", "supervise cpu"].map((verb) => `decnet ${verb}`),
    "run_group",
  ],
  "its errors": ["Unknown worker", "bus unavailable", "unit file not installed", "detail"],
  routes: [
    "GET /workers",
    "POST /workers/{name}/stop",
    "POST /workers/{name}/start",
    "POST /workers/start-all",
    "GET /health",
    "POST /auth/sse-ticket",
    ...words("/api/v1 viewer admin 401 403 404 429 500 502 503 --workers"),
  ],
  streams: words(
    "?ticket= keepalive snapshot data.topic data.type data.ts data.payload SystemStatus",
  ),
};
