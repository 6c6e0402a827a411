#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A container sends from the port of a service of its host, and is masqueraded. While conntrack knows it the
# answers are its own; once conntrack has forgotten, packets to that port are for the host, and judged.
#
# lesson: a record of forwarded traffic outlived conntrack's, and let a peer in to a port that no rule opens.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/pods.sh"

taken() { lab_enter agent nstat -asz UdpInDatagrams | awk '/^Udp/ { print $2 }'; } # by sockets of the host

conntrack_seconds() # UDP STREAM
{
	lab_enter agent sh -c "echo $1 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
		echo $2 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream"
}

knocks() # PORT
{
	lab_in intruder "$e2e_here/tools/spoof" udp 10.66.0.66 4445 10.0.5.5 "$1" 1 >/dev/null
}

forgotten() # MODE VERDICT PORT: each has its own, for conntrack knows the one before
{
	local before told
	policy_write "$work/pods.yaml" "$1" '{interfaces: [ens5]}'
	succeeds "$1: apply" fr agent apply "$work/pods.yaml"
	before=$(taken)
	equal "$1: the container is answered, though the host listens on the port" ok \
		"$(peer_try pod1 udp 10.66.0.66 4445 --from "$3")"
	equal "$1: and not the host" "$before" "$(taken)"
	sleep 4 # conntrack's 3 s
	knocks "$3"
	for _ in $(seq 100); do
		told=$(drops_of agent "$2" ingress 10.66.0.66 "$3")
		[ "$told" = 0 ] || break
		sleep 0.05
	done
	equal "$1: what comes later is judged" 1 "$told"
	[ "$1" = audit ] || equal "$1: and does not arrive" "$before" "$(taken)"
	equal "$1: the container may speak again" ok "$(peer_try pod1 udp 10.66.0.66 4445 --from "$3")"
	succeeds "$1: detach" fr agent detach
}

e2e_begin forgotten
pods_make forgotten
conntrack_seconds 3 3
peer_start intruder udp --udp 4445
for port in 9008 9009; do # an echo would answer the echo, and so on
	lab_spawn "host-udp-$port" agent python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
while True: s.recv(99)' $port
	lab_listens agent u "*:$port"
done
forgotten audit would-drop 9008
forgotten enforce drop 9009
# A change of the time-outs changes the installed policy.
policy_write "$work/pods.yaml" enforce '{interfaces: [ens5]}'
succeeds 'time-outs: apply' fr agent apply "$work/pods.yaml"
equal 'time-outs: the same again' 1 "$(fr_ask agent '.policies[0].generation' status)"
succeeds 'time-outs: apply again' fr agent apply "$work/pods.yaml"
equal 'time-outs: changes nothing' 1 "$(fr_ask agent '.policies[0].generation' status)"
conntrack_seconds 30 120
succeeds 'time-outs: others' fr agent apply "$work/pods.yaml"
equal 'time-outs: are installed' 2 "$(fr_ask agent '.policies[0].generation' status)"
