// What packaging/observability has: alerts and the queries of the dashboard.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { source } from "../../foreign_client/support/system.mjs";

export const folder = join(source, "packaging/observability");
export const read = (file) => readFileSync(join(source, file), "utf8");

/** {name, runbook} of each alert, in the order of the file. */
export const alerts = [
  ...read("packaging/observability/prometheus-rules.yaml").matchAll(
    /^ {6}- alert: (\w+)$[^]*?^ {10}runbook_url: (\S+)$/gm,
  ),
].map(([, name, runbook]) => ({ name, runbook }));

/** Every expression of the dashboard. */
export const dashboardQueries = JSON.parse(read("packaging/observability/grafana-dashboard.json")).panels.flatMap(
  ({ targets = [] }) => targets.map(({ expr }) => expr),
);
