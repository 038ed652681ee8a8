import assert from "node:assert/strict";
import { test } from "node:test";
import { isHostAllowed } from "../../../src/admin/host-check.ts";
import { parseAdminAddress } from "../../../src/config/addresses.ts";

const ROWS = [
  { listener: "127.0.0.1:9853", host: "127.0.0.1:9853", want: true },
  { listener: "127.0.0.1:9853", host: "localhost", want: true },
  { listener: "127.0.0.1:9853", host: "10.0.0.7:9853", want: false },
  { listener: "127.0.0.1:9853", host: "127.0.0.1.nip.example", want: false },
  { listener: "127.0.0.1:9853", host: "localhost.evil.example:9853", want: false },
  { listener: "127.0.0.1:9853", host: "", want: false },
  { listener: "127.0.0.1:9853", host: undefined, want: true },
  { listener: "[::1]:9853", host: "[::1]:9853", want: true },
  { listener: "[::1]:9853", host: "[fd00::1]:9853", want: false },
  { listener: "127.0.0.2:9853", host: "127.0.0.2:9853", want: true },
  { listener: "0.0.0.0:9853", host: "192.0.2.7:9853", want: true },
  { listener: "0.0.0.0:9853", host: "[fd00::7]:9853", want: true },
  { listener: "0.0.0.0:9853", host: "node-7.evil.example:9853", want: false },
  { listener: "[::]:9853", host: "192.0.2.7", want: true },
  { listener: "10.0.0.7:9853", host: "10.0.0.7:9853", want: true },
  { listener: "unix:/run/a.sock", host: "evil.example", want: true },
];

for (const { listener, host, want } of ROWS) {
  test(`isHostAllowed() is ${want} for ${host ?? "no Host"} at ${listener}`, () => {
    const parsed = parseAdminAddress(listener);
    assert.ok("value" in parsed);
    assert.equal(isHostAllowed(host, parsed.value), want);
  });
}
