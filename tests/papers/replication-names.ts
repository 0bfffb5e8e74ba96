// The public names of the Python package `replication` 2.0.0, by what they belong to, as
// docs/coming-from.md has to name them.

/** Names of a class, each with the class before it. */
function membersOf(owner: string, names: string): readonly string[] {
  return [owner, ...words(names).map((name) => `${owner}.${name}`)];
}

function words(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}

/** Everything that the package offers and what it is observed by, by group. */
export const NAMES: Readonly<Record<string, readonly string[]>> = {
  contracts: [
    ...membersOf(
      "ReplicationContract",
      "max_depth max_replicas cooldown_seconds expiration_seconds stop_conditions evaluate",
    ),
    ...words("NetworkPolicy.allow_controller NetworkPolicy.allow_external"),
    ...words("ResourceSpec.cpu_limit ResourceSpec.memory_limit_mb ResourceSpec.network_policy"),
    ...words("StopCondition.name StopCondition.description StopCondition.predicate"),
    ...words("StopCondition.is_triggered ReplicationContext.active_count"),
    ...words("ReplicationContext.manifest ReplicationContext.contract"),
  ],
  manifests: [
    ...words("Manifest.worker_id Manifest.parent_id Manifest.depth Manifest.state_snapshot"),
    ...words("Manifest.issued_at Manifest.resources Manifest.signature"),
    ...membersOf("ManifestSigner", "sign verify"),
  ],
  "the controller": [
    ...membersOf(
      "Controller",
      `sign_manifest verify_manifest can_spawn issue_manifest register_worker is_quarantined
       mark_quarantined clear_quarantine heartbeat reap_stale_workers deregister kill_switch
       contract signer logger registry spawn_timestamps kill_switch_engaged`,
    ),
    ...words("RegistryEntry.manifest RegistryEntry.last_heartbeat"),
  ],
  denials: [
    "ReplicationDenied",
    "Kill switch engaged",
    "Parent is quarantined",
    "Replica quota exceeded",
    "Parent unknown",
    "Cooldown not satisfied",
    "Depth exceeded",
    "Root worker must request depth 0",
    "Root worker must have depth 0",
    "Manifest depth N exceeds max_depth",
    "Stop condition triggered",
    "Manifest signature invalid",
    "Worker is quarantined",
    "Worker expired",
    "already quarantined",
    "is not quarantined",
    "not found in registry",
    "ValueError",
  ],
  workers: [
    ...membersOf("Worker", "perform_task maybe_replicate shutdown"),
    ...words("WorkerState.manifest WorkerState.expires_at WorkerState.created_at"),
  ],
  "the orchestrator": [
    ...membersOf(
      "SandboxOrchestrator",
      "launch_worker kill_worker kill_all enforce_resource_bounds containers",
    ),
    ...membersOf("ContainerRecord", "manifest resources status started_at reason"),
  ],
  "the quarantine": [
    ...membersOf(
      "QuarantineManager",
      `quarantine release terminate terminate_all add_note is_quarantined get_entry
       list_quarantined list_by_severity list_by_source active_count report`,
    ),
    ...words("on_quarantine on_release on_terminate QuarantineStatus"),
    ...membersOf(
      "QuarantineEntry",
      `worker_id reason source severity quarantined_at status resolved_at resolution notes
       state_snapshot restrictions duration_seconds to_dict`,
    ),
    ...membersOf(
      "QuarantineReport",
      `total_quarantined currently_quarantined released terminated by_severity by_source
       avg_duration_seconds entries summary to_dict`,
    ).slice(1),
  ],
  "the logger and the audit trail": [
    ...membersOf("StructuredLogger", "log audit emit_metric events metrics"),
    ...words("dropped_events dropped_metrics"),
    ...membersOf("Metric", "name value timestamp labels"),
    ...membersOf("AuditTrail", "log search verify export stats save load").slice(1),
  ],
  events: words(`
    reject_manifest_signature reject_root_depth reject_depth_exceeded deny_quarantined deny_quota
    deny_cooldown deny_depth deny_depth_spoof deny_stop_condition worker_registered
    controller_quarantine_mark controller_quarantine_clear heartbeat heartbeat_quarantined
    heartbeat_unknown reap_stale worker_deregistered kill_switch_engaged worker_started task_failed
    replication_denied replication_requested worker_shutdown container_launched container_killed
    container_kill_skipped resource_enforced worker_quarantined worker_released worker_terminated
    quarantine_note_added`),
  "the kill switch manager": [
    ...membersOf(
      "KillSwitchManager",
      "kill manual_kill kill_fleet revive register_agent evaluate evaluate_fleet",
    ).slice(1),
    ...words("TriggerKind graceful forceful quarantine suspend pre_kill post_kill on_trigger"),
    ...words("clear_cooldown global_enabled resource_cpu resource_memory resource_disk"),
    ...words("resource_network behavior_anomaly time_limit request_rate error_rate manual custom"),
  ],
  "fleet, lineage and topology": [
    ...words("snapshot_fleet QUARANTINED EXPIRED ACTIVE TopologyAnalyzer.from_controller"),
  ],
  "the command line": [
    ...words("--list --version info fleet lineage topology quarantine preflight lint gate"),
    ...words("quick-scan templates contract-wizard export capacity what-if alert-router"),
    ...words("circuit-breaker decommission simulate scenarios policy threats chaos forecast trend"),
    ...words("ir-playbook sla warranty adapt"),
    ...["log", "search", "verify", "export", "stats"].map((verb) => `audit-trail ${verb}`),
    ...words("greedy conservative random chain burst"),
  ],
  modules: words(`
    access_control adaptive_thresholds alignment alignment_tax anomaly_cluster anomaly_replay
    attack_graph attack_surface attack_tree auto_investigator behavior_profiler blast_radius
    boundary_tester breach_predictor canary capability_catalog capability_elicitation
    capability_escalation capability_fingerprint capability_overhang capacity cognitive_load
    collusion_detector comm_interceptor comparator compliance consensus containment_planner
    contract_wizard coordinated_threats correlation_graph corrigibility_auditor covert_channels
    credential_rotation culture_survey dashboard debate deception_detector deceptive_alignment
    decommission dependency_graph dlp_scanner drift emergent emergent_coalition escalation
    escape_route evasion evidence_collector exporter exposure_window fatigue_detector fleet_sim
    forensics game_theory goal_drift goal_inference habituation_detector hardening_advisor hoarding
    honeypot incident incident_comms incident_cost incident_forecast influence
    injection_intel_bridge instrumental_convergence ir_playbook ir_simulator isolation_verifier
    killchain knowledge_base lateral_movement loyalty_tester manipulation_surface maturity_model
    memory_forensics mesa_optimizer metrics_aggregator model_card montecarlo moral_uncertainty
    mutation_tester nutrition_label optimizer persona persuasion_detector playbook_generator
    playground policy_linter postmortem priv_escalation profiles prompt_injection quick_scan radar
    red_team regression regression_detector regulatory_mapper reporter reputation_network
    resource_auditor reward_hacking risk_heatmap risk_profiler risk_register roi_calculator
    root_cause runbook safe_handoff safety_autopilot safety_benchmark safety_budget
    safety_checklist safety_diff safety_drill safety_gate safety_net safety_quiz safety_timeline
    safety_warranty sandbagging_detector scorecard selfmod sensitivity severity_classifier
    shadow_ai sitrep situational_awareness sla_monitor sleeper_agent steganography stress_tester
    stride supply_chain swarm sycophancy_detector tabletop temporal_consistency threat_adapter
    threat_correlator threat_hunt threat_intel threat_matrix topology trend_tracker
    trust_propagation value_lock vuln_scanner warroom watermark what_if`),
};
