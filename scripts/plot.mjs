#!/usr/bin/env node
// `npm run plot -- <picture>… [--out DIR]`: sets up what is missing, then draws activation functions, losses or learning-rate schedules.
import './setup/check-node.mjs'

const { setUpOrExit } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

await setUpOrExit('train')
process.exit(await runProgram(distPath('training/curves/command.js'), process.argv.slice(2), serverEnvironment(process.env)))
