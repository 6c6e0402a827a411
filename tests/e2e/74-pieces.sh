#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# Packets that the kernel holds in pieces: headers that lie beyond the first one, and segments that travel
# as one large packet until the device cuts them up (GSO). The first are read, not guessed and not refused;
# the second are counted as the segments on the wire.
#
# lesson: elsewhere a short read became a bypass, or a packet was lost for how it lay in memory.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/odd.sh"

# One larger than a page, of which only so many bytes lie in one piece: PORT SOURCE TARGET BYTES OPTIONS...
piecemeal()
{
	local port=$1 source=$2 target=$3 linear=$4
	shift 4
	tool router frame-client send "$wire" "$party_mac" "$source" "$target" "$port" \
		--from "$next_port" --size 5000 --linear "$linear" "$@"
}

# One for a port that is allowed, one for its neighbour: WHAT SOURCE TARGET BYTES OPTIONS...
pieces_judged()
{
	local what=$1 opened refused source=$2
	shift
	next_port=$((next_port + 1))
	opened=$(rule_field "$host" serve attempts) refused=$(drops_of "$host" $told ingress "$source" 515)
	piecemeal 514 "$@" >/dev/null
	piecemeal 515 "$@" >/dev/null
	equal "$kind, $mode: $what: one is admitted, one is not" '1 1' \
		"$(($(rule_field "$host" serve attempts) - opened)) $(($(drops_of "$host" $told ingress "$source" 515) - refused))"
}

pieces_run() # KIND MODE WIRE DEVICE NODE
{
	local linear
	e2e_kind "$1"
	wire=$3 party_mac=$(lab_enter "$5" ip -json link show dev "$4" | jq -r '.[0].address')
	odd_apply "$2"
	# Ethernet alone; half an IP header; all of it; half of the ports.
	for linear in 14 24 34 36; do
		pieces_judged "IPv4, $linear bytes in one piece" 10.0.5.10 "$party4" $linear
	done
	for linear in 14 40 56; do
		pieces_judged "IPv6, $linear bytes in one piece" fd00:5::10 "$party6" $linear
	done
	pieces_judged 'IPv6 with extension headers' fd00:5::10 "$party6" 14 --chain 6
	pieces_judged 'an opening of TCP' 10.0.5.10 "$party4" 14 --tcp
	if [ "$kind" != cgroup ]; then
		pieces_judged 'behind a tag' 10.0.5.10 "$party4" 14 --tags 5
		pieces_judged 'behind two' fd00:5::10 "$party6" 14 --tags ad100.5
	fi
	equal "$kind, $mode: none was taken for broken" 0 "$(reason_of $told malformed)"
	succeeds "$kind, $mode: detach" fr "$host" detach
}

# ---------------------------------------------------------------- segments

# "packets bytes" of a device: NODE DEVICE rx|tx
device_figures()
{
	lab_enter "$1" ip -json -s link show dev "$2" | jq -r ".[0].stats64.$3 | \"\(.packets) \(.bytes)\""
}

# The same as the hooks counted it: L3 bytes, and those of another protocol by the frame. DIRECTION
hook_figures()
{
	fr_ask "$host" "[.policies[].verdicts[] | select(.direction == \"$1\" and .kind == \"$kind\" and .verdict == \"pass\")] |
		[([.[] | select(.reason == \"non-ip\") | .packets] | add // 0), ([.[].bytes] | add // 0)] | join(\" \")" status
}

# Both at one moment, in which nothing passed: DIRECTION
figures_taken()
{
	local again
	counted=
	for _ in $(seq 20); do
		again=$(hook_figures "$1") moved=$(device_figures "$host" "$device" "$side")
		counted=$(hook_figures "$1")
		[ "$again" = "$counted" ] && break
	done
	counted="$moved $counted"
}

# WHAT BEFORE AFTER: two times "device's packets, bytes, hook's other packets, bytes"
bytes_agree()
{
	local p b o c packets bytes other hook
	read -r p b o c <<<"$2"
	read -r packets bytes other hook <<<"$3"
	equal "$kind: $1: bytes are those of the device" \
		$((bytes - b - 14 * (packets - p - (other - o)))) $((hook - c))
}

# 4 MB; what the party sends is "out" when it opened the connection. WHAT NODE ADDRESS PORT local|peer
segments_agree()
{
	local what=$1 _ port out back again input flow side_of='egress ingress'
	[ "$5" = local ] || side_of='ingress egress'
	for _ in 1 2 3; do
		coproc POUR { tool "$2" bulk-client pour "$3" "$4" 4; }
		read -r -t 30 _ port _ out _ back _ again <&"${POUR[0]}"
		flow=$(fr_ask "$host" "[.flows[] | select(.$5.port == ${port:-0}) |
			\"\(.${side_of% *}.packets) \(.${side_of#* }.packets)\"][0]" show flows)
		input=${POUR[1]}
		exec {input}>&-
		wait "$POUR_PID" 2>/dev/null
		# Packets that were lost on the way and sent again differ at both ends.
		[ "${again:-0}" = 0 ] && break
	done
	equal "$kind: $what: packets are the segments that the kernel sent and received" "${out:-} ${back:-}" "$flow"
	at_least "$kind: $what: and not the pieces that they travelled in" 2000 "${out:-0}"
}

segments_run() # KIND NODE DEVICE OUT IN: as the device calls what the party sends and receives
{
	local sent received
	e2e_kind "$1"
	device=$3
	odd_apply enforce
	side=$4 && figures_taken egress && sent=$counted
	side=$5 && figures_taken ingress && received=$counted
	segments_agree 'sent' "$party" 10.0.5.10 7 local
	segments_agree 'sent over IPv6' "$party" fd00:5::10 7 local
	segments_agree 'received' vpc "$party4" 514 peer
	side=$4 && figures_taken egress && bytes_agree sent "$sent" "$counted"
	side=$5 && figures_taken ingress && bytes_agree received "$received" "$counted"
	succeeds "$kind: detach" fr "$host" detach
}

mtu_set() # BYTES
{
	local link
	for link in router:p-agent agent:ens5 router:p-hypervisor hypervisor:eth0 hypervisor:br0 hypervisor:tap0 appliance:eth0; do
		ip -n "$LAB_TAG-${link%:*}" link set "${link#*:}" mtu "$1"
	done
}

e2e_begin pieces
next_port=4000
odd_party_start agent
mtu_set 9000
pieces_run interface enforce p-agent ens5 agent
pieces_run guest enforce p-hypervisor eth0 appliance
odd_kind cgroup
pieces_run cgroup enforce p-agent ens5 agent
mtu_set 1500
LAB_CGROUP=
lab_stop peer-serve-tcp-agent
lab_spawn sink-vpc vpc "$e2e_here/tools/bulk-client" sink 7
lab_spawn sink-agent agent "$e2e_here/tools/bulk-client" sink 514
lab_spawn sink-appliance appliance "$e2e_here/tools/bulk-client" sink 514
for node in vpc agent appliance; do
	lab_listens $node t '*:[57]*'
done
segments_run interface agent ens5 tx rx
segments_run guest hypervisor tap0 rx tx
# The kernel cuts before the hook where the device cannot.
ip -n "$LAB_TAG-agent" link set ens5 gso_max_segs 1
segments_run interface agent ens5 tx rx
