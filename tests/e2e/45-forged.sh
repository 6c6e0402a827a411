#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The allowances for a busy host admit no attacker. An allowed peer turned hostile sends an ACK, then a
# SYN, to a port that it must not open; an attacker with raw sockets sends 100,000 segments with forged
# sources. None is admitted, and no live session breaks or loses its record.
#
# lesson: in other firewalls a flood of connections evicted the entries of live ones, and their replies
# were refused as new; and an unknown mid-stream packet that is accepted without a check is a way in.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

each=20
sessions='before-out before-in after-out after-in'

forged() # WHAT LEAST NODE ARGUMENTS...: so many of them came to be seen
{
	local what=$1 least=$2 node=$3
	shift 3
	at_least "$kind: $what were sent" "$least" "$(lab_in "$node" "$e2e_here/tools/spoof" "$@" 2>&1 | awk '{ print $2 }')"
}

sessions_live() # WHAT
{
	local name
	for name in $sessions; do
		sessions_send "$name" ask 60
	done
	for name in $sessions; do
		equal "$kind: $1, the sessions live: $name" "answered $each of $each" "$(sessions_reply "$name")"
	done
	equal "$kind: $1, and the datagram sockets" "answered $each of $each" "$(sessions_ask udp ask)"
}

# Flows that were established while the policy ran, by their start.
established()
{
	fr_ask "$host" '[.flows[] | select(.state == "established" and .protocol == "tcp" and
		(.rule == "echo" or .rule == "ssh-from-bastion")) |
		"\(.opener) \(.local.port) \(.peer.port) \(.first[0:19])"] | sort | join("\n")' show flows
}

# An allowed peer, at its allowed port, tries to get in.
admits_no_syn()
{
	local flags
	for flags in A PA FA SA R S; do
		lab_in nfs "$e2e_here/tools/spoof" tcp 10.20.0.5 2049 "$party4" 8080 3 $flags >/dev/null
	done
	tries "$kind: an ACK, and then a SYN, of an allowed peer's port" timeout \
		peer_try nfs tcp "$party4" 8080 --from 2049
	lab_in nfs "$e2e_here/tools/spoof" udp 10.20.0.5 2049 "$party4" 8081 3 >/dev/null
	tries "$kind: the same over UDP" timeout peer_try nfs udp "$party4" 8081 --from 2049
	lab_in intruder "$e2e_here/tools/spoof" tcp 10.0.9.5 1 "$party4" 8080 3 A >/dev/null
	tries "$kind: an ACK in the name of the bastion, then its SYN" timeout \
		peer_try bastion tcp "$party4" 8080 --from 1
}

floods()
{
	local before drops
	before=$(established)
	drops=$(rule_field "$host" default-ingress drops)
	at_least "$kind: established flows are on record" $((2 * each)) "$(wc -l <<<"$before")"
	forged 'ACKs in the name of the file server' 50000 intruder tcp 10.20.0.5 7 "$party4" 1024-60000 50000 A
	forged 'ACKs in the name of the bastion' 50000 intruder tcp 10.0.9.5 1024-60000 "$party4" 22022 50000 A
	sessions_live 'after 100,000 forged ACKs'
	forged 'SYNs to an open port' 40000 intruder tcp 10.99.0.0/16 1024-60000 "$party4" 8088 40000 S
	forged 'SYNs to a closed port' 40000 intruder tcp 10.99.0.0/16 1024-60000 "$party4" 8080 40000 S
	at_least "$kind: those that are allowed were seen" 30000 "$(rule_field "$host" web attempts)"
	at_least "$kind: so were the others" 30000 $(($(rule_field "$host" default-ingress drops) - drops))
	sessions_live 'after a flood of SYNs'
	equal "$kind: the record of each established flow is still the one it was" "$before" "$(established)"
}

# The time in which a guest's flows are adopted is over: adopted flows must last without it.
window_closed()
{
	sessions_start before-out "$party" hold tcp 10.20.0.5 7 $each
	sessions_start before-in bastion hold tcp "$party4" 22022 $each
	sed 's/^failsafe:/adopt: 15s\n&/' "$work/forged.yaml" >"$work/window.yaml"
	succeeds 'guest, a short time to adopt: enforce' fr "$host" apply "$work/window.yaml" $options
	equal 'guest, a short time to adopt: sessions of ours' "answered $each of $each" "$(sessions_ask before-out ask)"
	equal 'guest, a short time to adopt: of others' "answered $each of $each" "$(sessions_ask before-in ask)"
	sleep 15.2
	equal 'guest, when it is over: sessions of ours' "answered $each of $each" "$(sessions_ask before-out ask)"
	forged 'SYNs, when it is over,' 100000 intruder tcp 10.99.0.0/16 1024-60000 "$party4" 8088 100000 S
	equal 'guest, and after a flood: sessions of ours' "answered $each of $each" "$(sessions_ask before-out ask)"
	equal 'guest, and after a flood: of others' "answered $each of $each" "$(sessions_ask before-in ask)"
	sessions_stop before-out before-in
	succeeds 'guest, a short time to adopt: detach' fr "$host" detach
}

forged_run() # KIND
{
	e2e_kind "$1"
	policy_write "$work/forged.yaml" enforce "$attach"
	sed -i 's/^rules:/&\n  - {id: web, direction: ingress, peer: [10.99.0.0\/16], ports: [8088\/tcp], action: allow}/' \
		"$work/forged.yaml"
	peer_start "$party" "admin-$kind" 22022 8080 8088
	peer_start "$party" "admin-udp-$kind" --udp 8081
	sessions_start before-out "$party" hold tcp 10.20.0.5 7 $each
	sessions_start before-in bastion hold tcp "$party4" 22022 $each
	succeeds "$kind: enforce" fr "$host" apply "$work/forged.yaml" $options
	sessions_start after-out "$party" hold tcp 10.20.0.5 7 $each
	sessions_start after-in bastion hold tcp "$party4" 22022 $each
	sessions_start udp "$party" hold udp 10.20.0.5 7 $each
	sessions_live 'at first'
	admits_no_syn
	floods
	sessions_stop $sessions udp
	succeeds "$kind: detach" fr "$host" detach
	[ "$kind" != guest ] || window_closed
	lab_stop "peer-admin-$kind"
	lab_stop "peer-admin-udp-$kind"
}

e2e_begin forged
ip -n "$(lab_netns router)" route add blackhole 10.99.0.0/16
peer_start nfs echo 7
sessions_start serve nfs serve 7
forged_run interface
forged_run guest
forged_run cgroup
