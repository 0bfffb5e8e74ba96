// The fields and verbs of the lane leases of the Python package `dos-kernel` 0.26.0, by what they
// belong to, as docs/coming-from.md has to name them.

function words(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}

function all(owner: string, names: string): readonly string[] {
  return words(names).map((name) => `${owner}.${name}`);
}

/** Everything that a lane, a lease and their journal have, and every way to act on them. */
export const LANE_LEASE_NAMES: Readonly<Record<string, readonly string[]>> = {
  lanes: [
    "[lanes]",
    ...all("lanes", "concurrent exclusive autopick trees aliases"),
    ...all("concurrency_class", "name max_concurrent"),
    ...all("overlap", "ratio_max policy"),
    ...words("[supervise] [retention] paths.lane_journal"),
    ...words("DISPATCH_LANE_JOURNAL_PATH JOB_LANE_JOURNAL_PATH DISPATCH_WORKSPACE --workspace"),
    "dos init",
  ],
  "a lease": [
    ...all("lease", "lane lane_kind tree loop_ts host_id pid holder acquired_at run_id"),
    ...all("lease", "heartbeat_at ttl_minutes children"),
    ...words("DISPATCH_HOST_ID CID_RUN_ID DISPATCH_RUN_ID CID_PARENT_ID CID_ROOT_ID"),
    ...words("CID_PROCESS_ID _LIVE_TTL_GRACE_MINUTES ttl_seconds SPAWN_TTL_MS claim_ttl"),
  ],
  "the journal": [
    ...words("append read_all replay compact lease_generations next_seq"),
    ...words("ACQUIRE RECONCILE RELEASE SCAVENGE HEARTBEAT ADOPT REFUSE HALT SPAWN ATTEMPT"),
    ...words("ENFORCE CHECKPOINT _CORRUPT"),
    ...all("entry", "op seq ts reason reason_class prev_holder handle command lease env_digest"),
    ...all("entry", "schema unit_id outcome tool intervention dispatch_call withheld handler"),
    ...all("entry", "proposal leases seq_watermark generations"),
    "DISPATCH_LANE_LEASE_LOCK_PATH",
  ],
  "the arbiter": [
    ...words("requested_lane requested_kind requested_tree live_leases extra_leases"),
    ...words("auto_pick_order pick_oracle rank_key predicates dos.predicates class_budgets"),
    ...words("live_siblings sibling_tree_lookup force outcome"),
    ...all("decision", "lane lane_kind tree auto_picked reason free_clusters pick_count"),
    ...words("disjointness overlap_verdict dos.overlap_policies self-modify lock_modes"),
  ],
  "its refusals": [
    "an exclusive lane is live",
    "is an exclusive lane",
    "is already held by a live loop",
    "cannot share live lane",
    "exact-glob overlap",
    "overlap too large",
    "has an EMPTY tree",
    "UNKNOWN_LANE",
    "CLASS_BUDGET_EXHAUSTED",
    "SELF_MODIFY",
    "admission predicate",
    "priority ladder exhausted",
    "no free lane to auto-pick",
    "autopick ladder",
    "0 pickable phases",
    "SCOPE_ESCAPE",
    "STALE_GENERATION",
    "lock-busy",
  ],
  "the library": [
    ...all("lane_lease", "acquire release heartbeat adopt halt spawn live_leases live_generations"),
    ...all("lane_lease", "compact_journal"),
    ...words("lane kind tree owner loop_ts extra_leases retries retry_interval ttl_seconds run_id"),
    ...words("journaled coalesce_within_s new_owner new_pid expire_dead _lease_is_dead"),
  ],
  "the command line": [
    ...words("acquire heartbeat release spawn live").map((verb) => `dos lease-lane ${verb}`),
    ...words("halt journal arbitrate apply lease liveness top loop watch reap trace observe").map(
      (verb) => `dos ${verb}`,
    ),
    ...words("tail replay seq compact").map((verb) => `journal ${verb}`),
    "dos export",
    ...words("--workspace --driver --job --kind --tree --owner --loop-ts --run-id --leases"),
    ...words("--retries --retry-interval --pretty --coalesce-within-s --handle --reason --command"),
    ...words("--resumable --resume-sha --explain --force --class-budget --output --lane --file"),
    ...words("--staged --base --head --start-sha --last-heartbeat-age-ms --pid --host-id"),
    ...words("--no-proc --usage-json --now-ms --once --watch --target --max-concurrency"),
    ...words("--interval --max-ticks --track --discover --budget-ms --repropose-ms --journal"),
    ...words("--apply --to --since"),
  ],
  "what is around it": [
    ...words("supervise lease_health ADVANCING SPINNING STALLED dos_arbitrate ADMIT_SOFT"),
    ...words("DOS_APPLY_GATE .dos/override"),
    "dos hook pretool",
    "dos init --hooks",
  ],
};
