import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeTinyFashion } from '../support/idx-files.ts'
import { runRecipe } from '../support/run-recipe.ts'

const data = t.testdir()
await writeTinyFashion(data, 300)

/** Where runs are stopped, in epochs of four: the second recipe trains twice. */
for (const [recipe, stoppedAfter] of [['mlp', 2], ['regularized', 6]] as const) {
  t.test(`${recipe}: a run that is stopped and resumed exports the very weights of one that was not`, async t => {
    const folder = t.testdir({ models: {}, runs: {} })
    const [models, runs] = [join(folder, 'models'), join(folder, 'runs')]
    const argv = (name: string): string[] => [recipe, '--data', data, '--models', models, '--runs', runs, '--name', name, '--epochs', '4', '--batch-size', '32']
    const weights = async (name: string): Promise<Buffer> => await readFile(join(models, name, '1', 'variables', 'variables.data-00000-of-00001'))

    const whole = await runRecipe(argv('whole'))
    t.equal(whole.code, 0, whole.err)
    const stop = new AbortController()
    let epochs = 0
    const stopped = await runRecipe(argv('parts'), stop.signal, text => { if (text.includes('Epoch') && ++epochs === stoppedAfter) stop.abort() })
    t.equal(stopped.code, 130, stopped.out)
    t.equal(stopped.err, 'Stopped. Nothing was exported. The same command with --resume goes on.\n')
    t.strictSame(await readdir(join(runs, 'parts')), recipe === 'mlp' ? ['training-1.safetensors'] : ['training-1.safetensors', 'training-2.safetensors'])

    const resumed = await runRecipe([...argv('parts'), '--resume'])
    t.equal(resumed.code, 0, resumed.err)
    t.match(resumed.out, `Going on with ${join(runs, 'parts', 'training-1.safetensors')}`)
    t.notMatch(resumed.out, /Epoch 1\//, 'what was learned is not learned again')
    t.ok((await weights('parts')).equals(await weights('whole')))
    const left = async (name: string): Promise<string> => {
      const [folder, ...others] = await readdir(join(runs, name))
      t.strictSame(others, [], 'no checkpoint is left once the version is exported')
      return join(runs, name, folder!)
    }
    for (const file of ['history.json', 'metrics.json', 'loss.svg', 'learning-rate.svg']) {
      t.equal(await readFile(join(await left('parts'), file), 'utf8'), await readFile(join(await left('whole'), file), 'utf8'), file)
    }
  })
}

t.test('a run that is not there is not resumed', async t => {
  const folder = t.testdir()
  const { code, err } = await runRecipe(['mlp', '--data', data, '--models', folder, '--runs', folder, '--resume'])
  t.equal(code, 1)
  t.equal(err, `There is no stopped run of "mlp" in ${folder}: start it without --resume\n`)
})
