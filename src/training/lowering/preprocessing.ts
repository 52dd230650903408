import type { Lowering } from './layer-call.ts'

export const preprocessingLayers: Record<string, Lowering> = {
  /** Bytes of an image become floats here, inside the graph. */
  Rescaling: {
    lower: ({ config, scope, input }) => {
      const scaled = scope.mul(input, config.number('scale'))
      const offset = config.number('offset', 0)
      return offset === 0 ? scaled : scope.add(scaled, offset)
    }
  }
}
