type Environment = Readonly<Record<string, string | undefined>>

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
