"""Saves Keras models as .keras and .h5, with what they answer: python keras-models.py FOLDER [NAME...]"""
import json
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras
import numpy as np
from keras import layers


def pictures():
    x = pixels = keras.Input((8, 8, 3), name='pixels')
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = layers.Conv2D(4, 3, padding='same', kernel_regularizer='l2')(x)
    x = layers.BatchNormalization()(x)
    a = layers.ReLU(max_value=6)(x)
    b = layers.DepthwiseConv2D(3, padding='same', activation='silu')(a)
    x = layers.Add()([a, b])
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(5, activation='gelu'), layers.BatchNormalization()], name='inner')
    x = inner(layers.GlobalAveragePooling2D()(x))
    x = layers.Dropout(0.3)(x)
    return keras.Model(pixels, layers.Dense(3, activation='softmax', name='probabilities')(x))


def convolutions():
    return keras.Sequential([
        layers.Input((10, 9, 2)), layers.ZeroPadding2D(((1, 0), (2, 1))), layers.SeparableConv2D(5, 3, strides=2, depth_multiplier=2), layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2DTranspose(3, 3, strides=2), layers.PReLU(shared_axes=[1, 2]), layers.UpSampling2D(2), layers.Cropping2D(1), layers.MaxPooling2D(3, strides=2, padding='same'),
        layers.Conv2D(4, 2, dilation_rate=2, use_bias=False), layers.LayerNormalization(), layers.ELU(), layers.AveragePooling2D(2), layers.Permute((3, 1, 2)), layers.Flatten(), layers.Dense(4), layers.Softmax()])


def sequences():
    return keras.Sequential([
        layers.Input((9, 3)), layers.Conv1D(4, 3, padding='causal', activation='tanh'), layers.TimeDistributed(layers.Dense(5, activation='elu')), layers.MaxPooling1D(2),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.GRU(4, return_sequences=True, reset_after=False), layers.SimpleRNN(3, return_sequences=True), layers.GRU(4), layers.RepeatVector(2), layers.GlobalMaxPooling1D()])


def masking():
    return keras.Sequential([layers.Input((6, 3)), layers.Masking(0.0), layers.LSTM(4, return_sequences=True), layers.Dropout(0.2), layers.GRU(3, go_backwards=True)])


def words():
    tokens = keras.Input((6,), name='tokens')
    x = layers.Embedding(20, 4, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    x = layers.GRU(4)(x)
    return keras.Model(tokens, layers.Dense(1, activation='sigmoid')(x))


def ends():
    """Several inputs and outputs, a layer used twice, models within models, layers that do not learn."""
    a, b = keras.Input((4,), name='a'), keras.Input((4,), name='b')
    shared = layers.Dense(3, activation='relu', name='shared')
    shared.trainable = False
    i = keras.Input((3,))
    deep = keras.Model(i, layers.BatchNormalization(trainable=False)(layers.Dense(3)(i)), name='deep')
    j = keras.Input((3,))
    nested = keras.Model(j, layers.Dense(3, use_bias=False)(deep(deep(j))), name='nested')
    x, y = shared(a), nested(shared(b))
    merged = layers.Concatenate()([layers.Multiply()([x, y]), layers.Maximum()([x, y]), layers.Average()([x, y]), layers.Dot(1, normalize=True)([x, y])])
    return keras.Model([a, b], [layers.Dense(2, name='first')(merged), layers.Reshape((3, 1), name='second')(y)])


def volumes():
    return keras.Sequential([layers.Input((5, 5, 5, 2)), layers.Conv3D(3, 2), layers.MaxPooling3D(2), layers.BatchNormalization(center=False), layers.Flatten(), layers.Dense(2, activation='swish')])


def mixed():
    keras.config.set_dtype_policy('mixed_bfloat16')
    try:
        return keras.Sequential([layers.Input((4,)), layers.Dense(3, activation='relu'), layers.Dense(2, dtype='float32')])
    finally:
        keras.config.set_dtype_policy('float32')


# What has no counterpart.

def groups():
    return keras.Sequential([layers.Input((6, 6, 4)), layers.Conv2D(4, 3, groups=2)])


def subtract():
    x = keras.Input((4,))
    return keras.Model(x, layers.Subtract()([x, layers.Dense(4)(x)]))


def masked_mean():
    return keras.Sequential([layers.Input((6,), name='tokens'), layers.Embedding(9, 4, mask_zero=True), layers.GlobalAveragePooling1D()])


def bilinear():
    return keras.Sequential([layers.Input((4, 4, 1)), layers.UpSampling2D(2, interpolation='bilinear')])


def hard_sigmoid():
    return keras.Sequential([layers.Input((4,)), layers.Dense(3, activation='hard_sigmoid')])


def keepdims():
    return keras.Sequential([layers.Input((6, 6, 4)), layers.GlobalAveragePooling2D(keepdims=True)])


def attention():
    x = keras.Input((6, 4))
    return keras.Model(x, layers.MultiHeadAttention(2, 4)(x, x))


def operation():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2)(x) * 2)


def given_states():
    x, h = keras.Input((4, 2)), keras.Input((3,))
    return keras.Model([x, h], layers.GRU(3)(x, initial_state=h))


folder, *names = sys.argv[1:]
generator = np.random.default_rng(1)
for name in names:
    keras.utils.set_random_seed(1)
    model = globals()[name]()
    model.set_weights([(generator.random(weight.shape) * 0.6 - (0 if 'variance' in variable.path else 0.3)).astype('float32') for weight, variable in zip(model.get_weights(), model.weights)])
    inputs = [(generator.integers(0, 4, (2, *x.shape[1:])) if 'tokens' in x.name else generator.random((2, *x.shape[1:]))).astype('float32') for x in model.inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    describe = lambda names, values: {n: {'shape': list(v.shape), 'data': np.asarray(v, 'float32').flatten().tolist()} for n, v in zip(names, values)}
    with open(f'{folder}/{name}.json', 'w') as file:
        json.dump({'inputs': describe([x.name for x in model.inputs], inputs), 'outputs': list(describe(map(str, range(9)), outputs if isinstance(outputs, list) else [outputs]).values())}, file)
    model.save(f'{folder}/{name}.keras')
    model.save(f'{folder}/{name}.h5')
