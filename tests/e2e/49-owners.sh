#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Other users on the host: no command uses directories of pins that they made first, own, may write or
# redirect; directories that they could write are closed to them and reported; their obstacles to the
# look-ups in /proc delay no command. A user with the privileges is served in a directory of his own.
#
# lesson: on a bpffs mounted as the hint said (mode 1777) an unprivileged user made the pin root first, and
# unlinked the links that root's apply pinned in it: enforcement was off.
. "$(dirname "$0")/lib.sh"

nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --)

# A mount namespace without a bpffs, or with one of that mode at /sys/fs/bpf; the device d0. COMMAND runs there.
within() # MODE|none
{
	[ "$1" = none ] || mount -t bpf -o "mode=$1" bpf /sys/fs/bpf || exit 2
	root=/sys/fs/bpf/r
}

say() { said=$(timeout -s KILL 60 "$FLOWREEVE" "$@" --pin-root "$root" 2>&1); code=$?; }
apply() { say apply "$work/one.yaml"; }
empty() { rm -rf "${root:?}"; }

hint() { sed -n 's/^ *| //p' <<<"$said" | tail -1; }

refused() # WHAT PATTERN: by every command, with a hint that heals
{
	local verb what=$1 hint
	for verb in 'status' 'show rules' 'coverage' 'zero' 'monitor --count 1' 'detach' "apply $work/one.yaml"; do
		# shellcheck disable=SC2086 # words
		say $verb
		if [ $code = 3 ] && grep -qE "$2" <<<"$said"; then ok "$what: $verb"; else
			not_ok "$what: $verb" "exit $code: $said"
		fi
	done
	hint=$(hint)
	(cd "$work" && bash -c "$hint")
	apply
	equal "$what: its hint heals: $hint" 0 $code
	say detach
	equal "$what: and detach works" 0 $code
	empty
}

closed() # WHAT DIR: it was open to others, with a policy in force
{
	apply
	equal "$1: exit 0" 0 $code
	matches "$1: is reported" "$2 was open to other users .* \[pin-mode\]" "$said"
	equal "$1: is closed" 700 "$(stat -c %a "$2")"
	apply
	equal "$1: is reported once" 0 "$(grep -c pin-mode <<<"$said")"
}

directories()
{
	within 1777
	"${nobody[@]}" mkdir "$root"
	refused 'a pin root of another user' "$root belongs to user 65534"
	"${nobody[@]}" ln -s /sys/fs/bpf/elsewhere "$root"
	refused 'a link in its place' "$root is a symbolic link"
	"${nobody[@]}" ln -s /tmp "$root"
	refused 'a link out of the bpffs' "$root is a symbolic link"
	mkdir -m 1777 "$root"
	"${nobody[@]}" mkdir "$root/held"
	refused 'the directory of the policy' "$root/held belongs to user 65534"
	mkdir -m 1777 "$root"
	"${nobody[@]}" mkdir -p "$root/other/e1"
	refused 'what looks like another policy' "$root/other belongs to user 65534"
	mkdir -m 0777 "$root" "$root/held" "$root/held/e1"
	"${nobody[@]}" mkdir "$root/held/e1/image-7"
	refused 'what looks like a pin' "$root/held/e1/image-7 belongs to user 65534"
	mkdir -m 1777 "$root"
	"${nobody[@]}" mkdir "$root/x;id>pwned;#"$'it\'s\e]0;'
	refused 'a name that is a command' "belongs to user 65534"
	equal 'the hint runs nothing of it' no "$([ -e "$work/pwned" ] && echo yes || echo no)"
	mkdir -m 0777 /sys/fs/bpf/above
	root=/sys/fs/bpf/above/r
	refused 'a directory above that others may write' 'other users may write /sys/fs/bpf/above '
	rm -r /sys/fs/bpf/above
	"${nobody[@]}" mkdir /sys/fs/bpf/above
	refused 'a directory above of another user' '/sys/fs/bpf/above.*belongs to user 65534'
	rm -r /sys/fs/bpf/above*
	swapped
}

# Its owner puts a link in the place of the directory before the hint is pasted.
swapped()
{
	local before hint
	mkdir -m 0755 "$work/victim"
	chown 65533 "$work/victim"
	before=$(stat -c '%u %a' "$work/victim")
	"${nobody[@]}" mkdir /sys/fs/bpf/above
	apply
	equal 'a directory above that is exchanged: exit 3' 3 $code
	"${nobody[@]}" sh -c 'rmdir /sys/fs/bpf/above && ln -s "$1" /sys/fs/bpf/above' sh "$work/victim"
	hint=$(hint)
	bash -c "$hint"
	equal "what the link leads to is as it was: $hint" "$before" "$(stat -c '%u %a' "$work/victim")"
	apply
	equal 'and the hint heals' 0 $code
	say detach
}

# Pins below a mount cannot be read.
covered()
{
	local at hint
	within 0700
	apply
	for at in "$root/held/e1" "$root/held"; do
		mount -t tmpfs none "$at"
		say status --query
		equal "a mount at ${at#"$root/"}: status: exit 3" 3 $code
		apply
		equal "a mount at ${at#"$root/"}: apply: exit 3" 3 $code
		matches 'and says so' "another file system is mounted at $at" "$said"
		hint=$(hint)
		bash -c "$hint"
		say status --query
		equal "its hint heals: $hint" 0 $code
	done
	say detach
}

modes()
{
	within 1777
	apply
	equal 'beside others, in a directory of its own: exit 0' 0 $code
	equal 'all that it makes is its own' '700 700 700' \
		"$(stat -c %a "$root" "$root/held" "$root"/held/e1 | xargs)"
	chmod 0755 "$root"
	closed 'a pin root that others may read' "$root"
	chmod 1777 "$root/held"
	closed 'the directory of a policy' "$root/held"
	chmod 0770 "$root"/held/e1
	closed 'an epoch' "$root/held/e1"
	chmod 0755 "$root"
	say status
	equal 'status: exit 0' 0 $code
	matches 'and it says so, too' 'pin-mode' "$said"
	say detach
}

# A user with the privileges is served in a directory of his own; for root it is another user's.
own_user()
{
	local caps=+bpf,+net_admin,+perfmon
	within 1777
	say() { said=$("${as[@]}" timeout -s KILL 60 "$FLOWREEVE" "$@" --pin-root "$root" 2>&1); code=$?; }
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps "$caps" --ambient-caps "$caps" --)
	apply
	equal 'a user with the capabilities: exit 0' 0 $code
	equal 'in a directory of his own' '65534 700' "$(stat -c '%u %a' "$root")"
	say status --query
	equal 'and status is his' 0 $code
	as=(env)
	say status
	equal 'root does not believe it: exit 3' 3 $code
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps "$caps" --ambient-caps "$caps" --)
	say detach
	equal 'and detach: exit 0' 0 $code
}

# A user who may open the directory can lock it.
locks()
{
	within 0755
	apply
	chmod 0755 "$root"
	apply
	"${nobody[@]}" flock -n "$root" true 2>/dev/null
	equal 'another user cannot lock it: permission denied' 66 $?
	say detach
	equal 'detach: exit 0' 0 $code
}

mounts()
{
	local script="umount /sys/fs/bpf 2>/dev/null; \"$FLOWREEVE\" apply \"$work/one.yaml\" --pin-root /sys/fs/bpf/r; stat -c 'mode %a' /sys/fs/bpf"
	said=$(while umount /sys/fs/bpf 2>/dev/null; do :; done; bash -c "$script; :" 2>&1)
	matches 'apply says that it mounts a bpffs' 'mounted one, mode 0700 \[bpffs-mounted\]' "$said"
	matches 'and nobody else may write there' '^mode 1?700$' "$said"
	within 1777
	say doctor
	matches 'doctor: a bpffs that everybody may write' '/sys/fs/bpf is world-writable \(mode 1777\)' "$said"
	matches 'doctor: and the command that closes it' 'chmod 0700 /sys/fs/bpf' "$said"
	chmod 0700 /sys/fs/bpf
	say doctor
	equal 'doctor: after that nothing is found' '' "$(grep world-writable <<<"$said")"
}

# Named pipes and devices where a file is named, and where namespaces are looked for.
pipes()
{
	within 0700
	mkfifo "$work/pipe"
	said=$(timeout 10 "$FLOWREEVE" apply "$work/pipe" --pin-root "$root" 2>&1)
	equal 'a policy that is a pipe: exit 3, at once' 3 $?
	sed "s#^rules:#sets: {s3: {aws-ip-ranges: {file: $work/pipe, service: S3}}}\n&#" "$work/one.yaml" >"$work/set.yaml"
	said=$(timeout 10 "$FLOWREEVE" check "$work/set.yaml" 2>&1)
	equal 'a file of prefixes that is a pipe: exit 3, at once' 3 $?
	# A network namespace that nothing but a descriptor holds, and processes that hold worse.
	coproc there {
		exec unshare --net sh -c 'ip link add d0 type veth peer name e0 && "$0" apply "$1" --no-tcx --pin-root "$2" &&
			exec cat' "$FLOWREEVE" "$work/one.yaml" "$root"
	}
	until grep -q 'refused packets are dropped' <<<"${line:-}"; do read -r line <&"${there[0]}" || break; done
	exec 9<"/proc/$there_PID/ns/net"
	end=${there[1]}
	exec {end}>&-
	wait "$there_PID"
	chmod 666 "$work/pipe"
	coproc held { "${nobody[@]}" bash -c 'exec 7<>"$0" 8</dev/zero; echo held; exec cat' "$work/pipe"; }
	read -r line <&"${held[0]}"
	equal 'another user holds a pipe' held "$line"
	said=$(timeout 60 "$FLOWREEVE" status --query --pin-root "$root" 2>&1)
	equal 'a namespace is found past the pipes that others hold: exit 0' 0 $?
	say detach
	equal 'and left by detach' 0 $code
	end=${held[1]}
	exec {end}>&-
}

if [ "$(id -u)" != 0 ]; then
	skip owners 'needs root'
	exit 0
fi
work=$(mktemp -d /tmp/fr-owners.XXXXXX)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
FLOWREEVE=$work/flowreeve
cp "$e2e_built" "$FLOWREEVE" || exit 1
cat >"$work/one.yaml" <<-YAML
	apiVersion: flowreeve/v1
	kind: Policy
	metadata: {name: held}
	mode: enforce
	attach: {interfaces: [d0]}
	rules:
	  - {id: r, direction: egress, peer: [10.9.0.0/16], ports: [9/tcp], action: allow}
	failsafe: []
YAML
if [ "${1:-}" ]; then
	e2e_failed=0
	ip link add d0 type veth peer name e0
	"$1"
	exit $e2e_failed
fi
failed=0
for part in directories covered modes own_user locks mounts pipes; do
	unshare --net --mount bash "$0" $part || failed=1
done
exit $failed
