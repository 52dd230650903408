import type { Progress, StepProgress } from '../../scripts/setup/progress.mjs'

/** A step's progress that keeps the names of its phases. */
export function recordPhases (): StepProgress & { phases: string[] } {
  const phases: string[] = []
  return { phases, phase: text => { phases.push(text) }, amount: () => {}, done: () => {}, failed: () => {} }
}

/** The set-up's progress, its notes kept. */
export function recordNotes (): Progress & { notes: string[] } {
  const notes: string[] = []
  return { notes, note: text => { notes.push(text) }, step: recordPhases }
}
