import { dtypeCode } from './dtype.ts'
import { opDef } from './op-def.ts'

/** Operations that TensorFlow marks as stateful although running them leaves every state as it was. */
const STATEFUL_BUT_READING = new Set([
  'VarHandleOp', 'ReadVariableOp', '_ReadVariablesOp', 'ResourceGather', 'ResourceGatherNd', 'VarIsInitializedOp', 'VariableShape', 'Variable', 'VariableV2',
  'HashTable', 'HashTableV2', 'AnonymousHashTable', 'MutableHashTable', 'MutableHashTableV2', 'MutableDenseHashTable', 'MutableDenseHashTableV2',
  'LookupTableFind', 'LookupTableFindV2', 'LookupTableSize', 'LookupTableSizeV2', 'LookupTableExport', 'LookupTableExportV2',
  'StatefulPartitionedCall', 'PartitionedCall', 'If', 'Case', 'While', 'Assert', 'Print', 'PrintV2', 'Placeholder', 'Timestamp', 'ReadFile',
  'RandomUniform', 'RandomUniformInt', 'RandomStandardNormal', 'TruncatedNormal', 'ParameterizedTruncatedNormal', 'RandomGamma', 'RandomPoisson',
  'RandomPoissonV2', 'RandomShuffle', 'Multinomial', 'BoostedTreesEnsembleResourceHandleOp', 'BoostedTreesPredict', 'TensorListReserve',
  'TPUPartitionedCall', 'XlaLaunch', 'DecisionTreeResourceHandleOp', 'FertileStats', 'SimpleMLLoadModelFromPathWithHandle',
  'TensorArrayV3', 'TensorArrayReadV3', 'TensorArrayWriteV3', 'TensorArrayScatterV3', 'TensorArrayGatherV3', 'TensorArraySizeV3',
  'TensorArrayConcatV3', 'TensorArraySplitV3', 'TensorArrayCloseV3'
])

/** Operations that take a TensorFlow 1 reference and do not write through it. */
const REFERENCE_BUT_READING = new Set([
  'IsVariableInitialized', 'RefIdentity', 'RefSwitch', 'RefMerge', 'RefEnter', 'RefExit', 'RefNextIteration', 'RefSelect',
  'LookupTableFind', 'LookupTableSize', 'LookupTableExport'
])

/**
 * Whether running an operation can change what a later run gives: a variable, a table, a queue, a generator.
 * An operation that TensorFlow calls stateful and that is not known here counts as one that does.
 */
export function changesState (type: string): boolean {
  const definition = opDef(type)
  if (definition === undefined) return true
  if (definition.isStateful && !STATEFUL_BUT_READING.has(type)) return true
  return definition.inputArg.some(({ isRef }) => isRef) && !REFERENCE_BUT_READING.has(type)
}

/** Operations that give a resource or a reference which a run makes for itself and drops. */
const MADE_BY_RUN = new Set(['TensorArrayV3', 'TensorArrayGradV3'])

const RESOURCE = dtypeCode('resource')

/**
 * Whether an operation gives access to something that outlives a run: a variable, a table, a queue, a model.
 * A SavedModel's initialization fills it, so that a graph without one finds it empty.
 */
export function holdsState (type: string): boolean {
  if (MADE_BY_RUN.has(type) || REFERENCE_BUT_READING.has(type)) return false
  return opDef(type)?.outputArg.some(output => output.isRef || output.type === RESOURCE) ?? false
}
