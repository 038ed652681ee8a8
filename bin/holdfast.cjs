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
var bundle = path.join(dist, process.argv[2] === "agent" ? "agent.cjs" : "cli.cjs");
if (!fs.existsSync(bundle)) fail(bundle + " is missing; run `npm run build` in " + root);

// Half of the start-up is compiling. Where the directory cannot be written, Node.js goes on without.
nodeModule.enableCompileCache(path.join(dist, "compile-cache"));
require(bundle);
