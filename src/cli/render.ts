import { readFile } from "node:fs/promises";
import { quote } from "../config/given.ts";
import type { Console, ExitCode } from "./console.ts";
import { EXIT_DONE, EXIT_USAGE } from "./console.ts";
import { wantsHelp } from "./flags.ts";
import type { RenderRequest } from "./render-args.ts";
import { parseRenderArgs, RENDER_HELP } from "./render-args.ts";

type ReadText = (path: string) => Promise<string>;

/** `holdfast render`: exit codes and output as `RENDER_HELP` has them. */
export async function render(
  { args, out, err }: Console,
  version: string,
  readText: ReadText = (path) => readFile(path, "utf8"),
): Promise<ExitCode> {
  if (wantsHelp(args)) {
    out(RENDER_HELP);
    return EXIT_DONE;
  }
  const parsed = parseRenderArgs(args);
  const rendered = "problem" in parsed ? parsed : await renderFiles(parsed.value, version, readText);
  if ("problem" in rendered) {
    err(`holdfast render: ${rendered.problem}\n`);
    return EXIT_USAGE;
  }
  out(rendered.value);
  return EXIT_DONE;
}

async function renderFiles(request: RenderRequest, version: string, readText: ReadText) {
  // With it comes the library for YAML, which no other command waits for.
  const { renderNode } = await import("../render/render-node.ts");
  const texts: { path: string; text: string }[] = [];
  for (const path of request.valuesFiles) {
    try {
      texts.push({ path, text: await readText(path) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `--values: cannot read ${quote(path)}: ${reason}; accepted is a readable YAML file` };
    }
  }
  return renderNode(request.form, texts, { version, only: request.only });
}
