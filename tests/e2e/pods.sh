# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Two "pods" behind the agent, as a container host has them: namespaces of their own on a bridge, which
# the agent forwards for and masquerades on its way out, over both families; and published ports.
# Sourced after lib.sh.
#
#   pod1 10.244.0.11, pod2 10.244.0.12 -- pods0 10.244.0.1 [agent] ens5 10.0.5.5 -- the lab

pods_rules() # of the agent; `published` maps its port 8080 (allowed by the tests' policy) and 8081 to pod1
{
	local family addresses pod
	for family in ip ip6; do
		addresses=10.244.0.0/24 pod=10.244.0.11
		[ $family = ip ] || addresses=fd44::/64 pod='[fd44::11]'
		cat <<-NFT
			table $family pods {
				chain published {
					type nat hook prerouting priority -100
					iifname ens5 tcp dport 8080-8081 dnat to $pod:8080
					iifname ens5 udp dport 8080-8081 dnat to $pod:8080
				}
				chain leaving {
					type nat hook postrouting priority 100
					$family saddr $addresses oifname ens5 masquerade
				}
			}
		NFT
	done
}

pod_make() # NUMBER
{
	local pod="pod$1"
	echo "$LAB_TAG-$pod" >>"$LAB_DIR/netns"
	ip netns add "$LAB_TAG-$pod"
	ip -n "$LAB_TAG-agent" link add "p$1" type veth peer name eth0 netns "$LAB_TAG-$pod"
	ip -n "$LAB_TAG-agent" link set "p$1" master pods0 up
	ip -n "$LAB_TAG-$pod" link set lo up
	ip -n "$LAB_TAG-$pod" link set eth0 up
	lab_address "$pod" eth0 "10.244.0.1$1/24" "fd44::1$1/64"
	lab_gateway "$pod" 10.244.0.1 fd44::1
}

pods_make()
{
	lab_enter agent sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip -n "$LAB_TAG-agent" link add pods0 type bridge mcast_snooping 0
	ip -n "$LAB_TAG-agent" link set pods0 up
	lab_address agent pods0 10.244.0.1/24 fd44::1/64
	pod_make 1
	pod_make 2
	pods_rules >"$work/pods.nft"
	lab_enter agent nft -f "$work/pods.nft" || {
		skip "$1" 'this kernel or host has no NAT of nftables'
		exit 0
	}
}

# Packets by reason, summed over all other fields: VERDICT REASON [DIRECTION]
pods_reason()
{
	fr_ask agent "[.policies[].verdicts[] | select(.verdict == \"$1\" and .reason == \"$2\" and
		(\"${3:-}\" == \"\" or .direction == \"${3:-}\")) | .packets] | add // 0" status
}
