#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# A service address as clusters have them: DNAT on this host turns it into an endpoint's, for its own
# sockets and for pods. A cgroup judges by the address that the program asked for, an interface by the
# one on the wire; both must allow, both list, and each packet counts once in each. Of UDP the cgroup
# sees the endpoint on the way out and the service address on the way back, so both must be allowed in
# it.
#
# lesson: the answer from a service address, seen behind another NAT than the opening, was taken for an
# opening of its own and refused.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/pods.sh"

service4=10.96.0.10 service6=fd96::10
endpoint4=10.20.0.5 endpoint6=fd00:20::5

service_make()
{
	lab_enter agent nft -f - <<-NFT
		table ip service {
			chain out { type nat hook output priority -100
				ip daddr $service4 meta l4proto { tcp, udp } dnat to $endpoint4:7007; }
			chain in { type nat hook prerouting priority -100
				ip daddr $service4 meta l4proto { tcp, udp } dnat to $endpoint4:7007; }
		}
		table ip6 service {
			chain out { type nat hook output priority -100
				ip6 daddr $service6 meta l4proto { tcp, udp } dnat to [$endpoint6]:7007; }
			chain in { type nat hook prerouting priority -100
				ip6 daddr $service6 meta l4proto { tcp, udp } dnat to [$endpoint6]:7007; }
		}
	NFT
}

declare -A rules=(
	[service]='peer: ["10.96.0.10", "fd96::10"], ports: [80/tcp, 80/udp]'
	[endpoint]='peer: [10.20.0.5, "fd00:20::5"], ports: [7007/tcp, 7007/udp]'
)

# A policy on both kinds of attach point: MODE RULES...
both_apply()
{
	local mode=$1 id
	policy_write "$work/both.yaml" "$mode" "{interfaces: [ens5], cgroups: [/$LAB_TAG-agent]}"
	for id in "${@:2}"; do
		sed -i "s|^rules:|rules:\n  - {id: $id, direction: egress, ${rules[$id]}, action: allow}|" "$work/both.yaml"
	done
	name="$mode, allowed: ${*:2}"
	[ $# -gt 1 ] || name="$mode, nothing allowed"
	succeeds "$name: apply" fr agent apply "$work/both.yaml"
}

talk() { lab_in agent timeout -s KILL 60 "$e2e_here/tools/sock-client" "$@"; }
both() { echo "$(talk "$1" $service4 80) $(talk "$1" $service6 80)"; } # tcp|udp

answers() # TCP UDP: the words for them
{
	tries "$name: TCP" "$1 $1" both tcp
	tries "$name: UDP" "$2 $2" both udp
}

# TCP flows of a kind of attach point, to ADDRESS PORT
flows_to() # KIND ADDRESS PORT
{
	fr_ask agent "[.flows[] | select(.kind == \"$1\" and .protocol == \"tcp\" and .peer.address == \"$2\" and
		.peer.port == $3)] | length" show flows
}

# TCP is listed by the cgroup under the service address, by the interface under the endpoint. COUNT
listed_on_both()
{
	equal "$name: the cgroup lists the service address" "$1 0 $1 0" \
		"$(flows_to cgroup $service4 80) $(flows_to cgroup $endpoint4 7007) $(flows_to cgroup $service6 80) $(flows_to cgroup $endpoint6 7007)"
	equal "$name: the interface lists the endpoint" "$1 0 $1 0" \
		"$(flows_to interface $endpoint4 7007) $(flows_to interface $service4 80) $(flows_to interface $endpoint6 7007) $(flows_to interface $service6 80)"
}

# Of a rule: CONNECTIONS PACKETS
figures() { echo "$(rule_field agent "$1" attempts) $(rule_field agent "$1" packets)"; }

figures_agree() { [ "$(figures service)" = "$(figures endpoint)" ]; }

counted_once_on_each()
{
	local connections packets
	both_apply audit service endpoint
	fr agent zero >/dev/null
	name='audit, TCP to the service address'
	tries "$name" 'ok ok' both tcp
	until_true figures_agree # the last acknowledgements
	read -r connections packets <<<"$(figures service)"
	equal "$name: openings in the cgroup" 2 "$connections"
	at_least "$name: both ways are counted there" 16 "$packets"
	equal "$name: openings and packets on the interface" "$connections $packets" "$(figures endpoint)"
}

# A loose source route goes to another host first, whatever address the socket has asked for.
source_route()
{
	name='a source route'
	tries "$name: is no way past the cgroup" timeout talk tcp $endpoint4 7007 --option via-10.0.5.23
	equal "$name: the cgroup judges it by where it goes" 1 "$(fr_ask agent '[.drops[] | select(.kind == "cgroup" and
		.peer.address == "10.0.5.23" and .peer.port == 7007)] | length' show drops)"
}

e2e_begin service
pods_make service
service_make
e2e_cgroup agent agent
peer_start nfs service 7007
peer_start nfs service-udp --udp 7007

both_apply audit
answers ok ok
listed_on_both 1
at_least "$name: the cgroup would drop the service address" 1 "$(drops_of agent would-drop egress $service4 80)"
at_least "$name: the interface the endpoint" 1 "$(drops_of agent would-drop egress $endpoint4 7007)"
both_apply enforce
answers denied denied
both_apply enforce endpoint
answers denied timeout # the datagram arrives; its answer comes from an address that is not allowed
both_apply enforce service
answers timeout denied
at_least "$name: it is the endpoint that is refused, on the interface" 1 "$(drops_of agent drop egress $endpoint4 7007)"
both_apply enforce service endpoint
answers ok ok
source_route
succeeds 'detach, to begin from nothing' fr agent detach
counted_once_on_each
listed_on_both 1

LAB_CGROUP=
both_apply enforce
equal 'pods by the service address: are forwarded, and judged nowhere' 'ok ok ok ok' \
	"$(peer_try pod1 tcp $service4 80) $(peer_try pod1 udp $service4 80) $(peer_try pod2 tcp $service6 80) $(peer_try pod2 udp $service6 80)"
succeeds 'detach' fr agent detach
