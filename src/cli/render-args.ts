import { quote } from "../config/given.ts";
import type { Parsed } from "../config/parsed.ts";
import { didYouMean } from "../config/suggest.ts";
import { readFlags } from "./flags.ts";

export type RenderForm = (typeof FORMS)[number];

export interface RenderRequest {
  readonly form: RenderForm;
  readonly valuesFiles: readonly string[];
  /** Name of the one file to print. */
  readonly only: string | undefined;
}

const FORMS = ["static-pod", "systemd"] as const;
const FORM_LIST = FORMS.join(" or ");

const FLAGS = { "--values": "a YAML file with values of the chart", "--only": "the name of a file" } as const;

export const RENDER_HELP = `Usage: holdfast render static-pod|systemd [OPTION]...

Prints what runs the agent on a node without a DaemonSet, from the same values as the Helm chart.

  static-pod  A pod for the directory that the kubelet's staticPodPath names, such as /etc/kubernetes/manifests. It starts with
              the kubelet, without the API server. It has no ServiceAccount: staticPod.kubeconfig in the values names a file on
              the node with credentials (default: /etc/kubernetes/holdfast.kubeconfig).
  systemd     Units that run the agent from a directory on the node with the files of the image (systemd.directory, default:
              /opt/holdfast), before the kubelet: holdfast.service, holdfast-setup.service for the addresses, and holdfast.conf
              for sysusers.d. systemd.kubeconfig is as above.

Options:
  --values FILE  Values of the chart, may be repeated; the later counts. Those that concern no single node are not looked at.
  --only NAME    Print one file, such as holdfast.service, without the line that names it.

Exit codes: 0 done, 2 called wrongly, or a value is not valid.
`;

/** @returns The request, or in `problem` one line that names what is wrong and what is accepted. */
export function parseRenderArgs(args: readonly string[]): Parsed<RenderRequest> {
  const flags = readFlags(args, FLAGS);
  if ("problem" in flags) return flags;
  const { words } = flags.value;
  const [word, extra] = words;
  if (word === undefined) return { problem: `what to render is missing; accepted is ${FORM_LIST}` };
  const form = FORMS.find((name) => name === word);
  if (form === undefined)
    return { problem: `${quote(word)} is unknown${didYouMean(word, FORMS)}; accepted is ${FORM_LIST}` };
  if (extra !== undefined)
    return { problem: `unexpected argument ${quote(extra)}; accepted is ${FORM_LIST}` };
  const only = flags.value.last("--only");
  return { value: { form, valuesFiles: flags.value.all("--values"), only } };
}
