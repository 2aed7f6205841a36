# SPDX-License-Identifier: Apache-2.0
# What every test of the command line begins with: a store of its own that
# does not exist yet, and words to say what must happen.
#
#   waybill ARGUMENT…                run it
#   expect STATUS ARGUMENT…          it exits so; $output and $stderr remain
#   refuse STATUS PATTERN ARGUMENT…  it exits so, prints nothing but one line
#                                    that matches, and changes nothing
#   refuse_untouched …               and no byte of the store differs either
bats_require_minimum_version 1.5.0

type=application/vnd.oci.image.manifest.v1+json
d1=sha256:1111111111111111111111111111111111111111111111111111111111111111
d2=sha256:2222222222222222222222222222222222222222222222222222222222222222
d3=sha256:3333333333333333333333333333333333333333333333333333333333333333
library=docker.io/library

setup()
{
	source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	build_dir=${WAYBILL_BUILD_DIR:-$source_dir/build/release}
	binary=$(realpath "${WAYBILL:-$build_dir/bin/waybill}")
	unset WAYBILL_NAMESPACE CONTAINERD_NAMESPACE NO_COLOR TERM
	unset XDG_RUNTIME_DIR XDG_STATE_HOME
	leftovers=()
	place=$BATS_TEST_TMPDIR
	# In a container the temporary directory may be on a file system that
	# the store warns of.
	if [ "$(stat -f -c %T "$place")" = overlayfs ]; then
		place=$(mktemp -d /dev/shm/waybill-cli.XXXXXX)
		leftovers+=("$place")
	fi
	store=$place/store
	export WAYBILL_STORE=dir:$store
	cd "$place"
}

teardown()
{
	cd /
	rm -rf "${leftovers[@]}"
}

waybill()
{
	"$binary" "$@"
}

# until_stuck PID LINES: the program behind strace PID is held for some time,
# after LINES calls were traced. Sets $tracee.
until_stuck()
{
	local held=0 line
	while [ $held -lt 10 ]; do
		sleep 0.01
		tracee=$(cat "/proc/$1/task/$1/children")
		tracee=${tracee% }
		[ -n "$tracee" ] || continue
		read -r line <"/proc/$tracee/stat" || continue
		line=${line#*) }
		if [ "${line%% *}" = t ] && [ "$(wc -l <trace)" -eq "$2" ] &&
			[ "$(readlink "/proc/$tracee/exe")" = "$binary" ]; then
			held=$((held + 1))
		else
			held=0
		fi
	done
}

# Does this build carry the address sanitizer? Its shadow memory needs all of
# the address space, and its leak check does not like to be traced.
sanitized()
{
	grep -q __asan_init "$binary"
}

# mounted SCRIPT: runs it where it can mount what nobody else sees.
mounted()
{
	if [ "$(id -u)" -eq 0 ]; then
		unshare -m bash -euc "$1"
	else
		unshare -Urm bash -euc "$1"
	fi
}

can_mount()
{
	mkdir -p "$place/mountpoint"
	mounted "mount -t tmpfs none '$place/mountpoint'"
}

put()
{
	local name=$1 digest=${2:-$d1}

	waybill put "$name" --media-type "$type" --digest "$digest" \
		--size 100 "${@:3}" >/dev/null
}

expect()
{
	local status_wanted=$1
	shift
	run --separate-stderr waybill "$@"
	if [ "$status" -ne "$status_wanted" ]; then
		args=$*
		echo "waybill ${args:0:500}"
		echo "exit status $status, not $status_wanted"
		echo "stdout: $output"
		echo "stderr: $stderr"
		return 1
	fi
}

# All that the store says of itself.
contents()
{
	[ -e "$store" ] || { echo absent; return; }
	waybill log --json --limit 0 2>&1 || true
	waybill ls --json 2>&1 || true
}

files()
{
	[ -e "$store" ] || { echo absent; return; }
	# The lock's text is about the last opener, not about the store.
	(cd "$store" && find . -type f ! -name lock -exec sha256sum {} + |
		sort -k 2)
}

says_one_line()
{
	if [ "${#stderr_lines[@]}" -ne 1 ] ||
		[[ ! "$stderr" =~ ^waybill:\ .*$1 ]]; then
		echo "one line with $1 was expected, but stderr is:"
		echo "$stderr"
		return 1
	fi
	if [ -n "$output" ]; then
		echo "nothing was expected on stdout, but there is:"
		echo "$output"
		return 1
	fi
}

refuse()
{
	local before after
	before=$(contents)
	expect "$1" "${@:3}"
	says_one_line "$2"
	after=$(contents)
	if [ "$before" != "$after" ]; then
		echo "the refused command changed the store:"
		diff <(echo "$before") <(echo "$after")
		return 1
	fi
}

refuse_untouched()
{
	local before after
	before=$(files)
	refuse "$@"
	after=$(files)
	if [ "$before" != "$after" ]; then
		echo "the refused command changed a file of the store:"
		diff <(echo "$before") <(echo "$after")
		return 1
	fi
}

# The value of a path in the JSON of $output.
json()
{
	/usr/bin/python3 -c '
import json, sys
value = json.loads(sys.argv[1])
for step in sys.argv[2].split("/"):
    value = value[int(step)] if isinstance(value, list) else value[step]
print(value if isinstance(value, str) else json.dumps(value))
' "${2:-$output}" "$1"
}

is()
{
	if [ "$1" != "$2" ]; then
		printf 'is:        %s\nshould be: %s\n' "$1" "$2"
		return 1
	fi
}

has()
{
	if [[ "$1" != *"$2"* ]]; then
		printf 'is:            %s\nshould contain: %s\n' "$1" "$2"
		return 1
	fi
}
