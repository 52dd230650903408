import { spawn } from 'node:child_process'
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatasetError } from '../../errors.ts'

export interface FetchOptions {
  /** The program that has pip. */
  readonly python?: string
  /** Of the source package. */
  readonly sha256?: string
}

const SHA256 = '5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9'

/**
 * pip finds and transfers the source package, as `pip download` would with the user's index, proxy and certificates. But `pip download`
 * also runs the package's setup.py to read its metadata, so its own steps are called up to there. Only the files asked for are read out of
 * the archive and the one inside it; nothing is unpacked by its own paths.
 */
const PROGRAM = `
import hashlib, io, os, sys, tarfile
from pip._internal.commands import create_command

sha256, target, *names = sys.argv[1:]
command = create_command('download')
options, _ = command.parse_args(['--quiet', '--no-deps', '--no-binary', ':all:', 'vaderSentiment'])
with command.main_context():
    session = command.get_default_session(options)
    finder = command._build_package_finder(options=options, session=session)
    links = [found.link for found in finder.find_all_candidates('vaderSentiment') if str(found.version) == '3.3.2']
    if not links:
        sys.exit('the package index has no source package vaderSentiment 3.3.2')
    if links[0].is_file:
        with open(links[0].file_path, 'rb') as file:
            package = file.read()
    else:
        response = session.get(links[0].url_without_fragment, headers={'Accept-Encoding': 'identity'})
        response.raise_for_status()
        package = response.content
if hashlib.sha256(package).hexdigest() != sha256:
    sys.exit('the package is not the one expected: its SHA-256 differs')

def read(archive, name):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.extractfile(name).read()

sentences = read(package, 'vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz')
for name in names:
    with open(os.path.join(target, name), 'wb') as file:
        file.write(read(sentences, 'hutto_ICWSM_2014/' + name))
`

/**
 * Fetches VADER's sentences into the cache, once: the folder is there whole or not at all.
 *
 * @returns the folder
 * @throws DatasetError if Python, pip, the network or the package is missing, with the remedy
 */
export async function fetchVader (cacheDirectory: string, files: readonly string[], { python = 'python3', sha256 = SHA256 }: FetchOptions = {}): Promise<string> {
  const folder = join(cacheDirectory, 'datasets', 'vader-3.3.2')
  if (await isThere(folder)) return folder
  await mkdir(dirname(folder), { recursive: true })
  const aside = await mkdtemp(`${folder}.part-`)
  try {
    await runPython(python, [sha256, aside, ...files])
    await moveInto(aside, folder)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
  return folder
}

/** Another process may have been faster: then its folder is as good. */
async function moveInto (aside: string, folder: string): Promise<void> {
  try {
    await rename(aside, folder)
  } catch (error) {
    if (!await isThere(folder)) throw error
  }
}

async function isThere (path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false)
}

async function runPython (python: string, programArguments: readonly string[]): Promise<void> {
  const child = spawn(python, ['-c', PROGRAM, ...programArguments], { stdio: ['ignore', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { complaint = (complaint + text).slice(-2000) })
  const problem = await new Promise<string | undefined>(resolve => {
    child.on('error', error => resolve(error.message))
    child.on('close', code => resolve(code === 0 ? undefined : complaint.trim().split('\n').at(-1) || `${python} ended with ${code}`))
  })
  if (problem !== undefined) {
    throw new DatasetError(`VADER's sentences could not be fetched: ${problem}. It needs python3 with pip and a package index; or give --data a folder with the files`)
  }
}
