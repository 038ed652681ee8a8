/**
 * The process that resolves credentials with client-node: started by `credentials-loader.ts`, asked once, gone after the reply.
 *
 * A process and not a thread, by measurement (RSS of the agent one second after, MiB, Node 24): nothing 69.0; this as a child
 * process 69.4; as a worker thread that has ended 89 to 94, because the allocator keeps what the thread's heap used; loaded in
 * place 84. It also lets a plugin that hangs be killed along with it.
 */
import type { CredentialsReply, CredentialsRequest } from "./credentials-messages.ts";
import { loadKubeconfig } from "./kubeconfig-file.ts";
import { resolveContext } from "./kubeconfig-user.ts";

async function answer({ files, context }: CredentialsRequest): Promise<CredentialsReply> {
  try {
    return { credentials: await resolveContext(loadKubeconfig(files, context)) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

// Whoever asked is gone: there is nobody left to answer.
process.once("disconnect", () => process.exit());
process.once("message", (request: CredentialsRequest) => {
  void answer(request).then((reply) => process.send?.(reply, () => process.disconnect()));
});
