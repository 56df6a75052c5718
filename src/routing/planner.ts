import type { Deployment } from '../contract/plan.js';

/** What decides the order beside the deployments themselves. */
export interface PlanningRules {
  /** True for deployments that go last. */
  readonly isCool: (deployment: Deployment) => boolean;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Upper bound of the result's length. */
  readonly maxAttempts: number;
}

/**
 * The deployments in the order they are to be tried: lower priority numbers first; within a priority drawn by weight
 * without replacement, weight 0 only after the rest of its priority. Deployments in cool-down follow all others in
 * the same order; they are never left out.
 */
export function orderAttempts(deployments: readonly Deployment[], rules: PlanningRules): readonly Deployment[] {
  if (deployments.length <= 1) return deployments;
  const warm: Deployment[] = [];
  const cool: Deployment[] = [];
  for (const deployment of deployments) (rules.isCool(deployment) ? cool : warm).push(deployment);
  const ordered: Deployment[] = [];
  for (const half of [warm, cool]) {
    drawInto(ordered, half, rules);
    if (ordered.length >= rules.maxAttempts) break;
  }
  return ordered;
}

function drawInto(ordered: Deployment[], candidates: Deployment[], { random, maxAttempts }: PlanningRules): void {
  const groups = new Map<number, Deployment[]>();
  for (const candidate of candidates) {
    const group = groups.get(candidate.priority);
    if (group === undefined) groups.set(candidate.priority, [candidate]);
    else group.push(candidate);
  }
  for (const priority of [...groups.keys()].sort((left, right) => left - right)) {
    const group = groups.get(priority) ?? [];
    while (group.length > 0 && ordered.length < maxAttempts) ordered.push(...group.splice(draw(group, random), 1));
  }
}

/** The index of one deployment, drawn by weight; all weights 0 = drawn evenly. */
function draw(group: readonly Deployment[], random: () => number): number {
  if (group.length === 1) return 0;
  const total = group.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return Math.floor(random() * group.length);
  let left = random() * total;
  let last = 0;
  for (const [index, { weight }] of group.entries()) {
    if (weight === 0) continue;
    last = index;
    left -= weight;
    if (left < 0) return index;
  }
  return last;
}
