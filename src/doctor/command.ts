import { spawn } from 'node:child_process'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { examine } from './examine.ts'
import { formatFinding, type Environment, type Finding } from './finding.ts'

/**
 * `npm run doctor`: prints what is found and what to do about it.
 *
 * The checks run in a process of their own, since a library or a model that does not fit the machine can end its process.
 *
 * @param program this file, as it is run
 * @returns 1 if serving would fail, 0 otherwise
 */
export async function diagnose (env: Environment, out: Pick<NodeJS.WriteStream, 'write'>, program: readonly string[] = [fileURLToPath(import.meta.url)]): Promise<0 | 1> {
  let isServingPossible = true
  const tell = (finding: Finding): void => {
    out.write(`${formatFinding(finding)}\n`)
    if (finding.status === 'failed') isServingPossible = false
  }
  const ending = await examineApart(env, program, tell)
  if (ending !== 0) tell(crashFinding(ending))
  out.write(isServingPossible ? '\nServing works.\n' : '\nServing would fail: see ✗ above.\n')
  return isServingPossible ? 0 : 1
}

const APART = '--examine'

/** @returns how the process ended: 0 if all checks were made */
async function examineApart (env: Environment, program: readonly string[], tell: (finding: Finding) => void): Promise<number | NodeJS.Signals> {
  const child = spawn(process.execPath, [...program, APART], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.on('message', message => { tell(message as Finding) })
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => { resolve(signal ?? code ?? 1) })
  })
}

function crashFinding (ending: number | NodeJS.Signals): Finding {
  const isIllegal = ending === 'SIGILL'
  return {
    status: 'failed',
    subject: 'doctor',
    found: `the check after the last line above ended its process with ${ending}`,
    remedy: isIllegal ? 'TensorFlow needs a processor with AVX; this one, or the virtual machine around it, has none' : 'if it was libtensorflow: remove its folder from the cache and npm run setup; if it was a model: remove that'
  }
}

/* c8 ignore start */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes(APART)) {
    for await (const finding of examine(process.env)) process.send?.(finding)
    process.disconnect()
  } else {
    process.exitCode = await diagnose(process.env, process.stdout)
  }
}
/* c8 ignore stop */
