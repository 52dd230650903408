import { join } from 'node:path'
import { SetupError } from '../../scripts/setup/setup-error.mjs'
import { setUpPeer } from '../../scripts/setup/python-peers.mjs'
import type { LoadRequest } from '../closed-loop.ts'
import type { ModelCopy } from '../models.ts'
import { ROOT } from '../places.ts'
import { SkipError, type LoadContext } from '../scenario.ts'
import type { ServerOptions } from '../server-process.ts'

/** What a server is asked for. */
export interface PeerTask {
  readonly context: LoadContext
  readonly model: ModelCopy
  /** As tensorport gets it. */
  readonly request: LoadRequest
}

export interface PreparedPeer {
  readonly options: ServerOptions
  /** Where it takes another request than tensorport for the same. */
  readonly request?: LoadRequest
  /** How it was set up. */
  readonly note?: string
}

/** Another server for the same models, to compare with. */
export interface Peer {
  readonly name: string
  /** @throws SkipError if the machine lacks something */
  prepare (task: PeerTask): Promise<PreparedPeer>
}

const DIRECTORY = join(ROOT, 'load', 'peers')

/**
 * How to start a server in Python, its packages installed where they are not.
 *
 * @param file in load/peers/
 * @param requirements name of a file in load/peers/requirements/
 * @throws SkipError with pip's last words if a package can't be had, or there is no Python
 */
export async function pythonServer ({ context, model }: PeerTask, file: string, requirements: string, env: Record<string, string> = {}): Promise<ServerOptions> {
  const python = await interpreter(requirements, context)
  const logPath = join(context.scratch, `${file}.log`)
  return { path: join(DIRECTORY, file), python, env: { MODEL_DIRECTORY: model.versionDirectory, ...env }, readyPath: '/health/ready', logPath }
}

async function interpreter (requirements: string, { log }: LoadContext): Promise<string> {
  try {
    return await setUpPeer(requirements, join(DIRECTORY, 'requirements', `${requirements}.txt`), { env: process.env, log })
  } catch (error) {
    if (error instanceof SetupError) throw new SkipError(error.message.trim().split('\n').at(-1))
    throw error
  }
}
