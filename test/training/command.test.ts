import t from 'tap'
import { recipes } from '../../src/recipes/index.ts'
import { runRecipe } from '../support/run-recipe.ts'

t.test('help lists recipes, their data and numbers, and the options', async t => {
  const { code, out, err } = await runRecipe(['--help'])
  t.equal(code, 0)
  t.equal(err, '')
  for (const part of ['fashion', 'sentiment', 'image-folder', '--data', '--models', '--name', '--epochs', '--batch-size', '--learning-rate', '--seed', 'learning rate 0.002']) t.match(out, part)
})

const refused: [argv: string[], message: string | RegExp][] = [
  [[], /^Name a recipe\.\n\nTrains a model/],
  [['fashon'], `There is no recipe "fashon"; there are: ${recipes.map(({ name }) => name).join(', ')}\n`],
  [['fashion', 'sentiment'], 'There is one recipe a run; "sentiment" is too much\n'],
  [['fashion', '--epoch', '3'], /^Unknown option '--epoch'/],
  [['fashion', '--hidden', '3'], 'The recipe fashion has no option --hidden\n'],
  [['fashion', '--epochs', '1.5'], '--epochs takes a whole number from 1, not "1.5"\n'],
  [['fashion', '--epochs', '0'], '--epochs takes a whole number from 1, not "0"\n'],
  [['fashion', '--batch-size', 'many'], '--batch-size takes a whole number from 1, not "many"\n'],
  [['fashion', '--seed', '-1'], /^Option '--seed' argument is ambiguous|--seed takes a whole number/],
  [['fashion', '--seed', '9007199254740993'], '--seed takes a whole number from 0, not "9007199254740993"\n'],
  [['fashion', '--learning-rate', '0'], '--learning-rate takes a number over 0, not "0"\n'],
  [['fashion', '--learning-rate', 'NaN'], '--learning-rate takes a number over 0, not "NaN"\n'],
  [['fashion', '--data', '/nonexistent'], 'There is no train-images-idx3-ubyte.gz or train-images-idx3-ubyte in /nonexistent\n'],
  [['image-folder'], 'Say where the photos are: --data DIR\n'],
  [['image-folder', '--data', '/nonexistent'], 'There is no folder /nonexistent\n']
]

for (const [argv, message] of refused) {
  t.test(`"${argv.join(' ')}" ends with 1 and says what is wrong`, async t => {
    const { code, out, err } = await runRecipe([...argv, ...(argv.length === 0 ? [] : ['--models', t.testdir()])])
    t.equal(code, 1)
    t.equal(out, '')
    if (typeof message === 'string') t.equal(err, message)
    else t.match(err, message)
  })
}
