#!/usr/bin/env node
// `npm run load [-- scenario … --quick --list]`, `npm run bench:train`: sets up what is missing, compiles load/, then measures.
import './setup/check-node.mjs'

const { cpSync, rmSync, statSync } = await import('node:fs')
const { fileURLToPath } = await import('node:url')
const { setUpOrExit } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

/** @param {string} path @returns {string} from the clone's root */
const inClone = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

// Training is measured beside Keras too, which comes with Python's TensorFlow.
await setUpOrExit(process.argv.some(argument => argument === '--training' || argument.startsWith('train-')) ? 'ci' : 'test')
const compiled = await runProgram(inClone('node_modules/typescript/bin/tsc'), ['-p', inClone('load')], process.env)
if (compiled !== 0) process.exit(compiled)
// The rest of src/, which the compiler leaves where it is, and nothing that was there before.
rmSync(distPath('.load/src/tensorflow/kernels'), { recursive: true, force: true })
cpSync(inClone('src'), distPath('.load/src'), { recursive: true, filter: path => statSync(path).isDirectory() || !/(?<!\.d)\.m?ts$/.test(path) })
process.exit(await runProgram(distPath('.load/load/main.js'), process.argv.slice(2), serverEnvironment(process.env)))
