type Environment = Readonly<Record<string, string | undefined>>

/** Set for a worker that is started while others run. */
const HAS_COMPANY = 'TENSORPORT_HAS_COMPANY'

/** Tells a worker whether others run. */
export function companyEnvironment (hasCompany: boolean): Record<string, string | undefined> {
  return { [HAS_COMPANY]: hasCompany ? '1' : undefined }
}

export function hasCompany (env: Environment): boolean {
  return env[HAS_COMPANY] !== undefined
}

/**
 * A worker's environment: its threads are those of its share of the cores, where the operator did not say otherwise. The size of libuv's pool
 * is shared out before the first process starts (scripts/start/server-process.mjs). Pure.
 *
 * @param cores that all workers share
 */
export function workerEnvironment (env: Environment, { workers, cores }: { workers: number, cores: number }): Record<string, string | undefined> {
  const share = Math.ceil(cores / workers)
  const asked = (name: string, fallback: number): string => String(Number(env[name]) || fallback)
  return {
    ...env,
    DECODE_CONCURRENCY: asked('DECODE_CONCURRENCY', Math.min(share, 256)),
    RUN_CONCURRENCY: asked('RUN_CONCURRENCY', Math.min(share, 64)),
    INTRA_OP_THREADS: asked('INTRA_OP_THREADS', share)
  }
}
