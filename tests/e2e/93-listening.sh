#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# coverage of sockets: those that wait for others and that no row explains, and ingress rows on whose port
# nobody listens; in the policy's network namespace, from whichever one the command is run; and left out,
# with the reason, where the rules are about other hosts.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

listening() { fr_ask agent ".policies[0].listening | $1" coverage; } # FILTER
socket()                                                              # PROTOCOL PORT FILTER
{
	listening "[.unexplained[] | select(.protocol == \"$1\" and .port == $2) | $3] | first"
}
services() { listening '[.nobody_listens[] | .rule + " " + .service] | sort | join(",")'; }

policy() # ATTACH [LINE]
{
	cat >"$work/policy.yaml" <<-YAML
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: e2e}
		mode: audit
		attach: $1
		${2:-forwarded: pass}
		rules:
		  - {id: web, direction: ingress, peer: any, ports: [8090/tcp, 8091/tcp, 8092/udp], action: allow}
		  - {id: range, direction: ingress, peer: any, ports: [8100-8199/tcp, 8200-8299/tcp], action: allow}
		  - {id: four, direction: ingress, peer: [10.0.0.0/8], ports: [8300/tcp], action: allow}
		  - {id: out, direction: egress, peer: any, ports: [8400/tcp], action: allow}
		  - {id: no, direction: ingress, peer: [10.9.0.0/16], ports: [8401/tcp], action: deny}
		failsafe: []
	YAML
}

open_sockets() # NODE: of each kind one
{
	lab_spawn "sockets-$1" "$1" "$e2e_here/tools/sockets"
	until_true says "$LAB_DIR/log/sockets-$1" ready
}

compared() # WHAT
{
	equal "$1: it is compared" null "$(listening .left_out)"
	equal "$1: a listener that no rule explains, with its process" 'python3 null' \
		"$(socket tcp 8400 '"\(.process) \(.address)"')"
	equal "$1: a deny rule explains none" true "$(socket tcp 8401 '.pid > 0')"
	equal "$1: a datagram socket without a peer" python3 "$(socket udp 8402 .process)"
	equal "$1: one with a peer waits for nobody" null "$(socket udp 8403 .port)"
	equal "$1: one of the loopback is not judged" null "$(socket tcp 8404 .port)"
	equal "$1: an allowed one is explained" null "$(socket tcp 8090 .port)"
	equal "$1: one within a range as well" null "$(socket tcp 8150 .port)"
	equal "$1: one of IPv6 alone is not by a rule about IPv4" '::' "$(socket tcp 8300 '.address // "::"')"
	equal "$1: ports on which nobody listens" \
		'four 8300/tcp,range 8200-8299/tcp,web 8091/tcp,web 8092/udp' "$(services)"
	equal "$1: a client's socket is told of as such" true "$(listening '[.unexplained[] | select(.protocol == "udp" and .port >= 32768) | .given_out] | all')"
	matches "$1: and counted in the text" 'gives out, most of them clients.: 1; --wide' "$(fr agent coverage)"
}

e2e_begin listening
open_sockets agent
policy '{interfaces: [ens5]}'
succeeds 'interfaces: apply' fr agent apply "$work/policy.yaml"
compared interfaces
matches 'interfaces: in the text' '^8400/tcp +every address +python3 \([0-9]+\)' "$(fr agent coverage 2>&1)"
matches 'interfaces: and the idle ones' '^8091/tcp +web' "$(fr agent coverage 2>&1)"
mv "$work/policy.yaml" "$work/away.yaml"
equal 'without its file: the policy in force is enough' null "$(listening .left_out)"
mv "$work/away.yaml" "$work/policy.yaml"

policy '{interfaces: [ens5]}' 'forwarded: judge'
succeeds 'a gateway: apply' fr agent apply "$work/policy.yaml"
equal 'a gateway: it is left out, with the reason' \
	'its ingress rules are also about hosts that this one forwards to' "$(listening .left_out)"
equal 'a gateway: nothing is listed' '0 0' "$(listening '"\(.unexplained | length) \(.nobody_listens | length)"')"
matches 'a gateway: also in the text' '^listening sockets are left out: its ingress rules' "$(fr agent coverage 2>&1)"
succeeds 'a gateway: detach' fr agent detach

# Only the sockets of the cgroup, in whichever network namespace they are; two namespaces at once.
e2e_kind cgroup
policy "$attach"
succeeds 'cgroup: apply' fr agent apply "$work/policy.yaml"
equal 'cgroup: the sockets beside it are not its own' '0' "$(listening .sockets)"
LAB_CGROUP_NODE=nfs lab_spawn sockets-inside nfs "$e2e_here/tools/sockets"
until_true says "$LAB_DIR/log/sockets-inside" ready
compared cgroup

succeeds 'cgroup: detach' fr agent detach

e2e_kind guest
policy "$attach"
succeeds 'guests: apply' fr hypervisor apply "$work/policy.yaml"
equal 'guests: they are left out, with the reason' 'its rules are about guests, whose sockets this host does not see' \
	"$(fr_ask hypervisor '.policies[0].listening.left_out' coverage)"
