import assert from "node:assert/strict";
import { test } from "node:test";
import { openHelm, PRESETS, type RenderedObject } from "./helm.ts";

const AGENT_RULES = [
  { apiGroups: [""], resources: ["namespaces", "services"], verbs: ["list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];
const SHOP = { kind: "ServiceAccount", name: "checkout", namespace: "shop" };
const PAYMENTS = { kind: "ServiceAccount", name: "default", namespace: "payments" };

test("rights", async (t) => {
  const helm = await openHelm(t);
  if (helm === undefined) return;

  for (const preset of PRESETS) {
    await t.test(`${preset}: agents may list and watch three kinds, and nothing else`, async () => {
      const objects = await helm.render({ preset });
      const roles = ofKind(objects, "ClusterRole");
      assert.deepEqual(
        roles.map((role) => role["rules"]),
        [AGENT_RULES],
      );
      assert.equal(ofKind(objects, "ClusterRoleBinding").length, 1);
      for (const role of ofKind(objects, "Role"))
        assert.deepEqual(role["rules"], [
          {
            apiGroups: ["apps"],
            resources: ["daemonsets"],
            resourceNames: [role.metadata.name],
            verbs: ["get"],
          },
        ]);
    });
  }

  await t.test("a sidecar's rights are those of the ServiceAccounts that were named", async () => {
    const objects = await helm.render({ preset: "sidecar" });
    assert.deepEqual(ofKind(objects, "ServiceAccount"), []);
    assert.deepEqual(ofKind(objects, "DaemonSet"), []);
    assert.deepEqual(ofKind(objects, "ClusterRoleBinding")[0]["subjects"], [SHOP, PAYMENTS]);
  });

  await t.test("all agents together have one level of the API server, and borrow nothing", async () => {
    const objects = await helm.render();
    const [{ spec }] = ofKind(objects, "PriorityLevelConfiguration") as unknown as {
      spec: { limited: { borrowingLimitPercent: number; nominalConcurrencyShares: number } };
    }[];
    assert.equal(spec.limited.borrowingLimitPercent, 0);
    assert.equal(spec.limited.nominalConcurrencyShares, 5);
    assert.deepEqual(schemaSubjects(objects, "holdfast"), [
      { kind: "ServiceAccount", serviceAccount: { name: "holdfast", namespace: "holdfast" } },
    ]);
  });

  await t.test("the break-glass way in is for those who were named, and nobody by default", async () => {
    const byDefault = await helm.render();
    assert.equal(ofKind(byDefault, "FlowSchema").length, 1);
    const objects = await helm.render({
      set: ["breakGlass.enabled=true", 'breakGlass.users=["ann"]', 'breakGlass.groups=["rescue"]'],
    });
    assert.deepEqual(schemaSubjects(objects, "holdfast-break-glass"), [
      { kind: "User", user: { name: "ann" } },
      { kind: "Group", group: { name: "rescue" } },
    ]);
  });

  await t.test("without rbac.create there is neither role nor binding for agents", async () => {
    const objects = await helm.render({ set: ["rbac.create=false", "serviceAccount.create=false"] });
    assert.deepEqual([...ofKind(objects, "ClusterRole"), ...ofKind(objects, "ClusterRoleBinding")], []);
  });
});

function ofKind(objects: readonly RenderedObject[], kind: string): RenderedObject[] {
  return objects.filter((object) => object.kind === kind);
}

function schemaSubjects(objects: readonly RenderedObject[], name: string): unknown {
  const schema = ofKind(objects, "FlowSchema").find(({ metadata }) => metadata.name === name);
  assert.ok(schema, name);
  const { rules } = schema["spec"] as { rules: { subjects: unknown }[] };
  return rules[0].subjects;
}
