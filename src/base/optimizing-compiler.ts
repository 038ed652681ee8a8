import { setFlagsFromString } from "node:v8";

/**
 * Lets V8 optimize hot code from now on. The launcher starts the agent without: the start and the first list run once, and optimizing
 * them costs 6 MiB that stay; the answer path is hot whenever it matters, and compiled within seconds of load.
 */
export function allowOptimizing(): void {
  setFlagsFromString("--turbofan");
}
