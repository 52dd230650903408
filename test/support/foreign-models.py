"""Saves SavedModels whose variables lie behind functions, conditions and loops: python foreign-models.py FOLDER"""
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras
import numpy as np
import tensorflow as tf
from keras import layers

v1 = tf.compat.v1
folder = sys.argv[1]
generator = np.random.default_rng(1)


def numbers(*shape):
    return (generator.random(shape) - 0.4).astype('float32')


def export(name, model):
    model.set_weights([(generator.random(weight.shape) * 0.6 - (0 if 'variance' in variable.path else 0.3)).astype('float32') for weight, variable in zip(model.get_weights(), model.weights)])
    model.export(f'{folder}/{name}', verbose=False)


def convolutions():
    x = pixels = keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.Conv2D(6, 3, padding='same', use_bias=False)(x))
    x = layers.ReLU(max_value=6)(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, strides=2)(x))
    return keras.Model(pixels, layers.Dense(4, activation='softmax')(layers.GlobalAveragePooling2D()(x)))


def residual():
    x = pixels = keras.Input((16, 16, 3))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(6, 3)(layers.ZeroPadding2D(2)(x))))
    y = layers.BatchNormalization()(layers.Conv2D(6, 1)(x))
    x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.DepthwiseConv2D(3, strides=2, use_bias=False)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    x = layers.ReLU(max_value=6)(layers.BatchNormalization(scale=False)(x))
    return keras.Model(pixels, layers.Dense(4, activation='softmax')(layers.GlobalAveragePooling2D()(x)))


def words():
    tokens = keras.Input((9,), dtype='int32')
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(layers.Embedding(101, 6)(tokens))
    return keras.Model(tokens, layers.Dense(1, activation='sigmoid')(layers.GRU(4)(x)))


def recurrent():
    """LSTMs of every kind that run in one operation, over any number of words."""
    tokens = keras.Input((None,), dtype='int32')
    x = layers.Embedding(101, 6)(tokens)
    x, *states = layers.LSTM(5, return_sequences=True, return_state=True)(x)
    x = layers.LSTM(5, return_sequences=True, go_backwards=True)(x, initial_state=states)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, unit_forget_bias=False))(x)
    return keras.Model(tokens, [layers.LSTM(4)(x), states[1]])


def masked():
    tokens = keras.Input((9,), dtype='int32')
    return keras.Model(tokens, layers.LSTM(5)(layers.Embedding(101, 6, mask_zero=True)(tokens)))


def otherwise():
    """What is not the step of an LSTM as it is known."""
    tokens = keras.Input((9,), dtype='int32')
    x = layers.Embedding(101, 6)(tokens)
    return keras.Model(tokens, [layers.LSTM(5, recurrent_activation='hard_sigmoid')(x), layers.LSTM(5, activation='relu')(x), layers.LSTM(5, use_bias=False)(x), layers.GRU(4)(x)])


class Flow(tf.Module):
    """A loop, a condition and a case that take variables, nested, and reads by row."""

    def __init__(self):
        self.weights, self.rows, self.count = tf.Variable(numbers(4, 4)), tf.Variable(numbers(9, 4)), tf.Variable(3)

    @tf.function
    def step(self, x):
        return tf.nn.tanh(tf.matmul(x, self.weights)) + tf.nn.embedding_lookup(self.rows, [1])

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name='x')])
    def __call__(self, x):
        def body(index, x):
            return index + 1, tf.cond(index < 2, lambda: self.step(x), lambda: self.step(x) + self.weights[0])

        _, y = tf.while_loop(lambda index, _: index < self.count, body, (0, x))
        y = tf.switch_case(tf.shape(x)[0] % 2, [lambda: tf.matmul(y, self.weights), lambda: y])
        return {'y': y, 'rows': tf.gather_nd(self.rows, [[1], [2]]), 'count': tf.identity(self.count)}


class Counter(tf.Module):
    """One signature adds to what the other reads."""

    def __init__(self):
        self.total = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec((), name='x')])
    def add(self, x):
        return {'total': self.total.assign_add(x)}

    @tf.function(input_signature=[])
    def read(self):
        return {'total': tf.identity(self.total)}


def first_version(name, is_resource):
    """TensorFlow 1: variables in a loop of Enter and Exit and in a condition of Switch and Merge."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.disable_control_flow_v2()
        with v1.variable_scope('', use_resource=is_resource):
            weights, rows = v1.get_variable('weights', initializer=numbers(4, 4)), v1.get_variable('rows', initializer=numbers(9, 4))
        x = v1.placeholder('float32', [None, 4], name='x')
        _, y = tf.while_loop(lambda index, _: index < 3, lambda index, x: (index + 1, tf.tanh(tf.matmul(x, weights))), (0, x))
        y = v1.cond(tf.reduce_sum(y) > 0, lambda: y + weights[0], lambda: tf.matmul(y, weights))
        states = v1.TensorArray('float32', 2, clear_after_read=False).write(0, y).write(1, y + tf.nn.embedding_lookup(rows, [1]))
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, f'{folder}/{name}', {'x': x}, {'y': states.stack(), 'weights': v1.identity(weights)})
        v1.enable_control_flow_v2()


export('convolutions', convolutions())
export('residual', residual())
export('words', words())
export('recurrent', recurrent())
export('masked', masked())
export('otherwise', otherwise())
flow, counter = Flow(), Counter()
tf.saved_model.save(flow, f'{folder}/flow')
tf.saved_model.save(counter, f'{folder}/counter', signatures={'add': counter.add, 'read': counter.read})
first_version('resources', True)
first_version('references', False)
