#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The policy names the card, and that is a port of a bridge: the host's address is on the bridge, and a guest of
# the same bridge uses the same port, while the host does not forward. The host's packets are judged, the guest's
# are not; when they are no longer distinguishable, all are.
#
# lesson: a host's policy cut requests to its guests, because nothing was proven to be forwarded.
. "$(dirname "$0")/lib.sh"

node_add() # NAME DEVICE ADDRESS: behind a port of the agent's bridge
{
	echo "$LAB_TAG-$1" >>"$LAB_DIR/netns"
	ip netns add "$LAB_TAG-$1"
	ip -n "$LAB_TAG-$1" link set lo up
	ip -n "$LAB_TAG-agent" link add "$2" type veth peer name eth0 netns "$LAB_TAG-$1"
	ip -n "$LAB_TAG-agent" link set "$2" master br9 up
	ip -n "$LAB_TAG-$1" link set eth0 up
	lab_address "$1" eth0 "10.99.0.$3/24" "fd00:99::$3/64"
}

bridge_apply() # MODE [MORE-LINES]
{
	cat >"$work/bridge.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: bridge}
		mode: $1
		attach: {interfaces: [card9]}
		rules:
		  - {id: serve, direction: ingress, peer: [10.99.0.2, "fd00:99::2"], ports: [514/tcp, 514/udp], action: allow}
		failsafe: []
		${2:-}
	YAML
	fr_exits "$what: apply" 0 agent apply "$work/bridge.yaml"
}

# The outside's results of TCP and UDP on a port over IPv4 and IPv6: ADDRESS-END PORT
asks()
{
	local address out=''
	for address in 10.99.0.$1 fd00:99::$1; do
		out="$out $(peer_try outside tcp $address "$2" --wait 0.5) $(peer_try outside udp $address "$2" --wait 0.5)"
	done
	echo "${out# }"
}

passes='ok ok ok ok' refused='timeout timeout timeout timeout'

port_judged() # MODE GUEST: what becomes of the guest's
{
	local own=$refused
	[ "$1" = enforce ] || own=$passes
	equal "$what: the host, a port that a rule opens" "$passes" "$(asks 1 514)"
	equal "$what: the host, one that none opens" "$own" "$(asks 1 515)"
	equal "$what: the guest" "$2" "$(asks 50 515)"
	equal "$what: the guest asks" ok "$(peer_try guest tcp 10.99.0.2 515 --wait 3)"
}

# The host is reached by another Ethernet address. Each packet that it sends announces it.
bridge_changes()
{
	what='another address of the bridge'
	lab_enter agent ip link set br9 address 02:00:00:00:99:99
	lab_enter agent ping -nqc1 -W2 10.99.0.2 >/dev/null
	lab_enter outside ip neigh flush all
	equal "$what: the host, a port that no rule opens" "$refused" "$(asks 1 515)"
	equal "$what: the guest is judged with it" "$refused" "$(asks 50 515)"
	fr_exits "$what: status" 5 agent status bridge
	matches "$what: it says why" 'Ethernet address' "$said"
	bridge_apply enforce
	port_judged enforce "$passes"
	fr_exits "$what: status after it" 0 agent status
}

# A container on a macvlan of the bridge: judged as the host's own, as on any interface.
macvlan_above()
{
	echo "$LAB_TAG-container" >>"$LAB_DIR/netns"
	ip netns add "$LAB_TAG-container"
	ip -n "$LAB_TAG-container" link set lo up
	if ! ip -n "$LAB_TAG-agent" link add link br9 name mac9 netns "$LAB_TAG-container" type macvlan mode bridge; then
		skip 'a macvlan above the bridge' 'this kernel has none'
		return
	fi
	ip -n "$LAB_TAG-container" link set mac9 up
	lab_address container mac9 10.99.0.60/24 fd00:99::60/64
	peer_start container container-tcp 515
	peer_start container container-udp --udp 515
	what='a macvlan above the bridge'
	lab_enter container ping -nqc1 -W2 10.99.0.2 >/dev/null # refused, and seen
	equal "$what: it is judged" "$refused" "$(asks 60 515)"
	fr_exits "$what: status" 5 agent status bridge
	bridge_apply enforce
	equal "$what: it is judged after apply" "$refused" "$(asks 60 515)"
	port_judged enforce "$refused"
	fr_exits "$what: status after it" 0 agent status
	ip -n "$LAB_TAG-container" link del mac9
	what='the macvlan has gone'
	bridge_apply enforce
	port_judged enforce "$passes"
}

# Netfilter sees the bridge's packets, and redirects some of the guest's to a socket of the host.
redirected()
{
	local address verdict=$refused
	what="$1: what netfilter turns to the host"
	if ! lab_enter agent sh -c 'echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
		echo 1 >/proc/sys/net/bridge/bridge-nf-call-ip6tables' 2>/dev/null ||
		! for family in ip ip6; do
			address=10.99.0.50
			[ $family = ip ] || address=fd00:99::50
			cat <<-NFT
				table $family turned {
					chain turned {
						type nat hook prerouting priority -100
						$family daddr $address udp dport 777 redirect to :516
						$family daddr $address tcp dport 777 redirect to :516
					}
				}
			NFT
		done | lab_enter agent nft -f -; then
		skip "$what" 'this kernel has no br_netfilter or no NAT of nftables'
		return
	fi
	[ "$1" = enforce ] || verdict=$passes
	equal "$what" "$verdict" "$(asks 50 777)"
	equal "$what: it is reported" '10.99.0.2 tcp, 10.99.0.2 udp, fd00:99::2 tcp, fd00:99::2 udp' "$(fr_ask agent '[.drops[] |
		select(.direction == "ingress" and .local.port == 516) | "\(.peer.address) \(.protocol)"] | unique | join(", ")' \
		show drops)"
	equal "$what: what is the guest's" "$passes" "$(asks 50 515)"
	lab_enter agent sh -c 'nft delete table ip turned; nft delete table ip6 turned
		echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables
		echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables'
}

e2e_begin bridge-port
lab_enter agent ip link add br9 type bridge mcast_snooping 0
lab_enter agent ip link set br9 up
lab_address agent br9 10.99.0.1/24 fd00:99::1/64
node_add outside card9 2
node_add guest tap9 50
for node in agent outside guest; do
	peer_start $node "tcp-$node" 514 515 516
	peer_start $node "udp-$node" --udp 514 515 516
done
for mode in audit enforce; do
	what=$mode
	bridge_apply $mode
	port_judged $mode "$passes"
	[ $mode = audit ] || at_least "$mode: the guest's is counted as forwarded" 4 "$(fr_ask agent '[.policies[].verdicts[] |
		select(.reason == "forwarded" and .direction == "ingress") | .packets] | add // 0' status)"
	[ $mode = enforce ] || equal 'audit: nothing of the guest is reported' 0 \
		"$(fr_ask agent '[.drops[] | select(.local.address | endswith("50"))] | length' show drops)"
	redirected $mode
done
bridge_changes
macvlan_above
what='forwarded: judge'
bridge_apply enforce 'forwarded: judge'
equal "$what: the guest is judged" "$refused" "$(asks 50 515)"
succeeds 'detach' fr agent detach
