// Why a job waits, in words, for a task that came too late. Pure.

/**
 * Return why a job, or a child task of it, waits for a place of its Axon; '' if neither does.
 * @param {import('./job.js').Job} job
 * @param {Map<string, import('./job.js').Job>} jobs Every job that runs or waits.
 */
export function whyWaits(job, jobs) {
  const { axon } = job.slots
  const bound = `Axon ${axon.neuronId} (concurrency: ${axon.concurrency})`
  const parent = job.isQueued ? parentOf(job, jobs) : job
  if (parent !== undefined && childWaits(parent, jobs)) {
    return (
      `a Neuron of ${bound} waits for a task of the same Axon, which waits for its place: a deadlock; give the ` +
      'child task an Axon of its own, or raise concurrency'
    )
  }
  if (!job.isQueued) return ''
  if (job.slots.hasPlace) {
    return (
      `it waited for the rate limit of Axon ${axon.neuronId} (rateLimit: '${axon.rateLimit}'); raise it, or ` +
      'start a replica'
    )
  }
  return `it waited for a place of ${bound}; raise concurrency, or start a replica`
}

/** Return the job of the same Axon that runs and has sent this one. */
function parentOf(job, jobs) {
  for (const each of jobs.values()) {
    if (each.slots === job.slots && !each.isQueued && each.signal.id === job.signal.parentId) {
      return each
    }
  }
  return undefined
}

/** Return whether a job runs while a child task of it waits for a place of the same Axon. */
export function childWaits(job, jobs) {
  if (job.isQueued || job.children === 0 || job.slots.hasPlace) return false
  for (const each of jobs.values()) {
    if (each.slots === job.slots && each.isQueued && each.signal.parentId === job.signal.id) {
      return true
    }
  }
  return false
}
