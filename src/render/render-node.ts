import { parse, stringify } from "yaml";
import { quote } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import type { NodeValues } from "./node-values.ts";
import { DEFAULT_VALUES } from "./node-values.ts";
import type { Layer } from "./read-values.ts";
import { InvalidValues, layValues } from "./read-values.ts";
import { staticPod, staticPodComment } from "./static-pod.ts";
import type { NodeFile } from "./systemd-units.ts";
import { systemdFiles } from "./systemd-units.ts";

export interface ValuesFile {
  readonly path: string;
  readonly text: string;
}

/** @returns What to print, or in `problem` one line that names what is wrong and what is accepted. */
export function renderNode(
  form: "static-pod" | "systemd",
  valuesFiles: readonly ValuesFile[],
  { version, only }: { readonly version: string; readonly only: string | undefined },
): Parsed<string> {
  try {
    const values = layValues(DEFAULT_VALUES, valuesFiles.map(parseLayer));
    const files = form === "systemd" ? systemdFiles(values) : [staticPodFile(values, version)];
    return select(files, only);
  } catch (error) {
    if (error instanceof InvalidValues) return { problem: error.message };
    throw error;
  }
}

function parseLayer({ path, text }: ValuesFile): Layer {
  try {
    return { path, content: parse(text, { logLevel: "error" }) };
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new InvalidValues(`${path}: not valid YAML: ${line.replace(/:$/, "")}`, { cause: error });
  }
}

function staticPodFile(values: NodeValues, version: string): NodeFile {
  const comment = staticPodComment(values).replaceAll(/^/gm, "#");
  const text = `${comment}\n${stringify(staticPod(values, version), { lineWidth: 0 })}`;
  return { name: "holdfast.yaml", directory: "/etc/kubernetes/manifests", text };
}

/** All in one stream, each under its name as `systemctl cat` writes it; or the one that is asked for. */
function select(files: readonly NodeFile[], only: string | undefined): Parsed<string> {
  const [first] = files;
  if (only === undefined && files.length === 1) return { value: first.text };
  if (only === undefined)
    return { value: files.map(({ directory, name, text }) => `# ${directory}/${name}\n${text}`).join("\n") };
  const file = files.find(({ name }) => name === only);
  if (file !== undefined) return { value: file.text };
  return { problem: `--only: ${quote(only)}; accepted is one of ${files.map(({ name }) => name).join(" ")}` };
}
