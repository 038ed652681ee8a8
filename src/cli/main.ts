import packageJson from "../../package.json" with { type: "json" };
import { runCommand } from "./commands.ts";
import { EXIT_FAILED } from "./console.ts";

/** Entry of the bundle `dist/cli.cjs`. */
async function main(): Promise<void> {
  try {
    process.exitCode = await runCommand(
      {
        args: process.argv.slice(2),
        env: process.env,
        out: (text) => void process.stdout.write(text),
        err: (text) => void process.stderr.write(text),
      },
      packageJson.version,
    );
  } catch (error) {
    process.stderr.write(`holdfast: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}

void main();
