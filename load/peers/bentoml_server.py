"""BentoML with its adaptive batching on: the photos of several requests are decoded in threads and go to the model as one batch."""
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

os.environ['BENTOML_DO_NOT_TRACK'] = 'True'

import bentoml
from bentoml.validators import ContentType


@bentoml.service(workers=1, logging={'access': {'enabled': False}})
class Server:
    def __init__(self):
        from served_model import ServedModel  # TensorFlow, in the worker alone
        self.model = ServedModel()
        self.threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)))

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=10_000, route='/predict/image')
    def predict_image(self, file: list[Annotated[Path, ContentType('image/jpeg')]]) -> list[dict]:
        from served_model import rank
        pixels = self.threads.map(lambda path: self.model.pixels(path.read_bytes()), file)
        return [rank(scores) for scores in self.model.predict(list(pixels))]


if __name__ == '__main__':
    from bentoml_cli.cli import cli
    sys.path.insert(0, str(Path(__file__).parent))
    cli(['serve', 'bentoml_server:Server', '--working-dir', str(Path(__file__).parent), '--host', os.environ['HOST'], '--port', os.environ['PORT']])
