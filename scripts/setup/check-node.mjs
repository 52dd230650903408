// Imported before everything else: says so where Node is too old, in syntax that old versions still read.
const LEAST = '20.19'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`tensorport needs Node ${LEAST} or newer, this is Node ${process.versions.node} (${process.execPath}).\nInstall Node 22 or 24, or use the Dockerfile.`)
  process.exit(1)
}

export {}
