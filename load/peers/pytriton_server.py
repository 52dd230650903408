"""Triton through PyTriton, its dynamic batcher on: one instance of a Python function that is given ready tensors."""
import os
import pathlib
import sysconfig

# Triton runs Python in a program of its own, which otherwise takes the system's libpython, of whatever patch version.
os.environ['LD_LIBRARY_PATH'] = os.pathsep.join([sysconfig.get_config_var('LIBDIR'), *filter(None, [os.environ.get('LD_LIBRARY_PATH')])])

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from served_model import ServedModel

model = ServedModel()


@batch
def infer(rows):
    return {'scores': model.predict(rows)}


config = TritonConfig(
    http_address=os.environ['HOST'], http_port=int(os.environ['PORT']), allow_grpc=False, allow_metrics=False, log_verbose=0)
with Triton(config=config, workspace=pathlib.Path(os.environ['WORKSPACE']) / str(os.getpid())) as triton:
    triton.bind(
        model_name='model', infer_func=infer, strict=False,
        inputs=[Tensor(name='rows', dtype=model.spec.dtype.as_numpy_dtype, shape=tuple(model.spec.shape[1:]))],
        outputs=[Tensor(name='scores', dtype=np.float32, shape=(-1,))],
        config=ModelConfig(
            max_batch_size=int(os.environ['MAX_BATCH_SIZE']),
            batcher=DynamicBatcher(max_queue_delay_microseconds=int(os.environ['MAX_QUEUE_DELAY_US']))))
    triton.serve()
