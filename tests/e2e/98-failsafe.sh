#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# failsafe: auto. What a host cannot do without is derived from it, shown, put in force and written into the
# policy's file; each of it works under a policy that denies everything, and nothing beside it does.
#
# lesson: a failsafe that is open to the world is as bad as one that lacks the kubelet.
. "$(dirname "$0")/lib.sh"
. "$e2e_here/sessions.sh"

# flowreeve in the agent, which has files of its own: VERB...
host_fr()
{
	# shellcheck disable=SC2016
	lab_enter agent timeout -s KILL 120 unshare --mount sh -c \
		'mount -t tmpfs tmpfs /run && mount --bind "$0" /etc && exec "$@"' "$work/etc" "$FLOWREEVE" "$@"
}
host_exits() # WHAT CODE VERB...: leaves the text in $said
{
	local what=$1 expected=$2 code
	shift 2
	# shellcheck disable=SC2086
	said=$(host_fr "$@" $root 2>&1)
	code=$?
	if [ "$code" = "$expected" ]; then ok "$what"; else not_ok "$what" "exit $code instead of $expected: $said"; fi
}

policy() # FILE [FAILSAFE-LINE]
{
	cat >"$work/$1" <<-YAML
		# of the agent
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: e2e}
		mode: enforce   # at once
		attach: {interfaces: [ens5]}
		rules:
		  - {id: nothing-out, direction: egress, peer: [any], ports: [any], action: deny}
		  - {id: nothing-in, direction: ingress, peer: [any], ports: [any], action: deny}
		${2:-}
	YAML
}

opens() # WHAT EXPECTED NODE tcp|udp ADDRESS PORT
{
	tries "$1" "$2" lab_in "$3" "$e2e_top/scripts/lab-peer" try "$4" "$5" "$6"
}
pings() { lab_in agent ping -n -c 1 -W "$2" "$1" >/dev/null 2>&1 && echo ok || echo none; } # ADDRESS SECONDS

# shellcheck disable=SC2086
digest() { host_fr preview "$work/auto.yaml" --json $root 2>/dev/null | jq -r .digest; }

works() # WHAT
{
	equal "$1: the session lives" 'answered 1 of 1' "$(sessions_ask in ask)"
	opens "$1: another from its address" ok bastion tcp 10.0.5.5 22
	opens "$1: none from elsewhere" timeout intruder tcp 10.0.5.5 22
	opens "$1: the resolver, by UDP" ok agent udp 10.0.0.2 53
	opens "$1: and by TCP" ok agent tcp 10.0.0.2 53
	opens "$1: no other port of it" timeout agent tcp 10.0.0.2 80
	opens "$1: the metadata service" ok agent tcp 169.254.169.254 80
	opens "$1: the API server" ok agent tcp 10.20.0.5 6443
	opens "$1: it asks the kubelet" ok nfs tcp 10.0.5.5 10250
	opens "$1: nobody else does" timeout intruder tcp 10.0.5.5 10250
	opens "$1: nobody else is asked" timeout agent tcp 10.66.0.66 4444
	equal "$1: the gateway answers pings" 'ok ok' "$(pings 10.0.5.1 20) $(pings fd00:5::1 20)"
	equal "$1: no other host does" 'none none' "$(pings 10.0.5.10 1) $(pings fd00:5::10 1)"
}

e2e_begin failsafe
root="--pin-root $LAB_DIR/bpf/flowreeve"
mkdir -p "$work/etc/kubernetes"
printf 'nameserver 127.0.0.53\nnameserver 10.0.0.2\n' >"$work/etc/resolv.conf"
printf 'apiVersion: v1\nclusters:\n- cluster:\n    server: https://10.20.0.5:6443\n  name: lab\n' >"$work/etc/kubernetes/kubelet.conf"
ip -n "$LAB_TAG-vpc" address add 169.254.169.254/32 dev eth0
ip -n "$LAB_TAG-agent" route add 169.254.169.254 via 10.0.5.10
peer_start agent sshd 22
peer_start agent kubelet 10250
peer_start bastion resolver 53 80
peer_start bastion resolver-udp 10.0.0.2 --udp 53
peer_start vpc metadata 80
peer_start nfs api 6443
peer_start intruder stranger 4444
sessions_start in bastion hold tcp 10.0.5.5 22 1
policy auto.yaml 'failsafe: auto   # as the host is'
policy absent.yaml
cp "$work/auto.yaml" "$work/before.yaml"

said=$(host_fr check "$work/auto.yaml" 2>&1)
matches 'it is derived later' 'note: failsafe is derived from the host .*\[failsafe-unknown\]$' "$said"
host_exits 'preview: nothing is cut' 0 preview "$work/auto.yaml"
matches 'preview: SSH' '^failsafe/1 +ingress +10\.0\.9\.5 +22/tcp +SSH sessions that are established$' "$said"
matches 'preview: the resolver' ' egress +10\.0\.0\.2 +53/udp, 53/tcp +resolvers of /etc/resolv\.conf$' "$said"
matches 'preview: the metadata service' ' egress +169\.254\.169\.254 +80/tcp +metadata service: a route to it$' "$said"
matches 'preview: the gateway' ' egress +10\.0\.5\.1 +icmp/8 +ICMP of the default gateway$' "$said"
matches 'preview: the API server' ' egress +10\.20\.0\.5 +6443/tcp +API server of /etc/kubernetes/kubelet\.conf$' "$said"
matches 'preview: to the kubelet' ' ingress +10\.20\.0\.5 +10250/tcp +API server, to the kubelet on 10250/tcp$' "$said"
equal 'preview: no loopback' '' "$(grep -F 127.0.0.53 <<<"$said")"
equal 'the file is as it was' '' "$(cmp "$work/auto.yaml" "$work/before.yaml" 2>&1)"

host_exits 'apply' 0 apply "$work/auto.yaml"
matches 'apply: it is shown' '^failsafe/1 +ingress +10\.0\.9\.5 +22/tcp ' "$said"
equal 'apply: before it is used' 'failsafe applied' "$(grep -oE '^(failsafe,|applied)' <<<"$said" | tr -d , | xargs)"
works auto
matches 'pinned with its source' '^- \{id: failsafe/1, peer: \[10\.0\.9\.5\], ports: \[22/tcp\], .*purpose: "?SSH sessions' \
	"$(fr agent show policy e2e)"
at_least 'counted by rule' 1 "$(rule_field agent failsafe/1 packets)"
matches 'explained by rule' '^pass +rule=failsafe/1 +reason=failsafe' "$(fr agent explain --running e2e ingress tcp 10.0.9.5:22)"

# Written, it is the same policy.
before=$(digest)
chmod 640 "$work/auto.yaml"
host_exits 'written' 0 preview "$work/auto.yaml" --write-failsafe
matches 'it says so' "^failsafe is written to $work/auto\.yaml\$" "$said"
equal 'nothing else is changed' '' "$(diff "$work/before.yaml" "$work/auto.yaml" | grep '^[<>]' | grep -vE '^> +- \{|^[<>] failsafe:')"
matches 'the comment stays' '^failsafe: +# as the host is$' "$(cat "$work/auto.yaml")"
equal 'with its mode' 640 "$(stat -c %a "$work/auto.yaml")"
equal 'and nothing beside it' 'auto.yaml' "$(cd "$work" && echo auto.yaml*)"
equal 'the same digest' "$before" "$(digest)"
host_exits 'it is put in force' 0 apply "$work/auto.yaml"
works written
host_exits 'written once' 3 preview "$work/auto.yaml" --write-failsafe
matches 'a list is left alone' '\[failsafe-written\]$' "$said"
host_exits 'an absent one' 0 preview "$work/absent.yaml" --write-failsafe --json
equal 'is the same policy' "$before $work/absent.yaml 9" "$(jq -r '"\(.digest) \(.written) \(.failsafe | length)"' <<<"$said")"

# What cannot be read or written.
policy auto.yaml 'failsafe: auto'
cp "$work/auto.yaml" "$work/before.yaml"
host_exits 'standard input' 2 preview - --write-failsafe
ln -s auto.yaml "$work/link.yaml"
host_exits 'a link' 1 preview "$work/link.yaml" --write-failsafe
matches 'is named' "$work/link\.yaml cannot be written: .*\[output-unwritten\]\$" "$said"
rm "$work/etc/kubernetes/kubelet.conf"
mkdir "$work/etc/kubernetes/kubelet.conf"
generation=$(fr_ask agent '.policies[0].generation' status)
for verb in 'preview --write-failsafe' apply; do
	# shellcheck disable=SC2086
	host_exits "$verb: an unreadable source" 1 $verb "$work/auto.yaml"
	matches "$verb: it is named" 'failsafe: auto: /etc/kubernetes/kubelet\.conf: .*\[failsafe-unreadable\]$' "$said"
done
equal 'the file is as it was' '' "$(cmp "$work/auto.yaml" "$work/before.yaml" 2>&1)"
equal 'so is what is in force' "$generation" "$(fr_ask agent '.policies[0].generation' status)"
succeeds 'detach' fr agent detach
rmdir "$work/etc/kubernetes/kubelet.conf"

# Gateways of every form of a route, and the metadata service as a neighbour.
derived() # FILTER: peers of egress
{
	# shellcheck disable=SC2086
	host_fr preview "$work/auto.yaml" --json $root 2>/dev/null |
		jq -r "[.failsafe[] | select(.direction == \"egress\" and (.source | test(\"$1\"))) | .peers[]] | join(\" \")"
}
route() { ip -4 -n "$LAB_TAG-agent" route "$@"; }
route replace default nexthop via 10.0.5.1 nexthop via 10.0.5.10
equal 'two next hops' '10.0.5.1 10.0.5.10 fd00:5::1' "$(derived gateway)"
route replace default via inet6 fe80::7 dev ens5
equal 'a gateway of the other family' 'fe80::7 fd00:5::1' "$(derived gateway | xargs -n 1 | sort -r | xargs)"
route del default
route add default via 10.0.5.20 table 100
equal 'another table' '10.0.5.20 fd00:5::1' "$(derived gateway)"
route replace unreachable default table 100
equal 'no way is no gateway' fd00:5::1 "$(derived gateway)"
route del 169.254.169.254
ip -n "$LAB_TAG-agent" neigh replace 169.254.169.254 lladdr 02:00:00:00:00:01 dev ens5 nud permanent
equal 'a neighbour' 169.254.169.254 "$(derived 'metadata service: a neighbour')"
e2e_end
