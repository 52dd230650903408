#!/usr/bin/env node
// `npm run doctor`: says what is found and what is wrong. Fetches, builds and changes nothing.
import './setup/check-node.mjs'

const { existsSync } = await import('node:fs')
const { join } = await import('node:path')
const { dist } = await import('./setup/dist.mjs')
const { nodeModules } = await import('./setup/node-modules.mjs')
const { createProgress } = await import('./setup/progress.mjs')
const { ROOT } = await import('./setup/set-up.mjs')
const { distPath, runProgram, serverEnvironment } = await import('./start/server-process.mjs')

const context = { root: ROOT, env: process.env, platform: process.platform, arch: process.arch, progress: createProgress() }
const program = distPath('doctor/command.js')
// A container image has no sources that dist could be older than.
const steps = existsSync(join(ROOT, 'src')) ? [nodeModules, dist] : []
const missing = steps.filter(step => !step.isDone(context))

for (const { name } of missing) console.log(`✗ ${name}: missing, or older than this clone\n  → npm run setup`)
if (missing.includes(nodeModules) || !existsSync(program)) process.exit(1)
process.exit(await runProgram(program, [], serverEnvironment(process.env)))
