# Sourced by build-images and .devcontainer/test: builds images as root, but without Docker and without pulling from a registry.
# Instead of pulling Debian's base image, debootstrap creates it from the mirror in the machine's apt configuration, and verifies it.
# All files are in proxy/target/images; base images and layers are reused. If the first argument is --install, installs buildah and debootstrap.
# shellcheck shell=sh

say() { printf '%s\n' "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || die "root is required for debootstrap and chroot"
missing() { for program in buildah debootstrap; do command -v "$program" >/dev/null 2>&1 || printf ' %s' "$program"; done; }
if [ "${1:-}" = --install ]; then
    shift
    [ -z "$(missing)" ] || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends buildah debootstrap >/dev/null; }
fi
[ -z "$(missing)" ] || die "not on the PATH:$(missing).
  Get it:  apt install buildah debootstrap   (or give --install)"

# shellcheck disable=SC2154 # set by the script that sources this file
work=$proxy/target/images
mkdir -p "$work"
# vfs copies every layer, but also works without overlayfs.
driver=overlay
buildah --storage-driver overlay --root "$work/storage" --runroot "$work/run" info >/dev/null 2>&1 || driver=vfs
BUILDAH_ISOLATION=chroot
export BUILDAH_ISOLATION
b() { buildah --storage-driver "$driver" --root "$work/storage" --runroot "$work/run" "$@"; }

# bases CONTEXT: creates the base images of its Dockerfile that do not exist yet. Each must be debian:SUITE or debian:SUITE-slim.
bases() {
    for image in $(awk '$1 == "FROM" && $2 ~ /:/ { print $2 }' "$1/Dockerfile" | sort -u); do
        b inspect --type image "docker.io/library/$image" >/dev/null 2>&1 && continue
        case $image in
            debian:*) suite=${image#debian:}; suite=${suite%-slim} ;;
            *) die "can only create debian:SUITE, not $image" ;;
        esac
        mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' 'Created-By: Packages' | awk '/ Debian$/ { print $1; exit }')
        [ -n "$mirror" ] || die "no Debian mirror in the machine's apt configuration; run apt-get update once"
        say "creating $image with debootstrap"
        rm -rf "$work/rootfs"
        debootstrap --variant=minbase "$suite" "$work/rootfs" "$mirror" >"$work/debootstrap.log" 2>&1 || die "debootstrap failed: $work/debootstrap.log"
        rm -rf "$work"/rootfs/var/cache/apt/archives/*.deb
        container=$(b from scratch)
        b add -q "$container" "$work/rootfs" / >/dev/null
        b commit -q --rm "$container" "docker.io/library/$image" >/dev/null
        container=
        rm -rf "$work/rootfs"
    done
}

# nginx opens more files than buildah allows by default, and nobody may allow more than the machine does.
open_files=$(prlimit --nofile --output HARD --noheadings --raw)

# image NAME CONTEXT [OPTION…]: builds it as lockstep/NAME, and creates $container from it, with its files at $root.
image() {
    name=$1 context=$2; shift 2
    b bud -q --pull-never --layers "$@" -t "lockstep/$name" "$context" >"$work/$name.build.log" 2>&1 ||
        { tail -n 20 "$work/$name.build.log" >&2; die "$name does not build: $work/$name.build.log"; }
    container=$(b from --pull-never --ulimit "nofile=$open_files:$open_files" "localhost/lockstep/$name")
    root=$(b mount "$container")
    say "$name: $(du -sm "$root" | cut -f 1) MB"
}
remove() { [ -z "$container" ] || b rm "$container" >/dev/null; container=; }

container=
trap remove EXIT
trap 'exit 1' HUP INT TERM
