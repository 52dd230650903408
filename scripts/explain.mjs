#!/usr/bin/env node
// `npm run explain -- <model> <photo> | --text "…" [options]`: sets up what is missing, then says which parts of an input speak for a model's answer.
import './setup/check-node.mjs'

const { setUpOrExit } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

await setUpOrExit('train')
process.exit(await runProgram(distPath('training/explaining/command.js'), process.argv.slice(2), serverEnvironment(process.env)))
