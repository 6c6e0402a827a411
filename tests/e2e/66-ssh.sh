#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# apply warns when enforcing would cut off the session that it runs in: one that exists in the network
# namespace and comes by an attach point of the policy. Under sudo, which clears the environment, it is
# found in the processes above.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
. "$e2e_here/sessions.sh"

# The ids of warnings about SSH, with the session's variable set for apply, or for a process above it.
warned() # [above] CONNECTION FILE
{
	local how=() variable
	if [ "$1" = above ]; then
		shift
		how=(sh -c 'env -u SSH_CONNECTION "$@"; exit $?' sudo)
	fi
	variable="SSH_CONNECTION=$1"
	said=$(lab_enter agent env "$variable" "${how[@]}" timeout -s KILL 30 "$FLOWREEVE" apply "$work/$2" \
		--allow-removal --pin-root "$LAB_DIR/bpf/flowreeve" 2>&1) || echo failed
	grep -oP 'warning: .*\[\Kssh-[a-z]+(?=\]$)' <<<"$said" | xargs
}

policy() # FILE ATTACH PEER
{
	printf '%s\n' 'apiVersion: flowreeve/v1' 'kind: Policy' 'metadata: {name: e2e}' 'mode: audit' "attach: $2" 'failsafe: []' \
		"rules: [{id: in, direction: ingress, peer: [$3], ports: [22/tcp], action: allow}]" >"$work/$1"
}

e2e_begin ssh
peer_start agent sshd 22
sessions_start session bastion hold tcp 10.0.5.5 22 1
equal 'a session lives' 'answered 1 of 1' "$(sessions_ask session ask)"
there=$(lab_enter agent ss -Hnt state established sport = :22 | awk '{ print $4 }' | head -1)
session="10.0.9.5 ${there##*:} 10.0.5.5 22"
matches 'it is that of the bastion' '^(\[::ffff:)?10\.0\.9\.5\]?:[0-9]+$' "$there"

policy other.yaml '{interfaces: [ens5]}' 10.0.8.0/24
policy good.yaml '{interfaces: [ens5]}' 10.0.9.0/24
equal 'its peer is not admitted' ssh-refused "$(warned "$session" other.yaml)"
equal 'the same under sudo' ssh-refused "$(warned above "$session" other.yaml)"
equal 'its peer is admitted' '' "$(warned "$session" good.yaml)"
equal 'the same under sudo' '' "$(warned above "$session" good.yaml)"
equal 'a session that has ended' '' "$(warned '10.0.9.5 1 10.0.5.5 22' other.yaml)"
equal 'a session of another host' '' "$(warned '10.0.9.5 51234 192.0.2.1 22' other.yaml)"
equal 'junk' '' "$(warned "${session/ /  }" other.yaml)"
ip -n "$(lab_netns agent)" link add data0 type veth peer name data1
policy data.yaml '{interfaces: [data0]}' 10.0.8.0/24
equal 'a policy for another device' '' "$(warned "$session" data.yaml)"
policy nobody.yaml '{interfaces: [data0]}' 10.0.8.0/24
sed -i 's/22\/tcp/443\/tcp/' "$work/nobody.yaml"
equal 'nobody at all' ssh-closed "$(warned "$session" nobody.yaml)"
e2e_cgroup agent agent
policy slice.yaml "{cgroups: [/$LAB_TAG-agent]}" 10.0.8.0/24
equal 'a cgroup that its socket is not in' '' "$(warned "$session" slice.yaml)"
sessions_stop session
sessions_start own agent hold tcp 10.0.5.5 22 1
equal 'a session of this host with itself lives' 'answered 1 of 1' "$(sessions_ask own ask)"
there=$(lab_enter agent ss -Hnt state established dport = :22 | awk '{ print $3 }' | head -1)
equal 'it is not judged' '' "$(warned "10.0.5.5 ${there##*:} 10.0.5.5 22" other.yaml)"
sessions_stop own
lab_stop peer-sshd
peer_start agent sshd 22
sessions_start session bastion hold tcp 10.0.5.5 22 1
equal 'a session by a server in the cgroup' 'answered 1 of 1' "$(sessions_ask session ask)"
there=$(LAB_CGROUP='' lab_enter agent ss -Hnt state established sport = :22 | awk '{ print $4 }' | head -1)
equal 'a cgroup that its socket is in' ssh-refused "$(warned "10.0.9.5 ${there##*:} 10.0.5.5 22" slice.yaml)"
sessions_stop session
