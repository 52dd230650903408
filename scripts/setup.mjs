#!/usr/bin/env node
// Fetches, builds and makes what this clone needs: node scripts/setup.mjs [--for start|test|train|build|ci]
import './setup/check-node.mjs'

const { parseArgs } = await import('node:util')
const { setUpOrExit } = await import('./setup/set-up.mjs')
const { pythonPath } = await import('./setup/python-tensorflow.mjs')

const { values: { for: purpose } } = parseArgs({ options: { for: { type: 'string', default: 'start' } } })
await setUpOrExit(purpose)
if (purpose === 'ci') console.log(pythonPath(process.env))
process.exit()
