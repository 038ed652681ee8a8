import { writeFileSync } from "node:fs";

/**
 * Files that tests compare with, byte for byte, are written anew with `UPDATE_GOLDEN=1`: review the difference before it is committed.
 */
export const isUpdatingGolden = process.env["UPDATE_GOLDEN"] === "1";

export function updateGolden(path: string, text: string): void {
  writeFileSync(path, text);
  console.log(`# wrote ${path}`);
}
