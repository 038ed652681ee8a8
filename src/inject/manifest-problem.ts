/** A manifest that cannot be edited: one line that names what, where and what is accepted. */
export class ManifestProblem extends Error {}
