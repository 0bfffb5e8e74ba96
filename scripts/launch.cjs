// Runs Stint's own Node: `node scripts/launch.cjs FILE [ARGS]`.
//
// Old syntax on purpose: this file must parse on the Node a machine happens to have, so that
// the reader meets a sentence and not a SyntaxError.
"use strict";

var childProcess = require("child_process");
var fs = require("fs");
var os = require("os");
var path = require("path");

var ROOT = path.resolve(__dirname, "..");
var NODE_MIN = [22, 18];
var USAGE_EXIT_CODE = 2;
var FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** True when `version` ("v24.21.0") is at least NODE_MIN. */
function isRecent(version) {
  var parts = /^v(\d+)\.(\d+)\./.exec(version);
  if (parts === null) return false;
  var major = Number(parts[1]);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && Number(parts[2]) >= NODE_MIN[1]);
}

/** Path at which the platform package keeps its Node, whether or not it is installed. */
function pinnedPath(root, platform, arch) {
  var name = "node-" + (platform === "win32" ? "win" : platform) + "-" + arch;
  var file = platform === "win32" ? "node.exe" : "node";
  return path.join(root, "node_modules", name, "bin", file);
}

/** Version that the program at `file` reports of itself, or "" when it cannot run here. */
function versionOf(file) {
  // A wrong architecture, or a libc the binary was not built for, shows up as a failed start.
  var answer = childProcess.spawnSync(file, ["--version"], { encoding: "utf8" });
  return answer.status === 0 ? answer.stdout.trim() : "";
}

/**
 * Chooses the Node to run: the pinned one, else the current process if it is recent enough.
 * Answers `{ file }` or `{ problem }`, a sentence that says what is wrong and how to mend it.
 */
function choose(options) {
  var pinned = pinnedPath(options.root, options.platform, options.arch);
  var isInstalled = fs.existsSync(pinned);
  if (isInstalled && isRecent(options.versionOf(pinned))) return { file: pinned };
  if (isRecent(options.currentVersion)) return { file: options.currentFile };
  return {
    problem:
      "stint needs Node " +
      NODE_MIN.join(".") +
      " or newer, this is " +
      options.currentVersion +
      " and the pinned one " +
      (isInstalled ? "does not run here" : "is not installed") +
      ": run `npm ci` (without --omit=optional), or use a newer Node.",
  };
}

/** True when a terminal gives what is typed, Ctrl-C too, to the group of processes we are in. */
function isInForeground() {
  var status = "/proc/self/stat";
  // Not Linux: whoever has a terminal on a stream most likely was called from it.
  if (!fs.existsSync(status))
    return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  // After the name in brackets: state, parent, group, session, terminal, its foreground group.
  var fields = fs.readFileSync(status, "utf8").split(") ").pop().split(" ");
  return fields[4] !== "0" && fields[2] === fields[5];
}

/** Runs `file` with `args` in the place of this process: same streams, signals and exit code. */
function run(file, args) {
  var env = Object.assign({}, process.env);
  // `node` inside npm scripts and shebangs must be the same Node that was chosen here.
  var pathKey = Object.keys(env).find(function (name) {
    return name.toUpperCase() === "PATH";
  });
  var key = pathKey === undefined ? "PATH" : pathKey;
  env[key] = path.dirname(file) + (env[key] ? path.delimiter + env[key] : "");

  var child = childProcess.spawn(file, args, { stdio: "inherit", env: env });
  FORWARDED_SIGNALS.forEach(function (signal) {
    process.on(signal, function () {
      // A terminal's Ctrl-C reached the child as well as us, and twice would mean more than once:
      // we only must not die before it.
      if (signal !== "SIGINT" || !isInForeground()) child.kill(signal);
    });
  });
  child.on("error", function (error) {
    process.stderr.write("stint could not start " + file + ": " + error.message + "\n");
    process.exit(USAGE_EXIT_CODE);
  });
  child.on("exit", function (code, signal) {
    process.exit(signal === null ? code : 128 + os.constants.signals[signal]);
  });
}

function main() {
  var choice = choose({
    root: ROOT,
    platform: process.platform,
    arch: process.arch,
    currentVersion: process.version,
    currentFile: process.execPath,
    versionOf: versionOf,
  });
  if (choice.file === undefined) {
    process.stderr.write(choice.problem + "\n");
    process.exit(USAGE_EXIT_CODE);
  }
  run(choice.file, process.argv.slice(2));
}

module.exports = { choose: choose, isRecent: isRecent, main: main };

if (require.main === module) main();
