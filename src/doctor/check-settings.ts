import { placesFor } from '../batching/places.ts'
import { loadConfig, type Config } from '../config.ts'
import { parseVersionPolicies } from '../registry/version-policy.ts'
import { messageOf, type Environment, type Finding } from './finding.ts'

const LEAST_NODE = [20, 19] as const

/** @param version as `20.20.2` */
export function checkNode (version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNewEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  if (isNewEnough) return { status: 'ok', subject: 'Node', found: version }
  return { status: 'failed', subject: 'Node', found: `${version}, needed is ${LEAST_NODE.join('.')} or newer`, remedy: 'install Node 22 or 24' }
}

/** @returns the settings too, if they can be read */
export function checkSettings (env: Environment): { finding: Finding, config?: Config } {
  try {
    const config = loadConfig(env)
    parseVersionPolicies(config.VERSION_POLICY)
    return { finding: { status: 'ok', subject: 'settings', found: `models in ${config.MODELS_DIR}, port ${config.PORT}` }, config }
  } catch (error) {
    return { finding: { status: 'failed', subject: 'settings', found: messageOf(error), remedy: 'correct this environment variable; docs/configuration.md lists all' } }
  }
}

/**
 * libuv's pool has to hold the runs and the decodes in flight, and one or two more for files.
 *
 * @param cores that a server process may use
 */
export function checkThreadPool (env: Environment, config: Pick<Config, 'RUN_CONCURRENCY' | 'DECODE_CONCURRENCY'>, cores: number): Finding {
  const threads = Number(env['UV_THREADPOOL_SIZE'] ?? 4)
  const needed = (config.RUN_CONCURRENCY || placesFor(cores)) + (config.DECODE_CONCURRENCY || placesFor(cores)) + 2
  const found = `${threads} threads, needed for what may be in flight: ${needed}`
  if (threads >= needed) return { status: 'ok', subject: 'thread pool', found }
  return { status: 'warning', subject: 'thread pool', found, remedy: `start with \`npm start\`, which sizes it, or with UV_THREADPOOL_SIZE=${needed}` }
}
