// Says in one sentence what is missing before `npm start` or `npm test` fail in a way that nobody understands.
// It runs under whatever `node` comes first in PATH, so it must parse on any Node.js.
"use strict";

var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "..");

function fail(sentence) {
  process.stderr.write("holdfast: " + sentence + "\n");
  process.exit(1);
}

function exists(name) {
  return fs.existsSync(path.join(root, "node_modules", name));
}

var needed = /\d+\.\d+/.exec(require("../package.json").engines.node)[0];
var running = process.version.slice(1).split(".");
var major = Number(running[0]) - Number(needed.split(".")[0]);
var isOld = major < 0 || (major === 0 && Number(running[1]) < Number(needed.split(".")[1]));

if (!exists("esbuild")) fail("the packages are not installed; run `npm ci` first");
if (isOld && !exists(".bin/node"))
  fail(
    "Node.js " +
      needed +
      " or newer is needed and this is " +
      process.version +
      "; `npm ci` would have installed one, but install scripts were off: run `npm rebuild node --ignore-scripts=false`," +
      " or put a newer Node.js first in PATH",
  );
if (isOld)
  fail(
    "Node.js " +
      needed +
      " or newer is needed and this is " +
      process.version +
      "; use `npm start` or `npm test`, which find the one that `npm ci` installed",
  );
