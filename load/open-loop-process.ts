// An open loop in a process of its own, so that what it costs does not delay its clock. Takes one job from its parent, answers and ends.
import type { LoadRequest } from './closed-loop.ts'
import { openLoop, type OpenLoopOptions } from './open-loop.ts'
import { sameReply } from './same-reply.ts'

export interface OpenLoopJob {
  /** Of the server, without a path. */
  url: string
  request: Omit<LoadRequest, 'verify'>
  /** The body that is right; numbers may differ in the last bits, and so may the values that `except` names. */
  expected: string
  except?: string[]
  options: OpenLoopOptions
}

process.once('message', ({ url, request, expected, except, options }: OpenLoopJob) => {
  openLoop(url, { ...request, verify: sameReply(expected, except) }, options).then(run => process.send!(run, () => process.exit(0)), (error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})

process.once('disconnect', () => process.exit(1))
