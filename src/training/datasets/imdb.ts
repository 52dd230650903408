import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../../errors.ts'
import { holdOutRows } from './hold-out.ts'
import { labelledTexts, openTextFile, type LabelledTexts, type TextFile } from './labelled-texts.ts'

/** Film reviews, kind and unkind ones. */
export interface Reviews {
  readonly train: LabelledTexts
  readonly validation: LabelledTexts
  readonly heldOut: LabelledTexts
  readonly labels: readonly string[]
  readonly origin: string
}

/** As the files have them. */
const CLASSES = ['0', '1']
/** Share of the training file that is not learned from but chooses the best epoch. */
const VALIDATION_SHARE = 0.1

/**
 * The Large Movie Review Dataset as `train.jsonl` and `test.jsonl`: rows `{"text": "…", "label": 0 or 1}`.
 *
 * @param seed decides which rows validate
 * @throws DatasetError if a file is missing or a row of it is not one
 */
export async function loadImdb (directory: string, seed: number): Promise<Reviews> {
  const [train, test] = [await openReviews(directory, 'train.jsonl'), await openReviews(directory, 'test.jsonl')]
  const { kept, heldOut } = holdOutRows(train.labels.length, VALIDATION_SHARE, seed)
  return {
    train: labelledTexts(train, CLASSES, kept),
    validation: labelledTexts(train, CLASSES, heldOut),
    heldOut: labelledTexts(test, CLASSES),
    labels: ['negative', 'positive'],
    origin: 'Large Movie Review Dataset (A. Maas et al., ACL 2011)'
  }
}

async function openReviews (directory: string, name: string): Promise<TextFile> {
  for (const path of [join(directory, `${name}.gz`), join(directory, name)]) {
    const isThere = await access(path).then(() => true, () => false)
    if (isThere) return await openTextFile({ path, textColumn: 'text', labelColumn: 'label' })
  }
  throw new DatasetError(`There is no ${name}.gz or ${name} in ${directory}`)
}
