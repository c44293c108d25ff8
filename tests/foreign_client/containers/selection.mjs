// Objects of the manifests that select pods by their labels: Services, NetworkPolicies, and
// PodDisruptionBudgets.
export const label = "app.kubernetes.io/name";
export const isWorkload = ({ kind }) => ["Deployment", "StatefulSet"].includes(kind);
export const selectsPods = ({ kind }) => ["Service", "NetworkPolicy", "PodDisruptionBudget"].includes(kind);

/** What an object that selects pods says of them: that there are some, and that they have its ports. */
export function faultsOfSelection({ kind, metadata: { name }, spec }, all) {
  const found = [];
  const wants = (right, what) => right || found.push(`${kind} ${name}: ${what}`);
  const selector = kind === "Service" ? spec.selector : (spec.podSelector ?? spec.selector).matchLabels;
  const pods = all.filter(isWorkload).map((each) => each.spec.template);
  const has = ({ metadata: { labels } }, wanted) =>
    Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value);
  const selected = pods.filter((pod) => has(pod, selector));
  wants(selected.length > 0, "selects no pod");
  const ports = selected.flatMap((pod) => pod.spec.containers.flatMap((each) => each.ports ?? []));
  const isPort = (wanted) => ports.some((port) => port.name === wanted);
  if (kind === "Service")
    for (const { targetPort } of spec.ports ?? []) wants(isPort(targetPort), `no port ${targetPort}`);
  for (const { ports: open, from } of spec.ingress ?? []) {
    for (const { port } of open ?? []) wants(isPort(port), `no port ${port}`);
    for (const { podSelector } of from ?? [])
      wants(!podSelector || pods.some((pod) => has(pod, podSelector.matchLabels)), "lets in no pod");
  }
  // With none no node could be drained.
  if (kind === "PodDisruptionBudget") wants(spec.maxUnavailable === 1, "maxUnavailable");
  return found;
}
