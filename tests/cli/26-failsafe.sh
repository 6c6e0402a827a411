# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# failsafe: auto without the host that it is derived from, and what --write-failsafe does not write. Sourced
# by run.

# ATTACH FAILSAFE
failsafe_policy() {
	cat >"$work/failsafe.yaml" <<-END
		apiVersion: flowreeve/v1
		kind: Policy
		metadata: {name: web}
		mode: enforce
		attach: $1
		rules:
		  - {id: out, direction: egress, peer: [10.0.0.1], ports: [443/tcp], action: allow}
		failsafe: $2
	END
}

failsafe_policy '{interfaces: [eth0]}' auto
exits 'failsafe: auto is no mistake' 0 'note: failsafe is derived from the host .*\[failsafe-unknown\]$' check "$work/failsafe.yaml"
same_words 'failsafe: and no other finding' failsafe-unknown "$(grep -oP '\[\K[a-z-]+(?=\]$)' "$work/err")"
exits 'failsafe: explain says that it is not judged' 0 '\[failsafe-unknown\]$' explain "$work/failsafe.yaml" egress udp 10.0.0.53:53
exits 'failsafe: compile, too' 0 '\[failsafe-unknown\]$' compile "$work/failsafe.yaml"
failsafe_policy '{interfaces: [eth0], guests: [tap0]}' auto
exits 'failsafe: with guests beside' 0 '\[failsafe-unknown\]$' check "$work/failsafe.yaml"
failsafe_policy '{guests: [tap0]}' auto
exits 'failsafe: of guests alone' 3 '\[failsafe-guests\]$' check "$work/failsafe.yaml"
many=$(printf '10.0.%d.1, ' {1..32})
failsafe_policy '{interfaces: [eth0]}' "[{peer: [${many%, }], ports: [22/tcp, 443/tcp]}]"
exits 'failsafe: 64 pairs of a peer and a service' 0 '' check "$work/failsafe.yaml"
failsafe_policy '{interfaces: [eth0]}' "[{peer: [${many%, }], ports: [22/tcp, 443/tcp]}, {peer: 10.0.0.1, ports: 22/tcp}]"
exits 'failsafe: one more' 3 ':8:.*error: failsafe has more than 64 pairs .*\[failsafe-too-long\]$' check "$work/failsafe.yaml"
exits 'failsafe: one more, and what to do' 3 'name a prefix for neighbouring peers' check "$work/failsafe.yaml"
failsafe_policy '{interfaces: [eth0]}' automatic
exits 'failsafe: another word' 3 "'failsafe' must be a list" check "$work/failsafe.yaml"
failsafe_policy '{interfaces: [eth0]}' '[{direction: out, peer: any, ports: 53/udp}]'
exits 'failsafe: a direction in other words' 3 "did you mean 'egress'" check "$work/failsafe.yaml"
exits 'failsafe: standard input is not written' 2 'standard input is none \[usage\]$' preview - --write-failsafe
