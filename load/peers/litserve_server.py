"""LitServe with its batching on: MAX_BATCH_SIZE, BATCH_TIMEOUT_S and WORKERS come from a sweep. A worker decodes the photos of a batch in threads."""
import os
from concurrent.futures import ThreadPoolExecutor

WORKERS = int(os.environ['WORKERS'])
CORES = len(os.sched_getaffinity(0))
os.environ['TF_NUM_INTRAOP_THREADS'] = str(max(1, CORES // WORKERS))  # workers share the cores

import litserve as ls
from fastapi import Request


class Api(ls.LitAPI):
    def setup(self, device):
        from served_model import ServedModel, rank  # TensorFlow, in the workers alone
        self.model = ServedModel()
        self.encode_response = rank if self.model.manifest else lambda scores: {'predictions': [scores.tolist()]}
        self.threads = ThreadPoolExecutor(max(1, CORES // WORKERS))

    def decode_request(self, request: Request):
        if 'file' in request:
            return request['file'].file.read()
        return request['text'] if 'text' in request else request['instances'][0]

    def batch(self, inputs):
        return inputs

    def predict(self, inputs):
        if 'image' in self.model.manifest:
            inputs = list(self.threads.map(self.model.pixels, inputs))
        elif 'text' in self.model.manifest:
            inputs = [self.model.tokens(text) for text in inputs]
        return self.model.predict(inputs)

    def unbatch(self, output):
        return output


if __name__ == '__main__':
    api = Api(max_batch_size=int(os.environ['MAX_BATCH_SIZE']), batch_timeout=float(os.environ['BATCH_TIMEOUT_S']), api_path=os.environ['API_PATH'])
    server = ls.LitServer(api, accelerator='cpu', workers_per_device=WORKERS, healthcheck_path='/health/ready')
    server.run(host=os.environ['HOST'], port=int(os.environ['PORT']), num_api_servers=1, log_level='warning', generate_client_file=False)
