import { Graph, loadLibrary, Session, TENSORFLOW_VERSION, type Library } from '../tensorflow/index.ts'
import { messageOf, SETUP_REMEDY, type Environment, type Finding } from './finding.ts'

/** Opens the library: that it is there says little. */
export function checkLibrary (env: Environment): { finding: Finding, library?: Library } {
  try {
    const library = loadLibrary(env)
    const found = `${library.version}, ${library.path} (${library.source})`
    if (library.version === TENSORFLOW_VERSION) return { finding: { status: 'ok', subject: 'libtensorflow', found }, library }
    const remedy = `unset LIBTENSORFLOW and ${SETUP_REMEDY}, which fetches ${TENSORFLOW_VERSION}, the release that this was tested with`
    return { finding: { status: 'warning', subject: 'libtensorflow', found, remedy }, library }
  } catch (error) {
    return { finding: { status: 'failed', subject: 'libtensorflow', found: messageOf(error), remedy: env['LIBTENSORFLOW'] === undefined ? SETUP_REMEDY : `correct LIBTENSORFLOW, or unset it and ${SETUP_REMEDY}` } }
  }
}

/** What TensorFlow itself sees, as `CPU` and `GPU`. The library must be open. */
export async function tensorflowDevices (): Promise<string[]> {
  const graph = new Graph()
  const session = new Session(graph)
  try {
    return session.devices().map(({ type }) => type)
  } finally {
    await session.close()
    graph.dispose()
  }
}
