import type tf from '@tensorflow/tfjs'

/**
 * Whether all ways from a layer back to the model's inputs are one: each layer on it is used once and has one input. What is before such a layer gets its gradients
 * through it alone, so that a gradient of the layer's own (`withGradient`) sends them back once; beside other ways they would go back the common part twice.
 */
export function isOnlyWay (layer: tf.layers.Layer): boolean {
  for (let at = layer; ;) {
    if (at.inboundNodes.length !== 1) return false
    const { inboundLayers, inputTensors } = at.inboundNodes[0]!
    if (inboundLayers.length === 0) return true
    if (inputTensors.length > 1 || inputTensors[0]!.sourceLayer.outboundNodes.length !== 1) return false
    at = inputTensors[0]!.sourceLayer
  }
}
