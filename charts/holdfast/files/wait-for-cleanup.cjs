// Waits until the clean-up has run on every node: until each pod of its DaemonSet is ready.
// Run by the hook Job after `helm uninstall`, with rights to get that one DaemonSet.
const { readFileSync } = require("node:fs");
const { request } = require("node:https");

const [namespace, name, timeoutSeconds] = process.argv.slice(-3);
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
const credentials = "/var/run/secrets/kubernetes.io/serviceaccount";
const deadlineMs = Date.now() + Number(timeoutSeconds) * 1000;
const POLL_MS = 1000;

function getDaemonSet() {
  return new Promise((resolve, reject) => {
    const options = {
      host,
      port,
      path: `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`,
      ca: readFileSync(`${credentials}/ca.crt`),
      headers: { authorization: `Bearer ${readFileSync(`${credentials}/token`, "utf8")}` },
      timeout: 10_000,
    };
    request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => (body += text));
      response.once("error", reject).once("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new Error(`${response.statusCode} ${body}`));
      });
    })
      .once("timeout", function () {
        this.destroy(new Error("no reply in 10 s"));
      })
      .once("error", reject)
      .end();
  });
}

async function look() {
  let last;
  try {
    const { metadata, status } = await getDaemonSet();
    const { observedGeneration = 0, desiredNumberScheduled: nodes = 0, numberReady: done = 0 } = status;
    last = `${done} of ${nodes} nodes are clean; the others keep the address until they restart`;
    if (observedGeneration >= metadata.generation && done >= nodes) {
      console.log(`${done} nodes are clean`);
      return;
    }
  } catch (error) {
    last = `cannot read the DaemonSet ${name}: ${error.message}`;
  }
  if (Date.now() < deadlineMs) {
    setTimeout(() => void look(), POLL_MS);
    return;
  }
  console.error(`given up after ${timeoutSeconds} s: ${last}`);
  process.exitCode = 1;
}

void look();
