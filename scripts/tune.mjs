#!/usr/bin/env node
// `npm run tune -- <recipe> [options]`: sets up what is missing, then looks for the best hyperparameters.
import './setup/check-node.mjs'

const { setUpOrExit } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

await setUpOrExit('train')
process.exit(await runProgram(distPath('training/tuning/command.js'), process.argv.slice(2), serverEnvironment(process.env)))
