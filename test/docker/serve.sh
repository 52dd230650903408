#!/usr/bin/env bash
# Builds the Dockerfile with buildah, starts the server inside the image as its user and asks it, then stops it as Docker would.
# Needs root, buildah and the image that the Dockerfile starts from (see stand-in-base.sh). Ends with exit code 0 if all is well.
set -euo pipefail
cd "$(dirname "$0")/../.."
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
port=${PORT:-18501}

buildah build --quiet --format docker --pull-never --build-arg TENSORFLOW_VARIANT="${TENSORFLOW_VARIANT:-cpu}" -t tensorport . > /dev/null
container=$(buildah from --pull-never tensorport)
trap 'buildah rm "$container" > /dev/null' EXIT

fail () { echo "FAILED: $1" >&2; exit 1; }
inside () { buildah run "$container" -- "$@"; }

[ "$(inside id -un)" = node ] || fail 'the server would not run as the user node'
for tool in gcc g++ cc make python3; do
  if inside sh -c "command -v $tool" > /dev/null; then fail "the image holds $tool"; fi
done
inside sh -c 'test ! -e node_modules/@tensorflow && test ! -e node_modules/typescript' || fail 'the image holds tfjs or TypeScript'
inside node -e "import('/app/dist/tensorflow/index.js').then(({ hasCustomOperations }) => process.exit(hasCustomOperations({ onCpu: true }) ? 0 : 1))" || fail "tensorport's own operations can not be opened"

PORT=$port buildah run --env PORT="$port" "$container" -- node scripts/serve.mjs > "${LOG:-/tmp/tensorport-image.log}" 2>&1 &
server=$!
trap 'pkill -TERM -f "^([^ ]*/)?node scripts/serve.mjs" || true; buildah rm "$container" > /dev/null' EXIT
for _ in $(seq 120); do
  curl -fs "http://127.0.0.1:$port/health/ready" > /dev/null && break
  kill -0 "$server" || fail 'the server ended; see its log'
  sleep 0.5
done

curl -fs -F file=@docs/coffee.jpg "http://127.0.0.1:$port/predict/image" | grep -q '"label":"espresso"' || fail '/predict/image'
curl -fs -H 'content-type: application/json' -d '{"text":"I loved this film"}' "http://127.0.0.1:$port/predict/text" | grep -q '"label":"positive"' || fail '/predict/text'
inside node -e "fetch('http://127.0.0.1:$port/health/ready').then(reply => process.exit(reply.ok ? 0 : 1), () => process.exit(1))" || fail 'the health check'

pid=$(pgrep -f '^([^ ]*/)?node scripts/serve.mjs') || fail 'the server is not there any more'
kill -TERM "$pid"
wait "$server" && code=0 || code=$?
[ "$code" = 0 ] || fail "SIGTERM ended the server with exit code $code"
echo "ok: image built, answers as user node, ends with 0"
