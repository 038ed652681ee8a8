import type { CredentialsPlace } from "./credentials-place.ts";
import type { ResolvedCredentials } from "./credentials.ts";

/** What the agent asks of the credentials process, and its one reply; plain data that survives JSON. */
export type CredentialsRequest = Extract<CredentialsPlace, { type: "kubeconfig" }>;

export type CredentialsReply =
  | { readonly credentials: ResolvedCredentials }
  /** One line for people. */
  | { readonly problem: string };
