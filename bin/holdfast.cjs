#!/usr/bin/env node
// The command `holdfast`. This file must parse on any Node.js, however old: it is what tells that the Node.js is too old.
"use strict";

var fs = require("fs");
var nodeModule = require("module");
var path = require("path");

var root = path.join(__dirname, "..");
var dist = path.join(root, "dist");

function fail(sentence) {
  process.stderr.write("holdfast: " + sentence + "\n");
  process.exit(2);
}

// "24.12.0" of ">=24.12.0".
var needed = /\d+\.\d+/.exec(require("../package.json").engines.node)[0].split(".");
var running = process.version.slice(1).split(".");
var major = Number(running[0]) - Number(needed[0]);
if (major < 0 || (major === 0 && Number(running[1]) < Number(needed[1])))
  fail(
    "Node.js " +
      needed.join(".") +
      " or newer is needed and this is " +
      process.version +
      "; in a checkout run `npm ci` and then `npx holdfast`, which uses the Node.js that npm installed" +
      " (with install scripts off: `npm rebuild node --ignore-scripts=false`)",
  );

// The agent is a bundle of its own, so that no node pays for the memory of the other commands.
var isAgent = process.argv[2] === "agent";
var bundle = path.join(dist, isAgent ? "agent.cjs" : "cli.cjs");
if (!fs.existsSync(bundle)) fail(bundle + " is missing; run `npm run build` in " + root);

// What these save of resident memory, with 10,000 Services (measured together: 102 MiB without, 72 with):
var AGENT_FLAGS = [
  // Young generations grow to 48 MiB otherwise, for garbage that lives for one datagram.
  "--max-semi-space-size=1",
  // No optimizing compiler for the start; src/base/optimizing-compiler.ts turns one of the two on for the answer path.
  "--no-maglev",
  "--no-turbofan",
  "--no-use-osr",
  "--invocation-count-for-turbofan=20000",
  // A second copy of V8's builtins, near the code that calls them.
  "--no-short-builtin-calls",
  // For the one collection after the start, see src/base/compact-heap.ts.
  "--expose-gc",
];

// V8 takes them on the command line only, and glibc its arenas from the environment only: the process replaces itself.
// An image that starts Node.js with the flags skips this.
if (isAgent && process.execArgv.indexOf(AGENT_FLAGS[0]) < 0 && process.execve !== undefined) {
  process.env.MALLOC_ARENA_MAX = process.env.MALLOC_ARENA_MAX || "1";
  var args = [process.execPath].concat(AGENT_FLAGS, process.execArgv, process.argv.slice(1));
  process.execve(process.execPath, args, process.env);
}

// Spares a start some of the compiling. Where the directory cannot be written, Node.js goes on without.
nodeModule.enableCompileCache(path.join(dist, "compile-cache"));
require(bundle);
