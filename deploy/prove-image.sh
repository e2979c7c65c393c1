#!/bin/sh
# Builds the image without an engine and a registry, and starts it as an engine would: process 1 of its own namespaces, the
# image's user, no capability, a root file system that is read-only, /data and /tmp the only places to write to. Then asks it
# everything that `prove.mjs` asks. As root, on Debian 12:
#   apt-get install buildah mmdebstrap prometheus caddy
#   deploy/prove-image.sh [folder to work in]
# The Containerfile is used as it is. What stands in for its two base images is made of Debian's packages and npm's node.
set -eu
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
mkdir -p "$work"
buildah="buildah --root $work/store --runroot $work/run"
arch=$(dpkg --print-architecture)

fetched() { # a package of npm's, unpacked
  mkdir -p "$work/$1" && (cd "$work/$1" && tar xzf "$(npm pack --silent "$2")" --strip-components 1)
}

if ! $buildah inspect --type image docker.io/library/node:20-bookworm-slim >/dev/null 2>&1; then
  [ -f "$work/base.tar" ] || mmdebstrap --variant=minbase --include=ca-certificates bookworm "$work/base.tar"
  made=$($buildah from scratch)
  root=$($buildah mount "$made")
  tar -C "$root" -xf "$work/base.tar"
  $buildah commit "$made" docker.io/library/debian:bookworm-slim
  fetched node "node-linux-$([ "$arch" = amd64 ] && echo x64 || echo arm64)@20"
  fetched npm npm@10
  install -m 755 "$work/node/bin/node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules" "$root/usr/local/etc"
  cp -r "$work/npm" "$root/usr/local/lib/node_modules/npm"
  chmod +x "$root"/usr/local/lib/node_modules/npm/bin/*.js
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  # This machine's certificates are mounted for the build: it may sit behind a proxy with one of its own.
  echo 'cafile=/etc/ssl/certs/ca-certificates.crt' >"$root/usr/local/etc/npmrc"
  $buildah commit --rm "$made" docker.io/library/node:20-bookworm-slim
fi

GAUNTLET_COMMIT=$(git rev-parse --short=12 HEAD)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export GAUNTLET_COMMIT SOURCE_DATE_EPOCH
$buildah bud --layers --isolation chroot --pull-never --format docker --volume /etc/ssl/certs:/etc/ssl/certs:ro \
  --build-arg GAUNTLET_COMMIT --build-arg SOURCE_DATE_EPOCH -t gauntlet -f deploy/Containerfile .
container=$($buildah from --pull-never localhost/gauntlet)
root=$($buildah mount "$container")
trap '$buildah rm "$container" >/dev/null' EXIT
echo "root file system: $(du -sm "$root" | cut -f1) MiB, of which /app $(du -sm "$root/app" | cut -f1) MiB"

npx --no-install vite build --logLevel warn
cmp "$root/app/dist/build.json" dist/build.json
echo 'the page is the one that the sources make here'

$buildah inspect --type image gauntlet >"$work/image.json"
rm -rf "$work/data" && mkdir "$work/data" && chown 1000:1000 "$work/data"
# A network of its own has the ports that the files name free, and no way out.
unshare --net sh -c "ip link set lo up && exec node deploy/prove.mjs --image '$work/image.json' --root '$root' --data '$work/data'"
