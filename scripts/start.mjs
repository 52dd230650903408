#!/usr/bin/env node
// `npm start`: sets up what is missing, then serves.
import './setup/check-node.mjs'

const { setUpOrExit } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

await setUpOrExit('start')
process.exit(await runProgram(distPath('main.js'), process.argv.slice(2), serverEnvironment(process.env)))
