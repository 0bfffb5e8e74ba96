/*
 * What is run in the namespaces of a sandbox. Names of folders come as arguments, one each, and
 * are walked one after the other: where a link leads elsewhere the folder that is come to does not
 * have the path that it should, and nothing more is done. What is mounted is `.`, which is held.
 */

/** Walks from a folder, `$1`, along names; makes those that are missing where `$2` is `make`. */
const WALK = `
set -e
walk() {
  stint_at=$1 stint_make=$2
  shift 2
  cd -P "$stint_at"
  for stint_name; do
    [ -e "./$stint_name" ] || [ "$stint_make" != make ] || mkdir "./$stint_name"
    cd -P "./$stint_name"
    stint_at=\${stint_at%/}/$stint_name
    [ "$(pwd -P)" = "$stint_at" ] && continue
    echo "$stint_at must be a folder, and no link to one" >&2
    exit 3
  done
}
seal() {
  stint_options=$(findmnt -no OPTIONS -M "$1")
  mount -o "remount,bind,ro\${stint_options#r[ow]}" "$1"
}
`;

/**
 * Prepares a gift where nobody sees it: `$1` is the stage, `$2` the ground, `$3` how many paths in
 * the gift are covered, `$4` how many of what is covered are shown all the same, `$5` how many have
 * a mount of their own and `$6` how many have something else in their place; then come these, each
 * from the gift on: those with a mount with what it is for before them, the last with `ro` or `rw`
 * and what they have before it; then the names of the folder.
 *
 * What is mounted nobody inside can rename, nor remove. So what stays as it is (`kept`) or is not
 * given (`left`) is mounted, read-only, and whatever lies on the way to it (`way`, `made`), as is.
 */
export const STAGE = `${WALK}
stint_stage=$1 stint_ground=$2 stint_hidden=$3 stint_shown=$4 stint_fixed=$5 stint_own=$6
shift 6
umount -l "$stint_stage" 2>/dev/null || :
mkdir -p "$stint_stage"
# The nest may lie in the ground: a gift in which it lay would be taken with its own stage.
mount --make-unbindable "\${stint_stage%/*}"
stint_walk() {
  shift $((stint_hidden + stint_shown + 2 * stint_fixed + 3 * stint_own))
  walk "$stint_ground" make "$@"
}
stint_walk "$@"
mount --no-canonicalize --rbind . "$stint_stage"
stint_folder=$stint_at
cd /
cover() {
  [ -e "$stint_stage/$1" ] || return 0
  mount -t tmpfs -o size=4k,mode=755,nosuid,nodev stint "$stint_stage/$1"
}
show() {
  mkdir -p "$stint_stage/$1"
  mount --rbind "$stint_folder/$1" "$stint_stage/$1"
  seal "$stint_stage/$1"
}
close() {
  [ ! -e "$stint_stage/$1" ] || seal "$stint_stage/$1"
}
each() {
  stint_do=$1 stint_from=$2 stint_count=$3
  shift 3
  shift "$stint_from"
  while [ "$stint_count" -gt 0 ]; do
    "$stint_do" "$1"
    stint_count=$((stint_count - 1))
    shift
  done
}
each cover 0 "$stint_hidden" "$@"
each show "$stint_hidden" "$stint_shown" "$@"
each close 0 "$stint_hidden" "$@"
shift $((stint_hidden + stint_shown))
reach() {
  stint_way=$1
  set -f
  IFS=/
  set -- $2
  unset IFS
  set +f
  walk "$stint_stage" "$stint_way" "$@"
}
fix() {
  case $1 in
    left | made) reach make "$2" ;;
    *) [ -e "$stint_stage/$2" ] && [ ! -L "$stint_stage/$2" ] || return 0 ;;
  esac
  cd /
  mount --no-canonicalize --bind "$stint_stage/$2" "$stint_stage/$2"
  case $1 in
    left | kept) seal "$stint_stage/$2" ;;
  esac
}
while [ "$stint_fixed" -gt 0 ]; do
  fix "$1" "$2"
  stint_fixed=$((stint_fixed - 1))
  shift 2
done
while [ "$stint_own" -gt 0 ]; do
  mount --rbind "$2" "$stint_stage/$3"
  [ "$1" = rw ] || seal "$stint_stage/$3"
  stint_own=$((stint_own - 1))
  shift 3
done
`;

/** Gives what is on the stage, `$1`, to a sandbox: `$2` is the hub, then come the names. */
export const ATTACH = `${WALK}
stint_stage=$1 stint_hub=$2
shift 2
walk "$stint_hub" leave "$@"
mount --no-canonicalize --rbind "$stint_stage" .
cd /
umount -l "$stint_stage"
`;

/** Takes mounts away, whatever is in use of them; each argument is a path. */
export const DETACH = `
for stint_at; do umount -l "$stint_at"; done
`;

/** Makes the mount that it is run at the top of read-only; `$1` are the options that it has. */
export const SEAL = `
exec mount --no-canonicalize --options-mode ignore -o "remount,bind,ro\${1#r[ow]}" none .
`;
