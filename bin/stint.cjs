#!/usr/bin/env node
// The program `stint`, as it is installed: finds a Node that can run it, and runs it.
//
// Old syntax on purpose: this file must parse on the Node a machine happens to have, so that
// the reader meets a sentence and not a SyntaxError.
"use strict";

var fs = require("fs");
var os = require("os");
var path = require("path");

var ROOT = path.resolve(__dirname, "..");
var NODE_MIN = [22, 18];
var USAGE_EXIT_CODE = 2;

/** In a checkout, what finds and runs the pinned Node; not part of the package. */
var LAUNCHER = path.join(ROOT, "scripts", "launch.cjs");

function isRecent(version) {
  var parts = version.split(".").map(Number);
  return parts[0] > NODE_MIN[0] || (parts[0] === NODE_MIN[0] && parts[1] >= NODE_MIN[1]);
}

function main() {
  if (isRecent(process.versions.node)) return start();
  if (fs.existsSync(LAUNCHER)) {
    // The launcher runs its first argument with the Node that it finds.
    process.argv.splice(1, 1, LAUNCHER, __filename);
    return require(LAUNCHER).main();
  }
  process.stderr.write(
    "stint needs Node " +
      NODE_MIN.join(".") +
      " or newer, this is " +
      process.version +
      " at " +
      process.execPath +
      "\n",
  );
  process.exit(USAGE_EXIT_CODE);
}

function start() {
  enableCompileCache();
  // In a checkout it is the source: what was built there last may be older. The package has none.
  var source = path.join(ROOT, "src", "cli", "main.ts");
  var file = fs.existsSync(source) ? source : path.join(ROOT, "dist", "cli.js");
  import(require("url").pathToFileURL(file).href).catch(function (error) {
    process.stderr.write("stint could not be loaded from " + file + ": " + error.message + "\n");
    process.exit(1);
  });
}

/**
 * Keeps compiled code for the next call. Only in a folder below this user's own home: whoever can
 * write there can have code run here.
 */
function enableCompileCache() {
  try {
    var home = os.homedir();
    if (process.getuid !== undefined && fs.statSync(home).uid !== process.getuid()) return;
    var base = process.env.XDG_CACHE_HOME || path.join(home, ".cache");
    require("module").enableCompileCache(path.join(base, "stint", "compiled"));
  } catch (error) {
    // Without a home, or on a full disk: slower by some milliseconds, and nothing else.
    if (process.env.STINT_DEBUG) process.stderr.write("no compile cache: " + error.message + "\n");
  }
}

main();
