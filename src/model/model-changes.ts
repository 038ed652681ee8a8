import type { ObjectKey } from "./packed-record.ts";

export interface ModelChanges {
  readonly namespaces: readonly string[];
  readonly services: readonly ObjectKey[];
}

/** Collects what changed, each name once. */
export class ModelChangeSet {
  #namespaces = new Set<string>();
  /** By namespace: the names are what a hostile API makes them, so no character is safe as a separator. */
  #services = new Map<string, Set<string>>();

  addNamespace(name: string): void {
    this.#namespaces.add(name);
  }

  addService({ namespace, name }: ObjectKey): void {
    const names = this.#services.get(namespace);
    if (names === undefined) this.#services.set(namespace, new Set([name]));
    else names.add(name);
  }

  /** Empties the set. */
  take(): ModelChanges {
    const namespaces = [...this.#namespaces];
    const services = [...this.#services].flatMap(([namespace, names]) =>
      Array.from(names, (name) => ({ namespace, name })),
    );
    this.#namespaces = new Set();
    this.#services = new Map();
    return { namespaces, services };
  }
}
