#!/usr/bin/env node
// Serves what is already set up: what a container image or a service manager starts.
import { distPath, runProgram, serverEnvironment } from './start/server-process.mjs'

process.exit(await runProgram(distPath('main.js'), process.argv.slice(2), serverEnvironment(process.env)))
