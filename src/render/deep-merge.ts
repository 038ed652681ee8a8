export type Mapping = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Mappings are laid over mappings, null takes a key away, everything else replaces: as Helm does. */
export function deepMerge(base: unknown, over: Mapping): Mapping {
  const merged: Record<string, unknown> = isMapping(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete merged[key];
    else merged[key] = isMapping(value) ? deepMerge(merged[key], value) : value;
  }
  return merged;
}
